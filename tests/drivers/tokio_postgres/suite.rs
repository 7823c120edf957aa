
// Appended to tests/test/main.rs: tells a connection string of these tests of the server at hand.
fn here(written: &str) -> String {
    let of = |name| std::env::var(name).unwrap();
    let login = |user: String, password: String, database: String| {
        format!("user={user} password='{password}' dbname={database}")
    };
    let ours = login(of("PGUSER"), of("PGPASSWORD"), of("PGDATABASE"));
    written
        .replace("user=postgres", &ours)
        .replace("user=pass_user dbname=postgres password=password", &ours)
        .replace("5433", &of("PGPORT"))
}
