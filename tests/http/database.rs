//! The app's database, behind its back.

use std::time::Duration;

use rocket::tokio::runtime::Runtime;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, raw_sql};
use world::Server;

/// The rows that a query of texts finds, a line for each.
pub fn lines(server: &Server, query: &str) -> Vec<String> {
    let file = server.dir.path().join("data/app.db");
    Runtime::new().unwrap().block_on(async {
        let options = SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(10));
        let mut connection = options.connect().await.unwrap();
        let query = sqlx::query_scalar(AssertSqlSafe(query.to_owned()));
        let found = query.fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        found
    })
}

/// Runs a statement.
pub fn execute(server: &Server, statement: &str) {
    let file = server.dir.path().join("data/app.db");
    Runtime::new().unwrap().block_on(async {
        let mut connection = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
        raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}
