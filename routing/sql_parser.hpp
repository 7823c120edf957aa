// libpg_query's parse tree of a text as JSON values, in buffers that are used again.
// Owned by text_judge and session_changes; one per thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include <boost/json/value.hpp>

namespace pgsteer::routing {

enum class parse_failure : std::uint8_t { none, not_sql, too_deep };

class sql_parser {
 public:
  sql_parser();
  ~sql_parser();
  sql_parser(const sql_parser&) = delete;
  sql_parser& operator=(const sql_parser&) = delete;

  // The tree is {"version":..., "stmts":[...]} and valid until the next call. The text holds no zero byte
  // and at most max_parsed_text bytes.
  [[nodiscard]] parse_failure parse(std::string_view sql);
  [[nodiscard]] const boost::json::value& tree() const;

 private:
  struct buffers;
  std::unique_ptr<buffers> buffers_;
};

}  // namespace pgsteer::routing
