// A session as `pgsteer route` imagines it: statements follow one another and each succeeds. Keeps the
// open block, the settings that change routing, and what pins. One per session name of the input.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "routing/classification.hpp"
#include "routing/classifier.hpp"
#include "routing/decide.hpp"
#include "routing/session_changes.hpp"
#include "routing/sql_parser.hpp"
#include "routing/temporary_names.hpp"

namespace pgsteer::routing {

class session_model {
 public:
  // How this session's next text is read.
  [[nodiscard]] parse_context context() const;

  // By which its names are found; nothing: as its sessions start. Valid until the next apply().
  [[nodiscard]] const std::optional<std::string>& search_path() const { return now_.current.search_path; }
  [[nodiscard]] const std::optional<std::string>& role() const { return now_.current.role; }

  // Its pgsteer.route, where it has set one.
  [[nodiscard]] const std::optional<std::string>& route() const { return now_.current.route; }
  // ... and its pgsteer.transactions.
  [[nodiscard]] const std::optional<std::string>& transactions() const { return now_.current.transactions; }

  // It has given this setting (in lower case) a value of its own.
  [[nodiscard]] bool has_set(std::string_view name) const { return now_.current.set.contains(name); }

  // What decide() must know; its pin is valid until the next apply().
  [[nodiscard]] session_view view() const;

  // view().reads_may_leave for this text; `known` are the temporary objects of a catalog that is up to date,
  // or null.
  [[nodiscard]] bool may_read_elsewhere(std::string_view sql, const classification& is, sql_parser& parser,
                                        const temporary_names* known = nullptr) const;

  // The text went where `where` says and succeeded.
  void apply(target where, const std::vector<session_change>& changes);

 private:
  using names = std::set<std::string, std::less<>>;

  struct settings {
    bool read_only = false;                       // default_transaction_read_only
    isolation level = isolation::read_committed;  // default_transaction_isolation
    bool standard_conforming_strings = true;
    bool ascii_safe_encoding = true;
    bool makes_temporary = false;  // search_path begins with pg_temp
    std::optional<std::string> search_path;
    std::optional<std::string> role;
    std::optional<std::string> route;
    std::optional<std::string> transactions;
    names set;
  };

  // Rolled back with the transaction.
  struct transactional {
    settings current;
    settings kept;  // without what SET LOCAL changed
    names temporary;
    names until_commit;
    names channels;
    names held_cursors;
    bool has_temporary_child = false;  // of a permanent table, whose rows it joins
  };

  void apply(const session_change& change);
  void apply_transaction(const session_change& change);
  void apply_state(const session_change& change);
  void apply_relation(const session_change& change);
  [[nodiscard]] bool is_temporary(std::string_view name) const;
  void set_parameter(const session_change& change);
  void begin(const session_change& change);
  void end(bool is_rolled_back);
  void rollback_to(std::string_view name);
  void release(std::string_view name);
  void discard_all();

  transactional now_;
  transactional at_begin_;
  std::vector<std::pair<std::string, transactional>> savepoints_;
  names prepared_;
  std::size_t locks_ = 0;
  bool is_loaded_ = false;
  bool is_seeded_ = false;
  bool block_is_split_ = false;
  block open_ = block::none;
  block next_block_ = block::on_primary;
  isolation level_ = isolation::read_committed;
};

}  // namespace pgsteer::routing
