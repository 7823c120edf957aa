#include "protocol/error_report.hpp"

#include <algorithm>
#include <utility>

namespace pgsteer::protocol {

namespace {

error_report make_report(std::string severity, std::string_view state, std::string message,
                         std::string detail, std::string hint) {
  error_report report;
  report.severity = std::move(severity);
  report.sqlstate = state;
  report.message = std::move(message);
  report.detail = std::move(detail);
  report.hint = std::move(hint);
  return report;
}

void store_field(error_view& view, char code, std::string_view value) {
  if (code == 'V') {
    view.severity = value;
    return;
  }
  if (code == 'S') {
    view.severity_localized = value;
    return;
  }
  const auto& table = error_field_table<std::string_view>;
  const auto* found =
      std::find_if(table.begin(), table.end(), [code](const auto& f) { return f.code == code; });
  if (found != table.end()) view.*(found->member) = value;
}

}  // namespace

error_report fatal_error(std::string_view sqlstate, std::string message, std::string detail,
                         std::string hint) {
  return make_report("FATAL", sqlstate, std::move(message), std::move(detail), std::move(hint));
}

error_report statement_error(std::string_view sqlstate, std::string message, std::string detail,
                             std::string hint) {
  return make_report("ERROR", sqlstate, std::move(message), std::move(detail), std::move(hint));
}

error_view parse_error_fields(std::string_view body) {
  error_view view;
  while (!body.empty() && body.front() != '\0') {
    const char code = body.front();
    body.remove_prefix(1);
    const auto end = std::min(body.find('\0'), body.size());
    store_field(view, code, body.substr(0, end));
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  if (view.severity.empty()) view.severity = view.severity_localized;
  return view;
}

error_report to_report(const error_view& view) {
  error_report report;
  report.severity = view.severity;
  report.severity_localized = view.severity_localized;
  for (std::size_t i = 0; i < error_field_table<std::string>.size(); ++i) {
    report.*(error_field_table<std::string>[i].member) =
        view.*(error_field_table<std::string_view>[i].member);
  }
  return report;
}

bool is_fatal(const error_view& view) {
  return view.severity == "FATAL" || view.severity == "PANIC";
}

}  // namespace pgsteer::protocol
