#include "proxy/client/extended_unit.hpp"

#include <string>

#include <gtest/gtest.h>

#include "protocol/frame.hpp"
#include "protocol/row_description.hpp"
#include "proxy/client/sql_statements.hpp"

using namespace pgsteer;
using namespace pgsteer::proxy;

namespace {

std::string message(char type, std::string_view body = {}) {
  const auto n = static_cast<std::uint32_t>(body.size() + 4);
  std::string out(1, type);
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(n >> shift & 0xFF));
  return out.append(body);
}
std::string z(std::string_view text) {
  return std::string(text) + '\0';
}
std::string parse(std::string_view name, std::string_view sql) {
  return message('P', z(name) + z(sql) + z("") + z(""));
}
std::string bind(std::string_view name) {
  return message('B', z("") + z(name) + std::string(6, '\0'));
}
std::string close(std::string_view name) {
  return message('C', "S" + z(name));
}
const std::string execute = message('E', std::string(5, '\0'));
const std::string sync = message('S');

struct bench {
  client_statements names;
  statement_registry registry{1 << 20};
  routing::classifier classifier;
  extended_unit unit;
  backend_wire wire;
  bool knows_results = true;
  std::uint32_t group = 1;

  protocol::settings_pool settings;
  sql_statements by_sql;

  void prepare(std::string_view name, const std::string& body) {
    const auto text = "PREPARE " + std::string(name) + " AS " + body;
    by_sql.set(name, std::make_shared<const sql_statement>(sql_statement{text, settings.none(), 1}));
  }
  routing::classification judge(const std::string& bytes) {
    return *unit.judge(bytes, {names, registry, classifier, {}, group, settings.none()->plan_key, &by_sql})
                .what;
  }
  // As if a server had said what the statements of these Parse messages give.
  void know_results(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
      const auto f = protocol::peek_frame(bytes.substr(at));
      std::string_view tail = bytes.substr(at + protocol::header_size, f.size - protocol::header_size);
      std::string_view name;
      at += f.size;
      if (f.type != 'P' || !protocol::take_string(tail, name)) continue;
      const auto know = [&](std::uint32_t group, std::uint32_t key) {
        const auto* s = registry.find(group, key, tail);
        if (s != nullptr) (*s)->result = 1;
      };
      know(1, settings.none()->plan_key);
      for (std::uint32_t id = 1; id < 20; ++id)
        know(0xFFFFFFFF, id);  // nobody else's
    }
  }
  std::string send(const std::string& bytes, bool failed = false, std::size_t most = 100) {
    judge(bytes);
    if (knows_results) know_results(bytes);
    protocol::gather out;
    unit.write(bytes, {names, wire, failed, most}, out);
    std::string sent;
    for (const auto& part : out.parts())
      sent.append(static_cast<const char*>(part.iov_base), part.iov_len);
    return sent;
  }
  // All that is due comes, as a server without errors would answer.
  void answer(std::string_view types) {
    while (wire.owed.take_synthetic() != 0) {
    }
    for (const char type : types) {
      ASSERT_NE(wire.owed.on_reply(type).what, protocol::verdict::mismatch) << type;
      while (wire.owed.take_synthetic() != 0) {
      }
    }
    wire.changes.clear();
  }
};

TEST(extended_unit, joins_the_classes_of_its_statements) {
  bench b;
  EXPECT_EQ(b.judge(parse("", "SELECT 1") + bind("") + execute + sync).kind, routing::statement_kind::read);
  EXPECT_EQ(b.judge(parse("", "SELECT 1") + bind("") + execute + parse("", "DELETE FROM t") + bind("") +
                    execute + sync)
                .kind,
            routing::statement_kind::write);
  EXPECT_EQ(b.judge(bind("unknown") + execute + sync).kind, routing::statement_kind::write);
  EXPECT_EQ(b.judge(sync).kind, routing::statement_kind::empty);
}

TEST(extended_unit, renames_a_statement_for_its_backend) {
  bench b;
  EXPECT_EQ(b.send(parse("mine", "SELECT 1") + sync), parse("pgsteer_1", "SELECT 1") + sync);
  b.answer("1Z");
  EXPECT_EQ(b.send(bind("mine") + execute + sync), bind("pgsteer_1") + execute + sync);
}

TEST(extended_unit, asks_once_what_a_statement_gives) {
  bench b;
  b.knows_results = false;
  const auto described = message('D', "S" + z("pgsteer_1"));
  EXPECT_EQ(b.send(parse("mine", "SELECT 1") + sync), parse("pgsteer_1", "SELECT 1") + described + sync);
  ASSERT_EQ(b.wire.changes.size(), 3U);
  b.wire.learn(3, 't', std::string_view("\0\0", 2));
  b.wire.learn(3, 'n', {});
  b.answer("1tnZ");
  EXPECT_NE((*b.names.find("mine"))->result, 0U);
  b.wire = {};
  EXPECT_EQ(b.send(bind("mine") + execute + sync),
            parse("pgsteer_1", "SELECT 1") + bind("pgsteer_1") + execute + sync);
}

TEST(extended_unit, proves_an_older_statement_where_it_is_not_prepared) {
  bench b;
  const auto body = [](char name) { return std::string("\0\1", 2) + z({&name, 1}) + std::string(18, 'x'); };
  b.send(parse("mine", "SELECT 1") + sync);
  b.answer("1Z");
  (*b.names.find("mine"))->result = protocol::result_digest(body('a'));
  const auto proof = [&] {
    b.judge(bind("mine") + execute + sync);
    protocol::gather out;
    return b.unit.meets_older() && b.unit.write_proof({b.names, b.wire, false, 100}, out);
  };
  b.wire = {};
  EXPECT_FALSE(proof());
  b.group = 2;  // the catalog has changed
  EXPECT_TRUE(proof());
  b.wire.learn(2, 'T', body('a'));
  b.answer("1TZ");
  b.wire.proving = nullptr;
  EXPECT_FALSE(proof());
  EXPECT_EQ(b.send(bind("mine") + execute + sync), bind("pgsteer_1") + execute + sync);

  b.wire = {};
  EXPECT_TRUE(proof());
  b.wire.learn(2, 'T', body('b'));
  b.answer("1TZ");
  b.wire.proving = nullptr;
  EXPECT_TRUE(b.wire.is_disproved(1));
  EXPECT_FALSE(proof());
  EXPECT_EQ(b.send(bind("mine") + execute + sync),
            close("pgsteer_1") + bind("pgsteer_1") + execute + sync + close("pgsteer_1") + sync)
      << "the second time for a server that skips the first";
}

TEST(extended_unit, proves_nothing_behind_what_may_change_its_meaning) {
  bench b;
  const auto proof = [&](const std::string& bytes) {
    b.judge(bytes);
    protocol::gather out;
    return b.unit.write_proof({b.names, b.wire, false, 100}, out);
  };
  b.send(parse("mine", "SELECT 1") + parse("reads", "SELECT 2") + parse("writes", "DROP TABLE t") +
         parse("fetches", "FETCH FROM c") + sync);
  b.answer("1111Z");
  b.wire = {};
  b.group = 2;
  (*b.names.find("reads"))->result = (*b.names.find("writes"))->result = 0;
  EXPECT_FALSE(proof(bind("writes") + execute + bind("mine") + execute + sync));
  EXPECT_FALSE(proof(message('Q', z("COMMIT"))));
  EXPECT_FALSE(proof(bind("fetches") + execute + sync));
  EXPECT_TRUE(proof(bind("reads") + execute + bind("mine") + execute + sync));
}

// As drivers pipeline: Bind, Describe and Execute again and again, of one statement and of several.
TEST(extended_unit, renames_each_bind_of_a_pipeline) {
  const auto describe = message('D', "P" + z(""));
  const auto rounds = [&](std::string_view one, std::string_view other) {
    return bind(one) + describe + execute + bind(one) + execute + bind(other) + describe + execute +
           bind(one) + bind(other) + describe + describe + execute + execute + sync;
  };
  bench b;
  b.send(parse("one", "SELECT 1") + parse("other", "SELECT 2") + sync);
  b.answer("11Z");
  EXPECT_EQ(b.send(rounds("one", "other")), rounds("pgsteer_1", "pgsteer_2"));
  EXPECT_EQ(b.wire.owed.size(), 15U);
  b.answer("2TDC2C2TDC22TTDCDCZ");
  EXPECT_TRUE(b.wire.owed.is_empty());
}

TEST(extended_unit, follows_a_name_given_anew_between_two_binds) {
  bench b;
  b.send(parse("mine", "SELECT 1") + sync);
  b.answer("1Z");
  EXPECT_EQ(
      b.send(bind("mine") + execute + close("mine") + parse("mine", "SELECT 2") + bind("mine") + execute +
             sync),
      bind("pgsteer_1") + execute + parse("pgsteer_2", "SELECT 2") + bind("pgsteer_2") + execute + sync);
}

TEST(extended_unit, prepares_what_another_backend_lacks) {
  bench b;
  b.send(parse("mine", "SELECT 1") + sync);
  b.answer("1Z");
  b.wire = {};
  EXPECT_EQ(b.send(bind("mine") + execute + sync),
            parse("pgsteer_1", "SELECT 1") + bind("pgsteer_1") + execute + sync);
  b.answer("12CZ");
}

TEST(extended_unit, shares_a_statement_between_names) {
  bench b;
  b.send(parse("one", "SELECT 1") + sync);
  b.answer("1Z");
  EXPECT_EQ(b.send(parse("two", "SELECT 1") + bind("two") + execute + sync),
            bind("pgsteer_1") + execute + sync);
  EXPECT_EQ(b.wire.owed.take_synthetic(), '1');
}

TEST(extended_unit, parses_the_unnamed_statement_anew_where_it_is_missing) {
  bench b;
  b.send(parse("", "SELECT 1") + sync);
  b.answer("1Z");
  EXPECT_EQ(b.send(bind("") + execute + sync), bind("") + execute + sync);
  b.answer("2CZ");
  b.wire = {};
  EXPECT_EQ(b.send(bind("") + execute + sync), parse("", "SELECT 1") + bind("") + execute + sync);
}

TEST(extended_unit, takes_names_back_that_an_error_did_not_let_be) {
  bench b;
  b.send(parse("mine", "SELECT nonsense") + bind("mine") + execute + sync);
  EXPECT_NE(b.names.find("mine"), nullptr);
  EXPECT_EQ(b.wire.owed.on_reply('E').what, protocol::verdict::pass);
  b.wire.revert(b.wire.owed.take_failed_change(), 0, b.names);
  EXPECT_EQ(b.names.find("mine"), nullptr);
  EXPECT_EQ(b.wire.prepared.size(), 0U);
}

TEST(extended_unit, keeps_a_closed_statement_for_others) {
  bench b;
  b.send(parse("mine", "SELECT 1") + sync);
  b.answer("1Z");
  EXPECT_EQ(b.send(close("mine") + sync), sync);
  EXPECT_EQ(b.names.find("mine"), nullptr);
  EXPECT_EQ(b.wire.prepared.size(), 1U);
}

TEST(extended_unit, lets_the_server_refuse_a_name_in_use) {
  bench b;
  b.send(parse("mine", "SELECT 1") + sync);
  b.answer("1Z");
  EXPECT_EQ(b.send(parse("mine", "SELECT 2") + sync), message('P', z("mine") + std::string(3, '\0')) +
                                                          parse("mine", "SELECT 2") + sync + close("mine") +
                                                          sync);
}

TEST(extended_unit, closes_nothing_before_the_sync_that_ends_an_error) {
  bench b;
  b.send(parse("mine", "SELECT 1") + sync);
  b.answer("1Z");
  const auto flush = message('H');
  EXPECT_EQ(b.send(parse("mine", "SELECT 2") + flush),
            message('P', z("mine") + std::string(3, '\0')) + parse("mine", "SELECT 2") + flush);
  EXPECT_EQ(b.send(sync), sync + close("mine") + sync);
}

TEST(extended_unit, closes_the_statement_used_longest_ago) {
  bench b;
  for (const auto* name : {"a", "b"}) {
    b.send(parse(name, std::string("SELECT '") + name + "'") + sync);
    b.answer("1Z");
  }
  EXPECT_EQ(b.send(parse("c", "SELECT 'c'") + sync, false, 2),
            close("pgsteer_1") + parse("pgsteer_3", "SELECT 'c'") + sync);
  EXPECT_EQ(b.wire.prepared.size(), 2U);
}

TEST(extended_unit, a_failed_block_takes_nothing_but_its_end) {
  bench b;
  EXPECT_EQ(b.send(parse("x", "SELECT 1") + sync, true), parse("pgsteer_1", "SELECT 1") + sync);
  EXPECT_EQ(b.wire.owed.on_reply('E').what, protocol::verdict::pass);
  b.wire.revert(b.wire.owed.take_failed_change(), 0, b.names);
  EXPECT_EQ(b.names.find("x"), nullptr);
  b.wire.owed.clear();
  EXPECT_EQ(b.send(parse("end", "ROLLBACK") + sync, true), parse("pgsteer_2", "ROLLBACK") + sync);
  EXPECT_NE(b.names.find("end"), nullptr);
}

TEST(extended_unit, deallocate_ends_a_name_where_it_is_executed) {
  bench b;
  b.send(parse("mine", "SELECT 1") + sync);
  b.answer("1Z");
  const auto end = parse("", "DEALLOCATE mine");
  EXPECT_EQ(b.send(end + bind("") + sync), end + bind("") + sync);
  b.answer("12Z");
  EXPECT_NE(b.names.find("mine"), nullptr);
  const auto lent = close("mine") + parse("mine", "");
  EXPECT_EQ(b.send(end + bind("") + execute + sync),
            end + lent + bind("") + execute + sync + close("mine") + sync);
  EXPECT_EQ(b.names.find("mine"), nullptr);
  EXPECT_EQ(b.wire.prepared.size(), 1U);
}

TEST(extended_unit, deallocate_that_the_server_skips_ends_nothing) {
  bench b;
  b.send(parse("mine", "SELECT 1") + sync);
  b.answer("1Z");
  b.send(parse("", "SELECT 1/0") + bind("") + execute + parse("", "DEALLOCATE mine") + bind("") + execute +
         sync);
  EXPECT_EQ(b.names.find("mine"), nullptr);
  for (const char type : {'1', '2', 'E'})
    EXPECT_EQ(b.wire.owed.on_reply(type).what, protocol::verdict::pass);
  b.wire.revert(b.wire.owed.take_failed_change(), 0, b.names);
  EXPECT_NE(b.names.find("mine"), nullptr);
}

TEST(extended_unit, deallocate_bound_before_a_flush_ends_a_name_behind_it) {
  bench b;
  b.send(parse("mine", "SELECT 1") + parse("end", "DEALLOCATE mine") + sync);
  b.answer("11Z");
  b.send(bind("end") + message('H'));
  EXPECT_NE(b.names.find("mine"), nullptr);
  b.send(execute);
  EXPECT_EQ(b.names.find("mine"), nullptr);
  b.send(bind("end") + message('H'));
  b.send(bind("") + message('H'));
  EXPECT_EQ(b.names.ending, nullptr);
}

TEST(extended_unit, survives_messages_that_are_cut_or_empty) {
  for (const char type : {'P', 'B', 'D', 'E', 'C', 'F', 'Q'}) {
    for (const std::string_view body :
         {std::string_view{}, std::string_view("x"), std::string_view("S"), std::string_view("\0", 1)}) {
      bench b;
      EXPECT_EQ(b.send(message(type, body) + sync), message(type, body) + sync) << type;
    }
  }
}

TEST(extended_unit, a_message_may_name_a_statement_made_by_prepare) {
  bench b;
  b.prepare("reads", "SELECT 1");
  b.prepare("writes", "DELETE FROM t");
  EXPECT_EQ(b.judge(bind("reads") + execute + sync).kind, routing::statement_kind::read);
  EXPECT_EQ(b.judge(bind("writes") + execute + sync).kind, routing::statement_kind::write);
  EXPECT_FALSE(b.judge(bind("writes") + execute + sync).effects.may_set);
  EXPECT_EQ(b.send(bind("reads") + execute + sync), bind("reads") + execute + sync);
  std::string named;
  const auto bytes = bind("reads") + execute + bind("") + execute + sync;
  b.judge(bytes);
  b.unit.each_name_of_server(bytes, [&](auto name) { named += name; });
  EXPECT_EQ(named, "reads");
}

TEST(extended_unit, the_server_is_told_a_name_that_is_given_twice) {
  bench b;
  b.send(parse("mine", "SELECT 1") + sync);
  b.answer("1Z");
  std::string named;
  const auto bytes = parse("mine", "SELECT 2") + sync;
  b.judge(bytes);
  b.unit.each_name_of_server(bytes, [&](auto name) { named += name; });
  EXPECT_EQ(named, "mine");
}

TEST(extended_unit, a_name_given_by_parse_is_not_made_by_prepare) {
  bench b;
  b.prepare("taken", "SELECT 1");
  b.send(close("taken") + parse("taken", "SELECT 2") + message('H'));
  EXPECT_NE(b.names.find("taken"), nullptr);
  EXPECT_NE(b.send(parse("taken", "SELECT 3") + sync), parse("taken", "SELECT 3") + sync);
}

TEST(extended_unit, execute_is_judged_as_what_it_executes) {
  bench b;
  b.prepare("reads", "SELECT 1");
  const auto bytes = parse("", "EXECUTE reads") + bind("") + execute + sync;
  const auto is = b.judge(bytes);
  EXPECT_EQ(is.kind, routing::statement_kind::read);
  EXPECT_EQ(is.use, routing::statement_use::executes);
  EXPECT_EQ(is.used, "reads");
  EXPECT_TRUE(b.judge(parse("", "EXECUTE other") + bind("") + execute + sync).effects.may_set);
}

TEST(extended_unit, the_server_refuses_parse_of_a_name_that_prepare_has_taken) {
  bench b;
  b.prepare("taken", "SELECT 1");
  EXPECT_EQ(b.send(parse("taken", "SELECT 2") + sync), parse("taken", "SELECT 2") + sync);
  EXPECT_EQ(b.names.find("taken"), nullptr);
}

TEST(extended_unit, close_frees_the_name_of_a_statement_made_by_prepare) {
  bench b;
  b.prepare("taken", "SELECT 1");
  EXPECT_TRUE(b.judge(close("taken") + sync).effects.may_pin);
  EXPECT_EQ(b.send(close("taken") + parse("taken", "SELECT 2") + bind("taken") + execute + sync),
            close("taken") + parse("pgsteer_1", "SELECT 2") + bind("pgsteer_1") + execute + sync);
}

TEST(extended_unit, statements_that_execute_others_are_not_shared) {
  bench b;
  b.send(parse("one", "EXECUTE p") + sync);
  b.answer("1Z");
  EXPECT_EQ(b.send(parse("two", "EXECUTE p") + sync), parse("pgsteer_2", "EXECUTE p") + sync);
}

}  // namespace
