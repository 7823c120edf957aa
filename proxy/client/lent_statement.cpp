#include "proxy/client/lent_statement.hpp"

#include <vector>

#include "protocol/frame.hpp"
#include "protocol/message_writer.hpp"
#include "proxy/client/sql_words.hpp"

namespace pgsteer::proxy {

namespace {

using protocol::expected;
using protocol::owner;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::vector<std::uint32_t> parameter_types(const prepared_statement& s) {
  auto rest = std::string_view(s.parse_tail).substr(s.text().size() + 1);
  std::vector<std::uint32_t> types;
  if (rest.size() < 2) return types;
  const auto count = protocol::load_u16(rest.data());
  rest.remove_prefix(2);
  for (unsigned i = 0; i < count && rest.size() >= 4; ++i, rest.remove_prefix(4)) {
    types.push_back(protocol::load_u32(rest.data()));
  }
  return types;
}

void sync(backend_wire& wire, std::string& made) {
  protocol::write::sync(made);
  wire.owed.expect({expected::sync, owner::proxy, 0, 0});
}

}  // namespace

std::string executed_name(std::string_view sql) {
  constexpr std::string_view keyword = "execute";
  while (!sql.empty() && is_space(sql[0]))
    sql.remove_prefix(1);
  if (sql.size() <= keyword.size()) return {};
  for (std::size_t i = 0; i < keyword.size(); ++i) {
    if (fold(sql[i]) != keyword[i]) return {};
  }
  sql.remove_prefix(keyword.size());
  if (!is_space(sql[0])) return {};
  while (!sql.empty() && is_space(sql[0]))
    sql.remove_prefix(1);
  std::string name;
  if (sql.empty()) return name;
  if (sql[0] == '"') {
    const auto end = sql.find('"', 1);
    return end == std::string_view::npos ? name : std::string(sql.substr(1, end - 1));
  }
  for (const char c : sql) {
    if (!is_in_name(c)) break;
    name.push_back(fold(c));
  }
  return name;
}

std::string lent_name(const routing::classification& c, std::string_view sql) {
  if (routing::executes_another(c.use) || c.use == routing::statement_use::prepares) return c.used;
  return executed_name(sql);
}

void lend_statement(std::string_view name, const prepared_statement& s, backend_wire& wire,
                    protocol::gather& out) {
  auto& made = out.begin_made();
  protocol::write::parse(made, name, s.text(), parameter_types(s));
  wire.owed.expect({expected::parse, owner::proxy, 0, 0});
  sync(wire, made);
  out.end_made();
}

void take_back_statement(std::string_view name, backend_wire& wire, protocol::gather& out) {
  auto& made = out.begin_made();
  protocol::write::close_statement(made, name);
  wire.owed.expect({expected::close, owner::proxy, 0, 0});
  sync(wire, made);
  out.end_made();
}

void show_own_statements(const client_statements& names, backend_wire& wire, protocol::gather& out) {
  auto& made = out.begin_made();
  for (const auto& s : wire.prepared.all()) {
    protocol::write::close_statement(made, s->server_name);
    wire.owed.expect({expected::close, owner::proxy, 0, 0});
  }
  wire.prepared.clear();
  if (names.named) {
    for (const auto& [name, s] : *names.named) {
      protocol::write::parse(made, name, s->text(), parameter_types(*s));
      wire.owed.expect({expected::parse, owner::proxy, 0, 0});
    }
  }
  sync(wire, made);
  out.end_made();
}

void hide_own_statements(const client_statements& names, backend_wire& wire, protocol::gather& out) {
  auto& made = out.begin_made();
  const auto close = [&](std::string_view name) {
    protocol::write::close_statement(made, name);
    wire.owed.expect({expected::close, owner::proxy, 0, 0});
  };
  if (names.named) {
    for (const auto& [name, s] : *names.named)
      close(name);
  }
  for (const auto& c : wire.changes) {  // the server may skip the client's own Close
    if (c.what == statement_change::kind::client_name && !c.name.empty()) close(c.name);
  }
  sync(wire, made);
  out.end_made();
}

}  // namespace pgsteer::proxy
