// `pgsteer route`: where a statement would go and why, for one statement or a log of them in JSON lines.
// Called by the command line, which does the reading and writing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "routing/classifier.hpp"
#include "routing/observed_facts.hpp"
#include "routing/session_changes.hpp"
#include "routing/session_facts.hpp"
#include "routing/session_model.hpp"

namespace pgsteer::routing {

struct routed {
  target where = target::primary;  // primary or replica
  std::string reason;
};

// Where a router's facts come from: asked at first, and again after a statement that changes the catalog.
// Null: there are none now.
struct catalog_source {
  std::function<std::shared_ptr<const catalog>()> load;
  std::string role;      // of the sessions
  std::string database;  // theirs, as far as it is known
};

class router {
 public:
  // More sessions than `max_sessions` are forgotten, least recently used first.
  explicit router(std::size_t max_sessions = 10000, catalog_source source = {},
                  std::shared_ptr<const routing_rules> rules = {});
  router(const router&) = delete;
  router& operator=(const router&) = delete;

  // The next statement (or Query text) of the session of this name. Needs parse_stack_bytes of stack.
  [[nodiscard]] routed route(std::string_view sql, std::string_view session);

  // "replica: read", without a line end.
  [[nodiscard]] std::string text_answer(std::string_view sql);

  // {"sql": "...", "session": "..."} to {"target": "...", "reason": "..."}, or {"error": "..."}; one line
  // each, without its end. An absent session is the session "".
  [[nodiscard]] std::string json_answer(std::string_view line);

  [[nodiscard]] std::size_t sessions() const { return by_name_.size(); }

 private:
  struct named_session {
    std::string name;
    session_model model;
  };
  using order = std::list<named_session>;

  session_model& session_named(std::string_view name);
  void follow(std::string_view sql, target where, session_model& model);
  [[nodiscard]] const temporary_names* temporary_of(const session_model& model) const;
  [[nodiscard]] parse_context context_of(const session_model& model);

  std::size_t max_sessions_;
  std::shared_ptr<const routing_rules> rules_;
  std::shared_ptr<observed_facts> observed_;
  catalog_source source_;
  std::uint64_t fact_numbers_ = 0;
  session_facts facts_{fact_numbers_};
  bool is_catalog_stale_ = true;
  classifier classifier_;
  sql_parser parser_;
  order sessions_;  // most recently used first; by_name_ views their names
  std::unordered_map<std::string_view, order::iterator> by_name_;
};

}  // namespace pgsteer::routing
