//! `lab load`, for a moment on each mix.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use world::program;

fn program(directory: &Path) -> Command {
    program!().command(directory)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

struct Run {
    directory: TempDir,
    report: Value,
    html: String,
    markdown: String,
}

/// One run for all tests: it takes a while.
fn run() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let output = program(directory.path())
            .args(["lab", "load", "--seconds", "0.5", "--rounds", "2", "--clients", "2", "--json"])
            .args(["--sessions", "20000"])
            .args(["--store", "cookie", "--store", "cookie+memory", "--store", "memory"])
            .args(["--html", "report.html", "--markdown", "report.md"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let report = serde_json::from_slice(&output.stdout).unwrap();
        let read = |file: &str| std::fs::read_to_string(directory.path().join(file)).unwrap();
        let (html, markdown) = (read("report.html"), read("report.md"));
        Run { directory, report, html, markdown }
    })
}

fn mix<'r>(store: &'r Value, name: &str) -> &'r Value {
    store["mixes"].as_array().unwrap().iter().find(|mix| mix["mix"] == name).unwrap()
}

fn store(name: &str) -> &'static Value {
    run().report["stores"].as_array().unwrap().iter().find(|store| store["store"] == name).unwrap()
}

#[test]
fn every_mix_has_plausible_figures() {
    let stores = run().report["stores"].as_array().unwrap();
    let mixes = stores.iter().flat_map(|store| store["mixes"].as_array().unwrap());
    let all: Vec<&Value> = mixes.chain([&run().report["bare"]]).collect();
    assert_eq!(all.len(), 16);
    for figures in all {
        assert!(figures["requests"].as_u64().unwrap() > 10, "{figures}");
        assert_eq!(figures["failures"], 0, "{figures}");
        let at = |name: &str| figures["latency"][name].as_f64().unwrap();
        assert!(0.0 < at("p50") && at("p50") <= at("p90") && at("p90") <= at("p99"), "{figures}");
        assert!(at("p99") <= at("p999") && at("p999") <= at("max"), "{figures}");
        assert!(
            figures["bytes_up"].as_f64().unwrap() > 20.0 && figures["bytes_down"].as_f64().unwrap() > 50.0
        );
        let spread = |name: &str| ["least", "median", "most"].map(|at| figures[name][at].as_f64().unwrap());
        let [least, rate, most] = spread("requests_per_second");
        assert!(0.0 < least && least <= rate && rate <= most, "{figures}");
        if cfg!(target_os = "linux") {
            let ([_, micros, _], [_, cores, _]) = (spread("server_cpu_micros"), spread("server_cores"));
            // Of two rounds, so that the medians are means.
            let by_cores = rate * micros / 1e6;
            assert!(0.0 < cores && (cores / by_cores - 1.0).abs() < 0.2, "{figures}");
        }
    }
}

#[test]
fn memory_with_its_bound_is_one_server_however_many_are_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let output = program(directory.path())
        .args([
            "lab",
            "load",
            "--seconds",
            "0.2",
            "--rounds",
            "1",
            "--clients",
            "1",
            "--sessions",
            "0",
            "--json",
        ])
        .args(["--nodes", "4", "--store", "memory:200000"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for mix in report["stores"][0]["mixes"].as_array().unwrap() {
        assert_eq!(mix["failures"], 0, "{mix}");
    }
}

#[test]
fn the_operations_of_the_store_are_those_of_the_mix() {
    assert_eq!(run().report["bare"]["store_operations"], serde_json::json!({}));
    for name in ["cookie", "memory"] {
        let operations = |mix_name| &mix(store(name), mix_name)["store_operations"];
        // Operations under way at the moment of counting may be on either side of it.
        let is_about = |count: &Value, expected: f64| {
            let count = count.as_f64().unwrap();
            assert!((count - expected).abs() < 0.1 * expected + 0.01, "{name}: {count}, not {expected}");
        };
        is_about(&operations("read only")["load"], 1.0);
        assert_eq!(operations("read only").as_object().unwrap().len(), 1, "a read writes nothing");
        is_about(&operations("write-heavy")["update"], 0.5);
        for (operation, expected) in [("create", 0.1), ("delete", 0.1), ("load", 0.9)] {
            is_about(&operations("login")[operation], expected);
        }
    }
}

#[test]
fn with_a_ledger_reads_ask_nobody_and_only_signing_in_and_out_leaves_something() {
    let operations = |mix_name| &mix(store("cookie + ledger"), mix_name)["store_operations"];
    // The server looks once a second for what others have entered. Before a visitor who is not signed in changes
    // anything it looks too, since that could be a sign-in; requests that meet share a look.
    for (mix_name, least, most) in [
        ("read only", 0.0, 0.0),
        ("read-heavy", 0.0, 0.0),
        ("write-heavy", 0.0, 0.0),
        ("anonymous", 0.25, 0.5),
    ] {
        let read = operations(mix_name)["ledger read"].as_f64().unwrap_or_default();
        assert!((least..=most * 1.1 + 0.02).contains(&read), "{mix_name}: {read}");
        assert_eq!(operations(mix_name)["ledger append"], Value::Null, "{mix_name}");
    }
    let appended = operations("login")["ledger append"].as_f64().unwrap();
    assert!((0.08..0.3).contains(&appended), "signing in and out, one of ten requests each: {appended}");
    assert_eq!(store("cookie + ledger")["at_rest"]["place"], "memory of the ledger, after a sign-out");
}

#[test]
fn a_cookie_grows_with_its_data_until_it_is_refused_and_takes_nothing_on_the_server() {
    let reads = |name| -> Vec<Option<u64>> {
        store(name)["wire"].as_array().unwrap().iter().map(|at| at["read"].as_u64()).collect()
    };
    let cookie: Vec<u64> = reads("cookie").into_iter().map_while(|bytes| bytes).collect();
    assert!(cookie.is_sorted() && cookie.last() > Some(&4096), "{cookie:?}");
    assert_eq!(reads("cookie").last(), Some(&None), "16 kB are too large for a cookie");
    let memory = reads("memory");
    assert_eq!(memory.first().unwrap().unwrap(), memory.last().unwrap().unwrap());
    assert_eq!(store("cookie")["at_rest"]["bytes_per_session"], 0.0);
    if cfg!(target_os = "linux") {
        assert!(store("memory")["at_rest"]["bytes_per_session"].as_f64().unwrap() > 20.0);
    }
}

#[test]
fn the_html_is_one_file_with_plots_that_have_text_alternatives_and_tables_and_no_script() {
    let html = &run().html;
    for about in [
        "Bars: requests per second.",
        "Lines: latency by percentile.",
        "Lines: bytes on the wire.",
        "Lines: median latency as the store gets slower.",
    ] {
        let picture = html.split("<svg ").find(|svg| svg.contains(&format!("aria-label=\"{about}")));
        assert!(picture.unwrap().contains("role=\"img\""), "{about}");
    }
    assert_eq!(html.matches("<svg ").count(), 4);
    assert!(html.matches("<caption>").count() >= 6);
    for absent in ["<script", " style=", "<link", "src=", "javascript:"] {
        assert!(!html.contains(absent), "{absent}");
    }
}

#[test]
fn the_markdown_has_the_tables_of_the_readme_and_of_the_model() {
    let markdown = &run().markdown;
    let rows = |of: &str| markdown.lines().filter(|line| line.starts_with(of)).count();
    assert_eq!(
        (rows("| bare route |"), rows("| read-heavy, "), rows("| anonymous, ")),
        (1, 3, 3),
        "{markdown}"
    );
    assert_eq!(rows("| seals per second, cookie, at most | 183 | 18,300 | 1.83 M |"), 1, "{markdown}");
    if cfg!(target_os = "linux") {
        assert_eq!(
            (rows("| c | "), rows("| m | "), rows("| cores for sessions alone, ")),
            (1, 1, 3),
            "{markdown}"
        );
    }
}

/// The picture whose words begin like this.
fn picture(about: &str) -> &'static str {
    let picture = run().html.split("<svg ").find(|svg| svg.contains(&format!("aria-label=\"{about}")));
    picture.unwrap().split("</svg>").next().unwrap()
}

#[test]
fn the_bars_are_grouped_by_mix_and_say_how_much_of_the_bare_route_each_is() {
    let bars = picture("Bars: requests per second.");
    for group in ["Bare route", "Read only", "Read-heavy", "Write-heavy", "Anonymous", "Login"] {
        assert_eq!(bars.matches(&format!("\n{group}\n")).count(), 1, "{group}: {bars}");
    }
    assert_eq!(bars.matches("% of bare\n").count(), 15, "{bars}");
    let text = store("cookie")["mixes"][0]["requests_per_second"]["median"].as_f64().unwrap();
    let bare = run().report["bare"]["requests_per_second"]["median"].as_f64().unwrap();
    assert!(bars.contains(&format!(", {:.0}% of bare\n", 100.0 * text / bare)), "{bars}");
}

#[test]
fn stores_that_take_as_many_bytes_on_the_wire_share_a_line_and_a_column() {
    let lines = picture("Lines: bytes on the wire.");
    for name in ["cookie and cookie + ledger, read", "cookie and cookie + ledger, write", "memory, read"] {
        assert_eq!(lines.matches(&format!("\n{name}\n")).count(), 1, "{name}: {lines}");
        assert!(run().html.contains(&format!("<th scope=\"col\" class=\"number\">{name}</th>")), "{name}");
    }
}

#[test]
fn the_axis_of_times_has_numbers_between_the_powers_of_ten() {
    let lines = picture("Lines: latency by percentile.");
    let numbers = ["0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "50"];
    let shown = numbers.iter().filter(|number| lines.contains(&format!("\n{number}\n"))).count();
    assert!(shown >= 3, "{lines}");
}

#[test]
fn the_report_counts_what_is_asked_of_a_store_or_a_ledger_but_not_the_calls_of_the_cookie_store() {
    let asked = |name: &str| {
        let row = run().html.split_once(&format!("<th scope=\"row\">anonymous, {name}</th>")).unwrap().1;
        // The first row of that name is in the table of throughput.
        let row = row.split_once(&format!("<th scope=\"row\">anonymous, {name}</th>")).unwrap().1;
        row.split("<td>").nth(1).unwrap().split('<').next().unwrap().to_owned()
    };
    assert_eq!(asked("cookie"), "none");
    let ledger = asked("cookie + ledger");
    assert!(ledger.ends_with(" ledger read") && !ledger.contains("load"), "{ledger}");
    let memory = asked("memory");
    assert!(memory.contains(" load, ") && memory.ends_with(" update"), "{memory}");
}

#[test]
fn no_bar_and_no_text_after_it_is_cut_off() {
    let bars = picture("Bars: requests per second.");
    let width = 340.0;
    let rects = bars.split("<rect ").skip(1).map(|rect| number(rect, "x") + number(rect, "width"));
    let texts = bars.split("<text ").skip(1).filter(|text| !text.contains("text-anchor=\"end\""));
    // The widest letters of the font are narrower than this.
    let texts = texts.map(|text| {
        let letters = text.split_once('>').unwrap().1.split('<').next().unwrap().trim().chars().count();
        number(text, "x") + 6.5 * letters as f64
    });
    for end in rects.chain(texts) {
        assert!(end <= width, "{end}: {bars}");
    }
}

#[test]
fn a_store_has_one_colour_in_every_picture_and_nothing_crosses_the_key() {
    let lines = picture("Lines: latency by percentile.");
    let bars = picture("Bars: requests per second.");
    for colour in ["#3B82E6", "#C27412", "#149488"] {
        assert!(bars.contains(colour) && lines.contains(colour), "{colour}");
    }
    // The names stand above everything that belongs to the chart.
    let lowest = ["bare route", "cookie", "cookie + ledger", "memory"].map(|name| {
        let text = lines.split("<text ").find(|text| text.contains(&format!("\n{name}\n"))).unwrap();
        number(text, "y")
    });
    let lowest = lowest.into_iter().fold(0.0, f64::max);
    // The curves and the upright axis; what lies flat are grid lines, and the samples of the key.
    let drawn = lines.split("<polyline ").skip(1);
    let drawn = drawn.map(|line| line.split_once("points=\"").unwrap().1.split('"').next().unwrap());
    let heights = drawn.map(|points| {
        let points = points.split_whitespace().filter_map(|point| point.split_once(',')?.1.parse().ok());
        points.fold((f64::MAX, 0.0_f64), |(top, bottom), y: f64| (top.min(y), bottom.max(y)))
    });
    let upright = heights.filter(|(top, bottom)| bottom - top > 20.0);
    let highest = upright.map(|(top, _)| top).fold(f64::MAX, f64::min);
    assert!(lowest + 8.0 < highest && highest < 400.0, "{lowest}, {highest}: {lines}");
}

/// The value of an attribute.
fn number(tag: &str, name: &str) -> f64 {
    let tag = format!(" {tag}");
    let (_, rest) = tag.split_once(&format!(" {name}=\"")).unwrap();
    rest.split('"').next().unwrap().parse().unwrap()
}

#[test]
fn the_last_run_is_kept_and_its_page_shows_it() {
    let data = run().directory.path().join("data");
    let key = sealed_sessions::keys::generate_key().unwrap();
    let shown = |data: &Path| {
        let figment =
            sealed_sessions_app::app::figment().merge(("data_dir", data)).merge(("secret_key", &key));
        let figment = figment.merge(("log_level", "off"));
        let app = sealed_sessions_app::app::build(figment, std::sync::Arc::new(sealed_sessions::SystemClock));
        let client = rocket::local::blocking::Client::tracked(app).unwrap();
        let response = client.get("/lab/load").dispatch();
        assert_eq!(response.status(), rocket::http::Status::Ok);
        response.into_string().unwrap()
    };
    let page = shown(&data);
    assert_eq!(page.matches("role=\"img\"").count(), 4);
    let made = run().report["made"].as_str().unwrap();
    assert!(page.contains(&format!("<time datetime=\"{made}\">")) && !page.contains(" style="));
    assert!(!page.contains(&format!(">{made}<")), "the date is written as elsewhere");

    let empty = tempfile::tempdir().unwrap();
    let before = shown(empty.path());
    for command in ["<code>cargo run --release -- lab load</code>", "<code>sealed-sessions lab load</code>"] {
        assert!(before.contains(command), "{command}: {before}");
    }
    assert_eq!(before.matches("aria-label=\"A sample of the bars").count(), 1);
    std::fs::write(empty.path().join("load.json"), "{\"made\":5}").unwrap();
    assert!(shown(empty.path()).contains("cannot be read"));
}

fn refused(arguments: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let output = program(directory.path()).args(["lab", "load", "--seconds", "1"]).args(arguments).output();
    assert!(begun.elapsed() < Duration::from_secs(60));
    let output = output.unwrap();
    assert!(!output.status.success());
    output
}

#[test]
fn a_store_that_cannot_be_opened_ends_the_run_with_its_reason() {
    let output = refused(&["--store", "floppy:secret"]);
    let said = text(&output.stderr);
    assert!(
        said.contains("floppy: the server does not start") && said.contains("no store of this build"),
        "{said}"
    );
    let output = refused(&["--store", "cookie+floppy:secret"]);
    let said = text(&output.stderr);
    assert!(said.contains("no ledger of this build") && !said.contains("secret"), "{said}");
    let output = refused(&["--store", "sqlite:/dev/null/x"]);
    assert!(text(&output.stderr).contains("does not start"), "{}", text(&output.stderr));
}

#[test]
fn a_number_that_makes_no_sense_is_refused() {
    for arguments in [
        ["--seconds", "0"],
        ["--clients", "0"],
        ["--nodes", "0"],
        ["--store-delay", "soon"],
        ["--rounds", "0"],
    ] {
        let directory = tempfile::tempdir().unwrap();
        let output = program(directory.path()).args(["lab", "load"]).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
