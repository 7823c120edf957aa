#include "proxy/admin/render_routes.hpp"

#include <algorithm>
#include <map>

#include <boost/json.hpp>

#include "proxy/utf8.hpp"
#include "routing/normal_form.hpp"

namespace pgsteer::proxy {
namespace {

namespace json = boost::json;

constexpr std::string_view on_replica = "replica";
constexpr std::string_view on_primary = "primary";

std::string reason_of(const statement_table::entry& e, std::size_t why) {
  const auto held = static_cast<held_by>(why);
  if (held == held_by::itself) return e.reason;
  if (held == held_by::wish && !e.wish.empty()) return e.wish;
  return std::string(to_string(held));
}

template <class Line>
void heaviest_first(std::vector<Line>& lines) {
  std::ranges::sort(
      lines, [](const Line& a, const Line& b) { return a.us != b.us ? a.us > b.us : a.count > b.count; });
}

}  // namespace

std::vector<route_line> route_lines(std::span<const statement_table::entry> all, std::size_t most) {
  std::vector<route_line> lines;
  for (const auto& e : all) {
    if (e.replica_times > 0)
      lines.push_back({e.sql, std::string(on_replica), e.reason, e.replica_times, e.replica_us});
    for (std::size_t why = 0; why < e.times.size(); ++why) {
      if (e.times[why] > 0)
        lines.push_back({e.sql, std::string(on_primary), reason_of(e, why), e.times[why], e.us[why]});
    }
  }
  heaviest_first(lines);
  if (lines.size() > most) lines.resize(most);
  for (auto& line : lines) {
    if (!line.statement.empty()) line.statement = routing::normal_form(line.statement);
    if (line.statement.empty()) line.statement = "(a text that is not shown)";
  }
  return lines;
}

std::vector<held_line> held_lines(std::span<const statement_table::entry> all) {
  std::map<std::string, held_line> by_reason;
  std::uint64_t total = 0;
  for (const auto& e : all) {
    if (!e.is_query) continue;
    for (std::size_t why = 0; why < e.times.size(); ++why) {
      if (e.times[why] == 0) continue;
      auto& line = by_reason[reason_of(e, why)];
      line.count += e.times[why];
      line.us += e.us[why];
      total += e.us[why];
    }
  }
  std::vector<held_line> lines;
  for (auto& [reason, line] : by_reason) {
    line.reason = reason;
    line.share = total == 0 ? 0 : static_cast<double>(line.us) / static_cast<double>(total);
    lines.push_back(std::move(line));
  }
  heaviest_first(lines);
  return lines;
}

std::string render_routes(std::span<const statement_table::entry> all, std::size_t most) {
  json::array statements;
  for (const auto& line : route_lines(all, most)) {
    json::object o;
    o["statement"] = json::string{to_utf8(line.statement)};
    o["target"] = json::string{line.target};
    o["reason"] = json::string{to_utf8(line.reason)};
    o["count"] = line.count;
    o["ms"] = line.us / 1000;
    statements.push_back(std::move(o));
  }
  json::array held;
  for (const auto& line : held_lines(all)) {
    json::object o;
    o["reason"] = json::string{to_utf8(line.reason)};
    o["count"] = line.count;
    o["ms"] = line.us / 1000;
    o["share"] = line.share;
    held.push_back(std::move(o));
  }
  json::object o;
  o["statements"] = std::move(statements);
  o["held_back"] = std::move(held);
  return json::serialize(o);
}

}  // namespace pgsteer::proxy
