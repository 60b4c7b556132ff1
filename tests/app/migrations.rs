//! The database of accounts after another release has used it.

use rocket::http::Status;

use crate::support::{App, PASSWORD};

/// What a release to come may do to the database: add a column, a table, and the note that it has.
const NEWER_RELEASE: &str = "
    ALTER TABLE accounts ADD COLUMN locale TEXT NOT NULL DEFAULT '';
    CREATE TABLE passkeys (id INTEGER PRIMARY KEY, account INTEGER NOT NULL) STRICT;
    INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
    VALUES (99, 'passkeys', TRUE, x'00', 0);";

#[rocket::async_test]
async fn a_release_starts_on_a_database_that_a_newer_one_has_migrated() {
    let app = App::start().await;
    app.register("ada").await;
    app.database(NEWER_RELEASE).await;
    let app = app.restarted().await;
    assert_eq!(app.get("/stateless/profile").await.status, Status::Ok, "ada is still signed in");
    let fields = [("username", "ada"), ("password", PASSWORD)];
    assert_eq!(app.submit("/stateful/login", &fields).await.location(), "/stateful");
    let fields = [("username", "bob"), ("password", PASSWORD)];
    assert_eq!(app.submit("/revocable/register", &fields).await.location(), "/revocable");
}
