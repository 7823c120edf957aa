#include "routing/text_template.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "routing/facts.hpp"
#include "routing/tree.hpp"

namespace pgsteer::routing {
namespace json = boost::json;
namespace {

using kind = text_piece::kind;
using made = std::optional<text_template>;

std::optional<std::string_view> constant_of(const json::value& node) {
  const auto* constant = as_node(node, "A_Const");
  const auto* text = constant == nullptr ? nullptr : object_field(*constant, "sval");
  if (text == nullptr) return std::nullopt;
  return text_field(*text, "sval");
}

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || (c == '\\' && quote == '\'')) out += c;
    out += c;
  }
  out += quote;
  return quote == '\'' && text.find('\\') != std::string_view::npos ? "E" + out : out;
}

class maker {
 public:
  maker(const find_parameter& parameter, const facts& known) : parameter_(parameter), known_(known) {}

  [[nodiscard]] made of(const json::value& node) const {
    if (const auto text = constant_of(node)) return text_template{{kind::constant, std::string(*text), 0}};
    if (const auto* joined = as_node(node, "A_Expr")) return of_operator(*joined);
    if (const auto* call = as_node(node, "FuncCall")) return of_call(*call);
    return of_parameter(node, kind::plain);
  }

 private:
  [[nodiscard]] made of_operator(const json::object& node) const {
    const auto name = name_field(node, "name");
    const auto* left = node.if_contains("lexpr");
    const auto* right = node.if_contains("rexpr");
    if (!name || name->name != "||" || text_field(node, "kind") != "AEXPR_OP" || left == nullptr ||
        right == nullptr || !known_.is_only_builtin(object_sort::operation, "||"))
      return std::nullopt;
    auto all = of(*left);
    const auto rest = all ? of(*right) : std::nullopt;
    if (!rest) return std::nullopt;
    all->insert(all->end(), rest->begin(), rest->end());
    return all;
  }

  [[nodiscard]] made of_call(const json::object& node) const {
    const auto name = name_field(node, "funcname");
    const auto* arguments = list_field(node, "args");
    if (!name || arguments == nullptr || arguments->empty() || flag_field(node, "func_variadic") ||
        !known_.is_only_builtin(object_sort::function, name->name))
      return std::nullopt;
    if (name->name == "format") return of_format(*arguments);
    if (arguments->size() != 1) return std::nullopt;
    if (name->name == "quote_ident") return of_parameter(arguments->front(), kind::identifier);
    if (name->name == "quote_literal") return of_parameter(arguments->front(), kind::literal);
    return std::nullopt;
  }

  // Only %s, %I, %L and %%, one argument after the other.
  [[nodiscard]] made of_format(const json::array& arguments) const {
    const auto pattern = constant_of(arguments.front());
    if (!pattern) return std::nullopt;
    text_template all;
    std::size_t next = 1;
    auto rest = *pattern;
    for (auto at = rest.find('%'); at != std::string_view::npos; at = rest.find('%')) {
      all.push_back({kind::constant, std::string(rest.substr(0, at)), 0});
      const char what = at + 1 < rest.size() ? rest[at + 1] : '\0';
      rest.remove_prefix(std::min(rest.size(), at + 2));
      if (what == '%') {
        all.back().text += '%';
        continue;
      }
      const auto argument = next < arguments.size() ? of_argument(arguments[next], what) : std::nullopt;
      if (!argument) return std::nullopt;
      all.insert(all.end(), argument->begin(), argument->end());
      ++next;
    }
    all.push_back({kind::constant, std::string(rest), 0});
    return next == arguments.size() ? made(std::move(all)) : std::nullopt;
  }

  [[nodiscard]] made of_argument(const json::value& node, char what) const {
    if (what == 's') return of(node);
    if (what != 'I' && what != 'L') return std::nullopt;
    if (const auto text = constant_of(node))
      return text_template{{kind::constant, quoted(*text, what == 'I' ? '"' : '\''), 0}};
    return of_parameter(node, what == 'I' ? kind::identifier : kind::literal);
  }

  [[nodiscard]] made of_parameter(const json::value& node, kind how) const {
    std::optional<std::size_t> found;
    if (const auto* reference = as_node(node, "ParamRef")) {
      const auto* number = reference->if_contains("number");
      if (number != nullptr && number->is_int64()) found = parameter_(fmt::format("${}", number->as_int64()));
    } else if (const auto* column = as_node(node, "ColumnRef")) {
      const auto name = name_field(*column, "fields");
      if (name && name->schema.empty()) found = parameter_(name->name);
    }
    if (!found) return std::nullopt;
    return text_template{{how, {}, *found}};
  }

  const find_parameter& parameter_;
  const facts& known_;
};

}  // namespace

std::optional<text_template> template_of(const json::value& expression, const find_parameter& parameter,
                                         const facts& known) {
  return maker(parameter, known).of(expression);
}

bool needs_no_values(const text_template& made) {
  return std::ranges::all_of(made, [](const text_piece& each) { return each.is == kind::constant; });
}

std::string fill(const text_template& made, const std::function<std::string_view(std::size_t)>& value) {
  std::string text;
  for (const auto& each : made) {
    if (each.is == kind::constant) {
      text += each.text;
    } else if (each.is == kind::plain) {
      text += value(each.parameter);
    } else {
      text += quoted(value(each.parameter), each.is == kind::identifier ? '"' : '\'');
    }
  }
  return text;
}

}  // namespace pgsteer::routing
