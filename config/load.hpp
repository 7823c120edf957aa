// From command line, environment and file to one validated settings value, or to all that is wrong.
// Called by main at start-up and by the proxy at SIGHUP, with the same sources.
#pragma once

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/system/result.hpp>

#include "config/problem.hpp"
#include "config/settings.hpp"

namespace pgsteer::config {

enum class command { run, check_config, print_config, route, version, help };

// What pgsteer was called to do.
struct invocation {
  command what = command::run;
  std::optional<settings> values;  // missing for version and help
  std::string output;              // what to print: version, help, the checked or printed configuration
  bool route_json = false;
  std::optional<std::string> route_sql;            // standard input is read where it is missing
  std::optional<std::string> route_catalog;        // URL of the server whose catalog counts
  std::optional<server_url> route_catalog_server;  // the same, as libpq takes it
  std::string config_file;                         // empty where there is none
};

struct sources {
  std::vector<std::string> arguments;  // without the program's name
  std::map<std::string, std::string> environment;
};

/// The arguments of main() and the process's environment.
[[nodiscard]] sources sources_of_process(int argc, const char* const* argv);

using loaded = boost::system::result<invocation, problems>;

/// Pure, except that it reads the files the sources name (and libpq's password and service files).
[[nodiscard]] loaded load(const sources& from);

/// Names of the settings that differ and take effect only at a new start.
[[nodiscard]] std::vector<std::string> needs_restart(const settings& running, const settings& wanted);

/// Lets loaded::value() throw what is wrong.
[[noreturn]] inline void throw_exception_from_error(const problems& found,
                                                    const boost::source_location& /*where*/) {
  throw std::invalid_argument(to_text(found));
}

}  // namespace pgsteer::config
