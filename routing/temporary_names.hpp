// The names of a session's temporary objects, and whether a text could mean one of them: then only the
// session's own backend can run it. Used by the data path and by session_model for `route`.
// https://www.postgresql.org/docs/15/sql-createtable.html (TEMPORARY)
#pragma once

#include <cstddef>
#include <cstdint>
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
  // A row of temporary_objects_query(); all of its rows are added.
  void add_object(std::string_view name, std::string_view id);
  // From now on everything concerns the session's temporary schema.
  void add_all() { is_everything_ = true; }

  [[nodiscard]] bool is_empty() const { return names_.empty() && !is_everything_; }
  // All objects are known, and no permanent one has to do with them.
  [[nodiscard]] bool are_apart() const { return !ids_.empty() && !is_mixed_ && !is_everything_; }
  // A word anywhere in `text`, literals and comments included, may be one of the names; or the text asks
  // what names mean in this session. False alarms are allowed, misses are not.
  [[nodiscard]] bool may_be_in(std::string_view text) const;
  // The same for a text that is read whole: one that has a name only as a column, an alias or a word in a
  // constant of a named type does not mean the object. Where the session's objects are apart from all others,
  // neither do constants, unless the text asks what names mean; and that it may ask of what they do not hide:
  // of constants, and of rows of the catalogs that it names by constants.
  [[nodiscard]] bool may_be_meant(std::string_view sql, sql_parser& parser) const;

 private:
  [[nodiscard]] bool has_word_in(std::string_view text) const;
  [[nodiscard]] bool has_name_in(std::string_view text) const;
  [[nodiscard]] bool has_name_like(std::string_view beginning) const;
  [[nodiscard]] bool is_reached(const boost::json::value& tree) const;
  [[nodiscard]] bool names_one(const boost::json::value& tree) const;
  [[nodiscard]] bool is_in_constant(const boost::json::value& tree) const;
  [[nodiscard]] bool is_in_choice(const boost::json::object& choice) const;
  [[nodiscard]] bool is_meant(const boost::json::value& tree) const;
  [[nodiscard]] bool is_meant(std::string_view key, const boost::json::value& value) const;

  static constexpr std::size_t most = 1000;

  std::set<std::string, std::less<>> names_;
  std::set<std::uint32_t> ids_;
  bool is_everything_ = false;
  bool is_mixed_ = false;  // permanent objects have to do with one
};

}  // namespace pgsteer::routing
