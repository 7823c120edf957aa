#include "config/users.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "config/files.hpp"
#include "config/limit_parts.hpp"

namespace pgsteer::config {
namespace {

refusal set_name(user_entry& to, const std::string& value) {
  if (auto wrong = check_name(value, "role")) return wrong;
  to.name = value;
  return std::nullopt;
}

// SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>, as pg_authid keeps it. A broken one taken for a
// password would let in whoever has read it there.
bool is_broken_verifier(std::string_view value) {
  constexpr std::string_view mechanism = "SCRAM-SHA-256$";
  constexpr std::string_view digits = "0123456789";
  constexpr std::string_view base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  constexpr std::size_t key_size = 44;
  if (!value.starts_with(mechanism)) return false;
  value.remove_prefix(mechanism.size());
  const auto take = [&value](std::string_view letters, char end) {
    const auto size = std::min(value.find_first_not_of(letters), value.size());
    const bool is_there =
        size > 0 && (end == '\0' ? size == value.size() : size < value.size() && value[size] == end);
    value.remove_prefix(std::min(value.size(), size + 1));
    return is_there ? size : 0;
  };
  const bool begins = take(digits, ':') != 0 && take(base64, '$') != 0;
  return !begins || take(base64, ':') != key_size || take(base64, '\0') != key_size;
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

constexpr std::array parts{part<user_entry>{"name", set_name},
                           part<user_entry>{"password", set_secret},
                           part<user_entry>{"password_file", set_secret_file},
                           pool_mode_part<user_entry>,
                           pool_size_part<user_entry>,
                           max_clients_part<user_entry>,
                           max_connections_part<user_entry>};

}  // namespace

parsed<user_entry> parse_user(std::string_view text) {
  auto out = parse_entry<user_entry>(text, parts, "users");
  if (out.has_value() && out->name.empty())
    return complaint{"has no name", "write name=..., as the role is called"};
  return out;
}

parsed<std::vector<user_entry>> parse_users(std::span<const std::string> texts) {
  return parse_entries<user_entry>(texts, parse_user, "user");
}

bool is_md5_verifier(std::string_view secret) {
  constexpr std::size_t md5_size = 35;
  return secret.size() == md5_size && secret.starts_with("md5") &&
         secret.find_first_not_of("0123456789abcdef", 3) == std::string_view::npos;
}

std::string redacted(const user_entry& user) {
  record out{{"name", user.name}};
  if (!user.secret.empty()) out.emplace_back("password", "***");
  append_limits(out, user.limits);
  return to_text(out);
}

}  // namespace pgsteer::config
