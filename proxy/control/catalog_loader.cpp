#include "proxy/control/catalog_loader.hpp"

#include <utility>

#include "routing/catalog_queries.hpp"
#include "routing/temporary_objects.hpp"

namespace pgsteer::proxy {
namespace {

// Names as UTF-8, nothing found by the role's own search_path, no limits meant for applications.
constexpr const char* prepare =
    "SELECT pg_catalog.set_config('search_path', '', false), "
    "pg_catalog.set_config('client_encoding', 'UTF8', false), "
    "pg_catalog.set_config('statement_timeout', '0', false), "
    "pg_catalog.set_config('idle_in_transaction_session_timeout', '60s', false), "
    "pg_catalog.set_config('jit', 'off', false), "
    "pg_catalog.set_config('standard_conforming_strings', 'on', false)";

}  // namespace

std::optional<control_failure> catalog_loader::run(const char* sql, control_connection::deadline until,
                                                   int stop_fd) {
  return connection_->each_row(
      sql, [](auto) {}, until, stop_fd);
}

catalog_result catalog_loader::load(control_connection::deadline until, int stop_fd) {
  if (!connection_) {
    auto opened = control_connection::open(url_, {}, until, stop_fd);
    if (!opened) return opened.error();
    connection_.emplace(std::move(*opened));
    if (auto failed = run(prepare, until, stop_fd)) {
      disconnect();
      return *std::move(failed);
    }
  }
  auto loaded = read(until, stop_fd);
  if (!loaded) disconnect();
  return loaded;
}

catalog_result catalog_loader::read(control_connection::deadline until, int stop_fd) {
  if (auto failed = run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", until, stop_fd))
    return *std::move(failed);
  routing::catalog_builder builder;
  for (const auto& query : routing::catalog_queries()) {
    const auto add = [&](routing::catalog_row row) { builder.add(query.id, row); };
    if (auto failed = connection_->each_row(query.sql, add, until, stop_fd)) return *std::move(failed);
  }
  using enum routing::catalog_query;
  for (const auto& [id, path] :
       {std::pair(temporary, routing::default_path), {temporary_anywhere, routing::any_path}}) {
    if (!with_temporary_) break;
    const auto sql = routing::temporary_objects_query(routing::all_temporary_schemas, path);
    const auto add = [&, id = id](routing::catalog_row row) { builder.add(id, row); };
    if (auto failed = connection_->each_row(sql.c_str(), add, until, stop_fd)) return *std::move(failed);
  }
  if (auto failed = run("COMMIT", until, stop_fd)) return *std::move(failed);
  if (!builder.is_whole()) return control_failure{"catalog rows cannot be read", {}};
  return {boost::system::in_place_value, builder.finish()};
}

}  // namespace pgsteer::proxy
