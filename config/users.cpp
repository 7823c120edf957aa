#include "config/users.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <regex>

#include <fmt/format.h>

#include "config/files.hpp"
#include "config/problem.hpp"
#include "config/records.hpp"

namespace pgsteer::config {
namespace {

constexpr std::size_t longest_name = 63;  // NAMEDATALEN - 1

using refusal = std::optional<complaint>;

refusal set_name(user_entry& to, const std::string& value) {
  if (value.empty()) return complaint{"has an empty name", "write name=..., as the role is called"};
  if (value.size() > longest_name) return complaint{"has a name longer than a role's may be (63 bytes)", ""};
  to.name = value;
  return std::nullopt;
}

// SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>, as pg_authid keeps it. A broken one taken for a
// password would let in whoever has read it there.
bool is_broken_verifier(const std::string& value) {
  static const std::regex whole(R"(SCRAM-SHA-256\$[1-9]\d{0,8}:[A-Za-z0-9+/]+=*\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=)");
  return value.starts_with("SCRAM-SHA-256$") && !std::regex_match(value, whole);
}

refusal set_secret(user_entry& to, const std::string& value) {
  if (!to.secret.empty()) return complaint{"has both password and password_file", "keep one of them"};
  if (value.empty()) return complaint{"has an empty password", "leave it out, or write one"};
  if (value.find('\0') != std::string::npos) return complaint{"has a password with a NUL byte in it", ""};
  if (is_broken_verifier(value))
    return complaint{"has a SCRAM verifier that is not whole", "write it as pg_authid.rolpassword shows it"};
  to.secret = value;
  return std::nullopt;
}

refusal set_secret_file(user_entry& to, const std::string& path) {
  auto text = read_file(path);
  if (!text) {
    return complaint{fmt::format("cannot read {}: {}", shown(path), text.error().message()),
                     "check the path and who may read it"};
  }
  while (text->ends_with('\n') || text->ends_with('\r'))
    text->pop_back();
  return set_secret(to, *text);
}

template <auto Member>
refusal set_limit(user_entry& to, const std::string& value) {
  constexpr int most = 1000000;
  const auto number = parse_number(value, 1, most);
  if (!number) return number.error();
  to.*Member = static_cast<int>(*number);
  return std::nullopt;
}

refusal set_mode(user_entry& to, const std::string& value) {
  if (value == "transaction") {
    to.mode = pool_mode::transaction;
  } else if (value == "session") {
    to.mode = pool_mode::session;
  } else {
    return complaint{fmt::format("pool_mode {} is not a choice", shown(value)),
                     "write transaction or session"};
  }
  return std::nullopt;
}

struct part {
  std::string_view name;
  refusal (*set)(user_entry&, const std::string&);
};

constexpr std::array parts{part{"name", set_name},
                           part{"password", set_secret},
                           part{"password_file", set_secret_file},
                           part{"pool_mode", set_mode},
                           part{"pool_size", set_limit<&user_entry::pool_size>},
                           part{"max_clients", set_limit<&user_entry::max_clients>}};

complaint unknown_part(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& each : parts)
    known.emplace_back(each.name);
  const std::string near = did_you_mean(name, known);
  return {"holds a part that users do not have",
          near.empty() ? fmt::format("the parts are {}", fmt::join(known, ", ")) : near};
}

}  // namespace

parsed<user_entry> parse_user(std::string_view text) {
  const auto given = parse_record(text);
  if (!given) return given.error();
  user_entry out;
  for (auto one = given->begin(); one != given->end(); ++one) {
    const auto* const what = std::ranges::find(parts, one->first, &part::name);
    if (what == parts.end()) return unknown_part(one->first);
    const auto is_same = [&](const auto& other) { return other.first == one->first; };
    if (std::any_of(given->begin(), one, is_same)) {
      return complaint{fmt::format("has {} twice", what->name), "keep one of them"};
    }
    if (auto wrong = what->set(out, one->second)) return *std::move(wrong);
  }
  if (out.name.empty()) return complaint{"has no name", "write name=..., as the role is called"};
  return out;
}

parsed<std::vector<user_entry>> parse_users(const std::vector<std::string>& texts) {
  std::vector<user_entry> out;
  for (std::size_t item = 0; item < texts.size(); ++item) {
    for (const auto& line : lines_of(texts[item])) {
      auto user = parse_user(line);
      if (!user) return complaint{user.error().what, user.error().suggestion, item};
      const auto is_same = [&](const user_entry& other) { return other.name == user->name; };
      if (std::ranges::any_of(out, is_same)) {
        return complaint{fmt::format("names the user {} twice", shown(user->name)), "name each user once",
                         item};
      }
      out.push_back(*std::move(user));
    }
  }
  return out;
}

bool is_md5_verifier(std::string_view secret) {
  constexpr std::size_t md5_size = 35;
  return secret.size() == md5_size && secret.starts_with("md5") &&
         secret.find_first_not_of("0123456789abcdef", 3) == std::string_view::npos;
}

std::string redacted(const user_entry& user) {
  record out{{"name", user.name}};
  if (!user.secret.empty()) out.emplace_back("password", "***");
  if (user.mode) out.emplace_back("pool_mode", *user.mode == pool_mode::session ? "session" : "transaction");
  if (user.pool_size) out.emplace_back("pool_size", std::to_string(*user.pool_size));
  if (user.max_clients) out.emplace_back("max_clients", std::to_string(*user.max_clients));
  return to_text(out);
}

}  // namespace pgsteer::config
