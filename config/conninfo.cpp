#include "config/conninfo.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <memory>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "config/problem.hpp"

namespace pgsteer::config {
namespace {

using option_list = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

constexpr std::string_view url_form = "postgres://user:password@host:5432/database";

// Words that only a driver or a newer libpq understands but that stand in many a DATABASE_URL.
// Only words of this list or of libpq's own are repeated in a message: any other might be a
// piece of a password with a space in it.
constexpr std::array<std::string_view, 16> foreign{
    "schema",       "pgbouncer",   "connection_limit",   "pool_timeout",
    "pool_size",    "charset",     "encoding",           "prepared_statements",
    "ssl_mode",     "sslaccept",   "socket_timeout",     "sslnegotiation",
    "require_auth", "sslcertmode", "load_balance_hosts", "prepareThreshold"};

// libpq marks these with dispchar "*"; later releases add oauth_client_secret.
bool is_secret(std::string_view keyword) {
  return keyword.find("password") != std::string_view::npos ||
         keyword.find("secret") != std::string_view::npos;
}

std::string first_quoted(std::string_view message) {
  const auto open = message.find('"');
  if (open == std::string_view::npos) return {};
  const auto close = message.find('"', open + 1);
  return close == std::string_view::npos ? std::string()
                                         : std::string(message.substr(open + 1, close - open - 1));
}

complaint unknown_keyword(const std::string& word) {
  if (std::ranges::find(foreign, word) != foreign.end()) {
    return {fmt::format("libpq does not know the parameter \"{}\"", word),
            "leave it out: it is meant for a driver, and drivers take it in their own URL to pgsteer"};
  }
  return {"holds a parameter that libpq does not know", did_you_mean(word, conninfo::keywords())};
}

// libpq's messages quote pieces of the text, which may be secret: what they say is kept, what they quote is
// not.
std::string without_quotes(std::string_view message) {
  std::string out;
  bool inside = false;
  for (const char c : message) {
    if (c == '"') {
      out += inside ? "***\"" : "\"";
      inside = !inside;
    } else if (!inside && c != '\n') {
      out += c;
    }
  }
  return inside ? out + "***\"" : out;
}

complaint translated(std::string_view message) {
  if (message.starts_with("invalid connection option") ||
      message.starts_with("invalid URI query parameter")) {
    return unknown_keyword(first_quoted(message));
  }
  if (message.starts_with("missing \"=\"")) {
    return {"is neither a URL nor a list of keyword=value", fmt::format("write {}", url_form)};
  }
  if (message.starts_with("unexpected character") || message.starts_with("invalid percent-encoded")) {
    return {"is not a valid URL (" + without_quotes(message.substr(0, message.find(' ', 11))) + ")",
            "percent-encode special characters in user and password: @ is %40, / is %2F, : is %3A, % is %25"};
  }
  return {"libpq cannot read it: " + without_quotes(message), fmt::format("write {}", url_form)};
}

// A driver's URL ("postgresql+psycopg2://", "jdbc:postgresql://") or another product's.
std::string foreign_scheme(std::string_view text) {
  const auto end = text.find("://");
  if (end == std::string_view::npos || end == 0 || end > 30) return {};
  const auto scheme = text.substr(0, end);
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == ':' || c == '-'; };
  if (scheme == "postgres" || scheme == "postgresql" || !std::ranges::all_of(scheme, fits)) return {};
  return std::string(scheme);
}

std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

const std::vector<std::string>& conninfo::keywords() {
  static const std::vector<std::string> known = [] {
    std::vector<std::string> names;
    const option_list options(PQconninfoParse("", nullptr), &PQconninfoFree);
    for (const auto* each = options.get(); each != nullptr && each->keyword != nullptr; ++each) {
      names.emplace_back(each->keyword);
    }
    return names;
  }();
  return known;
}

parsed<conninfo> conninfo::parse(const std::string& text) {
  if (text.find('\0') != std::string::npos) return complaint{"holds a NUL byte", ""};
  const std::string scheme = foreign_scheme(text);
  if (!scheme.empty()) {
    return complaint{fmt::format("the scheme \"{}\" is not one that libpq knows", scheme),
                     "write postgres://..."};
  }
  char* message = nullptr;
  const option_list options(PQconninfoParse(text.c_str(), &message), &PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> owned(message, &PQfreemem);
  if (!options) return translated(message == nullptr ? "out of memory" : message);
  conninfo found;
  for (const auto* each = options.get(); each->keyword != nullptr; ++each) {
    if (each->val == nullptr || each->val[0] == '\0') continue;
    found.options_.push_back({each->keyword, each->val});
  }
  return found;
}

std::string conninfo::get(std::string_view keyword) const {
  const auto found = std::ranges::find(options_, keyword, &option::keyword);
  return found == options_.end() ? std::string() : found->value;
}

// Options stay in libpq's order, so that one server has one text however it was written.
void conninfo::set(std::string_view keyword, std::string value) {
  const auto rank = [](std::string_view word) {
    return std::ranges::find(keywords(), word) - keywords().begin();
  };
  const auto before = [&](const option& each) { return rank(each.keyword) < rank(keyword); };
  const auto at = std::ranges::find_if_not(options_, before);
  if (at != options_.end() && at->keyword == keyword) {
    at->value = std::move(value);
  } else {
    options_.insert(at, {std::string(keyword), std::move(value)});
  }
}

void conninfo::set_if_missing(std::string_view keyword, std::string value) {
  if (!value.empty() && get(keyword).empty()) set(keyword, std::move(value));
}

void conninfo::remove(std::string_view keyword) {
  std::erase_if(options_, [&](const option& each) { return each.keyword == keyword; });
}

std::string conninfo::written(bool with_secrets) const {
  std::string out;
  for (const auto& each : options_) {
    const bool hide = !with_secrets && is_secret(each.keyword);
    out += fmt::format("{}{}='{}'", out.empty() ? "" : " ", each.keyword, hide ? "***" : escaped(each.value));
  }
  return out;
}

std::string conninfo::text() const {
  return written(true);
}
std::string conninfo::redacted() const {
  return written(false);
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    const auto comma = text.find(',');
    out.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace pgsteer::config
