// Walks a query's parse tree and says whether a standby may answer it, why not, and what it may leave
// in the session. Made by routing/statements.cpp for each statement; lives no longer than its tree.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "routing/classification.hpp"
#include "routing/facts.hpp"
#include "routing/node_rules.hpp"
#include "routing/text_template.hpp"

namespace pgsteer::routing {

struct findings {
  std::string reason;          // the first found against a replica; empty: a read
  std::string certain_reason;  // the first that is knowledge and no doubt
  session_effects effects;
  called_bodies bodies;
  asked_settings asks;
  std::vector<text_template> executed;  // of a function's body: made of its parameters, and not judged
  bool makes_texts = false;             // ... of anything else, and executed
  bool needs_catalog = false;           // a read as far as names tell
  bool depends_on_literals = false;     // the same text with other literals may need another judgement
  bool is_liftable = true;  // the reason is doubt, or that servers differ: somebody may know better
  bool locks = false;       // rows, or it makes a table
  bool modifies = false;    // INSERT, UPDATE or DELETE somewhere: 25006 on any read-only server

  [[nodiscard]] bool is_read() const { return reason.empty(); }
  void refuse(std::string_view why);
  void doubt(std::string_view why);
  void doubt_code(std::string_view why);  // ... which may do anything to the session
  void take(verdict&& judged);
  void note_target(const facts& known, const object_name& table);
};

// What is done with the statement; of one that is only planned, no write happens.
enum class walk_of : bool { execution, plan };

class walker {
 public:
  walker(const facts& known, findings& found, walk_of of = walk_of::execution)
      : known_(known), found_(found), of_(of) {}

  // The whole statement that is walked, where its columns can be no parameters of a body around it.
  walker& within(const boost::json::value& statement) {
    statement_ = &statement;
    return *this;
  }

  // A wrapped node ({"Type": {...}}) or a list of nodes.
  void walk(const boost::json::value& tree);

  // The fields of a node of this type, without the wrapper.
  void walk_within(std::string_view type, const boost::json::value& fields);

 private:
  void walk_some(const boost::json::value& tree);
  void walk_fields(const node_rule& rule, const boost::json::value& fields);
  void judge(const node_rule& rule, const boost::json::object& fields);
  void judge_select(const boost::json::object& fields);
  void judge_modify(std::string_view type, const boost::json::object& fields);
  void judge_range_var(const boost::json::object& fields);
  void judge_call(const boost::json::object& fields);
  void judge_filled_row(const boost::json::value* row);
  [[nodiscard]] std::optional<std::string> text_run_by(const object_name& function,
                                                       const std::vector<argument_type>& arguments) const;
  void judge_text(std::string_view sql);
  [[nodiscard]] bool makes_name_of_setting(const object_name& function,
                                           const boost::json::array* arguments) const;
  [[nodiscard]] bool unfolds(const object_name& function, std::size_t arguments) const;
  void add_ordered_arguments(const boost::json::object& call, std::vector<argument_type>& types) const;
  [[nodiscard]] argument_type argument_of(const object_name& function,
                                          const boost::json::value& argument) const;
  void judge_column(const boost::json::object& fields);
  void judge_indirection(const boost::json::object& fields);
  void judge_operator(const boost::json::object& fields, std::string_view field);
  void judge_type(const boost::json::object& fields);
  void judge_join(const boost::json::object& fields);
  void judge_case(const boost::json::object& fields);
  void take_operation(std::string_view name);
  void walk_with(const boost::json::value& clause);
  [[nodiscard]] bool is_common_table(const object_name& name) const;
  void unknown(std::string_view what, std::string_view name);
  void take(verdict&& judged) { found_.take(std::move(judged)); }

  const facts& known_;
  findings& found_;
  const walk_of of_;
  const boost::json::value* statement_ = nullptr;
  std::vector<std::string_view> common_tables_;  // of the WITH clauses around, innermost last
};

}  // namespace pgsteer::routing
