#include "routing/settings_statements.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "routing/tree.hpp"

namespace pgsteer::routing {
namespace json = boost::json;
namespace {

// Integers of 15-4.0 lose their sign on the way to JSON: 0 and negatives read as absent, and only
// the text tells them apart.
std::string integer_text(const json::object& constant, const json::object& integer, std::string_view sql) {
  if (const auto* value = integer.if_contains("ival"); value != nullptr && value->is_int64()) {
    return std::to_string(value->get_int64());
  }
  const auto* location = constant.if_contains("location");
  const auto at =
      location != nullptr && location->is_int64() ? static_cast<std::size_t>(location->get_int64()) : 0;
  const bool is_zero = at < sql.size() && sql[at] == '0';
  return is_zero ? "0" : std::string{};
}

std::string constant_text(const json::value& value, std::string_view sql) {
  const auto* constant = as_node(value, "A_Const");
  if (constant == nullptr) return {};
  if (const auto* text = object_field(*constant, "sval")) return std::string(text_field(*text, "sval"));
  if (const auto* number = object_field(*constant, "fval")) return std::string(text_field(*number, "fval"));
  if (const auto* number = object_field(*constant, "ival")) return integer_text(*constant, *number, sql);
  return {};
}

bool integer_is_true(const json::value& value) {
  const auto* constant = as_node(value, "A_Const");
  const auto* number = constant == nullptr ? nullptr : object_field(*constant, "ival");
  return number != nullptr && number->if_contains("ival") != nullptr;
}

// READ ONLY, ISOLATION LEVEL and DEFERRABLE, of BEGIN and of SET TRANSACTION. False: something else.
bool read_transaction_mode(const json::object& mode, classification& into) {
  const auto name = text_field(mode, "defname");
  const auto* argument = mode.if_contains("arg");
  if (argument == nullptr) return false;
  if (name == "transaction_read_only") {
    into.access = integer_is_true(*argument) ? access_mode::read_only : access_mode::read_write;
  } else if (name == "transaction_deferrable") {
    into.deferrable = integer_is_true(*argument);
  } else if (name == "transaction_isolation") {
    into.level = isolation_named(constant_text(*argument, {}));
    return into.level != isolation::unspecified;
  } else {
    return false;
  }
  return true;
}

bool read_transaction_modes(const json::array* modes, classification& into) {
  if (modes == nullptr) return true;
  for (const auto& item : *modes) {
    const auto* mode = as_node(item, "DefElem");
    if (mode == nullptr || !read_transaction_mode(*mode, into)) return false;
  }
  return true;
}

struct transaction_command {
  std::string_view kind;
  std::string_view command;
  transaction_verb verb;
  statement_kind is;
};

// Two-phase commit belongs to the primary: its kind is write. PREPARE TRANSACTION still ends the block.
constexpr transaction_command transaction_commands[] = {
    {"TRANS_STMT_BEGIN", "BEGIN", transaction_verb::begin, statement_kind::transaction},
    {"TRANS_STMT_START", "START TRANSACTION", transaction_verb::begin, statement_kind::transaction},
    {"TRANS_STMT_COMMIT", "COMMIT", transaction_verb::commit, statement_kind::transaction},
    {"TRANS_STMT_ROLLBACK", "ROLLBACK", transaction_verb::rollback, statement_kind::transaction},
    {"TRANS_STMT_SAVEPOINT", "SAVEPOINT", transaction_verb::savepoint, statement_kind::transaction},
    {"TRANS_STMT_RELEASE", "RELEASE", transaction_verb::savepoint, statement_kind::transaction},
    {"TRANS_STMT_ROLLBACK_TO", "ROLLBACK TO", transaction_verb::savepoint, statement_kind::transaction},
    {"TRANS_STMT_PREPARE", "PREPARE TRANSACTION", transaction_verb::commit, statement_kind::write},
    {"TRANS_STMT_COMMIT_PREPARED", "COMMIT PREPARED", transaction_verb::none, statement_kind::write},
    {"TRANS_STMT_ROLLBACK_PREPARED", "ROLLBACK PREPARED", transaction_verb::none, statement_kind::write},
};

classification write_of(std::string reason) {
  classification is;
  is.kind = statement_kind::write;
  is.reason = std::move(reason);
  return is;
}

classification judge_set_transaction(const json::array* modes) {
  classification is;
  is.kind = statement_kind::transaction;
  is.verb = transaction_verb::set_transaction;
  is.reason = "SET TRANSACTION";
  if (!read_transaction_modes(modes, is)) is.kind = statement_kind::write;
  return is;
}

// `SET transaction_read_only = on` and its like are SET TRANSACTION by another name.
classification judge_set_transaction_parameter(std::string_view name, std::string_view value) {
  classification is;
  is.kind = statement_kind::transaction;
  is.verb = transaction_verb::set_transaction;
  is.reason = fmt::format("SET {} changes the transaction", name);
  const auto said = truth_of(value);
  if (name == "transaction_isolation") {
    is.level = isolation_named(value);
    if (is.level == isolation::unspecified) is.kind = statement_kind::write;
    return is;
  }
  if (said == truth::unknown) is.kind = statement_kind::write;
  if (name == "transaction_deferrable") {
    is.deferrable = said == truth::yes;
  } else {
    is.access = said == truth::yes ? access_mode::read_only : access_mode::read_write;
  }
  return is;
}

bool is_transaction_parameter(std::string_view name) {
  return name == "transaction_read_only" || name == "transaction_isolation" ||
         name == "transaction_deferrable";
}

classification judge_set_multi(const json::object& node) {
  const auto what = text_field(node, "name");
  if (what == "TRANSACTION") return judge_set_transaction(list_field(node, "args"));
  classification is;
  is.effects.may_set = true;
  is.reason = fmt::format("SET {}", what);
  if (what == "SESSION CHARACTERISTICS" && read_transaction_modes(list_field(node, "args"), is)) {
    is.kind = statement_kind::set;
    is.name = "session_characteristics";
  } else {
    is.verb = transaction_verb::set_transaction;  // TRANSACTION SNAPSHOT
  }
  return is;
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (auto& letter : lower) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return lower;
}

isolation isolation_named(std::string_view name) {
  const auto lower = lower_case(name);
  if (lower == "serializable") return isolation::serializable;
  if (lower == "repeatable read") return isolation::repeatable_read;
  if (lower == "read committed") return isolation::read_committed;
  if (lower == "read uncommitted") return isolation::read_uncommitted;
  return isolation::unspecified;
}

std::string_view name_of(isolation level) {
  switch (level) {
    case isolation::serializable:
      return "serializable";
    case isolation::repeatable_read:
      return "repeatable read";
    case isolation::read_committed:
      return "read committed";
    case isolation::read_uncommitted:
      return "read uncommitted";
    case isolation::unspecified:
      break;
  }
  return {};
}

truth truth_of(std::string_view value) {
  const auto lower = lower_case(value);
  const auto is_prefix_of = [&](std::string_view word, std::size_t least) {
    return lower.size() >= least && word.starts_with(lower);
  };
  if (is_prefix_of("true", 1) || is_prefix_of("yes", 1) || lower == "on" || lower == "1") return truth::yes;
  if (is_prefix_of("false", 1) || is_prefix_of("no", 1) || is_prefix_of("off", 2) || lower == "0")
    return truth::no;
  return truth::unknown;
}

classification judge_transaction(const json::object& node) {
  const auto kind = text_field(node, "kind");
  for (const auto& known : transaction_commands) {
    if (kind != known.kind) continue;
    classification is;
    is.kind = known.is;
    is.verb = known.verb;
    is.reason = fmt::format("{} controls the transaction", known.command);
    if (flag_field(node, "chain")) is.verb = transaction_verb::chain;
    if (!read_transaction_modes(list_field(node, "options"), is)) is.kind = statement_kind::write;
    return is;
  }
  auto is = write_of("unknown transaction statement");
  is.verb = transaction_verb::mixed;
  return is;
}

classification judge_set(const json::object& node, std::string_view sql) {
  const auto kind = text_field(node, "kind");
  if (kind == "VAR_SET_MULTI") return judge_set_multi(node);
  const auto name = kind == "VAR_RESET_ALL" ? std::string("all") : lower_case(text_field(node, "name"));
  const auto* arguments = list_field(node, "args");
  std::string value;
  if (kind == "VAR_SET_VALUE" && arguments != nullptr && arguments->size() == 1) {
    value = constant_text(arguments->front(), sql);
  }
  if (is_transaction_parameter(name)) return judge_set_transaction_parameter(name, value);
  classification is;
  const bool is_known =
      kind == "VAR_SET_VALUE" || kind == "VAR_SET_DEFAULT" || kind == "VAR_RESET" || kind == "VAR_RESET_ALL";
  const bool is_local = flag_field(node, "is_local");
  if (is_known) is.kind = is_local ? statement_kind::set_local : statement_kind::set;
  is.effects.may_set = !is_local || !is_known;
  is.effects.sets_local = is_local;
  is.effects.leaves_empty = is_local && kind == "VAR_SET_VALUE" && name.find('.') != std::string::npos;
  is.effects.seeds_random = name == "seed";
  is.effects.resets = kind != "VAR_SET_VALUE";
  is.reason = fmt::format("{} {} changes the session", kind.starts_with("VAR_RESET") ? "RESET" : "SET", name);
  if (is_local) is.reason = fmt::format("SET LOCAL {} changes the transaction", name);
  is.name = name;
  is.value = std::move(value);
  return is;
}

classification judge_show(const json::object& node) {
  classification is;
  is.kind = statement_kind::show;
  is.name = lower_case(text_field(node, "name"));
  is.effects.reads_custom = is.name.find('.') != std::string::npos;
  is.reason = fmt::format("SHOW {}: settings differ from server to server", is.name);
  return is;
}

}  // namespace pgsteer::routing
