// The clients and the backends of a worker at one moment, one by one, for people who look into it.
// Made by the worker when somebody asks; read by the console and by the admin port.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgsteer::proxy {

inline constexpr std::size_t most_listed_clients = 10000;
inline constexpr std::size_t usually_listed_clients = 1000;

struct client_entry {
  std::uint64_t id = 0;  // never reused
  std::string user, database, application_name, address;
  std::string state;   // as pg_stat_activity says it, or: login, waiting, closing
  std::string pin;     // why it keeps its backend; empty: it does not
  std::string target;  // the server whose backend it has or waits for
  std::optional<std::uint64_t> wait_ms, transaction_ms;
};

struct client_list {
  std::vector<client_entry> clients;  // those that do something first
  std::size_t total = 0;              // how many there are; the list may be shorter
};

struct backend_entry {
  std::uint64_t id = 0;  // never reused
  std::string server, role, user, database;
  std::int32_t pid = 0;         // its process on the server
  std::string state;            // idle, or what its client is doing
  std::uint64_t client_id = 0;  // 0: nobody has it
  std::uint64_t age_ms = 0, state_ms = 0;
  std::size_t prepared_statements = 0;
};

}  // namespace pgsteer::proxy
