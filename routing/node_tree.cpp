#include "routing/node_tree.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace pgsteer::routing {
namespace {

struct known_field {
  std::string_view name;
  object_kind kind;
};

constexpr std::array<known_field, 12> fields{{
    {"aggfnoid", object_kind::function},
    {"eqop", object_kind::operation},
    {"funcid", object_kind::function},
    {"opfuncid", object_kind::function},
    {"opno", object_kind::operation},
    {"relid", object_kind::relation},
    {"resulttype", object_kind::type},
    {"sortop", object_kind::operation},
    {"tsmhandler", object_kind::function},
    {"winfnoid", object_kind::function},
    {"consttype", object_kind::type},
    {"funcresulttype", object_kind::type},
}};

// regproc, regprocedure, regoper, regoperator, regclass, regtype, regconfig, regdictionary, regcollation:
// what their values look like depends on the session's names.
bool is_read_as_name(object_id type) {
  constexpr std::array<object_id, 9> types{24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4191};
  return std::ranges::find(types, type) != types.end();
}

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\t';
}

// Tokens end at blanks and brackets; a backslash takes the next character's meaning away.
class tokens {
 public:
  explicit tokens(std::string_view text) : rest_(text) {}

  std::string_view next() {
    while (!rest_.empty() && is_blank(rest_.front()))
      rest_.remove_prefix(1);
    if (rest_.empty()) return {};
    std::size_t size = is_bracket(rest_.front()) ? 1 : 0;
    if (size == 0 && rest_.front() == '"') return quoted();
    while (size == 0 || (size < rest_.size() && !is_bracket(rest_.front()))) {
      if (size < rest_.size() && (is_blank(rest_[size]) || is_bracket(rest_[size]))) break;
      size += rest_[size] == '\\' ? 2 : 1;
      if (size >= rest_.size()) break;
    }
    return take(std::min(size, rest_.size()));
  }

 private:
  static bool is_bracket(char c) { return c == '(' || c == ')' || c == '{' || c == '}'; }

  std::string_view quoted() {
    std::size_t at = 1;
    while (at < rest_.size() && rest_[at] != '"')
      at += rest_[at] == '\\' ? 2 : 1;
    return take(std::min(at + 1, rest_.size()));
  }

  std::string_view take(std::size_t size) {
    const auto token = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return token;
  }

  std::string_view rest_;
};

std::optional<object_id> number(std::string_view token) {
  object_id id = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), id);
  if (error != std::errc{} || end != token.data() + token.size()) return std::nullopt;
  return id;
}

class scanner {
 public:
  explicit scanner(std::string_view text) : tokens_(text) {}

  tree_uses scan() {
    for (auto token = tokens_.next(); !token.empty();) {
      if (token.size() < 2 || token.front() != ':') {
        if (is_node_start_) node(token);
        is_node_start_ = token == "{";
        token = tokens_.next();
        continue;
      }
      is_node_start_ = false;
      const auto value = tokens_.next();
      const bool opens = value == "{" || value == "(";
      if (token == ":opnos" && value == "(") {
        operators();
      } else if (!opens) {
        field(token.substr(1), value);
      }
      // A bracket is looked at by the loop; every other value belongs to its field.
      token = opens || value == "}" || value == ")" ? value : tokens_.next();
    }
    give_up_setting();
    std::ranges::sort(uses_.references);
    auto& all = uses_.references;
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return std::move(uses_);
  }

 private:
  void refuse(std::string_view why) {
    if (uses_.refusal.empty()) uses_.refusal = why;
  }

  // current_setting(): what its first argument is comes behind it.
  void give_up_setting() {
    if (asking_ != 0) add(object_kind::function, std::exchange(asking_, 0));
  }

  // ":constvalue 14 [ 56 0 0 0 97 ... ]": a text behind its length.
  void read_setting(std::string_view size) {
    constexpr std::size_t header = 4;
    std::string name;
    std::size_t count = 0;
    if (tokens_.next() != "[") return give_up_setting();
    for (auto token = tokens_.next(); !token.empty() && token != "]"; token = tokens_.next(), ++count) {
      int byte = 0;
      const auto read = std::from_chars(token.data(), token.data() + token.size(), byte);
      if (read.ec == std::errc{} && count >= header) name.push_back(static_cast<char>(byte));
    }
    if (number(size) != count || name.empty()) return give_up_setting();
    asking_ = 0;
    uses_.settings.push_back(std::move(name));
  }

  void node(std::string_view name) {
    if (asking_ != 0 && name != "CONST") give_up_setting();
    if (name == "ROWMARKCLAUSE") refuse("locking clause");
    if (name == "NEXTVALUEEXPR") refuse("takes the next value of a sequence");
    if (name == "NOTIFYSTMT") refuse("NOTIFY is not a read");
  }

  // A row comparison's: "(o 97 97)".
  void operators() {
    for (auto token = tokens_.next(); !token.empty() && token != ")"; token = tokens_.next()) {
      if (const auto id = number(token)) add(object_kind::operation, *id);
    }
  }

  void field(std::string_view name, std::string_view value) {
    if (name == "commandType" && value != "1") refuse(command(value));
    if (name == "hasModifyingCTE" && value == "true") refuse("data-modifying WITH");
    if (asking_ != 0 && name == "constvalue") return read_setting(value);
    if (asking_ != 0 && name == "consttype" && value != "25") give_up_setting();
    const auto known = std::ranges::find(fields, name, &known_field::name);
    if (known == fields.end()) return;
    const auto id = number(value);
    const bool asks = known->name == "funcid" && (id == 2077u || id == 3294u);
    if (asks) give_up_setting();
    if (asks) asking_ = *id;
    if (id && !asks) add(known->kind, *id);
  }

  static std::string_view command(std::string_view type) {
    if (type == "2") return "UPDATE is not a read";
    if (type == "3") return "INSERT is not a read";
    if (type == "4") return "DELETE is not a read";
    return "its body is not only queries";
  }

  void add(object_kind kind, object_id id) {
    const bool is_type = kind == object_kind::type;
    const bool is_always_safe = kind == object_kind::operation || (is_type && !is_read_as_name(id));
    if (id == 0 || (is_always_safe && id < first_user_object)) return;
    uses_.references.push_back({kind, id});
  }

  tokens tokens_;
  tree_uses uses_;
  bool is_node_start_ = false;
  object_id asking_ = 0;  // current_setting() whose first argument comes next
};

}  // namespace

tree_uses uses_of_tree(std::string_view text) {
  return scanner(text).scan();
}

}  // namespace pgsteer::routing
