#include <array>

#include <fmt/format.h>

#include "config/routes.hpp"
#include "config/schema_parts.hpp"
#include "config/setters.hpp"

namespace pgsteer::config {
namespace {

constexpr choices<transaction_routing, 2> transaction_words{
    {{"primary", transaction_routing::primary}, {"split", transaction_routing::split}}};
constexpr choices<consistency, 3> consistency_words{{{"eventual", consistency::eventual},
                                                     {"session", consistency::session},
                                                     {"global", consistency::global}}};
constexpr choices<load_balancing, 2> balancing_words{
    {{"least_busy", load_balancing::least_busy}, {"round_robin", load_balancing::round_robin}}};
constexpr choices<reads_on_primary, 3> primary_reads_words{{{"never", reads_on_primary::never},
                                                            {"fallback", reads_on_primary::fallback},
                                                            {"share", reads_on_primary::share}}};

refusal set_zone(settings& to, texts from, const surroundings&) {
  constexpr std::size_t longest = 63;
  const auto name = trimmed(from[0]);
  const bool is_word = std::ranges::all_of(
      name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; });
  if (name.size() > longest || !is_word) {
    return complaint{fmt::format("{} is not the name of a zone", shown(name)),
                     "write letters, digits, '-', '_' and '.'"};
  }
  to.zone = name;
  return std::nullopt;
}

refusal set_max_lag(settings& to, texts from, const surroundings&) {
  const auto value = parse_max_lag(from[0]);
  if (!value) return value.error();
  to.max_lag = *value;
  return std::nullopt;
}

template <auto Member>
refusal set_functions(settings& to, texts from, const surroundings&) {
  auto found = parse_functions(from);
  if (!found) return found.error();
  to.*Member = *std::move(found);
  return std::nullopt;
}

template <auto Member>
std::vector<std::string> get_functions(const settings& from) {
  return from.*Member;
}

refusal set_patterns(settings& to, texts from, const surroundings&) {
  auto found = parse_patterns(from);
  if (!found) return found.error();
  to.patterns = *std::move(found);
  return std::nullopt;
}

template <auto Member>
refusal set_session_defaults(settings& to, texts from, const surroundings&) {
  auto found = parse_session_defaults(from);
  if (!found) return found.error();
  to.*Member = *std::move(found);
  return std::nullopt;
}

template <auto Member>
std::vector<std::string> get_texts(const settings& from) {
  std::vector<std::string> out;
  std::ranges::transform(from.*Member, std::back_inserter(out),
                         [](const auto& each) { return to_text(each); });
  return out;
}

constexpr std::array routing_table{
    setting{
        .name = "consistency",
        .kind = "eventual|session|global",
        .doc = "What a read on a replica must have seen: nothing in particular, the session's own writes, or "
               "all writes through this proxy.",
        .set = set_choice<&settings::level_of_reads, consistency_words>,
        .get = get_choice<&settings::level_of_reads, consistency_words>},
    setting{.name = "consistency_wait",
            .kind = "DURATION",
            .doc = "How long a read waits for a replica to show what its session must see, before it goes to "
                   "the primary; 0: not at all.",
            .set = set_duration<&settings::consistency_wait, 0, minute>,
            .get = get_duration<&settings::consistency_wait>},
    setting{.name = "max_lag",
            .kind = "DURATION",
            .doc = "A replica that is further behind the primary than this gets no reads, whatever the "
                   "consistency, until it is less than half as far behind; 0: however far it is.",
            .set = set_max_lag,
            .get = get_duration<&settings::max_lag>},
    setting{.name = "transactions",
            .kind = "primary|split",
            .doc =
                "Where BEGIN without READ ONLY goes: to the primary, or to a replica until the block's first "
                "statement that is not a proven read moves it to the primary.",
            .set = set_choice<&settings::transactions, transaction_words>,
            .get = get_choice<&settings::transactions, transaction_words>},
    setting{
        .name = "routing_functions_read",
        .kind = "FUNCTION,...",
        .form = shape::list,
        .empty = emptiness::has_meaning,
        .doc =
            "Functions that only read, whatever their declaration says: schema.name, or schema.name(types) "
            "for one of that name.",
        .set = set_functions<&settings::functions_read>,
        .get = get_functions<&settings::functions_read>},
    setting{.name = "routing_functions_write",
            .kind = "FUNCTION,...",
            .form = shape::list,
            .empty = emptiness::has_meaning,
            .doc = "Functions whose calls go to the primary, whatever their declaration says.",
            .set = set_functions<&settings::functions_write>,
            .get = get_functions<&settings::functions_write>},
    setting{.name = "routing_patterns",
            .kind = "PATTERN;...",
            .form = shape::list,
            .empty = emptiness::has_meaning,
            .doc = "Where statements of a form go, each with its reason: \"primary SELECT * FROM queue * -- "
                   "pollers want the newest\".",
            .set = set_patterns,
            .get = get_texts<&settings::patterns>},
    setting{.name = "routing_users",
            .kind = "WISH,...",
            .form = shape::list,
            .empty = emptiness::has_meaning,
            .doc =
                "What holds for a user's sessions where they do not say otherwise: \"reports route=replica "
                "consistency=eventual\".",
            .set = set_session_defaults<&settings::of_users>,
            .get = get_texts<&settings::of_users>},
    setting{.name = "routing_databases",
            .kind = "WISH,...",
            .form = shape::list,
            .empty = emptiness::has_meaning,
            .doc = "The same for a database's sessions; what routing_users says counts before it.",
            .set = set_session_defaults<&settings::of_databases>,
            .get = get_texts<&settings::of_databases>},
    setting{.name = "load_balancing",
            .kind = "least_busy|round_robin",
            .doc =
                "Which replica a session reads from: of two drawn at random the one with less to do, or each "
                "in turn. pgsteer_weight in a server's URL weighs in both.",
            .set = set_choice<&settings::balancing, balancing_words>,
            .get = get_choice<&settings::balancing, balancing_words>},
    setting{.name = "reads_on_primary",
            .kind = "never|fallback|share",
            .doc = "Whether the primary serves reads that a replica could: never, while no replica is up, or "
                   "always its share.",
            .set = set_choice<&settings::primary_reads, primary_reads_words>,
            .get = get_choice<&settings::primary_reads, primary_reads_words>},
    setting{.name = "zone",
            .kind = "NAME",
            .empty = emptiness::has_meaning,
            .doc =
                "Where this proxy stands: replicas whose URL has the same pgsteer_zone are read from while "
                "one of them is up.",
            .set = set_zone,
            .get = get_text<&settings::zone>},
    setting{.name = "replica_warmup",
            .kind = "DURATION",
            .doc = "How long a replica that has come up gets less than its share of reads, growing; 0: none.",
            .set = set_duration<&settings::replica_warmup, 0, hour>,
            .get = get_duration<&settings::replica_warmup>},
};

}  // namespace

std::span<const setting> routing_settings() {
  return routing_table;
}

}  // namespace pgsteer::config
