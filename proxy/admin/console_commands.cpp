#include "proxy/admin/console_commands.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "config/schema.hpp"
#include "proxy/admin/render_routes.hpp"

namespace pgsteer::proxy {
namespace {

constexpr std::size_t most_listed = 100;  // statements: to write each without literals takes a parse

std::string text(std::optional<std::uint64_t> n) {
  return n ? std::to_string(*n) : std::string{};
}

std::vector<console_row> clients(const console_sources& from) {
  std::vector<console_row> rows;
  for (auto& c : from.clients().clients) {
    rows.push_back({std::to_string(c.id), c.user, c.database, c.application_name, c.address, c.state, c.pin,
                    text(c.wait_ms), c.target, text(c.transaction_ms)});
  }
  return rows;
}

std::vector<console_row> pools(const console_sources& from) {
  std::vector<console_row> rows;
  for (const auto& p : from.pools()) {
    rows.push_back({p.server, p.role, p.user, p.database, std::to_string(p.size), std::to_string(p.active),
                    std::to_string(p.idle), std::to_string(p.connecting), std::to_string(p.waiting),
                    std::to_string(p.oldest_wait_ms), std::to_string(p.pinned)});
  }
  return rows;
}

std::vector<console_row> servers(const console_sources& from) {
  std::vector<console_row> rows;
  for (const auto& b : from.backends()) {
    rows.push_back({std::to_string(b.id), b.server, b.role, b.user, b.database, std::to_string(b.pid),
                    b.state, b.client_id == 0 ? std::string{} : std::to_string(b.client_id),
                    std::to_string(b.age_ms), std::to_string(b.state_ms),
                    std::to_string(b.prepared_statements)});
  }
  return rows;
}

std::vector<console_row> routes(const console_sources& from) {
  std::vector<console_row> rows;
  for (auto& line : route_lines(from.statements(), most_listed))
    rows.push_back({line.statement, line.target, line.reason, std::to_string(line.count),
                    std::to_string(line.us / 1000)});
  return rows;
}

std::vector<console_row> held(const console_sources& from) {
  std::vector<console_row> rows;
  for (const auto& line : held_lines(from.statements()))
    rows.push_back({line.reason, std::to_string(line.count), std::to_string(line.us / 1000),
                    fmt::format("{:.3f}", line.share)});
  return rows;
}

std::vector<console_row> stats(const console_sources& from) {
  return from.stats();
}

std::vector<console_row> settings(const console_sources& from) {
  std::vector<console_row> rows;
  for (const auto& each : config::schema()) {
    rows.push_back({std::string(each.name), fmt::format("{}", fmt::join(each.get(from.settings()), ",")),
                    each.default_text(), each.reload == config::effect::on_reload ? "yes" : "no"});
  }
  return rows;
}

std::vector<console_row> version(const console_sources& from) {
  return {{"pgsteer " + from.version}};
}

std::vector<console_row> help(const console_sources& /*from*/) {
  std::vector<console_row> rows;
  for (const auto& c : console_commands())
    rows.push_back({std::string(c.name), std::string(c.summary)});
  return rows;
}

constexpr std::array table{
    console_command{
        "SHOW CLIENTS", "id,user,database,application_name,address,state,pin,wait_ms,target,transaction_ms",
        "Clients, those that do something first: state, what pins them, the server they have or wait for.",
        clients},
    console_command{"SHOW POOLS",
                    "server,role,user,database,size,active,idle,connecting,waiting,oldest_wait_ms,pinned",
                    "Pools of server connections, and who waits for them.", pools},
    console_command{"SHOW SERVERS",
                    "id,server,role,user,database,pid,state,client,age_ms,state_ms,prepared_statements",
                    "Server connections, one by one.", servers},
    console_command{"SHOW ROUTES", "statement,target,reason,count,ms",
                    "Where statements ran and why, those that took the most time first.", routes},
    console_command{"SHOW HELD", "reason,count,ms,share",
                    "What keeps queries on the primary, and its share of their time there.", held},
    console_command{"SHOW STATS", "name,value,meaning", "Counters since the start, as in /metrics.", stats},
    console_command{"SHOW CONFIG", "name,value,default,changeable",
                    "Settings in force, secrets redacted; whether a reload changes them.", settings},
    console_command{"SHOW VERSION", "version", "pgsteer's version.", version},
    console_command{"SHOW HELP", "command,meaning", "This list.", help},
};

}  // namespace

std::span<const console_command> console_commands() {
  return table;
}

const console_command* find_console_command(std::string_view text) {
  const auto found = std::ranges::find(table, text, &console_command::name);
  return found == table.end() ? nullptr : &*found;
}

}  // namespace pgsteer::proxy
