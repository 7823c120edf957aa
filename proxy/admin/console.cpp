#include "proxy/admin/console.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "protocol/error_report.hpp"
#include "protocol/frame.hpp"
#include "protocol/message_writer.hpp"
#include "protocol/sqlstate.hpp"

namespace pgsteer::proxy {
namespace {

namespace write = protocol::write;
namespace sqlstate = protocol::sqlstate;

constexpr std::size_t most_text = 4096;  // of one statement
constexpr std::size_t most_names = 100;  // prepared statements, and portals

// Upper case, single blanks, nothing around it.
std::string normalised(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, most_text)) {
    const bool is_blank = c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
    if (is_blank && (out.empty() || out.back() == ' ')) continue;
    out.push_back(is_blank ? ' ' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c);
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == ';'))
    out.pop_back();
  return out;
}

struct harmless {
  std::string_view word, tag;
};

constexpr std::array accepted{harmless{"SET", "SET"},           harmless{"RESET", "RESET"},
                              harmless{"BEGIN", "BEGIN"},       harmless{"START", "START TRANSACTION"},
                              harmless{"COMMIT", "COMMIT"},     harmless{"END", "COMMIT"},
                              harmless{"ROLLBACK", "ROLLBACK"}, harmless{"ABORT", "ROLLBACK"},
                              harmless{"DISCARD", "DISCARD"},   harmless{"DEALLOCATE", "DEALLOCATE"}};

// The next statement of a query string; semicolons in quotes belong to it.
std::string_view take_statement(std::string_view& text) {
  char quote = 0;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quote == 0 && c == ';') break;
    if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    }
  }
  const auto one = text.substr(0, at);
  text.remove_prefix(std::min(text.size(), at + 1));
  return one;
}

std::vector<std::string_view> split(std::string_view columns) {
  std::vector<std::string_view> out;
  while (!columns.empty()) {
    out.push_back(columns.substr(0, columns.find(',')));
    columns.remove_prefix(std::min(columns.size(), out.back().size() + 1));
  }
  return out;
}

void put_description(const console_statement& s, std::string& out) {
  if (s.command == nullptr) return write::no_data(out);
  write::row_description(out, split(s.command->columns));
}

void put_row(const console_row& row, std::string& out) {
  const std::vector<std::string_view> values(row.begin(), row.end());
  write::data_row(out, values);
}

protocol::error_report unknown_command() {
  std::string names;
  for (const auto& c : console_commands())
    names += fmt::format("{}{}", names.empty() ? "" : ", ", c.name);
  return protocol::statement_error(sqlstate::syntax_error, "not a command of pgsteer's console",
                                   "The database \"pgsteer\" is pgsteer itself and runs no SQL.",
                                   "Commands are " + names + ". For data, connect to another database.");
}

protocol::error_report broken() {
  return protocol::statement_error(sqlstate::protocol_violation, "invalid message format", {},
                                   "The client does not speak the PostgreSQL protocol.");
}

protocol::error_report too_many(std::string_view what) {
  return protocol::statement_error(sqlstate::program_limit_exceeded, fmt::format("too many {}", what), {},
                                   "Close some: the console keeps 100.");
}

}  // namespace

console_statement read_console_statement(std::string_view text) {
  using kind = console_statement::kind;
  const auto words = normalised(text);
  if (words.empty()) return {kind::empty, nullptr, {}};
  if (const auto* command = find_console_command(words)) return {kind::command, command, "SHOW"};
  const auto first = std::string_view(words).substr(0, words.find(' '));
  for (const auto& each : accepted) {
    if (each.word == first)
      return {kind::accepted, nullptr, first == "DISCARD" ? words : std::string(each.tag)};
  }
  return {};
}

void console::answer(std::string_view unit, std::string& out) {
  while (!unit.empty()) {
    const auto f = protocol::peek_frame(unit);
    if (f.size <= protocol::broken_frame || f.size > unit.size()) return;
    if (!skips_to_sync_ || f.type == 'S')
      on_message(f.type, unit.substr(protocol::header_size, f.size - protocol::header_size), out);
    unit.remove_prefix(f.size);
  }
}

void console::on_message(char type, std::string_view body, std::string& out) {
  switch (type) {
    case 'Q':
      return on_query(body, out);
    case 'P':
      return on_parse(body, out);
    case 'B':
      return on_bind(body, out);
    case 'D':
      return on_describe(body, out);
    case 'E':
      return on_execute(body, out);
    case 'C':
      return on_close(body, out);
    case 'S':
      skips_to_sync_ = false;
      if (!is_in_block_) portals_.clear();
      return write::ready_for_query(out, is_in_block_ ? 'T' : 'I');
    case 'F':
      write::error_response(out, unknown_command());
      return write::ready_for_query(out, is_in_block_ ? 'T' : 'I');
    default:
      return;
  }
}

void console::on_query(std::string_view body, std::string& out) {
  statements_.erase("");
  portals_.erase("");
  auto text = body.substr(0, body.find('\0'));
  bool is_empty = true;
  while (!text.empty()) {
    const auto s = read_console_statement(take_statement(text));
    if (s.what == console_statement::kind::empty) continue;
    is_empty = false;
    if (!run(s, out)) break;
  }
  if (is_empty) write::empty_query_response(out);
  write::ready_for_query(out, is_in_block_ ? 'T' : 'I');
}

// False: it is answered by an error.
bool console::run(const console_statement& s, std::string& out) {
  if (s.what == console_statement::kind::unknown) {
    write::error_response(out, unknown_command());
    return false;
  }
  if (s.command != nullptr) {
    put_description(s, out);
    for (const auto& row : s.command->rows(sources_))
      put_row(row, out);
  }
  note_block(s.tag);
  write::command_complete(out, s.tag);
  return true;
}

void console::note_block(std::string_view tag) {
  if (tag == "BEGIN" || tag == "START TRANSACTION") is_in_block_ = true;
  if (tag == "COMMIT" || tag == "ROLLBACK") is_in_block_ = false;
}

void console::on_parse(std::string_view body, std::string& out) {
  std::string_view name;
  std::string_view text;
  if (!protocol::take_string(body, name) || !protocol::take_string(body, text)) return refuse(broken(), out);
  auto s = read_console_statement(text);
  if (s.what == console_statement::kind::unknown) return refuse(unknown_command(), out);
  if (statements_.size() >= most_names) return refuse(too_many("prepared statements"), out);
  statements_[std::string(name)] = std::move(s);
  write::parse_complete(out);
}

// Parameters and formats are of no interest: no command takes any, and text is the same in binary.
void console::on_bind(std::string_view body, std::string& out) {
  std::string_view name;
  std::string_view statement;
  if (!protocol::take_string(body, name) || !protocol::take_string(body, statement))
    return refuse(broken(), out);
  const auto found = statements_.find(statement);
  if (found == statements_.end()) {
    return refuse(
        protocol::statement_error(sqlstate::invalid_sql_statement_name, "prepared statement does not exist"),
        out);
  }
  if (portals_.size() >= most_names) return refuse(too_many("portals"), out);
  portals_[std::string(name)] = {found->second, {}, 0, false};
  write::bind_complete(out);
}

void console::on_describe(std::string_view body, std::string& out) {
  if (body.size() < 2) return refuse(broken(), out);
  const bool of_statement = body[0] == 'S';
  const auto name = body.substr(1, body.size() - 2);
  const auto s = statements_.find(name);
  const auto p = portals_.find(name);
  if (of_statement ? s == statements_.end() : p == portals_.end()) {
    return refuse(protocol::statement_error(
                      of_statement ? sqlstate::invalid_sql_statement_name : sqlstate::invalid_cursor_name,
                      "no such prepared statement or portal"),
                  out);
  }
  if (of_statement) write::parameter_description(out, {});
  put_description(of_statement ? s->second : p->second.statement, out);
}

void console::on_execute(std::string_view body, std::string& out) {
  std::string_view name;
  if (!protocol::take_string(body, name) || body.size() < 4) return refuse(broken(), out);
  const std::size_t limit = protocol::load_u32(body.data());
  const auto found = portals_.find(name);
  if (found == portals_.end()) {
    return refuse(protocol::statement_error(sqlstate::invalid_cursor_name, "portal does not exist"), out);
  }
  auto& p = found->second;
  if (p.statement.what == console_statement::kind::empty) return write::empty_query_response(out);
  if (!std::exchange(p.is_run, true)) {
    if (p.statement.command != nullptr) p.rows = p.statement.command->rows(sources_);
    note_block(p.statement.tag);
  }
  for (std::size_t n = 0; p.sent < p.rows.size() && (limit == 0 || n < limit); ++n)
    put_row(p.rows[p.sent++], out);
  if (p.sent < p.rows.size()) return write::portal_suspended(out);
  write::command_complete(out, p.statement.tag);
}

void console::on_close(std::string_view body, std::string& out) {
  if (body.size() < 2) return refuse(broken(), out);
  const auto name = body.substr(1, body.size() - 2);
  if (body[0] == 'S') {
    if (const auto at = statements_.find(name); at != statements_.end()) statements_.erase(at);
  } else if (const auto at = portals_.find(name); at != portals_.end()) {
    portals_.erase(at);
  }
  write::close_complete(out);
}

void console::refuse(const protocol::error_report& why, std::string& out) {
  write::error_response(out, why);
  skips_to_sync_ = true;
}

}  // namespace pgsteer::proxy
