// A client of the console's database: it is answered by the proxy itself and never has a backend.
#include <array>

#include "protocol/message_writer.hpp"
#include "proxy/client/session.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

namespace write = protocol::write;

constexpr std::size_t most_console_input = std::size_t{64} << 10;
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> console_parameters{
    {{"server_version", "15.0 (pgsteer " PGSTEER_VERSION ")"},
     {"server_encoding", "UTF8"},
     {"client_encoding", "UTF8"},
     {"DateStyle", "ISO, MDY"},
     {"TimeZone", "UTC"},
     {"integer_datetimes", "on"},
     {"standard_conforming_strings", "on"}}};

}  // namespace

// A database of that name that the operator has configured stays what it is.
bool session::asks_for_console() const {
  return login_->packet.database == console_database &&
         worker_.settings().primary.database != console_database;
}

void session::open_console() {
  const auto& p = login_->packet;
  if (p.user != worker_.settings().primary.user) {
    return refuse_login(protocol::fatal_error(protocol::sqlstate::insufficient_privilege,
                                              "permission denied for pgsteer's console", {},
                                              "Log in as the user of DATABASE_URL."));
  }
  console_ = std::make_unique<console>(worker_.console_view(), p.user);
  std::string bytes = std::move(login_->accepted);
  write::authentication_ok(bytes);
  for (const auto& [name, value] : console_parameters)
    write::parameter_status(bytes, name, value);
  for (const auto& [name, value] : p.settings) {
    if (name == "application_name") settings_ = worker_.settings_values.intern({{name, value}});
  }
  make_key(bytes);
  write::ready_for_query(bytes, 'I');
  login_.reset();
  phase_ = phase::ready;
  since_ = worker_.loop.now();
  worker_.metrics().clients.add();
  send(bytes);
  resume_soon();
}

std::size_t session::take_console_unit(std::string_view bytes, const protocol::unit_span& u) {
  switch (u.end) {
    case protocol::unit_end::incomplete:
      if (bytes.size() > most_console_input || u.partial.size > most_console_input) {
        protocol_violation("message too long for pgsteer's console");
        return 0;
      }
      scanned_ = u.size;
      return 0;
    case protocol::unit_end::broken:
      broken_message(bytes.substr(u.size));
      return 0;
    case protocol::unit_end::terminate:
      close_client();
      return 0;
    case protocol::unit_end::stray:
      return u.size;
    default:
      break;
  }
  std::string answer;
  console_->answer(bytes.substr(0, u.size), answer);
  since_ = worker_.loop.now();
  send(answer);
  return u.size;
}

}  // namespace pgsteer::proxy
