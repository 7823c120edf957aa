// The conversation of one client with the SQL console, which is a database of its own to clients:
// units of the protocol in, bytes out. Owned by a session; asks the sources, never a server.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/error_report.hpp"
#include "proxy/admin/console_commands.hpp"

namespace pgsteer::proxy {

// The database whose clients speak to the proxy itself.
inline constexpr std::string_view console_database = "pgsteer";

// What a text asks for.
struct console_statement {
  enum class kind : unsigned char { unknown, empty, command, accepted };
  kind what = kind::unknown;
  const console_command* command = nullptr;
  std::string tag;  // of CommandComplete
};

// `text` is one statement. Accepted without effect is what drivers say at the start of a session and
// around a statement: SET, BEGIN, DISCARD and their like.
[[nodiscard]] console_statement read_console_statement(std::string_view text);

class console {
 public:
  console(const console_sources& sources, std::string user) : sources_(sources), user_(std::move(user)) {}

  // Answers the whole messages of a unit: a Query, or all up to Sync or Flush.
  void answer(std::string_view unit, std::string& out);
  [[nodiscard]] const std::string& user() const { return user_; }

 private:
  struct portal {
    console_statement statement;
    std::vector<console_row> rows;
    std::size_t sent = 0;
    bool is_run = false;
  };

  void on_message(char type, std::string_view body, std::string& out);
  void on_query(std::string_view body, std::string& out);
  [[nodiscard]] bool run(const console_statement& s, std::string& out);
  void on_parse(std::string_view body, std::string& out);
  void on_bind(std::string_view body, std::string& out);
  void on_describe(std::string_view body, std::string& out);
  void on_execute(std::string_view body, std::string& out);
  void on_close(std::string_view body, std::string& out);
  void refuse(const protocol::error_report& why, std::string& out);
  void note_block(std::string_view tag);

  const console_sources& sources_;
  std::string user_;
  std::map<std::string, console_statement, std::less<>> statements_;
  std::map<std::string, portal, std::less<>> portals_;
  bool skips_to_sync_ = false;
  bool is_in_block_ = false;
};

}  // namespace pgsteer::proxy
