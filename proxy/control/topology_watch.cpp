#include "proxy/control/topology_watch.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "proxy/log.hpp"

namespace pgsteer::proxy {
namespace {

// So long after the primary's loss the others are asked quickly; later, with their health probes.
constexpr std::chrono::seconds quick_search{60};

// Known to be what it should be: a twin is the primary, and has its traffic there.
bool is_in_order(server_place p) {
  return p == server_place::primary || p == server_place::replica || p == server_place::twin;
}

server_role role_of(server_place p) {
  return p == server_place::primary || p == server_place::twin ? server_role::primary : server_role::replica;
}

member_state::contact contact_of(const server& s) {
  switch (s.health()) {
    case server_health::unknown:
      return member_state::contact::untried;
    case server_health::up:
      return member_state::contact::connected;
    case server_health::retrying:
    case server_health::failed:
      break;
  }
  return member_state::contact::lost;
}

std::string text_of(std::uint64_t number) {
  return number == 0 ? "unknown" : std::to_string(number);
}

}  // namespace

void topology_watch::adopt(const server_ref& primary, const std::vector<server_ref>& replicas) {
  const std::lock_guard lock{mutex_};
  const auto old = std::exchange(members_, {});
  const auto add = [&](const server_ref& s, bool is_primary) {
    const auto known = std::find_if(old.begin(), old.end(), [&](const auto& m) { return m.host == s; });
    member m = known == old.end() ? member{} : *known;
    m.host = s;
    m.is_configured_primary = is_primary;
    members_.push_back(std::move(m));
  };
  add(primary, true);
  for (const auto& r : replicas)
    add(r, false);
  const auto of = [](const std::vector<member>& all, auto is) {
    const auto at = std::find_if(all.begin(), all.end(), is);
    return at == all.end() ? nullptr : at->host;
  };
  const auto configured = of(old, [](const auto& m) { return m.is_configured_primary; });
  const auto found = old.empty() ? nullptr : old[primary_].host;
  // What was found stays in force while the operator's own word is the same.
  primary_ = 0;
  for (std::size_t i = 0; configured == primary && i < members_.size(); ++i) {
    if (members_[i].host == found) primary_ = i;
  }
  const auto moved = apply(judged());
  tell(publish(), moved);
}

void topology_watch::hear(const server& from, const server_report& report) {
  const std::lock_guard lock{mutex_};
  auto* const m = find(from);
  if (m == nullptr) return;
  m->report = report;
  judge();
  measure_lag(*m);
}

void topology_watch::health_changed(const server& of) {
  const std::lock_guard lock{mutex_};
  if (find(of) != nullptr) judge();
}

topology_watch::member* topology_watch::find(const server& s) {
  const auto at =
      std::find_if(members_.begin(), members_.end(), [&](const auto& m) { return m.host.get() == &s; });
  return at == members_.end() ? nullptr : &*at;
}

judged_topology topology_watch::judged() const {
  std::vector<member_state> states;
  for (const auto& m : members_)
    states.push_back({contact_of(*m.host), m.report, m.is_configured_primary});
  return judge_topology(states, primary_);
}

void topology_watch::judge() {
  const auto old = members_[primary_].host;
  const auto moved = apply(judged());
  const auto& now = members_[primary_];
  if (now.host != old) {
    ++failovers_;
    log_warn("Primary changed",
             {{"from", old->name()}, {"to", now.host->name()}, {"timeline", text_of(timeline_)}});
  }
  const auto published = publish();
  const bool has_news = told_ == nullptr || told_->timeline != published->timeline ||
                        told_->system != published->system || told_->switches != published->switches;
  if (!moved.empty() || has_news) tell(published, moved);
  tell_outage(*published);
  look_for_promotion();
}

void topology_watch::tell_outage(const topology& t) {
  const auto now = std::chrono::steady_clock::now();
  if (t.has_primary() && outage_) {
    const auto lasted = std::chrono::duration_cast<std::chrono::milliseconds>(now - *outage_);
    log_info("Primary takes statements again",
             {{"server", t.primary->name()}, {"outage_ms", std::to_string(lasted.count())}});
    outage_.reset();
  }
  if (t.has_primary() || outage_) return;
  outage_ = now;
  log_warn("No primary: statements for it wait", {{"server", t.primary->name()}});
}

// Positions of another timeline lose their meaning before anybody can learn of the new primary.
std::vector<server_ref> topology_watch::apply(const judged_topology& j) {
  primary_ = j.primary;
  const auto& primary = members_[primary_];
  if (primary.report && primary.report->timeline != 0) timeline_ = primary.report->timeline;
  if (primary.report) note_switch(*primary.report);
  for (const auto& m : members_)
    m.host->follow_timeline(timeline_ != 0 ? timeline_ : server::no_timeline);
  std::vector<server_ref> moved;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    auto& m = members_[i];
    m.host->set_role(role_of(j.places[i]));
    m.host->set_excluded(!is_in_order(j.places[i]));
    if (std::exchange(m.place, j.places[i]) == j.places[i]) continue;
    moved.push_back(m.host);
    tell_place(m, primary);
  }
  return moved;
}

// What it says first counts: after a crash it speaks of where its recovery ended.
void topology_watch::note_switch(const server_report& of_primary) {
  if (of_primary.promoted_at == 0 || of_primary.timeline == 0) return;
  const routing::timeline_switch found{of_primary.timeline, of_primary.promoted_at};
  const auto known = std::find_if(switches_.begin(), switches_.end(),
                                  [&](const auto& s) { return s.timeline == found.timeline; });
  if (known == switches_.end()) switches_.push_back(found);
}

void topology_watch::tell_place(const member& m, const member& primary) const {
  if (m.place == server_place::foreign) {
    return log_error("Server belongs to another database system and gets no traffic",
                     {{"server", m.host->name()},
                      {"system", text_of(m.report->system_identifier)},
                      {"primary", primary.host->name()},
                      {"primary_system", text_of(primary.report->system_identifier)}});
  }
  if (m.place == server_place::outranked) {
    log_error("Two servers say they are the primary: this one is fenced and gets no traffic",
              {{"server", m.host->name()},
               {"timeline", text_of(m.report->timeline)},
               {"primary", primary.host->name()},
               {"primary_timeline", text_of(primary.report ? primary.report->timeline : 0)}});
  }
}

// Positions are of one timeline: a replica that does not follow it yet has replayed nothing that counts.
void topology_watch::measure_lag(const member& heard) {
  const auto& primary = members_[primary_];
  if (positions_of_ != primary.host.get() || positions_on_ != timeline_) positions_.forget();
  positions_of_ = primary.host.get();
  positions_on_ = timeline_;
  const bool is_primary = &heard == &primary;
  if (is_primary && !heard.report->in_recovery)
    positions_.primary_at(heard.report->flushed_lsn, heard.report->asked);
  for (const auto& m : members_) {
    if (!m.report || !m.report->in_recovery || (&m != &heard && !is_primary)) continue;
    const bool follows = timeline_ == 0 || m.report->timeline == timeline_;
    auto gap = positions_.gap_of(follows ? m.report->replayed_lsn : 0);
    // What is known here does not reach back so far: the servers' own clocks do.
    if (gap.is == replica_gap::kind::ancient && m.report->replay_age.count() >= 0)
      gap = {replica_gap::kind::behind, m.report->asked - m.report->replay_age};
    m.host->set_gap(gap);
  }
}

// While the primary does not answer, each word of another server asks for the next one soon.
void topology_watch::look_for_promotion() {
  const auto& primary = *members_[primary_].host;
  if (primary.health() == server_health::up || primary.health() == server_health::unknown) {
    primary_lost_.reset();
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  if (!primary_lost_) primary_lost_ = now;
  if (now - *primary_lost_ > quick_search) return;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (i != primary_) members_[i].host->hasten();
  }
}

void topology_watch::tell(const topology_ref& t, const std::vector<server_ref>& moved) {
  told_ = t;
  on_change_(t, moved);
}

topology_ref topology_watch::publish() {
  auto t = std::make_shared<topology>();
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const auto& m = members_[i];
    if (i == primary_) {
      t->primary = m.host;
    } else if (m.place == server_place::twin) {
      t->twins.push_back(m.host);
    } else {
      (m.place == server_place::replica ? t->replicas : t->excluded).push_back(m.host);
    }
  }
  const auto& report = members_[primary_].report;
  t->timeline = timeline_;
  t->switch_lsn = report ? report->promoted_at : 0;
  t->system = report ? report->system_identifier : 0;
  if (report) t->wal = report->wal;
  t->switches = switches_;
  t->failovers = failovers_;
  return t;
}

}  // namespace pgsteer::proxy
