#include "proxy/control/topology_judge.hpp"

#include <algorithm>

namespace pgsteer::proxy {
namespace {

using contact = member_state::contact;

bool is_standby(const member_state& m) {
  return m.report && m.report->in_recovery;
}

bool is_writable(const member_state& m) {
  return m.is == contact::connected && m.report && !m.report->in_recovery;
}

std::uint64_t system_of(const member_state& m) {
  return m.report ? m.report->system_identifier : 0;
}

std::uint32_t timeline_of(const member_state& m) {
  return m.report ? m.report->timeline : 0;
}

bool is_foreign(const member_state& m, const member_state& to) {
  const auto system = system_of(m);
  return system != 0 && system_of(to) != 0 && system != system_of(to);
}

// One server configured twice, or reached by two names.
bool is_the_same_server(const member_state& a, const member_state& b) {
  return a.report && b.report && system_of(a) == system_of(b) && !a.report->started_at.empty() &&
         a.report->started_at == b.report->started_at;
}

// Another configured server follows it, or a server that has its data: it is no stray one.
bool has_kin(std::span<const member_state> members, const member_state& m) {
  return std::any_of(members.begin(), members.end(), [&](const auto& other) {
    return is_standby(other) && other.is == contact::connected && system_of(other) != 0 &&
           system_of(other) == system_of(m);
  });
}

// Whether `m` may take the place of `current`, which is silent, a standby or on an older timeline.
bool may_replace(std::span<const member_state> members, const member_state& current, const member_state& m) {
  if (!is_writable(m) || is_foreign(m, current)) return false;
  if (is_writable(current)) return timeline_of(m) > timeline_of(current) && timeline_of(current) != 0;
  if (is_standby(current)) return timeline_of(m) >= timeline_of(current);
  if (current.is == contact::untried) return false;
  // Of a primary never heard of nothing can be compared. A promotion, or a standby beside it, is proof enough
  // that `m` is no stray server somebody wrote into the list: those have never left their first timeline.
  if (!current.report) return timeline_of(m) > 1 || has_kin(members, m);
  return timeline_of(m) >= timeline_of(current);
}

std::size_t choose_primary(std::span<const member_state> members, std::size_t current) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i == current || !may_replace(members, members[current], members[i])) continue;
    if (!best || timeline_of(members[i]) > timeline_of(members[*best])) best = i;
  }
  return best.value_or(current);
}

server_place place_of(const member_state& m, const member_state& primary) {
  if (is_foreign(m, primary)) return server_place::foreign;
  if (is_standby(m)) return server_place::replica;
  if (!m.report) return m.is_configured_primary ? server_place::silent : server_place::replica;
  if (m.is == contact::connected && is_the_same_server(m, primary)) return server_place::twin;
  return m.is == contact::connected && primary.report ? server_place::outranked : server_place::silent;
}

}  // namespace

judged_topology judge_topology(std::span<const member_state> members, std::size_t current) {
  judged_topology t;
  t.primary = choose_primary(members, current);
  for (std::size_t i = 0; i < members.size(); ++i)
    t.places.push_back(i == t.primary ? server_place::primary : place_of(members[i], members[t.primary]));
  return t;
}

}  // namespace pgsteer::proxy
