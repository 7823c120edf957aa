#include <algorithm>

#include <fmt/format.h>
#include <sys/socket.h>

#include "protocol/message_writer.hpp"
#include "protocol/parameter_names.hpp"
#include "proxy/client/session.hpp"
#include "proxy/log.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

namespace sqlstate = protocol::sqlstate;
namespace write = protocol::write;
using protocol::startup_kind;

constexpr std::size_t max_profiles = 1000;

// A value every server reports back as it is: application_name is cut and cleaned otherwise.
bool is_plain_name(std::string_view value) {
  return value.size() < 64 &&
         std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return out;
}

bool shows_notices(std::string_view client_min_messages) {
  return client_min_messages == "notice" || client_min_messages == "log" ||
         client_min_messages.starts_with("debug");
}

std::string serialise(const protocol::settings_map& values) {
  std::string key;
  for (const auto& [name, value] : values)
    key.append(name).append(1, '\0').append(value).append(1, '\0');
  return key;
}

}  // namespace

std::size_t session::on_startup_bytes(std::string_view bytes) {
  auto r = protocol::parse_startup(bytes, login_->done);
  switch (r.kind) {
    case startup_kind::need_more:
      return 0;
    case startup_kind::ssl_request:
      login_->done.is_ssl_done = true;
      if (worker_.config().tls == nullptr) {
        send("N");
      } else {
        send("S");
        start_tls();
      }
      return r.consumed;
    case startup_kind::gssenc_request:
      login_->done.is_gss_done = true;
      send("N");
      return r.consumed;
    case startup_kind::cancel_request:
      worker_.cancel(r.cancel.pid, r.cancel.secret);
      end();
      return 0;
    case startup_kind::startup:
      on_startup_packet(std::move(r.packet));
      return r.consumed;
    case startup_kind::http:
    case startup_kind::direct_tls:
    case startup_kind::invalid:
      break;
  }
  worker_.metrics().protocol_errors.add();
  send(r.reply);
  close_client();
  return 0;
}

// sslnegotiation=direct: the first byte is a ClientHello's. It stays in the socket for OpenSSL.
// https://www.postgresql.org/docs/17/protocol-flow.html#PROTOCOL-FLOW-SSL
bool session::begins_with_tls() const {
  constexpr char handshake_record = 0x16;
  if (worker_.config().tls == nullptr || is_unix_ || io_.is_tls() || login_->done.is_ssl_done) return false;
  char first = 0;
  return ::recv(fd_.get(), &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1 && first == handshake_record;
}

void session::start_direct_tls() {
  login_->done.is_ssl_done = login_->is_direct_tls = true;
  start_tls();
}

void session::start_tls() {
  ssl_ptr ssl(SSL_new(worker_.config().tls.get()));
  if (!ssl) return end();
  io_.start_tls(std::move(ssl));
  phase_ = phase::handshake;
  resume_soon();
}

void session::continue_handshake() {
  const auto status = io_.handshake();
  if (status == io_status::would_block) {
    if (hung_up_) end();
    return;
  }
  if (status == io_status::closed) {
    log_debug("TLS handshake with a client failed", {{"cause", stream::tls_error()}});
    return end();
  }
  const unsigned char* agreed = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(io_.ssl(), &agreed, &size);
  if (login_->is_direct_tls && size == 0) {  // it may be meant for another kind of server
    worker_.metrics().protocol_errors.add();
    log_debug("A direct TLS connection did not agree on the protocol postgresql", {});
    return end();
  }
  login_->done.is_gss_done = true;
  phase_ = phase::startup;
  readable_ = true;
  worker_.loop.soon(*this);
}

void session::on_startup_packet(protocol::startup_packet packet) {
  login_->packet = std::move(packet);
  if (worker_.settings().tls == config::client_tls::require && !io_.is_tls() && !is_unix_) {
    return refuse_login(
        protocol::fatal_error(sqlstate::invalid_authorization_specification, "connection requires TLS", {},
                              "pgsteer is set to tls: require; connect with sslmode=require."));
  }
  if (worker_.is_draining()) {
    return refuse_login(protocol::fatal_error(sqlstate::cannot_connect_now, "pgsteer is shutting down", {},
                                              "Connect again; another instance may serve you."));
  }
  const auto& s = worker_.settings();
  const int most = s.max_clients + (asks_for_console() ? s.reserved_clients : 0);
  if (worker_.metrics().clients.get() >= static_cast<std::uint64_t>(most)) {
    return refuse_login(
        protocol::fatal_error(sqlstate::too_many_connections, "sorry, too many clients already",
                              "pgsteer serves at most max_clients clients.", "Raise max_clients."));
  }
  start_login();
}

std::size_t session::on_login_bytes(std::string_view bytes) {
  if (!login_->conversation) return 0;  // its user is being looked up
  const auto f = protocol::peek_frame(bytes);
  if (!f.is_header_known()) return 0;
  if (f.size == protocol::broken_frame || f.size > protocol::max_auth_token + 1) {
    worker_.metrics().protocol_errors.add();
    close_after(protocol::fatal_error(sqlstate::protocol_violation, "invalid message length"));
    return 0;
  }
  if (f.size > bytes.size()) return 0;
  const auto output = login_->conversation->on_message(
      f.type, bytes.substr(protocol::header_size, f.size - protocol::header_size));
  on_login_output(output);
  return phase_ == phase::ended ? 0 : f.size;
}

void session::on_login_output(const protocol::client_login::output& output) {
  switch (output.next) {
    case protocol::client_login::step::send_then_read:
      send(output.bytes);
      return;
    case protocol::client_login::step::ask_server:
      return ask_server_for_user();
    case protocol::client_login::step::rejected:
      worker_.metrics().logins_failed.add();
      log_refused(output.error->sqlstate, why_refused());
      if (worker_.users() != nullptr) worker_.users()->doubt(login_->packet.user);
      send(output.bytes);
      close_client();
      return;
    case protocol::client_login::step::accepted:
      break;
  }
  login_->accepted = output.bytes;
  phase_ = phase::opening;
  if (asks_for_console()) return open_console();
  group_ = &worker_.group_for(login_->packet.user, login_->packet.database);
  adopt_login();
  const auto refusal = worker_.refuse_for_limits(*group_);
  ++group_->sessions;
  if (refusal) return refuse_login(*refusal);
  if (asks_for_replication()) return open_tunnel();
  open_session();
}

void session::refuse_login(protocol::error_report why) {
  why.severity = why.severity_localized = "FATAL";
  worker_.metrics().logins_failed.add();
  if (phase_ == phase::opening) {  // the password was right: say so first, as the server does
    write::authentication_ok(login_->accepted);
    send(login_->accepted);
  }
  close_after(why);
}

// The user is who it says. Nothing is asked of a server if one has told its parameters before and
// the client's startup settings are known to be good.
void session::open_session() {
  if (group_->may_open_unasked() && !keeps_from_login()) {
    auto& home = worker_.pool_for(*group_, worker_.config().servers->primary);
    seeks_home_ = !keeps_from_login() && home.vacant() == nullptr && home.open_home_for(*this);
    if (!seeks_home_) return open_with_profile();
    flow_ = flow::waiting;
    return;
  }
  backend* b = acquire_primary();
  if (b == nullptr && wait_.is_linked()) {
    flow_ = flow::waiting;
    return;
  }
  if (b != nullptr) on_granted(*b);
}

void session::open_with_profile() {
  if (backend_ != nullptr && ask_defaults(*backend_)) return;
  protocol::settings_map wanted;
  for (const auto& [given, value] : login_->packet.settings) {
    const auto name = lower(given);
    if (const auto why = refuse_own_setting(name, value)) return refuse_login(*why);
    wanted[name] = value;
  }
  std::erase_if(wanted, [this](const auto& s) {
    const auto canonical = protocol::canonical_parameter_name(s.first);
    if (!canonical) return false;
    const auto at = group_->parameters.find(*canonical);
    return at != group_->parameters.end() && at->second == s.second;
  });
  if (wanted.empty()) return finish_login({worker_.settings_values.none(), {}, {}});
  if (wanted.size() == 1 && wanted.contains("application_name") &&
      is_plain_name(wanted["application_name"])) {
    const parameter_map reported = wanted;
    return finish_login({worker_.settings_values.intern(std::move(wanted)), reported, {}});
  }
  const auto known = group_->profiles.find(serialise(wanted));
  if (known != group_->profiles.end()) return finish_login(known->second);
  for (const auto& [name, value] : wanted) {
    if (name.find('.') == std::string::npos || group_->custom_settings.size() >= max_profiles) continue;
    group_->custom_settings.insert(name);
  }
  login_->wanted = std::move(wanted);
  if (backend_ != nullptr) return learn_profile(*backend_);
  backend* b = acquire_primary();
  if (b != nullptr) return learn_profile(*b);
  if (wait_.is_linked()) flow_ = flow::waiting;
}

// Sets the startup settings on a backend as the server itself would at login, and asks what they
// came to: its spelling, its errors.
void session::learn_profile(backend& b) {
  backend_ = &b;
  flow_ = flow::preparing;
  login_->notices.clear();
  const auto target = worker_.settings_values.intern(login_->wanted);
  // A value may complete the one in force (DateStyle): it must be the server's own, as at a login.
  const auto undo = protocol::change_settings(*b.settings, {});
  const auto change = protocol::change_settings({}, *target);
  worker_.to_backend.clear();
  b.settings = target;
  custom_names named;
  for (const auto& [name, value] : target->values) {
    if (name.find('.') != std::string::npos) named.insert(name);
  }
  if (!named.empty()) b.note_custom(named);
  b.put_own_query(own_query::settings, undo.sql + change.sql, worker_.to_backend);
  if (!b.send(worker_.to_backend)) on_backend_lost();
}

// Of a long application_name, for one. At a login `options` come first, so most clients who want to hear
// less have said so before.
void keep_login_notice(login_state& login, std::string_view frame) {
  if (login.wanted.empty() || protocol::peek_frame(frame).size != frame.size()) return;
  const auto level = login.wanted.find("client_min_messages");
  if (level == login.wanted.end() || shows_notices(lower(level->second))) login.notices.append(frame);
}

// In session mode a client has its backend from the start, as on a server.
bool session::keeps_from_login() const {
  return group_->mode == config::pool_mode::session;
}

// In transaction mode a client goes to one backend by preference, so that the process id it was told is, as
// long as the pool is not busy, the one that runs its statements: in pg_stat_activity, of locks and
// notifications. That process id; 0: there is none.
std::int32_t session::move_in() {
  if (tunnel_ != nullptr) return tunnel_->pid();
  if (group_ == nullptr) return 0;  // of the console
  const bool holds_own = backend_ != nullptr && !backend_->home.is_replica();
  if (keeps_from_login()) return holds_own ? backend_->pid : 0;
  auto* b = holds_own && backend_->resident == 0
                ? backend_
                : worker_.pool_for(*group_, worker_.config().servers->primary).vacant();
  if (b == nullptr) return 0;
  b->resident = b->last_resident = serial_;
  home_ = b->id;
  return b->pid;
}

void session::move_out() {
  if (home_ == 0) return;
  auto* b = worker_.pool_for(*group_, worker_.config().servers->primary).find(home_);
  if (b != nullptr && b->resident == serial_) b->resident = 0;
}

void session::make_key(std::string& bytes) {
  std::array<unsigned char, 4> secret{};
  worker_.random.take(secret);
  secret_.assign(secret.begin(), secret.end());
  key_ = worker_.register_key(*this, move_in());
  write::backend_key_data(bytes, key_, secret_);
}

void session::finish_login(const startup_profile& profile) {
  settings_ = startup_ = profile.settings;
  for (const auto& [name, value] : settings_->values) {
    if (name.find('.') == std::string::npos || name.starts_with("pgsteer.")) continue;
    if (custom_settings_ == nullptr) custom_settings_ = std::make_unique<custom_names>();
    custom_settings_->insert(name);
  }
  std::string bytes = std::move(login_->accepted);
  constexpr std::size_t usual_greeting = 640;  // bytes
  bytes.reserve(bytes.size() + usual_greeting);
  write::authentication_ok(bytes);
  bytes += profile.notices;
  group_->greets.write(bytes, group_->parameters, profile.reported);
  make_key(bytes);
  write::ready_for_query(bytes, 'I');
  const bool is_outdated = backend_ != nullptr && backend_->defaults_number != group_->defaults_number;
  if (!login_->wanted.empty() && !is_outdated && group_->profiles.size() < max_profiles) {
    group_->profiles.try_emplace(serialise(login_->wanted), profile);
  }
  login_.reset();
  phase_ = phase::ready;
  flow_ = flow::collecting;
  since_ = worker_.loop.now();
  refresh_view();
  worker_.metrics().clients.add();
  lends_reads_ = true;
  keep_backend();
  if (backend_ != nullptr && (!keeps_from_login() || backend_->home.is_replica())) release();
  send(bytes);
  resume_soon();
}

}  // namespace pgsteer::proxy
