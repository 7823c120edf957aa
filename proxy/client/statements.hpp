// Prepared statements as the proxy knows them: one shared object for equal texts, whatever name the
// clients gave them. The registry belongs to a worker; sessions and backends refer into it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "routing/classification.hpp"
#include "routing/text_hash.hpp"

namespace pgsteer::proxy {

struct prepared_statement {
  std::uint64_t id = 0;                      // never reused
  std::string server_name;                   // "pgsteer_<id>": its name on every backend that has it
  std::string parse_tail;                    // body of Parse after the name: text, 0, parameter types
  std::uint32_t group = 0;                   // what was known of the catalog when it was made
  mutable std::uint64_t result = 0;          // see protocol::result_digest(); 0: no server has said it
  mutable std::string parameters;            // their types, as Parse says them; empty: the same
  mutable routing::classification_ref what;  // judged anew where its session's facts are others
  mutable std::uint64_t facts_number = 0;    // see routing::parse_context
  [[nodiscard]] std::string_view text() const { return parse_tail.c_str(); }
  // The same, so that the parameters have the types they had when the statement was made.
  [[nodiscard]] std::string tail_as_made() const;
};
using statement_ref = std::shared_ptr<const prepared_statement>;

struct name_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const { return routing::text_hash(s, 0); }
};

class statement_registry {
 public:
  explicit statement_registry(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // The statement with this Parse tail under these settings of this user and database, if seen. Parse
  // means "analyse now": after DDL the caller gives another `group`.
  [[nodiscard]] const statement_ref* find(std::uint32_t group, std::uint32_t plan_key,
                                          std::string_view tail) const;
  const statement_ref& add(std::uint32_t group, std::uint32_t plan_key, std::string_view tail,
                           routing::classification_ref what);
  // One that is nobody else's, whatever its text: what it means depends on other statements of its session.
  const statement_ref& add_alone(std::uint32_t group, std::string_view tail,
                                 routing::classification_ref what);
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct key {
    std::uint32_t group;
    std::uint32_t plan_key;
    std::string_view tail;
    bool operator==(const key&) const = default;
  };
  struct key_hash {
    std::size_t operator()(const key& k) const {
      return routing::text_hash(k.tail, std::uint64_t{k.group} << 32 | k.plan_key);
    }
  };
  const statement_ref& keep(std::uint32_t group, key at, std::string_view tail,
                            routing::classification_ref what);
  void drop_unused();

  std::unordered_map<key, statement_ref, key_hash> by_key_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::size_t sweep_at_ = 0;
  std::uint64_t next_id_ = 1;
};

// What one backend has prepared under our names. Bounded: the least recently used is closed.
class backend_statements {
 public:
  // Whether it is there; if so, it is used now.
  bool touch(std::uint64_t id) {
    const auto found = used_.find(id);
    if (found == used_.end()) return false;
    found->second.last_use = ++uses_;
    return true;
  }
  void add(const statement_ref& s) { used_[s->id] = {++uses_, s}; }
  void remove(std::uint64_t id) { used_.erase(id); }
  void clear() { used_.clear(); }
  // Forgets all but those whose ids `kept` says.
  template <class Kept>
  void retain(Kept kept) {
    std::erase_if(used_, [&](const auto& one) { return !kept(one.first); });
  }
  [[nodiscard]] std::size_t size() const { return used_.size(); }
  [[nodiscard]] std::vector<statement_ref> all() const {
    std::vector<statement_ref> found;
    for (const auto& [id, one] : used_)
      found.push_back(one.statement);
    return found;
  }
  // The one used longest ago, but not at all since `since` uses; null where there is none.
  [[nodiscard]] statement_ref oldest(std::uint64_t since) const;
  [[nodiscard]] std::uint64_t uses() const { return uses_; }

 private:
  struct use {
    std::uint64_t last_use = 0;
    statement_ref statement;
  };
  std::unordered_map<std::uint64_t, use> used_;
  std::uint64_t uses_ = 0;
};

}  // namespace pgsteer::proxy
