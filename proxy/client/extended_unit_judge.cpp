#include <algorithm>

#include "protocol/frame.hpp"
#include "proxy/client/extended_unit.hpp"
#include "proxy/client/plan_effects.hpp"
#include "proxy/client/sql_statements.hpp"
#include "routing/decide.hpp"

namespace pgsteer::proxy {

using protocol::frame;
using protocol::header_size;
using protocol::portal_name;
using protocol::take_string;

namespace {

// What it describes is what the session has prepared under a name.
bool executes(const routing::classification& c) {
  return routing::executes_another(c.use) || c.use == routing::statement_use::several;
}

}  // namespace

extended_unit::verdict extended_unit::judge(std::string_view bytes, const judge_context& context) {
  items_.clear();
  held_.resize(1);
  bindings_.clear();
  ending_.clear();
  resolved_.reset();
  used_ = none;
  forgets_names_ = false;
  query_.reset();
  changes_ = {};
  what_ = executing_ = nullptr;
  leaves_portal_ = meets_unknown_name_ = meets_older_ = false;
  group_ = context.group;
  verdict v;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto rest = protocol::rest_of(bytes, at);
    const frame f = protocol::peek_frame(rest);
    at += f.size;
    const std::string_view here(rest.data(), std::min(f.size, rest.size()));
    if (join_bind(here, v)) continue;
    auto& i = items_.emplace_back();
    i.type = f.type;
    i.offset = static_cast<std::size_t>(rest.data() - bytes.data());
    i.size = here.size();
    i.whole = f.size;
    judge_frame(i, here, context, v);
  }
  if (what_ == nullptr) {  // Sync, Close and such alone: nothing that a server must decide
    joined_ = {};
    joined_.kind = routing::statement_kind::empty;
    joined_.reason = "no statement";
    what_ = &joined_;
  }
  v.what = what_;
  return v;
}

// A Describe and an Execute of the portal, as they nearly always come, are written with their Bind.
inline bool extended_unit::join_bind(std::string_view frame, verdict& v) {
  if (items_.empty() || items_.back().type != 'B' || items_.back().is_executed) return false;
  auto& bind = items_.back();
  if (frame[0] == 'E') {
    bind.is_executed = v.has_execute = true;
    if (bind.ends) end(bind.statement);
  } else if (frame[0] == 'D' && !bind.is_described && frame.size() > header_size &&
             frame[header_size] == 'P') {
    bind.is_described = true;
  } else {
    return false;
  }
  bind.behind += frame.size();
  return true;
}

inline void extended_unit::judge_frame(item& i, std::string_view frame, const judge_context& context,
                                       verdict& v) {
  switch (i.type) {
    case 'P':
      return judge_parse(i, frame, context);
    case 'B':
    case 'D':
    case 'C':
      v.only_prepares = v.only_prepares && i.type == 'D';
      return judge_named(i, frame, context);
    case 'E':
      v.only_prepares = false;
      v.has_execute = true;
      if (!ending_.empty() || context.names.ending) execute_portal(frame, context.names);
      return;
    case 'Q': {
      v.only_prepares = false;
      v.has_execute = true;
      std::string_view body = frame.substr(header_size);
      std::string_view sql;
      if (!take_string(body, sql)) sql = frame.substr(header_size);
      query_ = context.classifier.classify(sql, context.parse);
      use(*query_, context);
      return give("", none);
    }
    case 'F':
      return use_unknown("function call message");
    default:
      return;
  }
}

void extended_unit::judge_parse(item& i, std::string_view frame, const judge_context& context) {
  std::string_view body = frame.substr(header_size);
  std::string_view name;
  if (!take_string(body, name) || body.find('\0') == std::string_view::npos)
    return use_unknown("malformed Parse message");
  i.name_at = header_size;
  i.name_size = static_cast<std::uint32_t>(name.size());
  if (is_made_by_sql(name, context)) return use_unknown("the name is in use");
  // By which settings it will be parsed nobody knows: it is no other client's.
  const bool is_uncertain = !name.empty() && (context.before.changes_plans || changes_.changes_plans);
  const statement_ref* s =
      is_uncertain ? nullptr : context.registry.find(context.group, context.plan_key, body);
  if (s == nullptr) {
    const std::string_view text = body.substr(0, body.find('\0'));
    auto what = context.classifier.classify(text, context.parse);
    s = executes(*what) || is_uncertain
            ? &context.registry.add_alone(context.group, body, std::move(what))
            : &context.registry.add(context.group, context.plan_key, body, std::move(what));
  }
  i.statement = hold(*s);
  i.known = !name.empty() && resolve(name, context.names) != none;  // Parse over a name in use fails
  if (!i.known) give(name, i.statement);
  use(i.statement, context);
}

void extended_unit::judge_named(item& i, std::string_view frame, const judge_context& context) {
  std::string_view body = protocol::rest_of(frame, header_size);
  std::string_view name;
  if (body.empty()) return use_unknown("malformed message");
  if (i.type != 'B') {
    i.sub = body[0];
    if (i.sub != 'S') return;
  }
  if (i.type != 'B' || body[0] == '\0') {
    body.remove_prefix(1);
  } else {
    std::string_view portal;
    if (!take_string(body, portal)) return use_unknown("malformed Bind message");
    leaves_portal_ = true;
  }
  const auto name_at = static_cast<std::uint32_t>(body.data() - frame.data());
  if (!take_string(body, name)) return use_unknown("malformed message");
  i.name_at = name_at;
  i.name_size = static_cast<std::uint32_t>(name.size());
  i.statement = resolve(name, context.names);
  i.known = i.statement != none;
  if (!i.known && is_made_by_sql(name, context) && use_made_by_sql(i.type, name, context)) return;
  if (i.type == 'C') return give(name, none);
  if (!i.known) {
    meets_unknown_name_ = true;
    return use_unknown("statement of an unknown name");
  }
  use(i.statement, context);
  if (i.type != 'B') return;
  const auto& what = *statement_of(i)->what;
  i.ends = what.kind == routing::statement_kind::deallocate || what.effects.deallocates_all;
  if (i.ends || !ending_.empty()) bind_portal(i, frame);
}

// A portal is what was bound to it last.
void extended_unit::bind_portal(const item& i, std::string_view frame) {
  const auto portal = portal_name(frame);
  std::erase_if(ending_, [portal](const binding& p) { return p.name == portal; });
  if (i.ends) ending_.push_back({portal, i.statement});
}

// A DEALLOCATE is executed.
void extended_unit::end(place statement) {
  const auto& what = *held_[statement]->what;
  if (what.effects.deallocates_all) return forget_names();
  give(what.name, none);
}

// A DEALLOCATE that was bound earlier, in this batch or behind a Flush, is executed now.
void extended_unit::execute_portal(std::string_view frame, const client_statements& names) {
  const auto portal = portal_name(frame);
  const auto at = std::ranges::find(ending_, portal, &binding::name);
  if (at != ending_.end()) return end(at->statement);
  if (const auto s = names.ended_by(portal)) end(hold(s));
}

// DEALLOCATE ALL, as soon as it is executed. The unnamed statement stays.
void extended_unit::forget_names() {
  forgets_names_ = true;
  std::erase_if(bindings_, [](const binding& b) { return !b.name.empty(); });
  resolved_.reset();
}

// Batches use one statement again and again: it is told apart from all before only where it is another.
extended_unit::place extended_unit::hold(const statement_ref& s) {
  if (held_.back() != s) held_.push_back(s);
  return static_cast<place>(held_.size() - 1);
}

void extended_unit::give(std::string_view name, place statement) {
  bindings_.push_back({name, statement});
  resolved_.reset();
}

inline extended_unit::place extended_unit::resolve(std::string_view name, const client_statements& names) {
  if (!resolved_ || resolved_->name != name) resolved_ = binding{name, search(name, names)};
  return resolved_->statement;
}

extended_unit::place extended_unit::search(std::string_view name, const client_statements& names) {
  for (auto at = bindings_.rbegin(); at != bindings_.rend(); ++at) {
    if (at->name == name) return at->statement;
  }
  const statement_ref* s = forgets_names_ && !name.empty() ? nullptr : names.find(name);
  return s != nullptr ? hold(*s) : none;
}

void extended_unit::use(place statement, const judge_context& context) {
  if (used_ == statement) return;
  const auto& s = *held_[statement];
  if (s.facts_number != context.parse.facts_number) {
    s.what = context.classifier.classify(s.text(), context.parse);
    s.facts_number = context.parse.facts_number;
  }
  meets_older_ = meets_older_ || s.group != context.group;
  use(*s.what, context);
  used_ = statement;
}

void extended_unit::use(const routing::classification& c, const judge_context& context) {
  if (!routing::executes_another(c.use)) return use(c);
  if (executing_ == &c) return;
  executing_ = &c;
  use_executing(c, context);
}

// As what it executes, where that is known.
void extended_unit::use_executing(const routing::classification& c, const judge_context& context) {
  const statements_in_reach reach{context.names, context.by_sql, context.fresh, context.plan_key,
                                  context.has_temporary};
  auto unit = c;
  const auto target = executed_statement(unit.used, reach, context.classifier, context.parse);
  use_own(target != nullptr ? routing::as_executed(unit, *target) : std::move(unit));
}

bool extended_unit::is_made_by_sql(std::string_view name, const judge_context& context) const {
  if (context.by_sql == nullptr || !context.by_sql->find(name) || context.names.find(name) != nullptr)
    return false;
  return std::ranges::none_of(bindings_, [name](const binding& b) { return b.name == name; });
}

// A message that names a statement made by PREPARE: the server has it under this name.
bool extended_unit::use_made_by_sql(char type, std::string_view name, const judge_context& context) {
  if (type == 'C') {
    routing::classification c;
    c.effects.may_pin = true;
    c.use = routing::statement_use::deallocates;
    c.used = name;
    c.reason = "Close of a statement made by PREPARE";
    use_own(std::move(c));
    give(name, none);
    return true;
  }
  const statements_in_reach reach{context.names, context.by_sql, nullptr, context.plan_key,
                                  context.has_temporary};
  const auto target = executed_statement(name, reach, context.classifier, context.parse);
  if (target == nullptr) return false;
  use_own(*target);
  return true;
}

void extended_unit::use(const routing::classification& c) {
  changes_ |= plan_effects(c);
  if (what_ == nullptr || what_ == &c) {
    what_ = &c;
    return;
  }
  if (what_ != &joined_) joined_ = *what_;
  what_ = &joined_;
  routing::join(joined_, c);
}

void extended_unit::use_unknown(std::string_view reason) {
  routing::classification c;
  c.effects.may_set = c.effects.may_pin = true;
  c.reason = reason;
  use_own(std::move(c));
}

void extended_unit::use_own(routing::classification c) {
  changes_ |= plan_effects(c);
  if (what_ == nullptr) {
    joined_ = std::move(c);
  } else {
    if (what_ != &joined_) joined_ = *what_;
    routing::join(joined_, c);
  }
  what_ = &joined_;
}

}  // namespace pgsteer::proxy
