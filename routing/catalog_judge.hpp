// Whether a standby answers rightly for one object of a catalog and all that it uses, at any depth.
// Owned by catalog_facts, one per session names and thread; remembers what it has judged.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "routing/catalog.hpp"
#include "routing/facts.hpp"
#include "routing/overrides.hpp"
#include "routing/walker.hpp"

namespace pgsteer::routing {

// A search_path as a role sees it; an index into the judge's list.
using path_number = std::uint32_t;

class catalog_judge {
 public:
  // `lists`: the functions whose verdict the operator gives; may be null.
  catalog_judge(std::shared_ptr<const catalog> known, std::string role,
                std::shared_ptr<const function_lists> lists);

  [[nodiscard]] verdict function(const catalog_function& f, path_number path);
  // The same of a call with so many arguments, and of what stands for those left out: what it executes may be
  // made of their values.
  [[nodiscard]] verdict call(const catalog_function& f, path_number path, std::size_t given,
                             std::span<const argument_type> arguments);
  [[nodiscard]] verdict operation(const catalog_operator& o, path_number path);
  [[nodiscard]] verdict relation(const catalog_relation& r, path_number path);
  // What writing to it runs: not safe where that may leave something in the session.
  [[nodiscard]] verdict written(const catalog_relation& r, path_number path);
  [[nodiscard]] verdict type(const catalog_type& t, path_number path);
  // Values of the relation's row type, or of one of its columns' types.
  [[nodiscard]] verdict row(const catalog_relation& r, path_number path);

  // The path that this value of search_path is for `role` (empty: the session's).
  [[nodiscard]] path_number path(std::string_view search_path, std::string_view role);
  // Its schemas, pg_catalog where it is searched.
  [[nodiscard]] std::span<const object_id> schemas(path_number path) const { return paths_[path].schemas; }
  // Whether the session's role surely may use the schema: otherwise a look-up passes it over.
  [[nodiscard]] bool may_use(object_id schema) const;
  [[nodiscard]] listing listing_of(const catalog_function& f) const;
  [[nodiscard]] const catalog& known() const { return *known_; }

 private:
  struct search {
    std::string text;
    std::string role;
    std::vector<object_id> schemas;
  };
  struct question {
    object_id id;
    path_number path;
    std::uint8_t kind;
    bool operator==(const question&) const = default;
    friend std::size_t hash_value(const question& q) {
      return (std::size_t{q.id} << 24 ^ std::size_t{q.path} << 4 ^ q.kind) * 0x9E3779B97F4A7C15ULL;
    }
  };
  struct answer {
    bool is_open = true;  // being judged: what comes back to it is no worse than it is otherwise
    verdict judged;
  };

  struct executed_texts {
    verdict rest;  // of all else in the function
    std::vector<text_template> texts;
    path_number path = 0;  // by which their names are found
  };

  template <class Judge>
  verdict once(question asked, Judge judge);
  verdict judge_function(const catalog_function& f, path_number path);
  verdict judge_relation(const catalog_relation& r, path_number path);
  verdict judge_written(const catalog_relation& r, path_number path);
  session_effects run_by_write(const reference& use, path_number path);
  session_effects run_by_trigger(const catalog_function& f, path_number path);
  verdict judge_uses(slice uses, path_number path);
  // Of the expressions that stand for arguments left out.
  verdict defaults(const catalog_function& f, path_number path);
  verdict judge_defaults(const catalog_function& f, path_number path);
  verdict judge_reference(const reference& use, path_number path);
  verdict judge_stored(const reference& use, path_number path);
  static void note_body(const catalog_function& f, bool is_proven, called_bodies& bodies);
  verdict judge_with(const catalog_function& f, path_number path, findings body);
  findings judge_body(const catalog_function& f, path_number path, bool is_trigger = false);
  path_number inner_path(const catalog_function& f, path_number path);
  const executed_texts& executed_by(const catalog_function& f, path_number path);
  [[nodiscard]] bool runs_its_arguments(const catalog_function& f) const;
  [[nodiscard]] std::vector<text_template> texts_of(const catalog_function& f) const;
  verdict judge_executed(const executed_texts& executed, std::span<const argument_type> arguments);
  [[nodiscard]] bool takes_texts(const catalog_function& f, std::span<const argument_type> arguments,
                                 const std::vector<text_template>& texts) const;

  std::shared_ptr<const catalog> known_;
  std::string role_;
  std::shared_ptr<const function_lists> lists_;
  std::vector<search> paths_;
  boost::unordered_flat_map<question, answer> answers_;
  boost::unordered_flat_map<question, executed_texts> executed_;
  std::vector<question> proven_;  // while something is being judged, what was found safe meanwhile
  std::size_t depth_ = 0;
  std::size_t bodies_ = 0;
  bool was_cut_ = false;  // the limits on depth or bodies ended something since depth_ was 0
};

// The names of statements and bodies, looked up as PostgreSQL does by one path.
class names_in_path final : public facts {
 public:
  names_in_path(catalog_judge& judge, path_number path) : judge_(judge), path_(path) {}

  [[nodiscard]] verdict function(const function_call& call) const override;
  [[nodiscard]] verdict relation(const object_name& relation) const override;
  [[nodiscard]] session_effects written(const object_name& relation) const override;
  [[nodiscard]] verdict operation(const object_name& operation) const override;
  [[nodiscard]] verdict type(const object_name& type) const override;
  [[nodiscard]] verdict column(std::string_view column, bool qualified) const override;
  [[nodiscard]] verdict selection(std::string_view field) const override;
  [[nodiscard]] bool is_only_builtin(object_sort sort, std::string_view name) const override;

 private:
  [[nodiscard]] std::vector<object_id> searched(const object_name& name) const;
  [[nodiscard]] std::vector<const catalog_function*> candidates(const function_call& call) const;
  [[nodiscard]] bool fits(const catalog_function& f, const function_call& call) const;
  [[nodiscard]] bool is_exact(const catalog_function& f, const function_call& call) const;
  [[nodiscard]] bool takes(object_id parameter, const argument_type& argument) const;
  [[nodiscard]] object_id type_named(const object_name& name) const;
  [[nodiscard]] verdict cast_to(const object_name& name, bool& is_known) const;

  catalog_judge& judge_;
  path_number path_;
};

}  // namespace pgsteer::routing
