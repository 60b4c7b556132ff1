//! The experiments on the embedded stores, and their pages.

use rocket::config::LogLevel;
use rocket::http::Status;
use sealed_sessions_app::lab::{ALL, Column, Group, advise, json, run, text};
use time::OffsetDateTime;

use super::support::{Answer, App};

/// By slug: cookie, cookie and ledger, memory, SQLite.
const EXPECTED: [(&str, [&str; 4]); 23] = [
    ("replay-after-logout", ["does-not-hold", "holds", "holds", "holds"]),
    ("rollback", ["does-not-hold", "does-not-hold", "holds", "holds"]),
    ("lost-update", ["does-not-hold", "does-not-hold", "holds", "holds"]),
    ("tamper", ["holds", "holds", "holds", "holds"]),
    ("theft-and-log-out-everywhere", ["does-not-hold", "holds", "holds", "holds"]),
    ("fixation", ["holds", "holds", "holds", "holds"]),
    ("logout-race", ["does-not-hold", "holds", "holds", "holds"]),
    ("sign-in-sent-twice", ["holds", "holds", "holds", "holds"]),
    ("answer-lost", ["holds", "holds", "holds", "holds"]),
    ("late-answer-after-sign-in", ["does-not-hold", "holds", "holds", "holds"]),
    ("another-sites-form", ["holds", "holds", "holds", "holds"]),
    ("idle-and-absolute-expiry", ["holds", "holds", "holds", "holds"]),
    ("long-request-and-idle", ["holds", "holds", "holds", "holds"]),
    ("one-busy-session", ["does-not-hold", "does-not-hold", "holds", "holds"]),
    ("restart", ["holds", "holds", "does-not-hold", "holds"]),
    ("second-node", ["holds", "holds", "does-not-hold", "holds"]),
    ("revocation-on-another-node", ["does-not-hold", "holds", "not-applicable", "holds"]),
    ("store-outage", ["holds", "does-not-hold", "not-applicable", "does-not-hold"]),
    ("ledger-outage", ["not-applicable", "holds", "not-applicable", "does-not-hold"]),
    ("key-rotation", ["holds", "holds", "holds", "holds"]),
    ("growth", ["does-not-hold", "does-not-hold", "holds", "holds"]),
    ("who-is-signed-in", ["does-not-hold", "does-not-hold", "holds", "holds"]),
    ("clock-skew", ["holds", "holds", "holds", "holds"]),
];

fn embedded() -> Vec<Column> {
    ["cookie", "cookie+sqlite", "memory", "sqlite"]
        .iter()
        .map(|setting| Column::new(setting).unwrap())
        .collect()
}

#[rocket::async_test]
async fn each_store_keeps_the_promises_that_it_can() {
    let columns = embedded();
    let mut rows = Vec::new();
    for (experiment, (slug, expected)) in ALL.iter().zip(EXPECTED) {
        assert_eq!(experiment.slug, slug);
        let row = run(experiment, &columns, LogLevel::Off).await;
        for (outcome, expected) in row.outcomes.iter().zip(expected) {
            let why = outcome.verdict.why();
            assert_eq!(outcome.verdict.name(), expected, "{slug} on {}: {why}", outcome.store);
            assert!(!outcome.exchanges.is_empty() && !why.is_empty(), "{slug} on {}", outcome.store);
        }
        rows.push(row);
    }
    assert_eq!(ALL.len(), EXPECTED.len());
    assert_eq!(
        json(&rows, OffsetDateTime::UNIX_EPOCH)["experiments"][0]["verdicts"]["cookie"]["verdict"],
        "does-not-hold"
    );
    let line = text(&rows).lines().nth(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    assert_eq!(line.as_deref(), Some("replay-after-logout ✗ does not hold ✓ holds ✓ holds ✓ holds"));

    let advice = advise(&rows);
    assert!(advice[0].whom.contains("small sessions"), "{:?}", advice[0]);
    assert!(advice[1].whom.contains("a log of what has ended"), "{:?}", advice[1]);
    assert!(advice[2].whom.contains("development"), "{:?}", advice[2]);
    assert!(advice[3].whom.contains("worth stealing"), "{:?}", advice[3]);
    assert!(advice[0].lacks.iter().any(|(_, slug)| *slug == "rollback"));
    assert!(advice[3].lacks.iter().all(|(_, slug)| slug.ends_with("-outage")));
}

#[rocket::async_test]
async fn an_exchange_shows_no_cookie_that_could_be_used() {
    for column in embedded() {
        for experiment in ALL {
            let row = run(experiment, std::slice::from_ref(&column), LogLevel::Off).await;
            for line in
                row.outcomes.iter().flat_map(|outcome| &outcome.exchanges).flat_map(|one| &one.set_cookie)
            {
                let value = line.split_once('=').unwrap().1.split([';', ' ']).next().unwrap();
                assert!(value.chars().count() <= 16, "{line}");
            }
        }
    }
}

#[rocket::async_test]
async fn a_store_that_cannot_be_reached_is_said_to_be_so() {
    let column = Column::new("sqlite:/dev/null/lab.db").unwrap();
    let row = run(&ALL[0], &[column], LogLevel::Off).await;
    assert_eq!(row.outcomes[0].verdict.name(), "not-run");
    assert!(row.outcomes[0].verdict.why().contains("could not be started"));
}

fn escaped(text: &str) -> String {
    text.replace('\'', "&#x27;")
}

/// The page as it is once all experiments are done: it does not wait for them longer than a visitor would.
async fn complete(app: &App) -> Answer {
    for _ in 0..20 {
        let matrix = app.get("/lab").await;
        assert_eq!(matrix.status, Status::Ok);
        if !matrix.body.contains("Not all of them are done yet") {
            assert!(!matrix.body.contains("not run yet"));
            return matrix;
        }
    }
    panic!("the experiments are not done in a hundred seconds");
}

#[rocket::async_test]
async fn the_matrix_leads_to_every_exchange() {
    let app = App::start().await;
    let matrix = complete(&app).await;
    for group in Group::ALL {
        assert!(matrix.body.contains(&format!(">{}</th>", group.title())), "{group:?}");
    }
    assert!(matrix.body.contains("Run from <time"));
    for experiment in ALL {
        let headline = format!("<a href=\"/lab/{}\">{}</a>", experiment.slug, escaped(experiment.question));
        assert!(matrix.body.contains(&headline), "{headline}");
        for store in ["cookie", "cookie-ledger", "memory", "sqlite"] {
            assert!(matrix.body.contains(&format!("href=\"/lab/{}#{store}\"", experiment.slug)));
        }
        let page = app.get(&format!("/lab/{}", experiment.slug)).await;
        assert_eq!(page.status, Status::Ok, "{}", experiment.slug);
        for store in ["cookie", "cookie-ledger", "memory", "sqlite"] {
            assert!(page.body.contains(&format!("<h2 id=\"{store}\">")), "{}", experiment.slug);
        }
    }
    assert_eq!(app.get("/lab/no-such-experiment").await.status, Status::NotFound);
}

#[rocket::async_test]
async fn it_is_run_again_by_a_form_of_this_site_only() {
    let app = App::start().await;
    assert_eq!(app.submit("/lab/tamper", &[]).await.location(), "/lab/tamper");
    assert_eq!(app.submit("/lab", &[]).await.location(), "/lab");
    assert_eq!(app.post("/lab", &[]).await.status, Status::Forbidden);
    assert_eq!(app.post("/lab/tamper", &[("csrf_token", "made up")]).await.status, Status::Forbidden);
    let token = app.get("/lab").await.token().unwrap();
    let unknown = app.post("/lab/no-such-experiment", &[("csrf_token", &token)]).await;
    assert_eq!(unknown.status, Status::NotFound);
}
