// A web shop's requests with pgjdbc: in autocommit, its default, or as frameworks use it, a transaction for each.
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Properties;
import java.util.Random;

class Shop {
  static void read(Connection c, String sql, int... values) throws SQLException {
    try (PreparedStatement s = c.prepareStatement(sql)) {
      for (int i = 0; i < values.length; i++) s.setInt(i + 1, values[i]);
      if (!s.execute()) return;
      try (ResultSet rows = s.getResultSet()) {
        while (rows.next()) rows.getString(1);
      }
    }
  }

  static void page(Connection c, Random rng) throws SQLException {
    int author = 1 + rng.nextInt(100);
    read(c, "SELECT name FROM author WHERE id = ?", author);
    read(c, "SELECT title FROM book WHERE author_id = ?", author);
    read(c, "SELECT count(*) FROM book WHERE stock > 0");
    read(c, "SELECT b.title, a.name FROM book b JOIN author a ON a.id = b.author_id ORDER BY b.id DESC LIMIT 10");
  }

  static void order(Connection c, Random rng) throws SQLException {
    int book = 1 + rng.nextInt(1000);
    read(c, "SELECT stock FROM book WHERE id = ?", book);
    read(c, "UPDATE book SET stock = stock - 1 WHERE id = ?", book);
  }

  static void client(String[] args, int seed) {
    Properties login = new Properties();
    login.setProperty("user", args[1]);
    login.setProperty("password", args[2]);
    Random rng = new Random(seed);
    try (Connection c = DriverManager.getConnection(args[0], login)) {
      c.setAutoCommit(!args[4].equals("blocks"));
      for (int i = 0; i < Integer.parseInt(args[3]) / 8; i++) {
        if (rng.nextInt(10) == 0) order(c, rng); else page(c, rng);
        if (!c.getAutoCommit()) c.commit();
        Thread.sleep(20);
      }
    } catch (SQLException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  public static void main(String[] args) throws InterruptedException {
    Thread[] threads = new Thread[8];
    for (int i = 0; i < 8; i++) {
      int seed = i;
      threads[i] = new Thread(() -> client(args, seed));
      threads[i].start();
    }
    for (Thread thread : threads) thread.join();
  }
}
