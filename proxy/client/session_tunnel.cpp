// A client that speaks the replication protocol: it has a connection of its own to the primary.
#include <fmt/format.h>

#include "protocol/message_writer.hpp"
#include "proxy/client/session.hpp"
#include "proxy/control/session_defaults.hpp"
#include "proxy/log.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

constexpr std::size_t max_unsent_to_server = std::size_t{256} << 10;

}  // namespace

bool session::asks_for_replication() const {
  return login_ && login_->packet.replication != protocol::replication_mode::none;
}

void session::open_tunnel() {
  const auto& p = login_->packet;
  const auto& primary = worker_.config().servers->primary;
  connect_request request{primary, p.database, worker_.settings().connect_timeout, group_->login,
                          worker_.config().settings};
  request.replication = p.replication == protocol::replication_mode::database ? "database" : "true";
  for (const auto& [name, value] : p.settings)
    request.options += (request.options.empty() ? "" : " ") + libpq_option(name, value);
  worker_.open_own_connection(*this, std::move(request));
}

// Of its tunnel, or of the login that a server was asked about.
void session::on_own_connection(const server_ref& host, connect_result result) {
  if (gone_) return end();
  if (phase_ == phase::login) return on_password_asked(std::get_if<connect_failure>(&result));
  if (phase_ != phase::opening) return end();
  if (const auto* failure = std::get_if<connect_failure>(&result)) {
    if (!failure->sqlstate.empty())
      return refuse_login(protocol::fatal_error(failure->sqlstate, failure->message));
    return refuse_login(protocol::fatal_error(
        protocol::sqlstate::connection_failure,
        fmt::format("could not connect to server {} for replication", host->name()), failure->message,
        "Replication connections go to the primary alone, each on a connection of its own: see whether it is "
        "up, and "
        "whether its pg_hba.conf has a line for replication from this host."));
  }
  auto& c = std::get<connected>(result);
  const auto parameters = std::move(c.parameters);
  tunnel_ = std::make_unique<tunnel>(worker_, *this, host, std::move(c));
  std::string bytes = std::move(login_->accepted);
  protocol::write::authentication_ok(bytes);
  for (const auto& [name, value] : parameters)
    protocol::write::parameter_status(bytes, name, value);
  make_key(bytes);
  protocol::write::ready_for_query(bytes, 'I');
  login_.reset();
  phase_ = phase::tunnelled;
  set_pin("replication");
  worker_.metrics().clients.add();
  send(bytes);
  resume_soon();
}

std::size_t session::take_tunnel(std::string_view bytes) {
  if (tunnel_->send(bytes)) return bytes.size();
  on_tunnel_closed();
  return 0;
}

bool session::wants_tunnel_input() const {
  return tunnel_ != nullptr && tunnel_->unsent() < max_unsent_to_server;
}

bool session::takes_tunnel_bytes() const {
  return phase_ == phase::tunnelled && !is_backed_up() && !gone_;
}

void session::on_tunnel_bytes(std::string_view bytes) {
  send(bytes);
}

void session::on_tunnel_writable() {
  resume_soon();
}

// What the server said last is still sent.
void session::on_tunnel_closed() {
  drop_tunnel();
  close_client();
}

void session::drop_tunnel() {
  if (tunnel_ == nullptr) return;
  tunnel_->leave();
  worker_.loop.bury(std::move(tunnel_));
}

}  // namespace pgsteer::proxy
