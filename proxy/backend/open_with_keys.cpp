#include <array>
#include <memory>
#include <optional>
#include <vector>

#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "protocol/base64.hpp"
#include "protocol/frame.hpp"
#include "protocol/server_login.hpp"
#include "proxy/backend/libpq_start.hpp"
#include "proxy/io/end_point.hpp"
#include "proxy/io/stream.hpp"

// libpq does everything up to the startup packet, so that every sslmode and every form of a host works as it
// does elsewhere. When the server asks for authentication, the socket is taken over: libpq 15 can answer
// with a password only.

namespace pgsteer::proxy {

namespace {

using clock = connect_deadline::clock;
using protocol::server_login;

constexpr std::size_t most_login_bytes = 1U << 20U;

struct attempt {
  const connect_request& request;
  connect_deadline until;
  const std::atomic<bool>& stopping;
};

connect_failure timed_out() {
  return {{}, "timeout expired"};
}

connect_failure lost() {
  return {{}, "server closed the connection during the login"};
}

// The type byte of the message that has come, left where it is. Nothing: none is there yet.
std::optional<char> peek_type(PGconn* c) {
  char type = 0;
  if (auto* const ssl = static_cast<SSL*>(PQsslStruct(c, "OpenSSL")); ssl != nullptr) {
    return SSL_peek(ssl, &type, 1) == 1 ? std::optional(type) : std::nullopt;
  }
  return ::recv(PQsocket(c), &type, 1, MSG_PEEK | MSG_DONTWAIT) == 1 ? std::optional(type) : std::nullopt;
}

// Polls until the server asks for authentication, or says more than we would wait for: failure and success
// without being asked are libpq's to see.
std::optional<connect_failure> reach_authentication(PGconn* c, const attempt& a) {
  for (auto want = PGRES_POLLING_WRITING;; want = PQconnectPoll(c)) {
    if (want == PGRES_POLLING_FAILED) return to_failure(PQerrorMessage(c));
    if (want == PGRES_POLLING_OK) return connect_failure{{}, "libpq has logged in by itself"};
    if (!wait_for_socket(PQsocket(c), want, a.until, a.stopping)) return timed_out();
    while (PQstatus(c) == CONNECTION_AWAITING_RESPONSE) {
      const auto type = peek_type(c);
      if (type == 'R') return std::nullopt;
      // A readable TLS socket may hold less than a record: libpq must not read what we want to.
      const bool is_partial = !type && PQsslInUse(c) != 0;
      if (!is_partial) break;
      if (!wait_for_socket(PQsocket(c), PGRES_POLLING_READING, a.until, a.stopping)) return timed_out();
    }
  }
}

std::string option_of(PGconn* c, std::string_view keyword) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> all(PQconninfo(c), &PQconninfoFree);
  for (const auto* each = all.get(); each != nullptr && each->keyword != nullptr; ++each) {
    if (each->keyword == keyword) return each->val != nullptr ? each->val : "";
  }
  return {};
}

std::string certificate_hash(SSL* ssl) {
  if (ssl == nullptr) return {};
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(ssl), &X509_free);
  return certificate ? end_point_hash(certificate.get()) : std::string();
}

protocol::server_login_policy policy_of(PGconn* c) {
  protocol::server_login_policy out;
  const auto binding = option_of(c, "channel_binding");
  if (binding == "require") out.binding = protocol::channel_binding::require;
  if (binding == "disable") out.binding = protocol::channel_binding::disable;
  out.is_tls = PQsslInUse(c) != 0;
  out.end_point_hash = certificate_hash(static_cast<SSL*>(PQsslStruct(c, "OpenSSL")));
  std::array<unsigned char, 18> nonce{};
  if (RAND_bytes(nonce.data(), nonce.size()) != 1) throw std::runtime_error("no random bytes to be had");
  out.nonce = protocol::encode_base64({reinterpret_cast<const char*>(nonce.data()), nonce.size()});
  return out;
}

std::optional<connect_failure> send_all(stream& io, std::string_view bytes, const attempt& a) {
  while (!bytes.empty()) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    const auto r = io.write({&part, 1});
    if (r.status == io_status::closed) return lost();
    bytes.remove_prefix(r.size);
    if (r.status == io_status::would_block &&
        !wait_for_socket(io.fd(), PGRES_POLLING_WRITING, a.until, a.stopping)) {
      return timed_out();
    }
  }
  return std::nullopt;
}

std::optional<connect_failure> receive_some(stream& io, std::string& into, const attempt& a) {
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto r = io.read(buffer);
    if (r.status == io_status::closed) return lost();
    if (r.status == io_status::ok) {
      into.append(buffer.data(), r.size);
      if (into.size() > most_login_bytes) return connect_failure{{}, "the server's login has no end"};
      return std::nullopt;
    }
    if (!wait_for_socket(io.fd(), PGRES_POLLING_READING, a.until, a.stopping)) return timed_out();
  }
}

// Nothing: logged in, and nothing is left unread.
std::optional<connect_failure> converse(server_login& login, stream& io, const attempt& a) {
  std::string in;
  for (;;) {
    const auto f = protocol::peek_frame(in);
    if (f.size == protocol::broken_frame) return connect_failure{"08P01", "the server broke the protocol"};
    if (!f.is_header_known() || f.size > in.size()) {
      if (auto failed = receive_some(io, in, a)) return failed;
      continue;
    }
    const auto body = std::string_view(in).substr(protocol::header_size, f.size - protocol::header_size);
    auto out = login.on_message(f.type, body);
    in.erase(0, f.size);
    switch (out.next) {
      case server_login::step::failed:
        return connect_failure{std::move(out.sqlstate), std::move(out.message)};
      case server_login::step::send:
        if (auto failed = send_all(io, out.bytes, a)) return failed;
        break;
      case server_login::step::done:
        if (!in.empty()) return connect_failure{"08P01", "the server sent something behind the login"};
        return std::nullopt;
      case server_login::step::read:
        break;
    }
  }
}

bool is_on(const server_login& login, std::string_view parameter) {
  const auto at = login.parameters().find(parameter);
  return at != login.parameters().end() && at->second == "on";
}

// target_session_attrs, which libpq would have looked at next.
std::optional<connect_failure> check_attributes(const server_login& login, std::string_view wanted) {
  const bool is_standby = is_on(login, "in_hot_standby");
  const bool is_read_only = is_standby || is_on(login, "default_transaction_read_only");
  if (wanted == "read-write" && is_read_only) return connect_failure{{}, "session is read-only"};
  if (wanted == "read-only" && !is_read_only) return connect_failure{{}, "session is not read-only"};
  if (wanted == "primary" && is_standby) return connect_failure{{}, "server is in hot standby mode"};
  if (wanted == "standby" && !is_standby) return connect_failure{{}, "server is not in hot standby mode"};
  return std::nullopt;
}

connect_result open_one(const config::conninfo& info, std::string_view attributes, const attempt& a) {
  auto c = start_libpq(a.request, info.text());
  if (!c) return connect_failure{"53200", "out of memory"};
  if (PQstatus(c.get()) == CONNECTION_BAD) return to_failure(PQerrorMessage(c.get()));
  if (auto failed = reach_authentication(c.get(), a)) return *std::move(failed);
  const auto& who = *a.request.login;
  server_login login({who.user, who.md5_secret, who.keys}, policy_of(c.get()));
  connected out;
  describe_peer(c.get(), out);
  stream io(PQsocket(c.get()), out.tls);
  if (auto failed = converse(login, io, a)) return *std::move(failed);
  if (auto failed = check_attributes(login, attributes)) return *std::move(failed);
  out.pid = login.pid();
  out.cancel_key = login.cancel_key();
  out.parameters = login.parameters();
  out.says_goodbye = true;
  out.connection = std::move(c);
  return out;
}

std::string element(const std::vector<std::string>& list, std::size_t at) {
  if (list.size() == 1) return list.front();
  return at < list.size() ? list[at] : std::string();
}

void keep_one(config::conninfo& info, std::string_view keyword, const std::vector<std::string>& list,
              std::size_t at) {
  const auto one = element(list, at);
  info.remove(keyword);
  if (!one.empty()) info.set(keyword, one);
}

// One connection string for each host of the conninfo.
std::vector<config::conninfo> one_by_one(const config::conninfo& info) {
  const auto hosts = config::split_list(info.get("host"));
  const auto addresses = config::split_list(info.get("hostaddr"));
  const auto ports = config::split_list(info.get("port"));
  std::vector<config::conninfo> out;
  for (std::size_t i = 0; i < std::max(hosts.size(), addresses.size()); ++i) {
    auto& one = out.emplace_back(info);
    keep_one(one, "host", hosts, i);
    keep_one(one, "hostaddr", addresses, i);
    keep_one(one, "port", ports, i);
    one.remove("target_session_attrs");
  }
  return out;
}

// As in libpq, another host is tried where this one was not reached, takes nobody in yet, or is not what
// was asked for; not where it has refused the user.
bool tries_on(const connect_failure& failure) {
  return failure.sqlstate.empty() || failure.sqlstate == "57P03";
}

connect_result open_first(const config::conninfo& info, std::string_view attributes, attempt a) {
  connect_result last = connect_failure{{}, "no host is named"};
  const auto all = one_by_one(info);
  const auto until = a.until;
  for (std::size_t i = 0; i < all.size() && !a.stopping; ++i) {
    const auto share = (until - clock::now()) / static_cast<int>(all.size() - i);
    a.until = clock::now() + share;
    last = open_one(all[i], attributes, a);
    const auto* const failure = std::get_if<connect_failure>(&last);
    if (failure == nullptr || !tries_on(*failure)) return last;
  }
  return last;
}

}  // namespace

connect_result open_with_keys(const connect_request& request, const config::conninfo& info,
                              const std::atomic<bool>& stopping) {
  const attempt a{request, clock::now() + request.timeout, stopping};
  const auto attributes = info.get("target_session_attrs");
  if (attributes != "prefer-standby") return open_first(info, attributes, a);
  auto standby = open_first(info, "standby", a);
  if (std::holds_alternative<connected>(standby)) return standby;
  return open_first(info, "any", a);
}

}  // namespace pgsteer::proxy
