#include "proxy/backend/backend.hpp"

#include "protocol/message_writer.hpp"
#include "proxy/backend/pool.hpp"
#include "proxy/client/session.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

backend::backend(connected c, pool& p, std::uint64_t number)
    : home(p),
      id(number),
      io(PQsocket(c.connection.get()), c.tls),
      pid(c.pid),
      cancel_key(std::move(c.cancel_key)),
      peer(c.peer),
      peer_size(c.peer_size),
      place(std::move(c.place)),
      loop_(p.owner().loop),
      connection_(std::move(c.connection)),
      says_goodbye_(c.says_goodbye) {
  auto& w = home.owner();
  settings = w.settings_values.none();
  opened = idle_since = checked = w.loop.now();
  start = home.host()->starts();
  w.loop.add(io.fd(), *this);
}

backend::~backend() {
  if (says_goodbye_ && !has_unsent()) {
    std::string bytes;
    protocol::write::terminate(bytes);
    const iovec one{bytes.data(), bytes.size()};
    (void)io.write({&one, 1});
  }
  loop_.forget(*this);
}

void backend::on_events(std::uint32_t events) {
  if (user != nullptr) return user->on_backend_events(*this, events);
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up = true;
  if (!is_doomed) on_idle_input();
}

// Nobody uses it: parameter reports and notices are of no interest, everything else ends it.
void backend::on_idle_input() {
  auto& buffer = home.owner().buffer;
  bool is_alive = false;
  for (;;) {
    const auto r = io.read(buffer);
    if (r.status == io_status::would_block) break;
    if (r.status == io_status::closed) {
      home.host()->forget_replayed();
      is_doomed = true;
      return home.discard(*this);
    }
    carry.append(buffer.data(), r.size);
    std::string_view rest = carry;
    while (true) {
      const auto f = protocol::peek_frame(rest);
      if (f.size > 1 && f.size > rest.size()) break;
      if (!f.is_header_known()) break;
      const bool is_answer = is_checking && !is_alive && f.type == 'Z';
      is_alive |= is_answer;
      if (f.size == protocol::broken_frame ||
          (!is_answer && std::string_view("SNA").find(f.type) == std::string_view::npos)) {
        is_doomed = true;
        if (f.type == 'E') hear_last_words(rest.substr(0, f.size));
        return home.discard(*this);
      }
      rest.remove_prefix(f.size);
    }
    carry.erase(0, carry.size() - rest.size());
    if (r.drained && !hung_up) break;
  }
  if (is_alive) home.on_alive(*this);
}

// Somebody may have been told this connection's process id: whoever ends that process means them.
void backend::hear_last_words(std::string_view frame) {
  home.host()->forget_replayed();
  const auto error = protocol::parse_error_fields(frame.substr(protocol::header_size));
  if (resident == 0 || error.sqlstate != protocol::sqlstate::admin_shutdown) return;
  home.owner().await_verdict(resident, home.host(), opened);
}

void backend::hear_rest() {
  const auto f = protocol::peek_frame(carry);
  if (f.is_header_known() && f.type == 'E' && f.size <= carry.size())
    hear_last_words(std::string_view(carry).substr(0, f.size));
}

bool backend::send(protocol::gather& batch) {
  if (has_unsent()) {
    for (const auto& p : batch.parts())
      unsent_.append(static_cast<const char*>(p.iov_base), p.iov_len);
    return flush();
  }
  std::size_t sent = 0;
  const auto& parts = batch.parts();
  constexpr std::size_t most_parts = 1024;
  const auto r = io.write(std::span(parts).first(std::min(parts.size(), most_parts)));
  if (r.status == io_status::closed) return false;
  if (r.status == io_status::ok) sent = r.size;
  if (sent == batch.size()) return true;
  for (const auto& p : parts) {
    if (sent >= p.iov_len) {
      sent -= p.iov_len;
      continue;
    }
    unsent_.append(static_cast<const char*>(p.iov_base) + sent, p.iov_len - sent);
    sent = 0;
  }
  return parts.size() <= most_parts || flush();
}

bool backend::flush() {
  while (has_unsent()) {
    const iovec one{unsent_.data() + sent_, unsent_.size() - sent_};
    const auto r = io.write({&one, 1});
    if (r.status == io_status::closed) return false;
    if (r.status == io_status::would_block) return true;
    sent_ += r.size;
  }
  std::string().swap(unsent_);
  sent_ = 0;
  return true;
}

void backend::note_custom(const custom_names& names) {
  if (custom == nullptr) custom = std::make_unique<custom_names>();
  custom->insert(names.begin(), names.end());
}

void backend::put_own_query(own_query purpose, std::string_view sql, protocol::gather& batch) {
  protocol::write::query(batch.begin_made(), sql);
  batch.end_made();
  wire.owed.expect({protocol::expected::query, protocol::owner::proxy, 0, 0});
  wire.unnamed = 0;
  own.push_back(purpose);
}

void backend::claim_sequences(std::uint64_t serial, protocol::gather& batch) {
  if (sequence_user != 0 && sequence_user != serial)
    put_own_query(own_query::settings_prefix, "DISCARD SEQUENCES", batch);
  sequence_user = serial;
}

void backend::forget_own(std::uint32_t skipped) {
  for (; skipped > 0 && !own.empty(); --skipped)
    own.pop_front();
}

}  // namespace pgsteer::proxy
