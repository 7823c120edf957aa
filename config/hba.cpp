#include "config/hba.hpp"

#include <algorithm>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "config/problem.hpp"

namespace pgsteer::config {
namespace {

struct token {
  std::string text;
  bool is_quoted = false;  // then no word of the format's own
  [[nodiscard]] bool is(std::string_view word) const { return !is_quoted && text == word; }
};
using field = std::vector<token>;  // separated by commas
using refusal = std::optional<complaint>;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

complaint unclosed() {
  return {"has a quote that is not closed", "end the name with \""};
}

// As PostgreSQL cuts such a line: white space between fields, commas within one, " around names, # for a
// comment.
parsed<std::vector<field>> cut(std::string_view line) {
  std::vector<field> out;
  bool goes_on = false;  // behind a comma
  std::size_t at = 0;
  while (at < line.size() && line[at] != '#') {
    if (is_space(line[at]) || line[at] == ',') {
      goes_on |= line[at] == ',';
      ++at;
      continue;
    }
    token one;
    bool in_quotes = false;
    for (; at < line.size() && (in_quotes || (!is_space(line[at]) && line[at] != ',' && line[at] != '#'));
         ++at) {
      if (line[at] == '"') {
        in_quotes = !in_quotes;
        one.is_quoted = true;
      } else {
        one.text += line[at];
      }
    }
    if (in_quotes) return unclosed();
    if (goes_on && !out.empty()) {
      out.back().push_back(std::move(one));
    } else {
      out.push_back({std::move(one)});
    }
    goes_on = false;
  }
  return out;
}

template <typename Value, std::size_t Size>
using words = std::array<std::pair<std::string_view, Value>, Size>;

constexpr words<hba_connection, 4> connections{{{"local", hba_connection::local},
                                                {"host", hba_connection::host},
                                                {"hostssl", hba_connection::host_tls},
                                                {"hostnossl", hba_connection::host_plain}}};
constexpr words<hba_method, 6> methods{{{"trust", hba_method::trust},
                                        {"reject", hba_method::reject},
                                        {"scram-sha-256", hba_method::scram_sha_256},
                                        {"md5", hba_method::md5},
                                        {"password", hba_method::password},
                                        {"cert", hba_method::cert}}};

template <typename Value, std::size_t Size>
parsed<Value> choose(const words<Value, Size>& from, std::string_view word, std::string_view what) {
  std::vector<std::string> known;
  for (const auto& [name, value] : from) {
    if (name == word) return value;
    known.emplace_back(name);
  }
  const auto near = did_you_mean(word, known);
  return complaint{fmt::format("has the {} {}, which pgsteer does not know", what, shown(word)),
                   near.empty() ? fmt::format("write one of {}", fmt::join(known, ", ")) : near};
}

refusal take_databases(hba_rule& to, const field& from) {
  for (const auto& each : from) {
    if (each.is("samerole") || each.is("samegroup") || (!each.is_quoted && each.text.starts_with('@'))) {
      return complaint{fmt::format("has the database {}, which only a server can resolve", shown(each.text)),
                       "name the databases"};
    }
    if (each.is("all")) {
      to.all_databases = true;
    } else if (each.is("sameuser")) {
      to.same_database = true;
    } else if (each.is("replication")) {
      to.replication = true;
    } else {
      to.databases.push_back(each.text);
    }
  }
  return std::nullopt;
}

refusal take_users(hba_rule& to, const field& from) {
  for (const auto& each : from) {
    if (!each.is_quoted && (each.text.starts_with('+') || each.text.starts_with('@'))) {
      return complaint{fmt::format("has the user {}, which only a server can resolve", shown(each.text)),
                       "name the users"};
    }
    if (each.is("all")) {
      to.all_users = true;
    } else {
      to.users.push_back(each.text);
    }
  }
  return std::nullopt;
}

bool read_address(const std::string& text, hba_network& into, std::array<std::uint8_t, 16>& bytes) {
  into.is_v6 = text.find(':') != std::string::npos;
  return ::inet_pton(into.is_v6 ? AF_INET6 : AF_INET, text.c_str(), bytes.data()) == 1;
}

void set_mask(hba_network& to, int bits) {
  for (int i = 0; i < bits; ++i)
    to.mask[static_cast<std::size_t>(i) / 8] |=
        static_cast<std::uint8_t>(0x80U >> (static_cast<unsigned>(i) % 8));
}

complaint bad_address(std::string_view text) {
  return {fmt::format("has the address {}", shown(text)),
          "write all, or a network such as 10.0.0.0/8 or ::1/128: names of hosts are not looked up"};
}

// How many fields it took: an address may have its mask in one of its own. 0: it is none.
std::size_t take_network(hba_rule& to, const std::vector<field>& fields, std::size_t at) {
  const auto& one = fields[at].front();
  if (one.is("all")) return 1;
  hba_network network;
  const auto slash = one.text.find('/');
  if (!read_address(one.text.substr(0, slash), network, network.address)) return 0;
  const int widest = network.is_v6 ? 128 : 32;
  if (slash != std::string::npos) {
    const auto bits = parse_number(one.text.substr(slash + 1), 0, widest);
    if (!bits) return 0;
    set_mask(network, static_cast<int>(*bits));
    to.network = network;
    return 1;
  }
  hba_network mask;
  if (at + 1 >= fields.size() || !read_address(fields[at + 1].front().text, mask, network.mask) ||
      mask.is_v6 != network.is_v6) {
    return 0;
  }
  to.network = network;
  return 2;
}

refusal take_option(hba_rule& to, const std::string& text) {
  if (text == "clientcert=verify-ca") {
    to.certificate = hba_certificate::from_authority;
  } else if (text == "clientcert=verify-full") {
    to.certificate = hba_certificate::of_user;
  } else if (text.starts_with("map=") && text.size() > 4) {
    to.map = text.substr(4);
  } else {
    return complaint{fmt::format("has the option {}", shown(text)),
                     "the options are clientcert=verify-ca, clientcert=verify-full and map=NAME"};
  }
  return std::nullopt;
}

refusal check(const hba_rule& rule) {
  const bool wants_certificate = rule.certificate != hba_certificate::not_asked;
  if (wants_certificate && rule.connection != hba_connection::host_tls) {
    return complaint{"asks for a certificate on connections that may have no TLS", "begin it with hostssl"};
  }
  if (!rule.map.empty() && rule.certificate != hba_certificate::of_user) {
    return complaint{"has a map but reads no name from a certificate", "use cert, or clientcert=verify-full"};
  }
  if (rule.method == hba_method::password && rule.connection != hba_connection::host_tls &&
      rule.connection != hba_connection::local) {
    return complaint{"lets passwords in clear text over a network",
                     "begin it with hostssl, or use scram-sha-256"};
  }
  return std::nullopt;
}

bool contains(const hba_network& network, std::span<const std::uint8_t> address) {
  if (address.size() != (network.is_v6 ? 16U : 4U)) return false;
  for (std::size_t i = 0; i < address.size(); ++i) {
    if (((address[i] ^ network.address[i]) & network.mask[i]) != 0) return false;
  }
  return true;
}

bool names(const std::vector<std::string>& list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

bool fits(const hba_rule& rule, const hba_question& about) {
  if ((rule.connection == hba_connection::local) != about.is_local) return false;
  if (rule.connection == hba_connection::host_tls && !about.has_tls) return false;
  if (rule.connection == hba_connection::host_plain && about.has_tls) return false;
  if (rule.network && !contains(*rule.network, about.address)) return false;
  if (!rule.all_users && !names(rule.users, about.user)) return false;
  if (about.is_physical_replication) return rule.replication;
  return rule.all_databases || (rule.same_database && about.database == about.user) ||
         names(rule.databases, about.database);
}

}  // namespace

parsed<hba_rule> parse_hba_rule(std::string_view line) {
  const auto fields = cut(line);
  if (!fields) return fields.error();
  constexpr std::string_view form =
      "write TYPE DATABASE USER [ADDRESS] METHOD [OPTION...], as in pg_hba.conf";
  if (fields->size() < 4) return complaint{"is not a whole rule", std::string(form)};
  hba_rule out;
  out.text = trimmed(line);
  const auto connection = choose(connections, (*fields)[0].front().text, "type");
  if (!connection) return connection.error();
  out.connection = *connection;
  if (auto wrong = take_databases(out, (*fields)[1])) return *std::move(wrong);
  if (auto wrong = take_users(out, (*fields)[2])) return *std::move(wrong);
  std::size_t at = 3;
  if (out.connection != hba_connection::local) {
    const auto taken = take_network(out, *fields, at);
    if (taken == 0) return bad_address((*fields)[at].front().text);
    at += taken;
  }
  if (at >= fields->size()) return complaint{"names no method", std::string(form)};
  const auto method = choose(methods, (*fields)[at].front().text, "method");
  if (!method) return method.error();
  out.method = *method;
  if (out.method == hba_method::cert) out.certificate = hba_certificate::of_user;
  for (++at; at < fields->size(); ++at) {
    if (auto wrong = take_option(out, (*fields)[at].front().text)) return *std::move(wrong);
  }
  if (auto wrong = check(out)) return *std::move(wrong);
  return out;
}

const hba_rule* find_hba_rule(std::span<const hba_rule> rules, const hba_question& about) {
  const auto at = std::ranges::find_if(rules, [&](const hba_rule& rule) { return fits(rule, about); });
  return at == rules.end() ? nullptr : &*at;
}

}  // namespace pgsteer::config
