//! The app's database, behind its back.

use rocket::tokio::runtime::Runtime;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, raw_sql};
use world::Server;

/// Runs a statement.
pub fn execute(server: &Server, statement: &str) {
    let file = server.dir.path().join("data/app.db");
    Runtime::new().unwrap().block_on(async {
        let mut connection = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
        raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}
