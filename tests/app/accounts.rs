//! Accounts, passwords and the tokens of forms.

use std::time::{Duration, Instant};

use rocket::futures::future::join_all;
use rocket::http::{Header, Status};

use crate::support::{Answer, App, PASSWORD};

const LOGIN: &str = "/stateless/login";

/// The answer without what is new in each: the token, the sealed cookie, the name that was typed.
fn without_token(answer: &Answer, name: &str) -> (Status, Vec<String>, String) {
    let names = answer.headers.keys().cloned().collect();
    let body = answer.body.replace(&answer.token().unwrap(), "").replace(name, "");
    (answer.status, names, body)
}

#[rocket::async_test]
async fn a1_an_unknown_account_and_a_wrong_password_get_the_same_answer() {
    let app = App::start().await;
    app.register("ada").await;
    app.submit("/stateless/logout", &[]).await;
    let wrong = app.submit(LOGIN, &[("username", "ada"), ("password", "wrong")]).await;
    let unknown = app.submit(LOGIN, &[("username", "eve"), ("password", "wrong")]).await;
    assert_eq!(wrong.status, Status::Unauthorized);
    assert!(wrong.body.contains("value=\"ada\""), "the username is kept");
    assert_eq!(without_token(&wrong, "ada"), without_token(&unknown, "eve"));
}

#[rocket::async_test]
async fn a1_a_disabled_account_gets_the_answer_to_a_wrong_password() {
    let app = App::start().await;
    app.register("ada").await;
    app.submit("/stateless/logout", &[]).await;
    let wrong = app.submit(LOGIN, &[("username", "ada"), ("password", "wrong")]).await;
    let register = "/stateless/register";
    let taken = [("username", "ada"), ("password", "another lighthouse keeper")];
    let taken = app.submit(register, &taken).await;
    app.database("UPDATE accounts SET disabled = 1").await;
    let right = [("username", "ada"), ("password", PASSWORD)];
    let disabled = app.submit(LOGIN, &right).await;
    assert_eq!(without_token(&wrong, "ada"), without_token(&disabled, "ada"));
    let registered = app.submit(register, &right).await;
    assert_eq!(without_token(&taken, "ada"), without_token(&registered, "ada"));
    app.database("UPDATE accounts SET disabled = NULL").await;
    assert_eq!(app.submit(LOGIN, &right).await.status, Status::SeeOther);
}

#[rocket::async_test]
async fn a2_and_in_about_the_same_time() {
    let app = App::configured(&[("throttle.enabled", "false")]).await;
    app.register("ada").await;
    app.register("ban").await;
    app.submit("/stateless/logout", &[]).await;
    app.database("UPDATE accounts SET disabled = 1 WHERE name = 'ban'").await;
    let guesses = [("ada", "wrong"), ("eve", "wrong"), ("ban", PASSWORD)];
    let token = app.get(LOGIN).await.token().unwrap();
    let mut took = [const { Vec::new() }; 3];
    // In turns, so that whatever else the machine does falls on each kind alike.
    for _ in 0..SAMPLES {
        for (took, (name, password)) in took.iter_mut().zip(guesses) {
            let fields = [("csrf_token", token.as_str()), ("username", name), ("password", password)];
            let begun = Instant::now();
            let answer = app.post(LOGIN, &fields).await;
            took.push(begun.elapsed());
            assert_eq!(answer.status, Status::Unauthorized);
        }
    }
    let [wrong, unknown, disabled] = &took;
    for (what, other) in [("an unknown name", unknown), ("a disabled account", disabled)] {
        let deviation = rank_sum_deviation(wrong, other);
        assert!(deviation.abs() < 6.0, "{what} differs from a wrong password by {deviation:.1} deviations");
    }
    // What it is there to see: an answer without a hash, which takes much less than a fifth of the time.
    let unhashed: Vec<_> = wrong.iter().map(|took| *took / 5).collect();
    assert!(rank_sum_deviation(wrong, &unhashed) > 6.0, "the machine is too busy to tell");
}

const SAMPLES: usize = 200;

/// By how many standard deviations the ranks of two samples of one size differ (Mann and Whitney's U).
fn rank_sum_deviation(one: &[Duration], other: &[Duration]) -> f64 {
    let slower = |a: &Duration| other.iter().filter(|b| a > *b).count() as f64;
    let u: f64 = one.iter().map(slower).sum();
    let n = one.len() as f64;
    (u - n * n / 2.0) / (n * n * (2.0 * n + 1.0) / 12.0).sqrt()
}

#[rocket::async_test]
async fn a4_other_pages_are_answered_while_passwords_are_checked() {
    let app = App::configured(&[("throttle.enabled", "false")]).await;
    let token = app.get(LOGIN).await.token().unwrap();
    let fields = [("csrf_token", token.as_str()), ("username", "eve"), ("password", "wrong")];
    let logins = join_all((0..60).map(|_| app.post(LOGIN, &fields)));
    let page = async {
        let begun = Instant::now();
        assert_eq!(app.get("/").await.status, Status::Ok);
        begun.elapsed()
    };
    let begun = Instant::now();
    let (answers, page) = rocket::tokio::join!(logins, page);
    assert!(page < begun.elapsed() / 4, "the page took {page:?} of {:?}", begun.elapsed());
    assert!(answers.iter().all(|answer| answer.status == Status::Unauthorized));
}

#[rocket::async_test]
async fn a5_passwords_are_taken_verbatim_and_whole() {
    let app = App::start().await;
    let long = "0123456789".repeat(30);
    let passwords = [
        " spaces at the ends ",
        "nul \0 in the middle",
        "пароль из букв и 🗝",
        "e\u{301}t\u{e9} sous les arbres",
        &long,
    ];
    for (n, password) in passwords.into_iter().enumerate() {
        let name = format!("user{n}");
        let registered =
            app.submit("/stateless/register", &[("username", &name), ("password", password)]).await;
        assert_eq!(registered.status, Status::SeeOther, "{password:?}");
        let almost = password.trim().trim_end_matches(|letter| letter != ' ');
        for (tried, status) in [(password, 303), (almost, 401), (&password.to_uppercase(), 401)] {
            if status == 401 && tried == password {
                continue;
            }
            let answer = app.submit(LOGIN, &[("username", &name), ("password", tried)]).await;
            assert_eq!(answer.status.code, status, "{password:?} tried as {tried:?}");
        }
    }
}

#[rocket::async_test]
async fn a6_a_bad_name_or_password_is_said_beside_its_field_and_makes_no_account() {
    let app = App::start().await;
    for (name, password, said) in [
        ("ada", "fourteen chars", "15 characters or more"),
        ("ada", "passwordpassword", "most common"),
        ("", PASSWORD, "Choose a username"),
        ("two\nlines", PASSWORD, "visible characters"),
    ] {
        let answer = app.submit("/stateless/register", &[("username", name), ("password", password)]).await;
        assert_eq!(answer.status, Status::UnprocessableEntity, "{said}");
        assert!(answer.body.contains(said) && answer.body.contains("aria-invalid=\"true\""), "{said}");
        assert!(!answer.body.contains(password), "a password is never repeated");
    }
    app.register("ada").await;
    let fields = [("username", "ADA"), ("password", "another lighthouse keeper")];
    let again = app.submit("/stateless/register", &fields).await;
    assert_eq!(again.status, Status::UnprocessableEntity);
    assert!(again.body.contains("taken"));
}

#[rocket::async_test]
async fn x1_every_post_without_this_sessions_token_is_403_before_any_other_field() {
    let app = App::start().await;
    let others = App::start().await.get(LOGIN).await.token().unwrap();
    for path in ["/stateless/register", LOGIN, "/stateless/logout"] {
        let mine = app.get(LOGIN).await.token().unwrap();
        let flipped: String = mine.chars().rev().collect();
        for fields in
            [&[][..], &[("csrf_token", "")], &[("csrf_token", &others)], &[("csrf_token", &flipped)]]
        {
            let answer = app.post(path, fields).await;
            assert_eq!(answer.status, Status::Forbidden, "{path} {fields:?}");
        }
    }
}

#[rocket::async_test]
async fn x1_the_403_page_offers_the_form_again_with_a_token_that_works() {
    let app = App::start().await;
    app.register("ada").await;
    let old = app.get("/stateless").await.token().unwrap();
    app.submit(LOGIN, &[("username", "ada"), ("password", PASSWORD)]).await;
    let refused = app.post(LOGIN, &[("csrf_token", &old), ("username", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(refused.status, Status::Forbidden, "the token is new after a login");
    let fresh = refused.token().unwrap();
    let again = app.post(LOGIN, &[("csrf_token", &fresh), ("username", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(again.status, Status::SeeOther);
}

#[rocket::async_test]
async fn the_403_page_keeps_what_was_typed_but_the_password() {
    let app = App::start().await;
    app.get(LOGIN).await;
    for path in [LOGIN, "/stateless/register"] {
        let post = async |next| {
            let fields = [("csrf_token", "x"), ("username", "<ada>"), ("password", PASSWORD), ("next", next)];
            app.post(path, &fields).await
        };
        let refused = post("/stateless/profile").await;
        assert_eq!(refused.status, Status::Forbidden);
        assert!(refused.body.contains(r#"name="username" value="&lt;ada&gt;""#), "{}", refused.body);
        assert!(refused.body.contains(r#"name="next" value="/stateless/profile""#), "{}", refused.body);
        assert!(!refused.body.contains(PASSWORD));
        assert!(!post("//evil.example").await.body.contains("evil"));
    }
}

#[rocket::async_test]
async fn x1_a_browser_that_kept_no_cookie_gets_the_form_again() {
    let app = App::start().await;
    let refused = app.post(LOGIN, &[("csrf_token", "x")]).await;
    assert!(refused.body.contains("This form had expired") && !refused.body.contains("Safari"));
    let known = app.post(LOGIN, &[("csrf_token", "x")]).await;
    assert!(!known.body.contains("Safari"));
}

#[rocket::async_test]
async fn x1_a_token_is_masked_anew_in_each_page() {
    let app = App::start().await;
    let (one, two) = (app.get(LOGIN).await.token().unwrap(), app.get(LOGIN).await.token().unwrap());
    assert_ne!(one, two);
    for token in [one, two] {
        let answer = app.post(LOGIN, &[("csrf_token", &token), ("username", "a"), ("password", "b")]).await;
        assert_eq!(answer.status, Status::Unauthorized, "both are good");
    }
}

#[rocket::async_test]
async fn x2_a_form_from_another_site_is_403_whatever_its_token() {
    let app = App::start().await;
    for (name, value, status) in [
        ("Sec-Fetch-Site", "cross-site", 403),
        ("Sec-Fetch-Site", "same-site", 403),
        ("Sec-Fetch-Site", "", 403),
        ("Sec-Fetch-Site", "same-origin", 401),
        ("Origin", "https://evil.example", 403),
        ("Origin", "null", 403),
        ("Accept", "*/*", 401),
    ] {
        let token = app.get(LOGIN).await.token().unwrap();
        let body = format!("csrf_token={token}&username=a&password=b");
        let request = app.client.post(LOGIN).header(rocket::http::ContentType::Form).body(body);
        let answer = request.header(Header::new(name, value)).dispatch().await;
        assert_eq!(answer.status().code, status, "{name}: {value}");
    }
}

#[rocket::async_test]
async fn a_body_that_says_it_is_no_form_is_415_and_one_that_says_nothing_is_403() {
    let app = App::start().await;
    let token = app.get(LOGIN).await.token().unwrap();
    let body = format!("csrf_token={token}&username=a&password=b");
    for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x", "no type at all"] {
        let request = app.client.post(LOGIN).header(Header::new("Content-Type", kind)).body(&body);
        assert_eq!(request.dispatch().await.status(), Status::UnsupportedMediaType, "{kind}");
    }
    assert_eq!(app.client.post(LOGIN).body(&body).dispatch().await.status(), Status::Forbidden);
}

#[rocket::async_test]
async fn names_that_look_the_same_are_one_account() {
    let app = App::start().await;
    app.register("Alice").await;
    let number = app.account_number().await;
    // Cyrillic, fullwidth, a capital I for an l, and just in capitals.
    for name in ["\u{410}lic\u{435}", "\u{ff21}lice", "AIice", "ALICE"] {
        app.submit("/stateless/logout", &[]).await;
        let fields = [("username", name), ("password", "another lighthouse keeper")];
        let taken = app.submit("/stateless/register", &fields).await;
        assert_eq!(taken.status, Status::UnprocessableEntity, "{name}");
        assert!(taken.body.contains("taken"), "{name}");
        let signed_in = app.submit(LOGIN, &[("username", name), ("password", PASSWORD)]).await;
        assert_eq!(signed_in.status, Status::SeeOther, "{name}");
        assert_eq!(app.account_number().await, number, "{name}");
    }
    app.submit("/stateless/logout", &[]).await;
    assert_eq!(app.register("alicé").await.status, Status::SeeOther, "this one looks different");
    assert_ne!(app.account_number().await, number);
}

#[rocket::async_test]
async fn an_accounts_number_is_random_and_never_given_again() {
    let app = App::start().await;
    app.register("mallory").await;
    let mut numbers = vec![app.account_number().await];
    app.database("DELETE FROM accounts").await;
    app.submit("/stateless/logout", &[]).await;
    for name in ["alice", "mallory", "bob"] {
        assert_eq!(app.register(name).await.status, Status::SeeOther, "the name is free: {name}");
        numbers.push(app.account_number().await);
        app.submit("/stateless/logout", &[]).await;
    }
    for number in &numbers {
        let digits = number.len();
        assert!(number.parse::<i64>().is_ok_and(|number| number > 0) && digits > 10, "{numbers:?}");
    }
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 4);
}

#[rocket::async_test]
async fn accounts_of_before_names_had_looks_are_kept() {
    let app = App::start().await;
    app.register("alice").await;
    app.submit("/stateless/logout", &[]).await;
    // As an earlier version left them: numbered from 1, and two of them look the same.
    for statement in [
        "DROP TRIGGER account_looks_freed",
        "DROP TABLE account_looks",
        "DELETE FROM _sqlx_migrations WHERE version = 2",
        "UPDATE accounts SET id = 1, created = 1",
        "INSERT INTO accounts SELECT 2, '\u{430}lice', '\u{430}lice', password_hash, 2, NULL, 0 FROM accounts",
    ] {
        app.database(statement).await;
    }
    let app = app.restarted().await;
    for (name, number) in [("alice", "1"), ("\u{430}lice", "2"), ("ALICE", "1"), ("ali\u{441}e", "1")] {
        let signed_in = app.submit(LOGIN, &[("username", name), ("password", PASSWORD)]).await;
        assert_eq!(signed_in.status, Status::SeeOther, "{name}");
        assert_eq!(app.account_number().await, number, "{name}");
        app.submit("/stateless/logout", &[]).await;
    }
    let fields = [("username", "a\u{217c}ice"), ("password", "another lighthouse keeper")];
    assert_eq!(app.submit("/stateless/register", &fields).await.status, Status::UnprocessableEntity);
}
