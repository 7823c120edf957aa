// libpqxx as applications use it: transactors, prepared statements, pipelines, streams, cursors,
// notifications.
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <pqxx/pqxx>
#include <pqxx/tablereader>
#include <pqxx/tablewriter>

namespace {

template <typename... Values>
void say(const Values&... values) {
  ((std::cout << values << ' '), ...) << std::endl;
}

template <typename Work>
void fails(Work work) {
  try {
    work();
    say("no error");
  } catch (const pqxx::sql_error& error) {
    const std::string text = error.what();
    say(error.sqlstate(), text.substr(0, text.find('\n')));
  }
}

void show(const pqxx::result& rows) {
  for (const auto& row : rows) {
    for (const auto& field : row)
      std::cout << (field.is_null() ? "null" : field.c_str()) << ' ';
    std::cout << std::endl;
  }
}

void connecting() {
  pqxx::connection c("application_name=cpp options='-c work_mem=6MB -c search_path=pg_catalog'");
  pqxx::nontransaction w(c);
  for (const auto* name : {"work_mem", "search_path", "application_name", "client_encoding", "TimeZone"}) {
    show(w.exec(std::string("SHOW ") + name));
  }
  say(c.server_version(), c.backendpid() > 0);
}

void prepared() {
  pqxx::connection first, second;
  first.prepare("same", "SELECT 'first ' || $1::text");
  second.prepare("same", "SELECT 2 * $1::int");
  for (int n = 0; n < 8; ++n) {
    pqxx::work a(first), b(second);
    show(a.exec_prepared("same", std::to_string(n)));
    show(b.exec_prepared("same", n));
    a.commit();
    b.commit();
  }
  pqxx::nontransaction w(first);
  int total = 0;
  for (int n = 0; n < 150; ++n) {
    first.prepare("many" + std::to_string(n), "SELECT " + std::to_string(n) + " + $1::int");
    total += w.exec_prepared1("many" + std::to_string(n), n)[0].as<int>();
  }
  say(total);
  show(w.exec_params("SELECT $1::int, $2::text, $3::float8", 1, "é 日本", 1.5));
}

void transactions() {
  pqxx::connection c;
  {
    pqxx::work w(c);
    w.exec("CREATE TABLE cpp_moved (n int PRIMARY KEY)");
    w.exec("INSERT INTO cpp_moved VALUES (1)");
    fails([&] {
      pqxx::subtransaction inner(w, "inner");
      inner.exec("INSERT INTO cpp_moved VALUES (2)");
      inner.exec("INSERT INTO cpp_moved VALUES (1)");
    });
    w.exec("INSERT INTO cpp_moved VALUES (3)");
    w.commit();
  }
  {
    pqxx::work w(c);
    w.exec("DELETE FROM cpp_moved");
  }
  pqxx::transaction<pqxx::serializable> w(c);
  show(w.exec("SELECT n, current_setting('transaction_isolation') FROM cpp_moved ORDER BY n FOR UPDATE"));
}

void errors() {
  pqxx::connection c;
  for (const auto* sql : {"SELEC", "SELECT 1/0", "SELECT * FROM nowhere", "SELECT 'x'::int"}) {
    fails([&] {
      pqxx::work w(c);
      w.exec(sql);
    });
  }
  pqxx::nontransaction w(c);
  show(w.exec("SELECT 1; SELECT 2"));
}

void pipelines() {
  pqxx::connection c;
  pqxx::work w(c);
  pqxx::pipeline pipe(w);
  std::vector<pqxx::pipeline::query_id> ids;
  for (int n = 0; n < 30; ++n)
    ids.push_back(pipe.insert("SELECT " + std::to_string(n)));
  int total = 0;
  for (auto id : ids)
    total += pipe.retrieve(id)[0][0].as<int>();
  say(total);
}

void streams_and_cursors() {
  pqxx::connection c;
  pqxx::work w(c);
  w.exec("CREATE TABLE cpp_copied (n int, label text)");
  {
    pqxx::stream_to out(w, "cpp_copied");
    for (int n = 0; n < 5000; ++n)
      out << std::make_tuple(n, std::string("é"));
    out.complete();
  }
  pqxx::stream_from in(w, "cpp_copied");
  std::tuple<int, std::string> row;
  long total = 0;
  while (in >> row)
    total += std::get<0>(row);
  in.complete();
  say(total);
  pqxx::stateless_cursor<pqxx::cursor_base::read_only, pqxx::cursor_base::owned> cursor(
      w, "SELECT n FROM cpp_copied ORDER BY n", "cpp_cursor", false);
  say(cursor.size(), cursor.retrieve(10, 15)[0][0].as<int>());
  w.commit();
}

struct listener : pqxx::notification_receiver {
  using notification_receiver::notification_receiver;
  void operator()(const std::string& payload, int) override {
    say(channel(), payload);
    ++heard;
  }
  int heard = 0;
};

void listening() {
  pqxx::connection c, other;
  listener news(c, "cpp_news");
  c.get_notifs();
  for (int n = 0; n < 3; ++n) {
    pqxx::nontransaction w(other);
    w.exec("NOTIFY cpp_news, 'message " + std::to_string(n) + "'");
  }
  for (int turn = 0; news.heard < 3 && turn < 5; ++turn)
    c.await_notification(2, 0);
}

void settings() {
  pqxx::connection first, second;
  first.set_variable("work_mem", "'7MB'");
  pqxx::nontransaction a(first), b(second);
  b.exec("SET TimeZone = 'Asia/Tokyo'");
  for (int n = 0; n < 4; ++n) {
    for (auto* w : {&a, &b})
      show(w->exec("SELECT current_setting('work_mem'), current_setting('TimeZone')"));
  }
}

void large_values() {
  pqxx::connection c;
  pqxx::work w(c);
  const std::string text(8 << 20, 'x');
  c.prepare("large", "SELECT length($1::text), md5($1::text)");
  for (int n = 0; n < 2; ++n)
    show(w.exec_prepared("large", text));
  say(w.exec1("SELECT repeat('x', 20 << 20)")[0].size());
}

void concurrent_connections() {
  pqxx::connection c;
  {
    pqxx::work w(c);
    w.exec("CREATE TABLE cpp_account AS SELECT g AS id, 100 AS balance FROM generate_series(0, 7) g");
    w.commit();
  }
  std::vector<std::thread> threads;
  for (int number = 0; number < 8; ++number) {
    threads.emplace_back([number] {
      pqxx::connection one;
      one.prepare("pay", "UPDATE cpp_account SET balance = balance - 1 WHERE id = $1");
      for (int n = 0; n < 25; ++n) {
        pqxx::work w(one);
        w.exec_prepared("pay", number);
        w.commit();
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  pqxx::work w(c);
  show(w.exec("SELECT balance FROM cpp_account FOR UPDATE"));
}

}  // namespace

int main() {
  const std::vector<std::pair<std::string, void (*)()>> checks = {
      {"connecting", connecting},     {"prepared", prepared},
      {"transactions", transactions}, {"errors", errors},
      {"pipelines", pipelines},       {"streams_and_cursors", streams_and_cursors},
      {"listening", listening},       {"settings", settings},
      {"large_values", large_values}, {"concurrent_connections", concurrent_connections}};
  for (const auto& [name, check] : checks) {
    std::cout << "== " << name << std::endl;
    try {
      check();
    } catch (const std::exception& error) {
      const std::string text = error.what();
      std::cout << "!! " << text.substr(0, text.find('\n')) << std::endl;
    }
  }
}
