#include "proxy/admin/routes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "proxy/admin/render_clients.hpp"
#include "proxy/admin/render_health.hpp"
#include "proxy/admin/render_metrics.hpp"
#include "proxy/admin/render_routes.hpp"
#include "proxy/admin/render_status.hpp"
#include "proxy/admin/status_page.hpp"
#include "proxy/utf8.hpp"

namespace pgsteer::proxy {
namespace {

constexpr std::size_t most_listed_routes = 200;
constexpr std::string_view json_type = "application/json";
constexpr std::string_view html_type = "text/html; charset=utf-8";
constexpr std::string_view text_type = "text/plain; charset=utf-8";
constexpr std::string_view prometheus_type = "text/plain; version=0.0.4; charset=utf-8";

struct endpoint {
  std::string_view path;
  admin_answer (*answer)(const admin_sources&, std::string_view query);
};

admin_answer health(const admin_sources& s, std::string_view /*query*/) {
  auto report = render_health(take_view(s));
  return {report.is_healthy ? 200U : 503U, json_type, std::move(report.body)};
}

admin_answer live(const admin_sources&, std::string_view /*query*/) {
  return {200, text_type, "ok\n"};
}

admin_answer ready(const admin_sources& s, std::string_view /*query*/) {
  const auto reason = unready_reason(take_view(s));
  if (reason) return {503, text_type, *reason + "\n"};
  return {200, text_type, "ok\n"};
}

admin_answer metrics(const admin_sources& s, std::string_view /*query*/) {
  return {200, prometheus_type, render_metrics(take_view(s))};
}

admin_answer status(const admin_sources& s, std::string_view /*query*/) {
  return {200, json_type, render_status(take_view(s), std::chrono::system_clock::now())};
}

// `limit=N` in a query string; nothing where it is no number from 1 on.
std::optional<std::size_t> limit_of(std::string_view query) {
  constexpr std::string_view name = "limit=";
  if (query.empty()) return usually_listed_clients;
  if (!query.starts_with(name)) return std::nullopt;
  query.remove_prefix(name.size());
  std::size_t n = 0;
  const auto [end, error] = std::from_chars(query.data(), query.data() + query.size(), n);
  if (error != std::errc{} || end != query.data() + query.size() || n == 0) return std::nullopt;
  return std::min(n, most_listed_clients);
}

admin_answer clients(const admin_sources& s, std::string_view query) {
  const auto limit = limit_of(query);
  if (!limit) return admin_error(400, "the only parameter is limit, a number from 1 to 10000");
  const auto list = s.clients ? s.clients(*limit) : std::nullopt;
  if (!list) return admin_error(503, "the worker did not answer within a second; ask again");
  return {200, json_type, render_clients(*list)};
}

// All workers' statements; one that several have stands there several times.
admin_answer routes(const admin_sources& s, std::string_view /*query*/) {
  std::vector<statement_table::entry> all;
  for (const auto& board : s.boards()) {
    for (auto& e : board->statements.entries())
      all.push_back(std::move(e));
  }
  return {200, json_type, render_routes(all, most_listed_routes)};
}

admin_answer page(const admin_sources&, std::string_view /*query*/) {
  return {200, html_type, std::string(status_page())};
}

constexpr std::array endpoints{
    endpoint{"/", page},         endpoint{"/health", health},   endpoint{"/livez", live},
    endpoint{"/readyz", ready},  endpoint{"/metrics", metrics}, endpoint{"/clients", clients},
    endpoint{"/status", status}, endpoint{"/routes", routes},
};

}  // namespace

admin_answer admin_error(unsigned status, std::string_view text) {
  return {status, json_type,
          fmt::format(R"({{"error":{}}})", boost::json::serialize(boost::json::string{to_utf8(text)}))};
}

admin_answer answer_admin_request(std::string_view method, std::string_view target,
                                  const admin_sources& sources) {
  const auto path = target.substr(0, target.find('?'));
  const auto query = target.substr(std::min(target.size(), path.size() + 1));
  for (const auto& e : endpoints) {
    if (e.path != path) continue;
    if (method != "GET" && method != "HEAD") return admin_error(405, "only GET and HEAD are answered");
    return e.answer(sources, query);
  }
  return admin_error(404, "no such endpoint; GET / lists them");
}

}  // namespace pgsteer::proxy
