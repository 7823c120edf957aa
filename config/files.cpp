#include "config/files.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <memory>

#include <sys/stat.h>
#include <unistd.h>

namespace pgsteer::config {
namespace {

constexpr std::size_t largest = 1U << 20U;

boost::system::error_code last_error() {
  return {errno, boost::system::system_category()};
}

}  // namespace

boost::system::result<std::string> read_file(const std::string& path) {
  if (const auto error = check_readable(path)) return error;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) return last_error();
  std::string out;
  std::array<char, 4096> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    out.append(buffer.data(), got);
    if (out.size() > largest)
      return boost::system::errc::make_error_code(boost::system::errc::file_too_large);
  }
  if (std::ferror(file.get()) != 0) return last_error();
  return out;
}

boost::system::error_code check_readable(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return last_error();
  if (S_ISDIR(status.st_mode))
    return boost::system::errc::make_error_code(boost::system::errc::is_a_directory);
  return access(path.c_str(), R_OK) == 0 ? boost::system::error_code() : last_error();
}

}  // namespace pgsteer::config
