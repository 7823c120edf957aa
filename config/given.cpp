#include "config/given.hpp"

#include <fmt/format.h>

#include "config/files.hpp"

namespace pgsteer::config {

std::optional<std::string> read_value(const std::string& path, std::string_view where, problems& wrong) {
  auto text = read_file(path);
  if (!text) {
    wrong.push_back({std::string(where),
                     fmt::format("cannot read {}: {}", shown(path), text.error().message()),
                     "check the path and who may read it"});
    return std::nullopt;
  }
  while (text->ends_with('\n') || text->ends_with('\r'))
    text->pop_back();
  return *std::move(text);
}

void check_given_once(const gathered& source, problems& wrong) {
  for (auto one = source.values.begin(); one != source.values.end(); ++one) {
    for (auto other = source.values.begin(); other != one; ++other) {
      if (other->what != one->what) continue;
      wrong.push_back({one->where,
                       fmt::format("sets \"{}\", and {} sets it too", one->what->name, other->where),
                       "keep one of them"});
    }
  }
}

}  // namespace pgsteer::config
