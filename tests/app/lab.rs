//! The experiments on the embedded stores, and their pages.

use rocket::config::LogLevel;
use rocket::http::{Header, Status};
use sealed_sessions_app::lab::{ALL, Column, Group, NEEDS, Need, advise, find, fits, run, text};
use serde_json::json;
use time::OffsetDateTime;

use super::support::{Answer, App};

/// By slug: cookie, cookie and ledger, memory, SQLite.
const EXPECTED: [(&str, [&str; 4]); 23] = [
    ("replay-after-logout", ["does-not-hold", "holds", "holds", "holds"]),
    ("rollback", ["does-not-hold", "does-not-hold", "holds", "holds"]),
    ("tamper", ["holds", "holds", "holds", "holds"]),
    ("theft-and-log-out-everywhere", ["does-not-hold", "holds", "holds", "holds"]),
    ("fixation", ["holds", "holds", "holds", "holds"]),
    ("logout-race", ["does-not-hold", "holds", "holds", "holds"]),
    ("another-sites-form", ["holds", "holds", "holds", "holds"]),
    ("idle-and-absolute-expiry", ["holds", "holds", "holds", "holds"]),
    ("revocation-on-another-node", ["does-not-hold", "holds", "not-applicable", "holds"]),
    ("who-is-signed-in", ["does-not-hold", "does-not-hold", "holds", "holds"]),
    ("lost-update", ["does-not-hold", "does-not-hold", "holds", "holds"]),
    ("sign-in-sent-twice", ["holds", "holds", "holds", "holds"]),
    ("answer-lost", ["holds", "holds", "holds", "holds"]),
    ("late-answer-after-sign-in", ["does-not-hold", "holds", "holds", "holds"]),
    ("long-request-and-idle", ["holds", "holds", "holds", "holds"]),
    ("one-busy-session", ["does-not-hold", "does-not-hold", "holds", "holds"]),
    ("restart", ["holds", "holds", "does-not-hold", "holds"]),
    ("second-node", ["holds", "holds", "does-not-hold", "holds"]),
    ("store-outage", ["holds", "does-not-hold", "not-applicable", "does-not-hold"]),
    ("ledger-outage", ["not-applicable", "holds", "not-applicable", "does-not-hold"]),
    ("key-rotation", ["holds", "holds", "holds", "holds"]),
    ("clock-skew", ["holds", "holds", "holds", "holds"]),
    ("growth", ["does-not-hold", "does-not-hold", "holds", "holds"]),
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
            let said = outcome.exchanges.iter().map(|exchange| exchange.says.as_str()).chain([why]);
            for text in said.chain(experiment.steps.iter().copied()) {
                let names = [
                    "Exclusive",
                    "Resumed",
                    "Absent",
                    "Revoked",
                    "Superseded",
                    "Expired",
                    "Invalid",
                    "Withheld",
                ];
                assert!(!names.iter().any(|name| text.contains(name)), "{slug} on {}: {text}", outcome.store);
            }
        }
        rows.push(row);
    }
    assert_eq!(ALL.len(), EXPECTED.len());
    assert_eq!(
        sealed_sessions_app::lab::json(&rows, OffsetDateTime::UNIX_EPOCH)["experiments"][0]["verdicts"]["cookie"]
            ["verdict"],
        "does-not-hold"
    );
    let line = text(&rows).lines().nth(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    assert_eq!(line.as_deref(), Some("replay-after-logout ✗ does not hold ✓ holds ✓ holds ✓ holds"));

    for (needed, stores) in [
        (&["nothing"][..], &["cookie", "memory"][..]),
        (&["everywhere", "servers"], &["cookie + ledger", "sqlite"]),
        (&["everywhere", "servers", "list", "large", "parallel"], &["sqlite"]),
        (&["nothing", "restart", "everywhere"], &[]),
    ] {
        let needs: Vec<Need> = NEEDS.into_iter().filter(|need| needed.contains(&need.name)).collect();
        let fitting = fits(&rows, &needs).into_iter().filter(|fit| fit.lacks.is_empty());
        assert_eq!(fitting.map(|fit| fit.store).collect::<Vec<_>>(), stores, "{needed:?}");
    }

    let advice = advise(&rows);
    assert!(advice[0].whom.contains("small sessions"), "{:?}", advice[0]);
    assert!(advice[1].whom.contains("a log of what has ended"), "{:?}", advice[1]);
    assert!(advice[2].whom.contains("development"), "{:?}", advice[2]);
    assert!(advice[3].whom.contains("worth stealing"), "{:?}", advice[3]);
    assert!(advice[0].lacks.iter().any(|(_, slug)| *slug == "rollback"));
    assert!(advice[3].lacks.iter().all(|(_, slug)| slug.ends_with("-outage")));
}

#[test]
fn experiments_are_listed_group_by_group() {
    let groups = Group::ALL.map(|group| ALL.iter().filter(move |experiment| experiment.group == group));
    let slugs = groups.into_iter().flatten().map(|experiment| experiment.slug);
    assert_eq!(slugs.collect::<Vec<_>>(), ALL.iter().map(|experiment| experiment.slug).collect::<Vec<_>>());
}

#[test]
fn every_need_is_shown_by_an_experiment() {
    for need in NEEDS {
        assert!(find(need.slug).is_some(), "{need:?}");
        assert_eq!(NEEDS.iter().filter(|other| other.name == need.name).count(), 1, "{need:?}");
    }
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
async fn a_second_server_is_described_by_what_it_has_in_common_with_the_first() {
    for (setting, why) in [
        ("cookie", "knows the session, with nothing else in common"),
        (
            "cookie+sqlite",
            "the same key and the same ledger; one that has the key and no ledger knows it too",
        ),
        ("cookie+memory", "this ledger lives inside one process"),
        ("memory", "this store lives inside one process"),
        ("sqlite", "the key alone is not enough"),
    ] {
        let row = run(find("second-node").unwrap(), &[Column::new(setting).unwrap()], LogLevel::Off).await;
        let said = row.outcomes[0].verdict.why();
        assert!(said.contains(why), "{setting}: {said}");
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
        if !matrix.body.contains("not run yet") {
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
    assert!(matrix.body.contains("Started on <time"));
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
async fn x3_another_site_starts_no_experiment_by_leading_to_it() {
    let app = App::start().await;
    let get = async |path: &'static str, site: &'static str| {
        Answer::of(app.client.get(path).header(Header::new("Sec-Fetch-Site", site)).dispatch().await).await
    };
    for site in ["cross-site", "same-site"] {
        let matrix = get("/lab", site).await;
        assert_eq!(matrix.status, Status::Ok, "{site}");
        assert_eq!(matrix.body.matches("\">not run yet</td>").count(), ALL.len() * 4, "{site}");
        for told in ["Another site led here, so nothing was started", "Run all 23</button>"] {
            assert!(matrix.body.contains(told), "{site}: {told}: {}", matrix.body);
        }
        let page = get("/lab/tamper", site).await;
        for told in ["Not run yet. Another site led here", "Run it</button>"] {
            assert!(page.body.contains(told), "{site}: {told}: {}", page.body);
        }
    }
    for site in ["same-origin", "none"] {
        assert!(get("/lab/tamper", site).await.body.contains("Run it again</button>"), "{site}");
    }
    let matrix = get("/lab", "cross-site").await.body;
    assert_eq!(matrix.matches("\">not run yet</td>").count(), (ALL.len() - 1) * 4, "what was run is shown");
    assert!(!matrix.contains("By these outcomes for nobody"), "{matrix}");
    assert_eq!(app.submit("/lab/restart", &[]).await.location(), "/lab/restart", "the button runs it");
    assert!(get("/lab/restart", "cross-site").await.body.contains("Run it again</button>"));
}

#[rocket::async_test]
async fn of_many_exchanges_the_last_forty_are_listed() {
    let app = App::start().await;
    let page = app.get("/lab/one-busy-session").await.body;
    assert_eq!(page.matches("The last 40 exchanges, with cookies and records").count(), 4, "{page}");
    assert_eq!(page.matches(" more came before these.").count(), 4);
    assert_eq!(page.matches("<th scope=\"row\">").count(), 4 * 40);
}

#[rocket::async_test]
async fn what_is_measured_is_a_chart_and_a_table_with_words_on_the_left_and_figures_on_the_right() {
    let app = App::start().await;
    let page = app.get("/lab/growth").await.body;
    assert!(page.contains(">Bytes, with the cookie store</caption>"), "{page}");
    for cell in [
        "<th scope=\"col\">Data</th>",
        "<th scope=\"row\">256</th>",
        "<th scope=\"row\">16,384</th>",
        "<td>kept</td>",
    ] {
        assert!(page.contains(cell), "{cell}: {page}");
    }
    assert!(page.contains("<th scope=\"col\" class=\"number\">Written on the server</th>"), "{page}");
    for key in
        ["</svg>cookie and cookie + ledger, up to 4,096 bytes of data</li>", "</svg>memory and sqlite</li>"]
    {
        assert_eq!(page.matches(key).count(), 1, "{key}: {page}");
    }
}

#[rocket::async_test]
async fn the_needs_that_are_ticked_are_answered_with_the_experiments_that_show_it() {
    let app = App::start().await;
    let asked = complete(&app).await;
    assert!(asked.body.contains("value=\"everywhere\">") && !asked.body.contains("class=\"fits\""));
    let answered = app.get("/lab?need=everywhere&need=servers&need=%3Cb%3E").await;
    assert_eq!(answered.status, Status::Ok);
    let (_, answer) = answered.body.split_once("<h3>Two stores give all of it</h3>").unwrap();
    let everywhere = |store: &str| {
        format!("<a href=\"/lab/theft-and-log-out-everywhere#{store}\">a way to sign out everywhere</a>")
    };
    assert!(answer.contains(&format!("<b>sqlite</b> gives {}", everywhere("sqlite"))), "{answer}");
    assert!(answer.contains(&format!("<b>cookie</b> does not give {}", everywhere("cookie"))), "{answer}");
    assert!(answered.body.contains("value=\"everywhere\" checked>"), "what was ticked stays ticked");
    assert!(!answered.body.contains("<b> "), "a name that was made up is ignored");
    assert!(
        app.get("/lab?need=nothing&need=restart&need=everywhere")
            .await
            .body
            .contains("No store here gives all of it")
    );
}

#[rocket::async_test]
async fn the_costs_are_those_of_the_last_load_test() {
    let app = App::start().await;
    let before = app.get("/lab").await.body;
    assert_eq!(before.matches("\">not measured</td>").count(), 12, "{before}");
    assert_eq!(before.matches("<code>sealed-sessions lab load</code>").count(), 1, "{before}");
    let latency = json!({ "p50": 1.0, "p90": 1.0, "p99": 1.0, "p999": 1.0, "max": 1.0, "curve": [] });
    let mix = json!({
        "mix": "read-heavy", "requests": 1, "failures": 0, "seconds": 1.0, "requests_per_second": { "median": 1.0, "least": 1.0, "most": 1.0 },
        "latency": latency, "server_cpu_micros": { "median": 20.0, "least": 19.0, "most": 25.0 }, "server_cores": null, "driver_busy": null, "bytes_up": 195.2,
        "bytes_down": 271.4, "store_operations": {},
    });
    let at_rest = json!({ "sessions": 100_000, "bytes_per_session": 4321.0, "data": 34, "place": "file" });
    let sqlite = json!({
        "store": "sqlite", "server_side": true, "mixes": [mix], "wire": [], "at_rest": at_rest,
    });
    let report = json!({
        "made": "2026-01-02T03:04:05Z", "version": "0", "optimised": false, "cores": 2, "seconds": 1.0, "rounds": 5,
        "clients": 1, "nodes": 1, "store_delay_millis": 0.0, "bare": mix, "stores": [sqlite], "delayed": null,
    });
    std::fs::write(app.directory().join("load.json"), report.to_string()).unwrap();
    let after = app.get("/lab").await.body;
    assert_eq!(
        after.matches("\">not measured</td>").count(),
        9,
        "the other three stores were not driven: {after}"
    );
    assert!(after.contains("<code>sealed-sessions lab load --store</code>"), "{after}");
    for cell in ["<b>50,000</b></td>", "<b>467</b></td>", "<b>4,321</b> <small>file</small></td>"] {
        assert!(after.contains(&format!("<td data-store=\"sqlite\">{cell}")), "{cell}: {after}");
    }
    assert!(after.contains("2 Jan 2026, 03:04 UTC") && after.contains("with a debug build"), "{after}");
}

#[rocket::async_test]
async fn it_is_run_again_by_a_form_of_this_site_only() {
    let app = App::start().await;
    assert_eq!(app.submit("/lab/tamper", &[]).await.location(), "/lab/tamper");
    assert_eq!(app.submit("/lab", &[]).await.location(), "/lab");
    let refused = app.post("/lab", &[]).await;
    assert_eq!(refused.status, Status::Forbidden);
    assert!(refused.body.contains("href=\"/lab\" aria-current=\"true\""), "{}", refused.body);
    assert_eq!(app.post("/lab/tamper", &[("csrf_token", "made up")]).await.status, Status::Forbidden);
    let token = app.get("/lab").await.token().unwrap();
    let unknown = app.post("/lab/no-such-experiment", &[("csrf_token", &token)]).await;
    assert_eq!(unknown.status, Status::NotFound);
}
