#include "config/command_line.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace pgsteer::config {
namespace {

// A setting's flag and, for secrets, the flag that names a file.
struct setting_flag {
  const setting* what = nullptr;
  CLI::Option* direct = nullptr;
  CLI::Option* in_file = nullptr;
};

class parser {
 public:
  parser() {
    app_.set_help_flag();
    app_.allow_extras();
    help_ = app_.add_flag("-h,--help");
    version_ = app_.add_flag("-V,--version");
    check_ = app_.add_flag("--check-config");
    print_ = app_.add_flag("--print-config");
    config_ = option(app_, "-c,--config");
    for (const auto& each : schema())
      add(each);
    add_route();
  }

  command_line parse(std::vector<std::string> arguments) {
    arguments = with_empty_values(arguments);
    std::ranges::reverse(arguments);  // CLI11 takes them from the back
    try {
      app_.parse(arguments);
    } catch (const CLI::Error& error) {
      out_.settings.wrong.push_back({"command line", described(error), "see pgsteer --help"});
    }
    out_.what = chosen();
    for (const auto& each : flags_)
      take(each);
    check_given_once(out_.settings, out_.settings.wrong);
    out_.config_file = single(config_, "--config");
    take_route();
    report_extras();
    return std::move(out_);
  }

 private:
  static CLI::Option* option(CLI::App& app, const std::string& name) {
    return app.add_option(name)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  void add(const setting& what) {
    setting_flag flag{&what};
    if (what.form == shape::flag) {
      flag.direct = app_.add_flag(what.flag())->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    } else {
      flag.direct = option(app_, what.flag());
    }
    if (what.is_secret) flag.in_file = option(app_, what.flag() + "-file");
    flags_.push_back(flag);
  }

  void add_route() {
    route_ = app_.add_subcommand("route");
    route_->set_help_flag();
    route_->fallthrough();
    json_ = route_->add_flag("--json");
    catalog_ = option(*route_, "--catalog");
    sql_ = option(*route_, "sql");
  }

  // `--flag=` means an empty value; CLI11 alone would take the next argument for it.
  [[nodiscard]] std::vector<std::string> with_empty_values(const std::vector<std::string>& arguments) const {
    std::vector<std::string> out;
    bool is_open = true;
    for (const auto& argument : arguments) {
      is_open = is_open && argument != "--";
      const std::string name = argument.substr(0, argument.size() - (argument.ends_with('=') ? 1 : 0));
      const auto takes_value = [&](const CLI::Option* each) {
        return each->check_lname(name.starts_with("--") ? name.substr(2) : "") &&
               each->get_expected_min() > 0;
      };
      if (is_open && argument.ends_with('=') && !app_.get_options(takes_value).empty()) {
        out.insert(out.end(), {name, ""});
      } else {
        out.push_back(argument);
      }
    }
    return out;
  }

  // CLI11's own texts may repeat arguments, and an argument may hold a secret.
  static std::string described(const CLI::Error& error) {
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) == nullptr) return "cannot be understood";
    const std::string text = error.what();
    const auto name = text.substr(0, text.find(':'));
    return name.starts_with("--") ? fmt::format("{} needs a value", name) : "a flag has no value";
  }

  command chosen() const {
    if (help_->count() > 0) return command::help;
    if (version_->count() > 0) return command::version;
    if (route_->parsed()) return command::route;
    if (print_->count() > 0) return command::print_config;
    return check_->count() > 0 ? command::check_config : command::run;
  }

  std::optional<std::string> single(const CLI::Option* from, const std::string& name) {
    const auto& values = from->results();
    if (values.empty()) return std::nullopt;
    if (values.size() > 1) {
      out_.settings.wrong.push_back(
          {name, fmt::format("is given {} times", values.size()), "keep one of them"});
    }
    return values.front();
  }

  void take(const setting_flag& each) {
    const std::string flag = each.what->flag();
    std::vector<item> items;
    for (const auto& text : each.direct->results())
      items.push_back({text, flag});
    if (items.size() > 1 && !each.what->is_list()) {
      out_.settings.wrong.push_back(
          {flag, fmt::format("is given {} times", items.size()), "keep one of them"});
    }
    if (!items.empty()) keep(*each.what, flag, std::move(items));
    if (each.in_file == nullptr) return;
    const std::string file_flag = flag + "-file";
    const auto path = single(each.in_file, file_flag);
    const auto text = path ? read_value(*path, file_flag, out_.settings.wrong) : std::nullopt;
    if (text) keep(*each.what, file_flag, {{*text, file_flag}});
  }

  void keep(const setting& what, const std::string& where, std::vector<item> items) {
    out_.settings.values.push_back({&what, origin::command_line, where, std::move(items)});
  }

  void take_route() {
    out_.route_json = json_->count() > 0;
    out_.route_catalog = single(catalog_, "--catalog");
    const auto& words = sql_->results();
    if (words.empty()) return;
    out_.route_sql = words.front();
    if (words.size() > 1) {
      out_.settings.wrong.push_back({"route", "takes one statement", "put the statement in quotes"});
    }
    if (out_.route_json) {
      out_.settings.wrong.push_back(
          {"route", "--json reads its statements from standard input", "leave the statement out"});
    }
  }

  // An unknown flag takes the word behind it along: it was meant as its value, and may be a secret.
  void report_extras() {
    const auto extras = app_.remaining(true);
    for (std::size_t at = 0; at < extras.size(); ++at) {
      if (extras[at] == "--") continue;
      if (extras[at].starts_with('-')) {
        report_flag(extras[at].substr(0, extras[at].find('=')));
        const bool has_value = extras[at].find('=') == std::string::npos && at + 1 < extras.size();
        if (has_value && !extras[at + 1].starts_with('-')) ++at;
      } else {
        report_word(extras[at]);
      }
    }
  }

  void report_flag(const std::string& flag) {
    std::vector<std::string> known{"--config", "--check-config", "--print-config", "--help", "--version"};
    for (const auto& each : schema()) {
      known.push_back(each.flag());
      if (each.is_secret) known.push_back(each.flag() + "-file");
    }
    if (route_->parsed()) known.insert(known.end(), {"--json", "--catalog"});
    const std::string near = did_you_mean(flag, known);
    const bool is_word = std::ranges::all_of(
        flag, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
    out_.settings.wrong.push_back({"command line",
                                   is_word ? fmt::format("unknown flag {}", shown(flag)) : "unknown flag",
                                   near.empty() ? "see pgsteer --help" : near});
  }

  void report_word(const std::string& word) {
    if (route_->parsed()) {
      out_.settings.wrong.push_back({"route", "takes one statement", "put the statement in quotes"});
      return;
    }
    const std::vector<std::string> known{"route"};
    const std::string near = did_you_mean(word, known);
    // Any other word may be a piece of a secret with a space in it.
    out_.settings.wrong.push_back(
        {"command line",
         near.empty() ? "an argument belongs to no flag" : fmt::format("unknown command {}", shown(word)),
         near.empty() ? "see pgsteer --help, and put values with spaces in quotes" : near});
  }

  CLI::App app_;
  CLI::Option* help_ = nullptr;
  CLI::Option* version_ = nullptr;
  CLI::Option* check_ = nullptr;
  CLI::Option* print_ = nullptr;
  CLI::Option* config_ = nullptr;
  CLI::App* route_ = nullptr;
  CLI::Option* json_ = nullptr;
  CLI::Option* catalog_ = nullptr;
  CLI::Option* sql_ = nullptr;
  std::vector<setting_flag> flags_;
  command_line out_;
};

}  // namespace

command_line parse_command_line(const std::vector<std::string>& arguments) {
  return parser().parse(arguments);
}

}  // namespace pgsteer::config
