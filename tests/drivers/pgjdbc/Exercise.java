// pgjdbc as applications use it: server-side prepared statements, fetch sizes, batches, COPY, savepoints.

import java.io.StringReader;
import java.io.StringWriter;
import java.sql.*;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.copy.CopyManager;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;
import org.postgresql.util.PSQLException;

public class Exercise {
  interface Check { void run() throws Exception; }

  interface Work<T> { T run() throws Exception; }

  static final Map<String, Check> CHECKS = new LinkedHashMap<>();

  static void say(Object... what) {
    StringBuilder line = new StringBuilder();
    for (Object one : what) line.append(line.length() > 0 ? " " : "").append(one);
    System.out.println(line);
  }

  static Connection connect(String... options) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", System.getenv("PGUSER"));
    properties.setProperty("password", System.getenv("PGPASSWORD"));
    for (int n = 0; n < options.length; n += 2) properties.setProperty(options[n], options[n + 1]);
    return DriverManager.getConnection("jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/"
        + System.getenv("PGDATABASE"), properties);
  }

  static String failure(SQLException e) { return e.getSQLState() + " " + e.getMessage().split("\n")[0]; }

  static void fails(Work<?> work) throws Exception {
    try {
      say("no error", work.run());
    } catch (SQLException e) {
      say(failure(e));
    }
  }

  static Object value(Connection c, String sql, Object... parameters) throws SQLException {
    try (PreparedStatement s = c.prepareStatement(sql)) {
      for (int n = 0; n < parameters.length; n++) s.setObject(n + 1, parameters[n]);
      try (ResultSet r = s.executeQuery()) {
        return r.next() ? r.getObject(1) : "no row";
      }
    }
  }

  static void exec(Connection c, String sql) throws SQLException {
    try (Statement s = c.createStatement()) {
      s.execute(sql);
    }
  }

  static void connecting() throws Exception {
    try (Connection c = connect()) {
      DatabaseMetaData m = c.getMetaData();
      say(m.getDatabaseMajorVersion(), m.getUserName(), c.getCatalog(), c.getSchema(), c.isValid(5), c.isReadOnly());
      say(c.unwrap(PGConnection.class).getParameterStatuses().keySet().stream().sorted().toList());
      say(((PGConnection) c).getBackendPID() > 0, value(c, "SHOW extra_float_digits"), value(c, "SHOW DateStyle"));
    }
  }

  static void connectingWithOptions() throws Exception {
    try (Connection c = connect("ApplicationName", "java app", "currentSchema", "pg_catalog", "options",
        "-c work_mem=6MB -c my.own=x", "assumeMinServerVersion", "9.6", "readOnly", "true")) {
      for (String name : List.of("application_name", "search_path", "work_mem", "my.own", "TimeZone")) {
        say(name, value(c, "SELECT current_setting(?)", name));
      }
      say(c.isReadOnly(), c.getSchema());
      c.setClientInfo("ApplicationName", "renamed");
      c.setSchema("public");
      say(value(c, "SHOW application_name"), value(c, "SHOW search_path"));
    }
  }

  static void connectingWrongly() throws Exception {
    fails(() -> connect("password", "wrong"));
    fails(() -> connect("options", "-c no_such=1"));
  }

  static void types() throws Exception {
    try (Connection c = connect("prepareThreshold", "2", "binaryTransfer", "true")) {
      Object[] values = {1, 1L << 40, new java.math.BigDecimal("12345.678900"), "é 日本", true, 1.5, Date.valueOf("2024-02-29"),
          Timestamp.valueOf("2024-02-29 12:30:15.123456"), java.time.LocalTime.of(1, 2), java.util.UUID.fromString(
          "00000000-0000-0000-0000-000000000005"), new byte[] {0, 1, -1}, c.createArrayOf("int4", new Object[] {1, null, 3})};
      String[] names = {"int4", "int8", "numeric", "text", "bool", "float8", "date", "timestamp", "time", "uuid", "bytea", "int4[]"};
      for (int n = 0; n < values.length; n++) {
        try (PreparedStatement s = c.prepareStatement("SELECT ?::" + names[n] + ", NULL::" + names[n])) {
          for (int turn = 0; turn < 5; turn++) {
            s.setObject(1, values[n]);
            ResultSet r = s.executeQuery();
            r.next();
            Object got = r.getObject(1);
            say(names[n], got instanceof byte[] bytes ? java.util.Arrays.toString(bytes) : got, r.getObject(2), r.getMetaData().getColumnTypeName(1));
          }
        }
      }
    }
  }

  static void statementsPrepared() throws Exception {
    try (Connection c = connect("prepareThreshold", "1", "preparedStatementCacheQueries", "50"); Connection d = connect("prepareThreshold", "1")) {
      int total = 0;
      for (int turn = 0; turn < 3; turn++) {
        for (int n = 0; n < 120; n++) total += (int) value(c, "SELECT " + n + " + ?::int", n);
      }
      say(total);
      try (PreparedStatement one = c.prepareStatement("SELECT 'first ' || ?::text"); PreparedStatement two = d.prepareStatement("SELECT ?::int * 2")) {
        for (int n = 0; n < 8; n++) {
          one.setString(1, "" + n);
          two.setInt(1, n);
          ResultSet a = one.executeQuery(), b = two.executeQuery();
          a.next();
          b.next();
          say(a.getString(1), b.getInt(1));
        }
      }
    }
  }

  static void statementsAcrossTransactions() throws Exception {
    try (Connection c = connect("prepareThreshold", "1")) {
      exec(c, "CREATE TABLE j_prepared (id int PRIMARY KEY, label text)");
      c.setAutoCommit(false);
      try (PreparedStatement s = c.prepareStatement("INSERT INTO j_prepared VALUES (?, ?)")) {
        for (int n = 0; n < 12; n++) {
          s.setInt(1, n);
          s.setString(2, "é");
          s.executeUpdate();
          if (n % 3 == 0) c.rollback(); else c.commit();
        }
      }
      say(value(c, "SELECT array_agg(id ORDER BY id)::text FROM j_prepared"));
      c.commit();
    }
  }

  static void statementsAfterDdl() throws Exception {
    try (Connection c = connect("prepareThreshold", "1")) {
      exec(c, "CREATE TABLE j_changing AS SELECT 1 AS id");
      try (PreparedStatement s = c.prepareStatement("SELECT * FROM j_changing")) {
        for (int n = 0; n < 3; n++) s.executeQuery().close();
        exec(c, "ALTER TABLE j_changing ADD COLUMN more int DEFAULT 7");
        say(s.executeQuery().getMetaData().getColumnCount());
        exec(c, "ALTER TABLE j_changing ALTER COLUMN more TYPE text");
        ResultSet r = s.executeQuery();
        r.next();
        say(r.getObject(2).getClass());
      }
    }
  }

  static void transactions() throws Exception {
    try (Connection c = connect("autosave", "conservative")) {
      exec(c, "CREATE TABLE j_moved (n int PRIMARY KEY)");
      c.setAutoCommit(false);
      c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
      exec(c, "INSERT INTO j_moved VALUES (1)");
      say(value(c, "SHOW transaction_isolation"));
      c.rollback();
      exec(c, "INSERT INTO j_moved VALUES (2)");
      Savepoint one = c.setSavepoint("one");
      fails(() -> value(c, "INSERT INTO j_moved VALUES (2) RETURNING n"));
      c.rollback(one);
      exec(c, "INSERT INTO j_moved VALUES (3)");
      c.releaseSavepoint(one);
      c.commit();
      c.setReadOnly(true);
      say(value(c, "SELECT count(*) FROM j_moved"));
      fails(() -> value(c, "DELETE FROM j_moved RETURNING n"));
      c.rollback();
      c.setReadOnly(false);
      c.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      fails(() -> value(c, "SELECT 1/0"));
      c.rollback();
      say(value(c, "SELECT array_agg(n ORDER BY n)::text FROM j_moved"));
      c.commit();
    }
  }

  static void errors() throws Exception {
    try (Connection c = connect()) {
      for (String sql : List.of("SELEC", "SELECT 1/0", "SELECT * FROM nowhere", "SELECT 'x'::int")) fails(() -> value(c, sql));
      c.setAutoCommit(false);
      fails(() -> value(c, "SELECT 1/0"));
      fails(() -> value(c, "SELECT 1"));
      fails(() -> { c.commit(); return "committed"; });
      say(value(c, "SELECT 1"));
      c.rollback();
      c.setAutoCommit(true);
      exec(c, "CREATE TABLE j_unique (n int PRIMARY KEY); INSERT INTO j_unique VALUES (1)");
      try {
        exec(c, "INSERT INTO j_unique VALUES (1)");
      } catch (PSQLException e) {
        var told = e.getServerErrorMessage();
        say(told.getSeverity(), told.getDetail(), told.getTable(), told.getConstraint(), told.getRoutine());
      }
    }
  }

  static void warnings() throws Exception {
    try (Connection c = connect(); Statement s = c.createStatement()) {
      s.execute("DO $$ BEGIN RAISE NOTICE 'told %', 1; RAISE WARNING 'warned'; END $$");
      for (SQLWarning w = s.getWarnings(); w != null; w = w.getNextWarning()) say(w.getSQLState(), w.getMessage());
    }
  }

  static void batches() throws Exception {
    for (String rewrite : List.of("false", "true")) {
      try (Connection c = connect("reWriteBatchedInserts", rewrite, "prepareThreshold", "1")) {
        exec(c, "DROP TABLE IF EXISTS j_batch; CREATE TABLE j_batch (id serial, n int PRIMARY KEY, label text)");
        try (PreparedStatement s = c.prepareStatement("INSERT INTO j_batch (n, label) VALUES (?, ?)", Statement.RETURN_GENERATED_KEYS)) {
          for (int n = 0; n < 700; n++) {
            s.setInt(1, n);
            s.setString(2, "é");
            s.addBatch();
          }
          int[] counts = s.executeBatch();
          say(counts.length);
          int keys = 0;
          for (ResultSet r = s.getGeneratedKeys(); r.next();) keys++;
          say(keys);
          for (int n : new int[] {1000, 1, 1001}) {
            s.setInt(1, n);
            s.setString(2, "x");
            s.addBatch();
          }
          fails(s::executeBatch);
        }
        say(value(c, "SELECT count(*) || ' ' || max(n) FROM j_batch"));
        try (Statement s = c.createStatement()) {
          for (int n = 0; n < 50; n++) s.addBatch("UPDATE j_batch SET label = 'y' WHERE n = " + n);
          say(s.executeBatch().length);
          boolean rows = s.execute("SELECT 1; UPDATE j_batch SET label = 'z'; SELECT 'two'");
          say(rows, s.getMoreResults(), s.getUpdateCount(), s.getMoreResults());
        }
      }
    }
  }

  static void fetchSizes() throws Exception {
    try (Connection c = connect()) {
      c.setAutoCommit(false);
      try (PreparedStatement s = c.prepareStatement("SELECT g, repeat('x', 100) FROM generate_series(1, ?) g")) {
        for (int turn = 0; turn < 7; turn++) {
          s.setFetchSize(70);
          s.setInt(1, 1000);
          long total = 0;
          ResultSet r = s.executeQuery();
          while (r.next()) total += r.getInt(1);
          say(total);
        }
        ResultSet early = s.executeQuery();
        early.next();
        try (Statement other = c.createStatement()) {
          ResultSet between = other.executeQuery("SELECT 5");
          between.next();
          say(between.getInt(1));
        }
        int rest = 0;
        while (early.next()) rest++;
        say(rest);
        early = s.executeQuery();
        early.next();
        early.close();
      }
      c.commit();
      try (Statement s = c.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY)) {
        s.setMaxRows(10);
        ResultSet r = s.executeQuery("SELECT generate_series(1, 100)");
        r.last();
        say(r.getRow(), r.getInt(1));
      }
      c.commit();
    }
  }

  static void copying() throws Exception {
    try (Connection c = connect()) {
      exec(c, "CREATE TABLE j_copied (n int, label text)");
      CopyManager copy = c.unwrap(PGConnection.class).getCopyAPI();
      StringBuilder rows = new StringBuilder();
      for (int n = 0; n < 5000; n++) rows.append(n).append("\té\n");
      say(copy.copyIn("COPY j_copied FROM STDIN", new StringReader(rows.toString())));
      StringWriter out = new StringWriter();
      say(copy.copyOut("COPY j_copied TO STDOUT", out), out.toString().length());
      fails(() -> copy.copyIn("COPY j_copied FROM STDIN", new StringReader("1\tgood\nbad\n")));
      var in = copy.copyIn("COPY j_copied FROM STDIN");
      in.writeToCopy("1\tx\n".getBytes(), 0, 4);
      in.cancelCopy();
      say(value(c, "SELECT count(*) FROM j_copied"));
    }
  }

  static void listening() throws Exception {
    try (Connection c = connect(); Connection d = connect()) {
      exec(c, "LISTEN j_news");
      for (int n = 0; n < 3; n++) exec(d, "NOTIFY j_news, 'message " + n + "'");
      int heard = 0;
      while (heard < 3) {
        PGNotification[] notes = c.unwrap(PGConnection.class).getNotifications(5000);
        if (notes == null || notes.length == 0) break;
        for (PGNotification note : notes) say(note.getName(), note.getParameter());
        heard += notes.length;
      }
      exec(c, "UNLISTEN *");
      say(heard);
    }
  }

  static void settings() throws Exception {
    try (Connection c = connect(); Connection d = connect()) {
      exec(c, "SET work_mem = '7MB'");
      value(c, "SELECT set_config('my.java', 'x', false)");
      exec(d, "SET TIME ZONE 'America/New_York'");
      for (int n = 0; n < 4; n++) {
        for (Connection one : List.of(c, d)) {
          say(value(one, "SHOW work_mem"), value(one, "SHOW TimeZone"), value(one, "SELECT current_setting('my.java', true)"));
        }
      }
      exec(c, "DISCARD ALL");
      say(value(c, "SHOW work_mem"));
    }
  }

  static void temporaryTables() throws Exception {
    try (Connection c = connect()) {
      exec(c, "CREATE TEMP TABLE j_scratch (n int)");
      for (int n = 0; n < 20; n++) value(c, "INSERT INTO j_scratch VALUES (?) RETURNING n", n);
      say(value(c, "SELECT sum(n) FROM j_scratch"));
      exec(c, "DROP TABLE j_scratch");
      fails(() -> value(c, "SELECT * FROM j_scratch"));
    }
  }

  static void timeLimits() throws Exception {
    try (Connection c = connect(); Statement s = c.createStatement()) {
      s.setQueryTimeout(1);
      fails(() -> s.executeQuery("SELECT pg_sleep(10)"));
      say(value(c, "SELECT 1"));
      s.setQueryTimeout(0);
      Thread canceller = new Thread(() -> {
        try {
          Thread.sleep(400);
          s.cancel();
        } catch (Exception e) {
          say("!!", e);
        }
      });
      canceller.start();
      fails(() -> s.executeQuery("SELECT pg_sleep(10)"));
      canceller.join();
      say(value(c, "SELECT 2"));
    }
  }

  static void largeObjects() throws Exception {
    try (Connection c = connect()) {
      c.setAutoCommit(false);
      LargeObjectManager manager = c.unwrap(PGConnection.class).getLargeObjectAPI();
      long oid = manager.createLO(LargeObjectManager.READWRITE);
      LargeObject object = manager.open(oid, LargeObjectManager.WRITE);
      object.write(new byte[300000]);
      object.close();
      c.commit();
      object = manager.open(oid, LargeObjectManager.READ);
      say(object.size(), object.read(400000).length);
      object.close();
      manager.delete(oid);
      c.commit();
      try {
        manager.open(oid);
      } catch (SQLException e) {
        say(e.getSQLState());
      }
    }
  }

  static void largeValues() throws Exception {
    try (Connection c = connect("prepareThreshold", "1")) {
      String text = "é".repeat(4 << 20);
      for (int n = 0; n < 2; n++) say(value(c, "SELECT length(?)", text), value(c, "SELECT md5(?)", text));
      say(((String) value(c, "SELECT repeat('x', 20 << 20)")).length());
    }
  }

  static void metadata() throws Exception {
    try (Connection c = connect()) {
      exec(c, "CREATE TABLE j_described (id serial PRIMARY KEY, label varchar(20) NOT NULL)");
      ResultSet r = c.getMetaData().getColumns(null, "public", "j_described", null);
      while (r.next()) say(r.getString("COLUMN_NAME"), r.getString("TYPE_NAME"), r.getInt("COLUMN_SIZE"), r.getString("IS_NULLABLE"));
      r = c.getMetaData().getPrimaryKeys(null, "public", "j_described");
      while (r.next()) say(r.getString("COLUMN_NAME"));
      try (PreparedStatement s = c.prepareStatement("INSERT INTO j_described (label) VALUES (?)", new String[] {"id"})) {
        s.setString(1, "x");
        s.executeUpdate();
        ResultSet keys = s.getGeneratedKeys();
        keys.next();
        say(keys.getInt(1), s.getParameterMetaData().getParameterTypeName(1));
      }
    }
  }

  static void concurrentConnections() throws Exception {
    try (Connection c = connect()) {
      exec(c, "CREATE TABLE j_account AS SELECT g AS id, 100 AS balance FROM generate_series(0, 7) g");
      List<Callable<Object>> work = new ArrayList<>();
      for (int number = 0; number < 8; number++) {
        int id = number;
        work.add(() -> {
          try (Connection one = connect("prepareThreshold", "1")) {
            one.setAutoCommit(false);
            for (int n = 0; n < 25; n++) {
              try (PreparedStatement s = one.prepareStatement("UPDATE j_account SET balance = balance - 1 WHERE id = ?")) {
                s.setInt(1, id);
                s.executeUpdate();
              }
              one.commit();
            }
          }
          return null;
        });
      }
      var threads = Executors.newFixedThreadPool(8);
      for (Future<Object> one : threads.invokeAll(work)) one.get();
      threads.shutdown();
      say(value(c, "SELECT array_agg(balance)::text FROM j_account"));
    }
  }

  static void twoPhaseCommit() throws Exception {
    try (Connection c = connect()) {
      exec(c, "CREATE TABLE j_twice (n int)");
      exec(c, "BEGIN; INSERT INTO j_twice VALUES (1); PREPARE TRANSACTION 'java'");
      say(value(c, "SELECT gid FROM pg_prepared_xacts WHERE gid = 'java'"));
      exec(c, "COMMIT PREPARED 'java'");
      say(value(c, "SELECT count(*) FROM j_twice"));
    }
  }

  static void endingOneAnother() throws Exception {
    try (Connection c = connect(); Connection d = connect()) {
      c.setAutoCommit(false);
      value(d, "SELECT pg_terminate_backend(?)", value(c, "SELECT pg_backend_pid()"));
      try {
        value(c, "SELECT 1");
        say("no error");
      } catch (SQLException e) {
        say(e.getSQLState(), c.isClosed());
      }
    }
  }

  static void runOne(String name, Check check) throws Exception {
    say("==", name);
    Thread thread = new Thread(() -> {
      try {
        check.run();
      } catch (Throwable e) {
        say("!!", e.toString().split("\n")[0]);
      }
    });
    thread.setDaemon(true);
    thread.start();
    thread.join(TimeUnit.SECONDS.toMillis(20));
    if (thread.isAlive()) say("!! not done within 20 s");
  }

  public static void main(String[] chosen) throws Exception {
    CHECKS.put("connecting", Exercise::connecting);
    CHECKS.put("connecting_with_options", Exercise::connectingWithOptions);
    CHECKS.put("connecting_wrongly", Exercise::connectingWrongly);
    CHECKS.put("types", Exercise::types);
    CHECKS.put("statements_prepared", Exercise::statementsPrepared);
    CHECKS.put("statements_across_transactions", Exercise::statementsAcrossTransactions);
    CHECKS.put("statements_after_ddl", Exercise::statementsAfterDdl);
    CHECKS.put("transactions", Exercise::transactions);
    CHECKS.put("errors", Exercise::errors);
    CHECKS.put("warnings", Exercise::warnings);
    CHECKS.put("batches", Exercise::batches);
    CHECKS.put("fetch_sizes", Exercise::fetchSizes);
    CHECKS.put("copying", Exercise::copying);
    CHECKS.put("listening", Exercise::listening);
    CHECKS.put("settings", Exercise::settings);
    CHECKS.put("temporary_tables", Exercise::temporaryTables);
    CHECKS.put("time_limits", Exercise::timeLimits);
    CHECKS.put("large_objects", Exercise::largeObjects);
    CHECKS.put("large_values", Exercise::largeValues);
    CHECKS.put("metadata", Exercise::metadata);
    CHECKS.put("concurrent_connections", Exercise::concurrentConnections);
    CHECKS.put("two_phase_commit", Exercise::twoPhaseCommit);
    CHECKS.put("ending_one_another", Exercise::endingOneAnother);
    for (Map.Entry<String, Check> one : CHECKS.entrySet()) {
      if (chosen.length == 0 || List.of(chosen).contains(one.getKey())) runOne(one.getKey(), one.getValue());
    }
    System.exit(0);
  }
}
