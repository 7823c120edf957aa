#include "proxy/client/session.hpp"

#include <sys/socket.h>

#include "protocol/message_writer.hpp"
#include "proxy/worker.hpp"

namespace pgsteer::proxy {

namespace {

constexpr std::size_t max_unsent_to_backend = std::size_t{256} << 10;

// A socket that is closed over bytes nobody has read resets the connection, which may cost the client our
// last words. So the end of our output goes first.
void finish_output(const descriptor& fd) {
  ::shutdown(fd.get(), SHUT_WR);
}

}  // namespace

session::session(worker& w, descriptor fd, bool is_unix)
    : worker_(w),
      serial_(w.next_session_serial()),
      fd_(std::move(fd)),
      io_(fd_.get()),
      login_(std::make_unique<login_state>()),
      settings_(w.settings_values.none()),
      startup_(settings_),
      since_(w.loop.now()),
      is_unix_(is_unix) {
  wait_.who = this;
  worker_.metrics().clients_total.add();
  worker_.loop.add(fd_.get(), *this);
}

session::~session() {
  if (!pin_.empty()) worker_.metrics().clients_pinned.sub();
  if (group_ != nullptr) --group_->sessions;
  worker_.loop.forget(*this);
}

void session::on_events(std::uint32_t events) {
  if (phase_ == phase::ended) return;
  if (events == 0 && is_granted()) return run_granted();
  if (is_backed_up() && ((events & EPOLLOUT) != 0 || events == 0)) on_writable();
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
  if (phase_ == phase::ended) return;
  if (gone_) return client_gone();
  // Both directions are shut: nobody is there to answer. A client that only closed its sending side
  // still gets its answers, as from PostgreSQL.
  // Nothing of a unit that still waits was sent: it leaves the queue with its client.
  const bool closed = (events & (EPOLLHUP | EPOLLERR)) != 0 || (hung_up_ && wait_.is_linked());
  if (closed && !wants_input()) return client_gone();
  resume();
}

void session::resume() {
  if (phase_ == phase::handshake) return continue_handshake();
  if (in_ != nullptr && wants_input()) consume({});
  while (readable_ && wants_input())
    read_input();
}

void session::resume_soon() {
  if (readable_ || in_ != nullptr) worker_.loop.soon(*this);
}

bool session::wants_input() const {
  if (gone_ || is_backed_up()) return false;
  switch (phase_) {
    case phase::startup:
    case phase::login:
      return true;
    case phase::tunnelled:
      return wants_tunnel_input();
    case phase::ready:
      break;
    default:
      return false;
  }
  if (flow_ == flow::collecting) return true;
  return flow_ == flow::flowing && backend_ != nullptr && backend_->unsent() < max_unsent_to_backend;
}

void session::read_input() {
  if (phase_ == phase::startup && begins_with_tls()) return start_direct_tls();
  const auto r = io_.read(worker_.buffer);
  if (r.status == io_status::would_block) {
    readable_ = false;
    return;
  }
  if (r.status == io_status::closed) return client_gone();
  if (r.drained && !hung_up_) readable_ = false;
  worker_.metrics().client_bytes_in.add(r.size);
  consume({worker_.buffer.data(), r.size});
}

void session::consume(std::string_view bytes) {
  if (in_ == nullptr) {
    const auto used = process(bytes);
    if (used < bytes.size() && phase_ != phase::ended) in_ = worker_.keep_input(bytes.substr(used));
    return;
  }
  if (!bytes.empty()) in_->append(bytes);
  const auto used = process(*in_);
  drop_input(used);
}

// So many bytes from the front.
void session::drop_input(std::size_t size) {
  if (in_ == nullptr) return;
  if (size < in_->size()) {
    in_->erase(0, size);
  } else {
    worker_.free_input(std::move(in_));
  }
}

std::size_t session::process(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && wants_input()) {
    const auto rest = bytes.substr(used);
    std::size_t n = 0;
    if (phase_ == phase::startup) {
      n = on_startup_bytes(rest);
    } else if (phase_ == phase::login) {
      n = on_login_bytes(rest);
    } else if (phase_ == phase::tunnelled) {
      n = take_tunnel(rest);
    } else if (pass_left_ > 0) {
      n = pass_through(rest);
    } else if (flow_ == flow::flowing) {
      n = take_flow(rest);
    } else {
      n = take_unit(rest);
    }
    if (n == 0) break;
    used += n;
  }
  return used;
}

void session::send(std::string_view bytes) {
  const iovec one{const_cast<char*>(bytes.data()), bytes.size()};
  send({&one, 1}, bytes.size());
}

void session::send(std::span<const iovec> parts, std::size_t total) {
  if (gone_ || total == 0) return;
  constexpr std::size_t most_parts = 1024;
  std::size_t sent = 0;
  if (!is_backed_up()) {
    const auto r = io_.write(parts.first(std::min(parts.size(), most_parts)));
    if (r.status == io_status::closed) {
      gone_ = true;  // acted upon when whoever is sending now has finished
      worker_.loop.soon(*this);
      return;
    }
    if (r.status == io_status::ok) sent = r.size;
    worker_.metrics().client_bytes_out.add(sent);
    if (sent == total) return;
    out_.clear();
    out_sent_ = 0;
  }
  for (const auto& p : parts) {
    if (sent >= p.iov_len) {
      sent -= p.iov_len;
      continue;
    }
    out_.append(static_cast<const char*>(p.iov_base) + sent, p.iov_len - sent);
    sent = 0;
  }
  if (parts.size() > most_parts) worker_.loop.soon(*this);
}

bool session::flush_output() {
  while (is_backed_up()) {
    const iovec one{out_.data() + out_sent_, out_.size() - out_sent_};
    const auto r = io_.write({&one, 1});
    if (r.status == io_status::closed) return false;
    if (r.status == io_status::would_block) return true;
    worker_.metrics().client_bytes_out.add(r.size);
    out_sent_ += r.size;
  }
  std::string().swap(out_);
  out_sent_ = 0;
  return true;
}

void session::on_writable() {
  if (!flush_output()) return client_gone();
  if (is_backed_up()) return;
  if (phase_ == phase::closing) {
    finish_output(fd_);
    return end();
  }
  if (backend_ != nullptr) worker_.loop.soon(*backend_);
  if (tunnel_ != nullptr) worker_.loop.soon(*tunnel_);
  resume_soon();
}

// The bytes behind it are no longer wanted. A unit that was sent runs on, as it would on a server
// whose client vanished; then the backend is cleaned and goes back.
void session::client_gone() {
  if (phase_ == phase::ended || left_) return;
  gone_ = left_ = true;
  in_.reset();
  std::string().swap(out_);
  out_sent_ = 0;
  if (backend_ == nullptr || phase_ != phase::ready) return end();
  leave_backend_behind();
}

// Says the last words and closes once they are sent.
void session::close_after(const protocol::error_report& fatal) {
  if (phase_ == phase::ended || phase_ == phase::closing) return;
  std::string bytes;
  protocol::write::error_response(bytes, fatal);
  send(bytes);
  close_client();
}

void session::close_client() {
  if (phase_ == phase::ended) return;
  if (!is_backed_up() || gone_) {
    if (!gone_) finish_output(fd_);
    client_gone();
    return;
  }
  while (backend_ != nullptr)
    drop_backend();
  phase_ = phase::closing;
}

void session::end() {
  if (phase_ == phase::ended) return;
  const bool is_counted = phase_ == phase::ready || phase_ == phase::tunnelled;
  if (is_counted || (phase_ == phase::closing && key_ != 0)) worker_.metrics().clients.sub();
  drop_tunnel();
  if (backend_ == nullptr) return_to_held();
  while (backend_ != nullptr)
    drop_backend();
  if (wait_.is_linked()) {
    wait_.unlink();
    worker_.metrics().clients_waiting.sub();
  }
  move_out();
  if (has_written_) settle_timeline(freshness_);
  if (has_written_)
    worker_.departed.leave(freshness_, std::chrono::duration_cast<std::chrono::milliseconds>(
                                           worker_.loop.now().time_since_epoch()));
  phase_ = phase::ended;
  fd_.reset();  // which takes it out of the reactor too: nobody else has the socket
  worker_.remove(*this);
}

void session::sweep(clock::time_point now) {
  const auto& s = worker_.settings();
  if (gone_ && phase_ != phase::ended && backend_ == nullptr) return end();
  if (phase_ == phase::startup || phase_ == phase::handshake || phase_ == phase::login) {
    if (now - since_ > s.login_timeout) end();
    return;
  }
  if (phase_ == phase::closing && now - since_ > s.login_timeout) return end();
  if (phase_ == phase::tunnelled) return;
  check_time(now);
}

// A server has whole messages as soon as they are there: its clocks run, and its errors come, before the
// Sync.
void session::on_stalled() {
  if (phase_ != phase::ready || flow_ != flow::collecting || scanned_ == 0 || console_) return;
  is_stalled_ = true;
  scanned_ = 0;
  resume();
  is_stalled_ = false;
}

void session::on_drain() {
  drain_ = true;
  if (phase_ == phase::tunnelled) return end();  // nothing may be said between its bytes
  const bool idle =
      phase_ != phase::ready || (flow_ == flow::collecting && view_.open == routing::block::none);
  if (!idle) return;
  close_after(protocol::fatal_error(protocol::sqlstate::admin_shutdown,
                                    "terminating connection due to administrator command", {},
                                    "pgsteer is shutting down; connect again."));
}

void session::on_drain_timeout() {
  if (gone_ || phase_ == phase::closing || phase_ == phase::tunnelled) return end();
  close_after(protocol::fatal_error(
      protocol::sqlstate::admin_shutdown, "terminating connection due to administrator command",
      "The transaction did not end within shutdown_timeout.", "Connect again."));
  if (phase_ != phase::ended) end();
}

// A client that waits leaves the queue. One whose unit runs has its backend cancelled; for one that
// is idle there is nothing to cancel, as on a server.
backend* session::on_cancel() {
  if (wait_.is_linked() && phase_ == phase::ready) {
    on_acquire_failed(protocol::statement_error(protocol::sqlstate::query_canceled,
                                                "canceling statement due to user request"));
    return nullptr;
  }
  const bool runs = flow_ == flow::in_flight || flow_ == flow::flowing || is_proving();
  if (!runs || backend_ == nullptr || gone_) return nullptr;
  cancelled_ = true;
  return backend_;
}

}  // namespace pgsteer::proxy
