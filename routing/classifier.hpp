// Text in, classification out, remembered. One per worker thread: not synchronised. The caller's
// thread needs a stack of at least parse_stack_bytes (libpg_query overruns small ones).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "routing/classification.hpp"

namespace pgsteer::routing {

inline constexpr std::size_t parse_stack_bytes = std::size_t{64} << 20;
inline constexpr std::size_t max_parsed_text = std::size_t{32} << 10;

class facts;
struct routing_rules;

// What of the session changes how a text is read, and what its names mean.
struct parse_context {
  bool standard_conforming_strings = true;
  bool ascii_safe_encoding = true;  // client_encoding has no ASCII bytes inside multibyte characters
  const facts* known = nullptr;     // null: what use_facts() said
  std::uint64_t facts_number = 0;   // another one for other facts, never used again; 0: without `known`
};

class classifier {
 public:
  explicit classifier(std::size_t cache_bytes = std::size_t{8} << 20);
  ~classifier();
  classifier(const classifier&) = delete;
  classifier& operator=(const classifier&) = delete;

  // Never fails: what cannot be parsed is a write with the reason. The reference is valid until the
  // next call; copy it to keep it. `sql` is the text of Query or Parse without its terminating zero.
  const classification_ref& classify(std::string_view sql, const parse_context& context);

  // What classify() returned last.
  [[nodiscard]] const classification_ref& last() const;

  // Judges by these facts from now on and forgets what was judged by others; null: the built-in ones.
  void use_facts(std::shared_ptr<const facts> known);

  // Overrides each class by the patterns of these rules, from now on; null: by comments alone. Forgets what
  // was judged before.
  void use_rules(std::shared_ptr<const routing_rules> rules);

  // Called for each text judged anew: its text (empty where it cannot be read as usual), what texts share
  // that differ in literals alone, and its class. Its answer becomes the class's mark.
  using marker =
      std::function<statement_mark(std::string_view sql, std::string_view alike, const classification& is)>;
  void mark_with(marker mark);

  struct statistics {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t parse_failures = 0;
    std::size_t bytes = 0;
  };
  [[nodiscard]] statistics stats() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

// Tells client encodings whose multibyte characters may hold ASCII bytes (SJIS, BIG5, GBK, UHC,
// GB18030, JOHAB, SHIFT_JIS_2004) from the safe ones. Any spelling that PostgreSQL accepts.
[[nodiscard]] bool is_ascii_safe_encoding(std::string_view client_encoding);

}  // namespace pgsteer::routing
