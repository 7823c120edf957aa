#include "proxy/control/control_connection.hpp"

#include <memory>
#include <optional>
#include <utility>

#include <poll.h>

#include "proxy/io/await_events.hpp"

namespace pgsteer::proxy {
namespace {

struct clear_result {
  void operator()(PGresult* r) const { PQclear(r); }
};
using result_ptr = std::unique_ptr<PGresult, clear_result>;

void ignore_notice(void*, const PGresult*) {}

// Waits until `fd` shows one of `events`; otherwise says why not.
std::optional<control_failure> wait_for(int fd, short events, control_connection::deadline until,
                                        int stop_fd) {
  switch (await_events(fd, events, until, stop_fd)) {
    case awaited::ready:
      return std::nullopt;
    case awaited::late:
      return control_failure{"timeout expired", {}};
    case awaited::stopped:
      return control_failure{"stopped", {}};
    case awaited::failed:
      break;
  }
  return control_failure{"poll failed", {}};
}

bool is_a_row(const PGresult* r) {
  return PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) >= 1 && PQnfields(r) >= 1;
}

std::vector<std::string> first_row(const PGresult* r) {
  std::vector<std::string> row;
  for (int i = 0; i < PQnfields(r); ++i)
    row.emplace_back(PQgetvalue(r, 0, i), static_cast<std::size_t>(PQgetlength(r, 0, i)));
  return row;
}

void views_of_row(const PGresult* r, std::vector<std::optional<std::string_view>>& row) {
  row.clear();
  for (int i = 0; i < PQnfields(r); ++i) {
    if (PQgetisnull(r, 0, i) != 0) {
      row.emplace_back();
    } else {
      row.emplace_back(std::string_view(PQgetvalue(r, 0, i), static_cast<std::size_t>(PQgetlength(r, 0, i))));
    }
  }
}

control_failure refusal(const PGresult* r) {
  const char* const severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
  const char* const state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
  const bool goes_on = severity != nullptr && std::string_view{severity} == "ERROR" && state != nullptr;
  return {short_cause(PQresultErrorMessage(r)), goes_on ? state : ""};
}

}  // namespace

control_failure control_connection::failure() const {
  return {short_cause(PQerrorMessage(connection_.get())), {}};
}

control_connection::result<control_connection> control_connection::open(const config::server_url& url,
                                                                        const connect_options& options,
                                                                        deadline until, int stop_fd) {
  auto pg = start_connection(url, options);
  if (!pg) return control_failure{"out of memory", {}};
  control_connection c{std::move(pg)};
  auto* const conn = c.connection_.get();
  if (PQstatus(conn) == CONNECTION_BAD) return c.failure();
  PQsetNoticeReceiver(conn, ignore_notice, nullptr);
  auto state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    // libpq may change the socket between two polls.
    const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (auto failed = wait_for(PQsocket(conn), events, until, stop_fd)) return *failed;
    state = PQconnectPoll(conn);
    if (state == PGRES_POLLING_FAILED) return c.failure();
  }
  if (PQsetnonblocking(conn, 1) != 0) return c.failure();
  return c;
}

std::optional<control_failure> control_connection::send(const char* sql, deadline until, int stop_fd,
                                                        std::span<const char* const> parameters) {
  auto* const conn = connection_.get();
  const int is_sent = parameters.empty() ? PQsendQuery(conn, sql)
                                         : PQsendQueryParams(conn, sql, static_cast<int>(parameters.size()),
                                                             nullptr, parameters.data(), nullptr, nullptr, 0);
  if (is_sent == 0) return failure();
  for (int unsent = PQflush(conn); unsent != 0; unsent = PQflush(conn)) {
    if (unsent < 0) return failure();
    if (auto failed = wait_for(fd(), POLLIN | POLLOUT, until, stop_fd)) return failed;
    if (PQconsumeInput(conn) == 0) return failure();
  }
  return std::nullopt;
}

std::optional<control_failure> control_connection::await_result(deadline until, int stop_fd) {
  auto* const conn = connection_.get();
  while (PQisBusy(conn) != 0) {
    if (auto failed = wait_for(fd(), POLLIN, until, stop_fd)) return failed;
    if (PQconsumeInput(conn) == 0) return failure();
  }
  return std::nullopt;
}

std::optional<control_failure> control_connection::each_row(const char* sql, const row_visitor& visit,
                                                            deadline until, int stop_fd,
                                                            std::span<const char* const> parameters) {
  auto* const conn = connection_.get();
  if (auto failed = send(sql, until, stop_fd, parameters)) return failed;
  if (PQsetSingleRowMode(conn) == 0) return failure();
  std::vector<std::optional<std::string_view>> row;
  std::optional<control_failure> refused;
  for (;;) {
    if (auto failed = await_result(until, stop_fd)) return failed;
    const result_ptr r{PQgetResult(conn)};
    if (!r) return refused;
    const auto status = PQresultStatus(r.get());
    if (status == PGRES_SINGLE_TUPLE) {
      views_of_row(r.get(), row);
      visit(row);
    } else if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
      refused = refusal(r.get());
    }
  }
}

control_connection::result<std::vector<std::string>> control_connection::ask_row(const char* sql,
                                                                                 deadline until,
                                                                                 int stop_fd) {
  auto* const conn = connection_.get();
  if (auto failed = send(sql, until, stop_fd)) return *std::move(failed);
  std::optional<std::vector<std::string>> row;
  std::optional<control_failure> refused;
  // To the end, whatever comes: only then another query may be sent.
  for (;;) {
    if (auto failed = await_result(until, stop_fd)) return *std::move(failed);
    const result_ptr r{PQgetResult(conn)};
    if (!r) break;
    if (is_a_row(r.get())) {
      row = first_row(r.get());
    } else {
      refused = refusal(r.get());
    }
  }
  if (refused) return *std::move(refused);
  if (!row) return failure();
  return *std::move(row);
}

control_connection::result<std::string> control_connection::ask(const char* sql, deadline until,
                                                                int stop_fd) {
  auto row = ask_row(sql, until, stop_fd);
  if (!row) return row.error();
  return {boost::system::in_place_value, std::move(row->front())};
}

}  // namespace pgsteer::proxy
