// Who may log in, and how: rules, certificates, users that are looked up or that the servers alone know.
// https://www.postgresql.org/docs/15/client-authentication.html
#include <array>
#include <chrono>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include "protocol/message_writer.hpp"
#include "proxy/client/session.hpp"
#include "proxy/client/tls_context.hpp"
#include "proxy/log.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

namespace sqlstate = protocol::sqlstate;
using config::hba_certificate;
using config::hba_method;

hba_method method_of(config::auth_method m) {
  switch (m) {
    case config::auth_method::trust:
      return hba_method::trust;
    case config::auth_method::md5:
      return hba_method::md5;
    case config::auth_method::scram_sha_256:
      break;
  }
  return hba_method::scram_sha_256;
}

protocol::login_method conversation_of(hba_method m) {
  switch (m) {
    case hba_method::trust:
    case hba_method::cert:  // the certificate has said it all
      return protocol::login_method::trust;
    case hba_method::md5:
      return protocol::login_method::md5;
    case hba_method::password:
      return protocol::login_method::password;
    case hba_method::reject:
    case hba_method::scram_sha_256:
      break;
  }
  return protocol::login_method::scram;
}

// Where a client comes from, as rules and messages name it.
struct origin {
  std::array<std::uint8_t, 16> bytes{};
  std::size_t size = 0;
  std::string text = "[local]";
};

template <std::size_t Size, class Address>
void read_origin(int family, const Address& from, origin& into) {
  into.size = Size;
  std::copy_n(reinterpret_cast<const std::uint8_t*>(&from), Size, into.bytes.begin());
  std::array<char, INET6_ADDRSTRLEN> text{};
  into.text = ::inet_ntop(family, &from, text.data(), text.size()) != nullptr ? text.data() : "???";
}

origin origin_of(int fd) {
  origin out;
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return out;
  if (peer.ss_family == AF_INET) read_origin<4>(AF_INET, reinterpret_cast<sockaddr_in&>(peer).sin_addr, out);
  if (peer.ss_family == AF_INET6)
    read_origin<16>(AF_INET6, reinterpret_cast<sockaddr_in6&>(peer).sin6_addr, out);
  return out;
}

bool has_expired(const identity& who) {
  return who.valid_until && std::chrono::system_clock::now() >= *who.valid_until;
}

}  // namespace

void session::start_login() {
  const auto& p = login_->packet;
  if (p.needs_negotiation()) {
    std::string bytes;
    protocol::write::negotiate_protocol_version(bytes, protocol::newest_protocol, p.protocol_options);
    send(bytes);
  }
  phase_ = phase::login;
  const auto& s = worker_.settings();
  login_->method = method_of(s.auth);
  if (!s.hba.empty() && !passes_rules()) return;
  login_->who = worker_.config().users->find(p.user);
  if (login_->who == nullptr && worker_.users() != nullptr && !s.auth_query.empty())
    return worker_.look_up_user(*this, p.user);
  begin_conversation();
}

// The first rule that fits, in the words of a server where none lets the client in.
bool session::passes_rules() {
  const auto& p = login_->packet;
  const auto from = origin_of(fd_.get());
  const bool is_physical = p.replication == protocol::replication_mode::physical;
  const config::hba_question about{is_unix_, io_.is_tls(), p.database,
                                   p.user,   is_physical,  {from.bytes.data(), from.size}};
  const auto* const rule = config::find_hba_rule(worker_.settings().hba, about);
  if (rule != nullptr && rule->method != hba_method::reject) {
    login_->method = rule->method;
    return passes_certificate(*rule);
  }
  const auto what = fmt::format("host \"{}\", user \"{}\", {}{}", from.text, p.user,
                                is_physical ? "" : fmt::format("database \"{}\", ", p.database),
                                io_.is_tls() ? "SSL encryption" : "no encryption");
  const std::string_view kind = is_physical ? "replication connection" : "connection";
  refuse_access(rule != nullptr ? fmt::format("pg_hba.conf rejects {} for {}", kind, what)
                : is_physical   ? fmt::format("no pg_hba.conf entry for replication connection from {}", what)
                                : fmt::format("no pg_hba.conf entry for {}", what),
                rule != nullptr ? rule->text : "no rule of hba fits");
  return false;
}

bool session::passes_certificate(const config::hba_rule& rule) {
  if (rule.certificate == hba_certificate::not_asked) return true;
  const auto name = certificate_name(io_.ssl());
  if (!name) {
    refuse_access("connection requires a valid client certificate", rule.text);
    return false;
  }
  const auto& user = login_->packet.user;
  const bool is_right = rule.certificate == hba_certificate::from_authority ||
                        config::is_mapped(worker_.settings().ident_map, rule.map, *name, user);
  if (!is_right) {
    refuse_access(fmt::format("certificate authentication failed for user \"{}\"", user),
                  fmt::format("the certificate names {}, by the rule {}", *name, rule.text));
  }
  return is_right;
}

void session::refuse_access(std::string message, const std::string& cause) {
  log_refused(sqlstate::invalid_authorization_specification, cause);
  refuse_login(protocol::fatal_error(sqlstate::invalid_authorization_specification, std::move(message)));
}

void session::log_refused(std::string_view code, std::string_view cause) const {
  const auto& p = login_->packet;
  log_info("Login refused", {{"user", p.user},
                             {"database", p.database},
                             {"client", origin_of(fd_.get()).text},
                             {"sqlstate", std::string(code)},
                             {"cause", std::string(cause)}});
}

// What the client is not told: whether it exists, and whether its password was right once.
std::string_view session::why_refused() const {
  if (login_->who == nullptr) return "unknown user";
  return has_expired(*login_->who) ? "its password is no longer valid" : "it did not prove to be the user";
}

void session::on_user_found(const user_answer& answer) {
  if (gone_) return end();
  if (phase_ != phase::login || login_->conversation) return;
  if (!answer.cause.empty()) {
    return refuse_login(protocol::fatal_error(
        sqlstate::connection_failure, fmt::format("could not look up user \"{}\"", login_->packet.user),
        fmt::format("No server answered auth_query: {}.", answer.cause),
        "Try again; if it lasts, run auth_query by hand as auth_query_user."));
  }
  login_->who = answer.who;
  begin_conversation();
  if (phase_ != phase::ended) resume_soon();
}

void session::begin_conversation() {
  const auto& who = login_->who;
  protocol::login_policy policy;
  policy.method = conversation_of(login_->method);
  policy.mock_seed = worker_.mock_seed();
  policy.servers_know_more = who == nullptr;
  if (io_.is_tls() && !worker_.config().tls_end_point.empty())
    policy.tls_server_end_point = worker_.config().tls_end_point;
  protocol::login_random random;
  worker_.random.take(random.nonce);
  worker_.random.take(random.md5_salt);
  std::optional<protocol::login_credentials> known;
  if (who != nullptr && (policy.method == protocol::login_method::trust || !has_expired(*who)))
    known = who->credentials;
  login_->conversation.emplace(policy, login_->packet.user, std::move(known), random);
  on_login_output(login_->conversation->start());
}

// The user is known to the servers alone: one of them says whether the password is right, in its own words.
void session::ask_server_for_user() {
  const auto& p = login_->packet;
  const auto& password = login_->conversation->password();
  if (worker_.proven.has(p.user, p.database, password, worker_.loop.now())) return on_password_asked(nullptr);
  connect_request request{worker_.config().servers->primary, p.database, worker_.settings().connect_timeout,
                          make_login(p.user, password), worker_.config().settings};
  worker_.open_own_connection(*this, std::move(request));
}

void session::on_password_asked(const connect_failure* failure) {
  const auto& p = login_->packet;
  if (failure != nullptr) {
    const bool has_answered = !failure->sqlstate.empty();
    log_refused(has_answered ? failure->sqlstate : std::string(sqlstate::connection_failure),
                failure->message);
    if (has_answered) return refuse_login(protocol::fatal_error(failure->sqlstate, failure->message));
    return refuse_login(protocol::fatal_error(
        sqlstate::connection_failure, fmt::format("could not ask a server about user \"{}\"", p.user),
        failure->message, "The primary alone knows this user's password: see whether it is up."));
  }
  const auto until = worker_.loop.now() + worker_.settings().auth_cache_time;
  worker_.proven.add(p.user, p.database, login_->conversation->password(), until);
  on_login_output({protocol::client_login::step::accepted, {}, {}});
}

// As whom the servers' connections of this user are opened from now on: with what is known of it, or with
// what this login has shown.
void session::adopt_login() {
  const auto& who = login_->who;
  if (who != nullptr && who->login == nullptr) return;  // the URL's own
  auto& login = group_->login;
  if (who != nullptr && who->login->has_secret()) {
    login = who->login;
  } else if (const auto& password = login_->conversation->password(); !password.empty()) {
    login = make_login(group_->user, password);
  } else if (auto keys = login_->conversation->keys()) {
    login = make_login(group_->user, std::move(keys));
  } else if (login == nullptr) {
    login = make_login(group_->user);
  }
}

}  // namespace pgsteer::proxy
