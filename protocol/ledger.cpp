#include "protocol/ledger.hpp"

#include <array>

#include "protocol/frame.hpp"

namespace pgsteer::protocol {

namespace {

enum class step : std::uint8_t { go_on, done, wrong };

step on_row_message(char type) {
  if (std::string_view("DdcGHW").find(type) != std::string_view::npos) return step::go_on;
  if (std::string_view("CIs").find(type) != std::string_view::npos) return step::done;
  return step::wrong;
}

step on_query_message(char type) {
  if (type == 'Z') return step::done;
  return std::string_view("TDCIEGHdcWV").find(type) != std::string_view::npos ? step::go_on : step::wrong;
}

step on_description(char type, bool of_statement) {
  if (type == 'T' || type == 'n') return step::done;
  return of_statement && type == 't' ? step::go_on : step::wrong;
}

step advance(expected what, char type) {
  switch (what) {
    case expected::parse:
      return type == '1' ? step::done : step::wrong;
    case expected::bind:
      return type == '2' ? step::done : step::wrong;
    case expected::close:
      return type == '3' ? step::done : step::wrong;
    case expected::describe_statement:
      return on_description(type, true);
    case expected::describe_portal:
      return on_description(type, false);
    case expected::execute:
      return on_row_message(type);
    case expected::sync:
      return type == 'Z' ? step::done : step::wrong;
    case expected::query:
    case expected::function_call:
      return on_query_message(type);
    case expected::synthetic:
      return step::wrong;
  }
  return step::wrong;
}

// `wrong` stands for whatever somebody must look at.
constexpr step plain_meaning(expected what, char type) {
  switch (type) {
    case 'D':
      return what == expected::execute || what == expected::query ? step::go_on : step::wrong;
    case 'C':
    case 'I':
      if (what == expected::query) return step::go_on;
      return what == expected::execute ? step::done : step::wrong;
    case 'T':
      if (what == expected::query) return step::go_on;
      [[fallthrough]];
    case 'n':
      return what == expected::describe_portal || what == expected::describe_statement ? step::done
                                                                                       : step::wrong;
    case 't':
      return what == expected::describe_statement ? step::go_on : step::wrong;
    case '1':
      return what == expected::parse ? step::done : step::wrong;
    case '2':
      return what == expected::bind ? step::done : step::wrong;
    default:
      return step::wrong;
  }
}

constexpr std::size_t expected_kinds = static_cast<std::size_t>(expected::synthetic) + 1;
constexpr auto plain_steps = [] {
  std::array<std::array<step, 256>, expected_kinds> all{};
  for (std::size_t what = 0; what < all.size(); ++what) {
    for (std::size_t type = 0; type < all[what].size(); ++type)
      all[what][type] = plain_meaning(static_cast<expected>(what), static_cast<char>(type));
  }
  return all;
}();

bool is_answered_by_ready(expected what) {
  return what == expected::query || what == expected::function_call;
}

}  // namespace

reply ledger::on_reply(char type) {
  if (is_empty()) return {.what = verdict::mismatch};
  const ledger_entry e = entries_[head_];
  const verdict pass = e.whose == owner::client ? verdict::pass : verdict::drop;
  if (type == 'E') {
    copy_in_ = false;
    if (is_answered_by_ready(e.what) || e.what == expected::sync) return {pass, e.what, e.whose, false, 0};
    return skip_to_sync(e);
  }
  const step s = advance(e.what, type);
  if (s == step::wrong) return {.what = verdict::mismatch, .entry = e.what, .whose = e.whose};
  if (type == 'G' || type == 'W') begin_copy_in(e);
  if (type == 'C' || type == 'Z') copy_in_ = false;
  if (s == step::go_on) return {pass, e.what, e.whose, false, e.change};
  return finish(e);
}

std::size_t ledger::pass_plain(std::string_view bytes, bool minds_tags) {
  const auto* entry = entries_.data() + head_;
  const auto* const end = entries_.data() + end_;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  while (entry != end && entry->whose == owner::client) {
    const auto f = peek_frame({at, left});
    if (!f.is_header_known() || f.size == broken_frame || f.size > left) break;
    const auto s = plain_steps[static_cast<std::size_t>(entry->what)][static_cast<unsigned char>(f.type)];
    if (s == step::wrong) break;
    if (f.type == 'C') {
      if (minds_tags) break;
      copy_in_ = false;
    }
    at += f.size;
    left -= f.size;
    entry += s == step::done ? 1 : 0;
  }
  const auto passed = bytes.size() - left;
  const auto head = static_cast<std::size_t>(entry - entries_.data());
  if (head == head_) return passed;
  head_ = head;
  if (is_empty()) clear();
  return passed;
}

reply ledger::finish(const ledger_entry& e) {
  const reply r{e.whose == owner::client ? verdict::pass : verdict::drop, e.what, e.whose, true, e.change};
  ++head_;
  if (is_empty()) clear();
  return r;
}

// "ErrorResponse ... then reads and discards messages until a Sync" (protocol-flow, extended query).
reply ledger::skip_to_sync(const ledger_entry& e) {
  while (!is_empty() && entries_[head_].what != expected::sync) {
    const auto& skipped = entries_[head_];
    note_failed(skipped.change);
    if (skipped.what == expected::query && skipped.whose == owner::proxy) ++skipped_queries_;
    ++head_;
  }
  if (is_empty()) {
    clear();
    skipping_ = true;
  }
  // A simple Query in the middle of an extended batch is skipped as well: only Sync ends the skipping.
  return {verdict::pass, e.what, e.whose, false, e.change};
}

// The server ignores Sync and Flush while it reads COPY data (protocol-flow, COPY operations).
void ledger::begin_copy_in(const ledger_entry& e) {
  if (e.has_data) return;
  copy_in_ = true;
  if (e.what != expected::execute) return;
  auto next = head_ + 1;
  while (next < end_ && entries_[next].what == expected::sync)
    ++next;
  auto* const all = entries_.data();
  end_ = static_cast<std::size_t>(std::copy(all + next, all + end_, all + head_ + 1) - all);
}

void ledger::note_failed(std::uint32_t change) {
  if (change != 0 && (failed_change_ == 0 || change < failed_change_)) failed_change_ = change;
}

char ledger::take_synthetic() {
  if (is_empty() || entries_[head_].what != expected::synthetic) return 0;
  const char type = entries_[head_].synthetic_type;
  ++head_;
  if (is_empty()) clear();
  return type;
}

std::uint32_t ledger::first_change() const {
  std::uint32_t first = 0;
  for (auto at = head_; at < end_; ++at) {
    const std::uint32_t change = entries_[at].change;
    if (change != 0 && (first == 0 || change < first)) first = change;
  }
  return first;
}

std::uint32_t ledger::take_failed_change() {
  const auto c = failed_change_;
  failed_change_ = 0;
  return c;
}

std::uint32_t ledger::take_skipped_queries() {
  const auto n = skipped_queries_;
  skipped_queries_ = 0;
  return n;
}

void ledger::make_room() {
  entries_.resize(2 * entries_.size() + 8);
}

void ledger::clear() {
  constexpr std::size_t most_kept = 1024;
  if (entries_.size() > most_kept) entries_ = {};
  head_ = end_ = 0;
  copy_in_ = false;
  skipping_ = false;
}

}  // namespace pgsteer::protocol
