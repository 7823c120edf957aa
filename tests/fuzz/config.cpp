// Arbitrary bytes as YAML file, URL list, address, duration and password file: never a crash, and what is
// accepted is read back from its own text. Run by libFuzzer.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/addresses.hpp"
#include "config/passfile.hpp"
#include "config/print.hpp"
#include "config/problem.hpp"
#include "config/urls.hpp"
#include "config/values.hpp"
#include "config/yaml_source.hpp"

namespace {

using namespace pgsteer::config;

void require(bool holds) {
  if (!holds) std::abort();
}

void feed_values(const std::string& text) {
  if (const auto value = parse_duration(text)) require(*parse_duration(to_text(*value)) == *value);
  (void)parse_number(text, -5, 5);
  (void)parse_fraction(text);
  (void)parse_switch(text);
  (void)shown(text);
  (void)nearest(text, std::vector<std::string>{"pool_size", "--listen"});
  if (const auto address = parse_address(text, 6432))
    require(*parse_address(to_text(*address), 1) == *address);
  (void)parse_addresses(text, 6432);
}

void feed_urls(const std::string& text) {
  const surroundings around{{}, "user", "/nonexistent"};
  for (const auto& piece : split_servers(text)) {
    const auto server = parse_server(piece, nullptr, around);
    if (!server) continue;
    require(!redacted(*server).empty());
    const auto again = parse_server(server->conninfo, nullptr, around);
    require(again.has_value() && *again == *server);
  }
}

void feed_files(const std::string& text) {
  (void)find_password(text, {"h", "5432", "d", "u"});
  (void)find_service(text, "s");
}

// Applies a file as a source would be, short of reading other files that it may name.
void feed_yaml(const std::string& text) {
  if (text.find("_file") != std::string::npos) return;
  settings values;
  const surroundings around{{}, "user", "/nonexistent"};
  for (const auto& each : gather_yaml(text, "fuzz.yaml").values) {
    std::vector<std::string> texts;
    for (const auto& item : each.items)
      texts.push_back(item.text);
    (void)each.what->set(values, texts, around);
  }
  const auto printed = to_yaml(values, [](std::string_view) { return std::string("fuzz"); });
  require(gather_yaml(printed, "printed.yaml").wrong.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      feed_yaml(text);
      break;
    case 1:
      feed_urls(text);
      break;
    case 2:
      feed_values(text);
      break;
    default:
      feed_files(text);
      break;
  }
  return 0;
}
