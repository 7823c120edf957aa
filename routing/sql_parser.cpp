#include "routing/sql_parser.hpp"

#include <array>
#include <optional>
#include <string>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parser.hpp>
#include <boost/system/error_code.hpp>

extern "C" {
#include <pg_query.h>
}

namespace pgsteer::routing {
namespace json = boost::json;
namespace {

// Values of the tree within one another. An operator chain nests two levels a term.
constexpr std::size_t max_tree_depth = 8192;

struct parse_result {
  explicit parse_result(const char* sql) : value(pg_query_parse(sql)) {}
  ~parse_result() { pg_query_free_parse_result(value); }
  parse_result(const parse_result&) = delete;
  parse_result& operator=(const parse_result&) = delete;
  PgQueryParseResult value;
};

json::parse_options tree_options() {
  json::parse_options options;
  options.max_depth = max_tree_depth;
  options.allow_invalid_utf8 = true;  // names are bytes of the client's encoding
  return options;
}

}  // namespace

struct sql_parser::buffers {
  std::string zero_terminated;
  std::array<unsigned char, std::size_t{64} << 10> arena_bytes;
  std::array<unsigned char, std::size_t{16} << 10> parser_bytes;
  std::optional<json::monotonic_resource> arena;  // a new one a text: its blocks double for life
  json::parser parser{{}, tree_options(), parser_bytes.data(), parser_bytes.size()};
  std::optional<json::value> tree;
};

sql_parser::sql_parser() : buffers_(std::make_unique<buffers>()) {}
sql_parser::~sql_parser() = default;

parse_failure sql_parser::parse(std::string_view sql) {
  auto& self = *buffers_;
  self.tree.reset();
  self.parser.reset();  // what a failed text left behind lies in the arena
  self.arena.emplace(self.arena_bytes.data(), self.arena_bytes.size());
  self.zero_terminated.assign(sql);
  const parse_result result(self.zero_terminated.c_str());
  if (result.value.error != nullptr || result.value.parse_tree == nullptr) return parse_failure::not_sql;
  self.parser.reset(&*self.arena);
  boost::system::error_code error;
  self.parser.write(result.value.parse_tree, error);
  if (error) return parse_failure::too_deep;
  self.tree.emplace(self.parser.release());
  return parse_failure::none;
}

const json::value& sql_parser::tree() const {
  return *buffers_->tree;
}

}  // namespace pgsteer::routing
