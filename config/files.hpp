// Reading a whole small file, and asking whether one can be read.
// Used by everything in config/ that the operator points at a file.
#pragma once

#include <string>

#include <boost/system/result.hpp>

namespace pgsteer::config {

/// The file's bytes; the error says why not. Files beyond a megabyte are refused.
[[nodiscard]] boost::system::result<std::string> read_file(const std::string& path);

/// No error where the file is there, is no directory and can be read.
[[nodiscard]] boost::system::error_code check_readable(const std::string& path);

}  // namespace pgsteer::config
