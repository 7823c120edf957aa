#include "proxy/admin/prometheus.hpp"

#include <fmt/format.h>

#include "proxy/utf8.hpp"

namespace pgsteer::proxy {
namespace {

std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : to_utf8(value)) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '"') {
      out += "\\\"";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string prometheus_number(double value) {
  return fmt::format("{}", value);
}

void prometheus_text::family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void prometheus_text::sample(labels l, double value, std::string_view suffix) {
  write_sample(l, prometheus_number(value), suffix);
}

void prometheus_text::write_sample(labels l, std::string_view value, std::string_view suffix) {
  text_ += name_;
  text_ += suffix;
  char separator = '{';
  for (const auto& [name, text] : l) {
    text_ += separator;
    text_ += name;
    text_ += "=\"";
    text_ += escaped(text);
    text_ += '"';
    separator = ',';
  }
  if (separator == ',') text_ += '}';
  text_ += ' ';
  text_ += value;
  text_ += '\n';
}

}  // namespace pgsteer::proxy
