// What a statement log itself says of relations that a replica cannot serve: sequences, unlogged and
// foreign tables, views over what only the primary knows. Kept by routing::router between its lines,
// for want of a catalog.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "routing/facts.hpp"

namespace pgsteer::routing {

class observed_facts final : public facts {
 public:
  // `lists`: the functions of the configuration; may be null.
  explicit observed_facts(std::shared_ptr<const function_lists> lists = {});

  // Learns from the parse tree of a text that is taken to succeed. True: something changed.
  bool learn(const boost::json::value& tree);

  [[nodiscard]] verdict function(const function_call& call) const override;
  [[nodiscard]] verdict relation(const object_name& relation) const override;
  [[nodiscard]] session_effects written(const object_name& relation) const override;
  [[nodiscard]] verdict operation(const object_name& operation) const override;
  [[nodiscard]] verdict type(const object_name& type) const override;
  [[nodiscard]] verdict column(std::string_view column, bool qualified) const override;

 private:
  bool learn_statement(std::string_view type, const boost::json::object& node);
  bool learn_view(const boost::json::object& node);
  bool learn_rename(const boost::json::object& node);
  bool learn_drop(const boost::json::object& node);
  bool refuse(std::string_view name, std::string_view reason);
  bool trust(std::string_view name);

  std::shared_ptr<const facts> base_;
  std::map<std::string, std::string, std::less<>> refused_;  // by last name, whatever the schema
};

}  // namespace pgsteer::routing
