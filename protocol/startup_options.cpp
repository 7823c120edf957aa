#include "protocol/startup_options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <span>
#include <utility>

#include <fmt/format.h>

namespace pgsteer::protocol {

namespace {

// What a switch of the backend's command line does with its argument.
enum class switch_action : std::uint8_t {
  unknown,
  ignore,
  set_named,
  set_fixed,
  set_argument,
  debug,
  plan,
  stats
};

struct backend_switch {
  char letter;
  bool takes_argument;
  switch_action action;
  std::string_view setting{};
  std::string_view value{};
};

// "B:bc:C:D:d:EeFf:h:ijk:lN:nOPp:r:S:sTt:v:W:-:" of postgres.c; what needs PGC_POSTMASTER is ignored there
// too.
constexpr std::array<backend_switch, 29> backend_switches = {{
    {'B', true, switch_action::set_argument, "shared_buffers"},
    {'b', false, switch_action::ignore},
    {'c', true, switch_action::set_named},
    {'C', true, switch_action::ignore},
    {'D', true, switch_action::ignore},
    {'d', true, switch_action::debug},
    {'E', false, switch_action::ignore},
    {'e', false, switch_action::set_fixed, "datestyle", "euro"},
    {'F', false, switch_action::set_fixed, "fsync", "false"},
    {'f', true, switch_action::plan},
    {'h', true, switch_action::set_argument, "listen_addresses"},
    {'i', false, switch_action::set_fixed, "listen_addresses", "*"},
    {'j', false, switch_action::ignore},
    {'k', true, switch_action::set_argument, "unix_socket_directories"},
    {'l', false, switch_action::set_fixed, "ssl", "true"},
    {'N', true, switch_action::set_argument, "max_connections"},
    {'n', false, switch_action::ignore},
    {'O', false, switch_action::set_fixed, "allow_system_table_mods", "true"},
    {'P', false, switch_action::set_fixed, "ignore_system_indexes", "true"},
    {'p', true, switch_action::set_argument, "port"},
    {'r', true, switch_action::ignore},
    {'S', true, switch_action::set_argument, "work_mem"},
    {'s', false, switch_action::set_fixed, "log_statement_stats", "true"},
    {'T', false, switch_action::ignore},
    {'t', true, switch_action::stats},
    {'v', true, switch_action::ignore},
    {'W', true, switch_action::set_argument, "post_auth_delay"},
    {'-', true, switch_action::set_named},
    {'\0', false, switch_action::unknown},
}};

const backend_switch& find_switch(char letter) {
  const auto* found = std::find_if(backend_switches.begin(), backend_switches.end(),
                                   [letter](const auto& s) { return s.letter == letter; });
  return found == backend_switches.end() ? backend_switches.back() : *found;
}

// isspace() in the C locale.
bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

error_report invalid_argument(std::string_view argument) {
  return fatal_error(sqlstate::syntax_error,
                     fmt::format("invalid command-line argument for server process: {}", argument), {},
                     "Try \"postgres --help\" for more information.");
}

// `name=value`; a dash in the name stands for an underscore.
std::optional<error_report> set_named(char letter, std::string_view argument,
                                      std::vector<setting>& settings) {
  const auto equals = argument.find('=');
  if (equals == std::string_view::npos) {
    const std::string_view dashes = letter == '-' ? "--" : "-c ";
    return fatal_error(sqlstate::syntax_error, fmt::format("{}{} requires a value", dashes, argument));
  }
  std::string name(argument.substr(0, equals));
  std::replace(name.begin(), name.end(), '-', '_');
  settings.emplace_back(std::move(name), argument.substr(equals + 1));
  return std::nullopt;
}

void set_debug(std::string_view argument, std::vector<setting>& settings) {
  int level = 0;
  std::from_chars(argument.data(), argument.data() + argument.size(), level);
  settings.emplace_back("log_min_messages", level > 0 ? fmt::format("debug{}", level) : "notice");
  if (level >= 2) settings.emplace_back("log_statement", "all");
  if (level >= 3) settings.emplace_back("debug_print_parse", "true");
  if (level >= 4) settings.emplace_back("debug_print_plan", "true");
  if (level >= 5) settings.emplace_back("debug_print_rewritten", "true");
}

bool disable_plan(std::string_view argument, std::vector<setting>& settings) {
  constexpr std::array<std::pair<char, std::string_view>, 8> plans = {{{'s', "enable_seqscan"},
                                                                       {'i', "enable_indexscan"},
                                                                       {'o', "enable_indexonlyscan"},
                                                                       {'b', "enable_bitmapscan"},
                                                                       {'t', "enable_tidscan"},
                                                                       {'n', "enable_nestloop"},
                                                                       {'m', "enable_mergejoin"},
                                                                       {'h', "enable_hashjoin"}}};
  const auto* found = std::find_if(plans.begin(), plans.end(), [argument](const auto& plan) {
    return !argument.empty() && plan.first == argument.front();
  });
  if (found == plans.end()) return false;
  settings.emplace_back(found->second, "false");
  return true;
}

bool enable_stats(std::string_view argument, std::vector<setting>& settings) {
  std::string_view name;
  if (argument.starts_with("pa")) name = "log_parser_stats";
  if (argument.starts_with("pl")) name = "log_planner_stats";
  if (argument.starts_with("e")) name = "log_executor_stats";
  if (name.empty()) return false;
  settings.emplace_back(name, "true");
  return true;
}

// getopt over the split words: clusters of letters, an argument in the same word or in the next,
// `--` ends the switches, other words may stand between them and are complained about at the end.
class switch_parser {
 public:
  switch_parser(std::span<const std::string> words, std::vector<setting>& settings)
      : words_(words), settings_(settings) {}

  std::optional<error_report> parse() {
    while (next_ < words_.size()) {
      const std::string_view word = words_[next_++];
      if (word == "--") {
        note_stray(next_ < words_.size() ? std::string_view(words_[next_]) : std::string_view());
        break;
      }
      if (word.size() < 2 || word.front() != '-') {
        note_stray(word);
        continue;
      }
      if (auto error = parse_word(word)) return error;
    }
    if (stray_) return invalid_argument(*stray_);
    return std::nullopt;
  }

 private:
  void note_stray(std::string_view word) {
    if (!stray_ && word.data() != nullptr) stray_ = word;
  }

  std::optional<error_report> parse_word(std::string_view word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const auto& found = find_switch(word[i]);
      if (found.action == switch_action::unknown) return complain(i + 1 == word.size());
      if (!found.takes_argument) {
        if (found.action == switch_action::set_fixed) settings_.emplace_back(found.setting, found.value);
        continue;
      }
      auto argument = word.substr(i + 1);
      if (argument.empty()) {
        if (next_ == words_.size()) return complain(true);
        argument = words_[next_++];
      }
      return apply(found, argument);
    }
    return std::nullopt;
  }

  // PostgreSQL names the word before the one getopt would read next, whichever that is: the argument
  // of a switch, or the previous word ("postgres" itself at first) where a cluster is bad in its middle.
  [[nodiscard]] error_report complain(bool is_word_done) const {
    const auto read = is_word_done ? next_ : next_ - 1;
    return invalid_argument(read == 0 ? std::string_view("postgres") : std::string_view(words_[read - 1]));
  }

  std::optional<error_report> apply(const backend_switch& found, std::string_view argument) {
    switch (found.action) {
      case switch_action::set_named:
        return set_named(found.letter, argument, settings_);
      case switch_action::set_argument:
        settings_.emplace_back(found.setting, argument);
        return std::nullopt;
      case switch_action::debug:
        set_debug(argument, settings_);
        return std::nullopt;
      case switch_action::plan:
        if (!disable_plan(argument, settings_)) return complain(true);
        return std::nullopt;
      case switch_action::stats:
        if (!enable_stats(argument, settings_)) return complain(true);
        return std::nullopt;
      default:
        return std::nullopt;
    }
  }

  std::span<const std::string> words_;
  std::vector<setting>& settings_;
  std::size_t next_ = 0;
  std::optional<std::string_view> stray_;
};

}  // namespace

std::vector<std::string> split_options(std::string_view options) {
  std::vector<std::string> words;
  std::size_t i = 0;
  while (true) {
    while (i < options.size() && is_space(options[i]))
      ++i;
    if (i == options.size()) return words;
    std::string word;
    for (bool is_escaped = false; i < options.size(); ++i) {
      if (!is_escaped && is_space(options[i])) break;
      const bool is_backslash = !is_escaped && options[i] == '\\';
      if (!is_backslash) word.push_back(options[i]);
      is_escaped = is_backslash;
    }
    words.push_back(std::move(word));
  }
}

std::optional<error_report> parse_options(std::string_view options, std::vector<setting>& settings) {
  const auto words = split_options(options);
  return switch_parser(words, settings).parse();
}

}  // namespace pgsteer::protocol
