// The names of a session's temporary objects, and whether a text could mean one of them: then only the
// session's own backend can run it. Used by the data path and by session_model for `route`.
// https://www.postgresql.org/docs/15/sql-createtable.html (TEMPORARY)
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "routing/sql_parser.hpp"

namespace pgsteer::routing {

class temporary_names {
 public:
  // As the catalog has it: folded, without quotes.
  void add(std::string_view name);
  // From now on everything concerns the session's temporary schema.
  void add_all() { is_everything_ = true; }

  [[nodiscard]] bool is_empty() const { return names_.empty() && !is_everything_; }
  // A word anywhere in `text`, literals and comments included, may be one of the names; or the text asks
  // what names mean in this session. False alarms are allowed, misses are not.
  [[nodiscard]] bool may_be_in(std::string_view text) const;
  // The same for a text that is read whole: one that has a name only as a column, an alias or a word in a
  // constant of a named type does not mean the object.
  [[nodiscard]] bool may_be_meant(std::string_view sql, sql_parser& parser) const;

 private:
  [[nodiscard]] bool has_word_in(std::string_view text) const;
  [[nodiscard]] bool is_meant(const boost::json::value& tree) const;
  [[nodiscard]] bool is_meant(std::string_view key, const boost::json::value& value) const;

  static constexpr std::size_t most = 1000;

  std::set<std::string, std::less<>> names_;
  bool is_everything_ = false;
};

}  // namespace pgsteer::routing
