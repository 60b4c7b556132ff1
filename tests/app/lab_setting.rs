//! Whether the pages of the lab are there.

use rocket::http::Status;

use super::support::{App, Settings};

const ANYWHERE: (&str, &str) = ("address", "\"0.0.0.0\"");

/// Whether an app with these settings has them.
async fn has_lab(settings: Settings) -> bool {
    let app = App::configured(settings).await;
    let token = app.get("/stateless/login").await.token().unwrap();
    let shown = app.get("/").await.body.contains("href=\"/lab\"");
    // The page of the load test starts nothing; where it is not, the others are not either.
    let found = app.get("/lab/load").await.status == Status::Ok;
    if !found {
        for path in ["/lab", "/lab/tamper"] {
            assert_eq!(app.get(path).await.status, Status::NotFound, "{path}");
            let posted = app.post(path, &[("csrf_token", &token)]).await;
            assert_eq!(posted.status, Status::NotFound, "{path}");
        }
    }
    assert_eq!(shown, found, "a link to it is where it is");
    found
}

#[rocket::async_test]
async fn the_lab_is_on_by_default_only_where_nobody_else_reaches_it() {
    assert!(has_lab(&[]).await);
    assert!(has_lab(&[("address", "\"::1\"")]).await);
    assert!(!has_lab(&[ANYWHERE]).await);
    assert!(!has_lab(&[("ip_header", "\"X-Real-IP\"")]).await, "a proxy passes on the requests of others");
}

#[rocket::async_test]
async fn the_operators_word_on_the_lab_holds_anywhere() {
    assert!(has_lab(&[ANYWHERE, ("lab.enabled", "true")]).await);
    assert!(!has_lab(&[("lab.enabled", "false")]).await);
}
