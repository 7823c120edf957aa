#include "config/load.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include "config/checks.hpp"
#include "config/command_line.hpp"
#include "config/environment_source.hpp"
#include "config/files.hpp"
#include "config/given.hpp"
#include "config/print.hpp"
#include "config/schema.hpp"
#include "config/surroundings.hpp"
#include "config/urls.hpp"
#include "config/yaml_source.hpp"

namespace pgsteer::config {
namespace {

// As libpq finds them: the name of the effective user; HOME, else the user's entry.
surroundings surroundings_of(const sources& from) {
  surroundings out{from.environment, "", ""};
  out.home = out.variable("HOME");
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer{};
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    out.os_user = found->pw_name;
    if (out.home.empty()) out.home = found->pw_dir;
  }
  return out;
}

// Applies what the sources say, each over the one before, and remembers who had the last word.
class loading {
 public:
  loading(surroundings around, command_line line) : around_(std::move(around)), line_(std::move(line)) {}

  loaded finish() {
    read_file_source();
    add(gather_environment(around_));
    add(std::move(line_.settings));
    apply();
    const bool is_route = line_.what == command::route;
    require_primary(is_route);
    check_catalog();
    if (is_given("tls_cert_file") && !is_given("tls") && !values_.tls_cert_file.empty())
      values_.tls = client_tls::allow;
    if (wrong_.empty() && !is_route)
      wrong_ = check(values_, [&](std::string_view name) { return place(name); });
    if (!wrong_.empty()) return {boost::system::in_place_error, std::move(wrong_)};
    return result();
  }

 private:
  void read_file_source() {
    file_ = line_.config_file.value_or(around_.variable(config_variable));
    const std::string where = line_.config_file ? "--config" : config_variable;
    if (file_.empty()) {
      if (line_.config_file) wrong_.push_back({where, "names no file", "write --config FILE"});
      return;
    }
    const auto text = read_file(file_);
    if (text) return add(gather_yaml(*text, file_));
    wrong_.push_back({where, fmt::format("cannot read {}: {}", shown(file_), text.error().message()),
                      "check the path and who may read it"});
  }

  void add(gathered source) {
    std::ranges::move(source.values, std::back_inserter(given_));
    std::ranges::move(source.wrong, std::back_inserter(wrong_));
  }

  // In the table's order, because replicas take what they lack from the primary; within one
  // setting in order of precedence, so that the last one stays and a bad one is reported anyway.
  void apply() {
    std::ranges::stable_sort(given_, {}, [](const given& each) { return std::pair(each.what, each.from); });
    for (const auto& each : given_) {
      std::vector<std::string> texts;
      for (const auto& item : each.items)
        texts.push_back(item.text);
      const auto wrong = each.what->set(values_, texts, around_);
      if (!wrong) continue;
      const std::string& where = wrong->item < each.items.size() ? each.items[wrong->item].where : each.where;
      const bool is_named = each.from != origin::file;  // a flag or variable says which setting it is
      wrong_.push_back({where, is_named ? wrong->what : fmt::format("{}: {}", each.what->name, wrong->what),
                        wrong->suggestion});
    }
  }

  void require_primary(bool is_route) {
    if (is_route || is_given("database_url")) return;
    const bool is_reported = std::ranges::any_of(wrong_, [](const problem& each) {
      return each.where.starts_with("DATABASE_URL") || each.where.starts_with("--database-url");
    });
    if (is_reported) return;
    wrong_.push_back({"DATABASE_URL", "is not set: pgsteer needs to know the primary",
                      "set DATABASE_URL=postgres://user:password@host:5432/database"});
  }

  void check_catalog() {
    if (!line_.route_catalog) return;
    auto server = parse_server(*line_.route_catalog, nullptr, around_);
    if (!server) {
      wrong_.push_back({"--catalog", server.error().what, server.error().suggestion});
    } else {
      catalog_ = std::move(*server);
    }
  }

  [[nodiscard]] const given* last(std::string_view name) const {
    const auto found = std::find_if(given_.rbegin(), given_.rend(),
                                    [&](const given& each) { return each.what->name == name; });
    return found == given_.rend() ? nullptr : &*found;
  }

  [[nodiscard]] bool is_given(std::string_view name) const { return last(name) != nullptr; }

  [[nodiscard]] std::string place(std::string_view name) const {
    const auto* found = last(name);
    return found != nullptr ? found->where : find_setting(name)->variable();
  }

  [[nodiscard]] std::string source(std::string_view name) const {
    const auto* found = last(name);
    return found != nullptr ? found->where : "default";
  }

  invocation result() {
    invocation out;
    out.what = line_.what;
    out.config_file = file_;
    out.route_json = line_.route_json;
    out.route_sql = std::move(line_.route_sql);
    out.route_catalog = std::move(line_.route_catalog);
    out.route_catalog_server = std::move(catalog_);
    if (out.what == command::check_config) out.output = "configuration is valid\n";
    if (out.what == command::print_config) {
      out.output = to_yaml(values_, [&](std::string_view name) { return source(name); });
    }
    out.values = std::move(values_);
    return out;
  }

  surroundings around_;
  command_line line_;
  std::string file_;
  std::optional<server_url> catalog_;
  std::vector<given> given_;
  problems wrong_;
  settings values_;
};

}  // namespace

sources sources_of_process(int argc, const char* const* argv) {
  sources out;
  if (argc > 1) out.arguments.assign(argv + 1, argv + argc);
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view entry(*each);
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    out.environment.try_emplace(std::string(entry.substr(0, equals)), entry.substr(equals + 1));
  }
  return out;
}

loaded load(const sources& from) {
  auto line = parse_command_line(from.arguments);
  if (line.what == command::help || line.what == command::version) {
    invocation out;
    out.what = line.what;
    out.output = out.what == command::help ? help_text() : version_text();
    return out;
  }
  return loading(surroundings_of(from), std::move(line)).finish();
}

std::vector<std::string> needs_restart(const settings& running, const settings& wanted) {
  std::vector<std::string> out;
  for (const auto& each : schema()) {
    if (each.reload == effect::at_start && each.get(running) != each.get(wanted)) out.emplace_back(each.name);
  }
  return out;
}

}  // namespace pgsteer::config
