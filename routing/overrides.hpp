// What people say about where statements go: comments, patterns and function lists of the configuration,
// pgsteer.route of a session. Values; asked by routing::classifier, routing::decide and the proxy.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "routing/classification.hpp"

namespace pgsteer::routing {

struct route_pattern {
  route_wish wish = route_wish::automatic;
  std::string pattern;  // see routing/normal_form.hpp
  std::string reason;
};

// "public.rate" for every function of that name, "public.rate(integer, text)" for one.
struct function_lists {
  std::set<std::string, std::less<>> reads;
  std::set<std::string, std::less<>> writes;
  [[nodiscard]] bool is_empty() const { return reads.empty() && writes.empty(); }
  bool operator==(const function_lists&) const = default;
};

// What the configuration says of one user's or one database's sessions.
struct session_wishes {
  std::string name;
  route_wish route = route_wish::automatic;
  std::string consistency;     // empty: not said
  std::string transactions{};  // in the same way: primary or split
  std::string max_lag{};       // in the same way: a duration
  std::string consistency_wait{};
};

struct routing_rules {
  function_lists functions;
  std::vector<route_pattern> patterns;  // the first that matches counts
  std::vector<session_wishes> users;
  std::vector<session_wishes> databases;
  bool splits_transactions = false;  // of who says nothing
};

// primary, replica or auto, in any case.
[[nodiscard]] std::optional<route_wish> wish_named(std::string_view word);

// Of `/* pgsteer: primary */` among the comments that lead or end the text.
[[nodiscard]] route_wish wish_of_comments(std::string_view sql);

// The text between the comments that lead and end it, where one of them is a wish; otherwise all of it.
[[nodiscard]] std::string_view without_wishes(std::string_view sql);

// Puts the wish of the text's comments, or of the first pattern that matches, into its class.
void apply_overrides(std::string_view sql, const routing_rules* rules, classification& into);

// A session's own pgsteer.route (empty: not set), or what the configuration says of its user, then of its
// database. The reason views a literal.
struct session_wish {
  route_wish wish = route_wish::automatic;
  bool is_own = false;
  std::string_view reason;
};
[[nodiscard]] session_wish wish_of_session(std::string_view own, std::string_view user,
                                           std::string_view database, const routing_rules& rules);

// pgsteer.consistency or another setting of session_wishes in the same way; empty: nobody says.
[[nodiscard]] std::string_view said_of_session(std::string session_wishes::*setting, std::string_view own,
                                               std::string_view user, std::string_view database,
                                               const routing_rules& rules);

// pgsteer.transactions in the same way: whether a session's blocks may begin on a replica.
[[nodiscard]] bool splits_transactions(std::string_view own, std::string_view user, std::string_view database,
                                       const routing_rules& rules);

// "public.Rate( int, text )" as the lists hold it: "public.rate(integer, text)". Empty: no such name.
[[nodiscard]] std::string listed_function(std::string_view written);

enum class listing : std::uint8_t { none, read, write };
// `signature` is "public.rate(integer, text)"; the more exact entry counts, then the one for writes.
[[nodiscard]] listing find_listing(const function_lists& lists, std::string_view signature);

}  // namespace pgsteer::routing
