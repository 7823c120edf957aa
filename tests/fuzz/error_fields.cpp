// Errors of a hostile server: no overrun, and what was read survives being written and read again.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "protocol/error_report.hpp"
#include "protocol/message_writer.hpp"

using namespace pgsteer::protocol;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto report = to_report(parse_error_fields({reinterpret_cast<const char*>(data), size}));
  std::string bytes;
  write::error_response(bytes, report);
  auto again = to_report(parse_error_fields(std::string_view(bytes).substr(5)));
  if (report.severity_localized.empty()) again.severity_localized.clear();
  if (!(again == report)) std::abort();
  return 0;
}
