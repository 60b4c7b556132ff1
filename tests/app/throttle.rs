//! How many wrong passwords may be tried.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use rocket::futures::future::join_all;
use rocket::http::Status;
use time::ext::NumericalDuration;

use crate::support::{Answer, App, PASSWORD};

const LOGIN: &str = "/stateless/login";
const REGISTER: &str = "/stateless/register";

pub fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

/// Tries a password of a name from an address, as a browser that is not signed in.
async fn try_from(app: &App, from: &str, path: &str, name: &str, password: &str) -> Answer {
    let token = app.get(LOGIN).await.token().unwrap();
    let fields = [("csrf_token", token.as_str()), ("username", name), ("password", password)];
    app.post_from(address(from), path, &fields).await
}

async fn guess(app: &App, from: &str, name: &str) -> Answer {
    try_from(app, from, LOGIN, name, "wrong").await
}

async fn sign_in(app: &App, from: &str, name: &str) -> Status {
    let answer = try_from(app, from, LOGIN, name, PASSWORD).await;
    app.submit("/stateless/logout", &[]).await;
    answer.status
}

/// An app with the account "ada", to which nobody is signed in.
async fn with_ada(settings: crate::support::Settings) -> App {
    let app = App::configured(settings).await;
    app.register("ada").await;
    app.submit("/stateless/logout", &[]).await;
    app
}

pub fn retry_after(answer: &Answer) -> Option<u64> {
    answer.header("retry-after")?.parse().ok()
}

#[rocket::async_test]
async fn a3_of_200_guesses_at_once_exactly_ten_are_checked_and_the_owner_gets_in_meanwhile() {
    let app = with_ada(&[]).await;
    let token = app.get(LOGIN).await.token().unwrap();
    let with = |password| [("csrf_token", token.as_str()), ("username", "ada"), ("password", password)];
    let (wrong, right) = (with("wrong"), with(PASSWORD));
    let guesses = join_all((0..200).map(|_| app.post_from(address("192.0.2.1"), LOGIN, &wrong)));
    let (guesses, owner) =
        rocket::tokio::join!(guesses, app.post_from(address("198.51.100.1"), LOGIN, &right));
    let count = |status: u16| guesses.iter().filter(|answer| answer.status.code == status).count();
    assert_eq!((count(401), count(429)), (10, 190));
    assert_eq!(owner.status, Status::SeeOther);
}

#[rocket::async_test]
async fn a3_one_more_guess_is_admitted_after_each_refill_and_the_answer_says_when() {
    let app = with_ada(&[]).await;
    for _ in 0..10 {
        assert_eq!(guess(&app, "192.0.2.1", "ada").await.status, Status::Unauthorized);
    }
    app.clock.advance(20.seconds());
    let refused = guess(&app, "192.0.2.1", "ada").await;
    assert_eq!((refused.status, retry_after(&refused)), (Status::TooManyRequests, Some(10)));
    assert!(refused.body.contains("Too many attempts. Try again in 10 seconds."), "{}", refused.body);
    assert!(refused.body.contains(r#"name="username" value="ada""#), "the form again, filled in");
    assert_eq!(sign_in(&app, "192.0.2.1", "ada").await, Status::TooManyRequests, "the right one too");
    app.clock.advance(10.seconds());
    assert_eq!(guess(&app, "192.0.2.1", "ada").await.status, Status::Unauthorized);
    let refused = guess(&app, "192.0.2.1", "ada").await;
    assert_eq!((refused.status, retry_after(&refused)), (Status::TooManyRequests, Some(30)));
}

#[rocket::async_test]
async fn a3_who_waits_as_long_as_the_page_says_is_not_refused_again() {
    let app = with_ada(&[("throttle.failures", "1"), ("throttle.refill", "\"2m 20s\"")]).await;
    guess(&app, "192.0.2.1", "ada").await;
    let refused = guess(&app, "192.0.2.1", "ada").await;
    assert_eq!((refused.status, retry_after(&refused)), (Status::TooManyRequests, Some(140)));
    assert!(refused.body.contains("Try again in 3 minutes."), "{}", refused.body);
    app.clock.advance(140.seconds());
    assert_eq!(sign_in(&app, "192.0.2.1", "ada").await, Status::SeeOther);
}

#[rocket::async_test]
async fn l15_two_clicks_with_the_right_password_sign_in_after_nine_wrong_ones() {
    let app = with_ada(&[]).await;
    for _ in 0..9 {
        assert_eq!(guess(&app, "192.0.2.1", "ada").await.status, Status::Unauthorized);
    }
    let token = app.get(LOGIN).await.token().unwrap();
    let right = [("csrf_token", token.as_str()), ("username", "ada"), ("password", PASSWORD)];
    let clicks = join_all((0..40).map(|_| app.post_from(address("192.0.2.1"), LOGIN, &right))).await;
    assert!(clicks.iter().all(|answer| answer.status == Status::SeeOther), "{:?}", clicks.last());
}

#[rocket::async_test]
async fn a3_right_passwords_do_not_count() {
    let app = with_ada(&[]).await;
    for _ in 0..15 {
        assert_eq!(sign_in(&app, "192.0.2.1", "ada").await, Status::SeeOther);
    }
    for _ in 0..10 {
        assert_eq!(guess(&app, "192.0.2.1", "ada").await.status, Status::Unauthorized);
    }
    assert_eq!(guess(&app, "192.0.2.1", "ada").await.status, Status::TooManyRequests);
}

#[rocket::async_test]
async fn a3_one_address_makes_no_more_accounts_at_once_than_it_may_guess() {
    let app = App::configured(&[("throttle.address_failures", "3")]).await;
    let register = async |from, name| {
        let answer = try_from(&app, from, REGISTER, name, PASSWORD).await;
        app.submit("/stateless/logout", &[]).await;
        answer
    };
    for name in ["ada", "bob", "carol"] {
        assert_eq!(register("192.0.2.1", name).await.status, Status::SeeOther);
    }
    let refused = register("192.0.2.1", "dave").await;
    assert_eq!((refused.status, retry_after(&refused)), (Status::TooManyRequests, Some(2)));
    assert!(refused.body.contains(r#"name="username" value="dave""#), "the form again, filled in");
    assert_eq!(register("198.51.100.1", "dave").await.status, Status::SeeOther, "nobody else is refused");
    app.clock.advance(2.seconds());
    assert_eq!(register("192.0.2.1", "erin").await.status, Status::SeeOther);
    assert_eq!(register("192.0.2.1", "frank").await.status, Status::TooManyRequests);
}

#[rocket::async_test]
async fn a3_one_address_has_50_guesses_for_all_names_and_an_ipv6_network_is_one_address() {
    let app = with_ada(&[]).await;
    for n in 0..50 {
        let from = format!("2001:db8:0:1::{n:x}");
        let answer = guess(&app, &from, &format!("name {n}")).await;
        assert_eq!(answer.status, Status::Unauthorized, "{n}");
    }
    let refused = guess(&app, "2001:db8:0:1:ffff::1", "another").await;
    assert_eq!((refused.status, retry_after(&refused)), (Status::TooManyRequests, Some(2)));
    assert_eq!(guess(&app, "2001:db8:0:2::1", "another").await.status, Status::Unauthorized);
    app.clock.advance(2.seconds());
    assert_eq!(guess(&app, "2001:db8:0:1::1", "another").await.status, Status::Unauthorized);
}

#[rocket::async_test]
async fn a3_what_all_addresses_try_of_one_account_is_delayed_and_never_refused() {
    let app = with_ada(&[("throttle.account_failures", "3"), ("throttle.account_delay", "\"700 ms\"")]).await;
    let timed = async |n: u8, password| {
        let begun = Instant::now();
        let answer = try_from(&app, &format!("192.0.2.{n}"), LOGIN, "ada", password).await;
        (answer.status, begun.elapsed() >= Duration::from_millis(700))
    };
    for n in 0..3 {
        assert_eq!(timed(n, "wrong").await.0, Status::Unauthorized);
    }
    for n in 3..6 {
        assert_eq!(timed(n, "wrong").await, (Status::Unauthorized, true));
    }
    assert_eq!(timed(6, PASSWORD).await, (Status::SeeOther, true));
    app.submit("/stateless/logout", &[]).await;
    app.clock.advance(120.seconds());
    assert_eq!(sign_in(&app, "192.0.2.7", "ada").await, Status::SeeOther);
}

#[rocket::async_test]
async fn a3_other_ways_of_writing_a_name_give_no_more_guesses() {
    let app = with_ada(&[]).await;
    app.register("alice").await;
    app.submit("/stateless/logout", &[]).await;
    let names = ["alice", "ALICE", "aIice", "\u{430}lice", "\u{ff41}lice", "al\u{456}ce"];
    let mut checked = 0;
    for name in names.iter().cycle().take(60) {
        checked += usize::from(guess(&app, "192.0.2.1", name).await.status == Status::Unauthorized);
    }
    assert_eq!(checked, 10);
}

#[rocket::async_test]
async fn a3_a_registration_of_an_existing_name_counts_as_a_guess() {
    let app = with_ada(&[]).await;
    let other = "another lighthouse keeper";
    for _ in 0..10 {
        let taken = try_from(&app, "192.0.2.1", REGISTER, "ada", other).await;
        assert_eq!(taken.status, Status::UnprocessableEntity);
    }
    let refused = try_from(&app, "192.0.2.1", REGISTER, "ada", PASSWORD).await;
    assert_eq!((refused.status, retry_after(&refused)), (Status::TooManyRequests, Some(30)));
    assert!(refused.body.contains("Create an account") && refused.body.contains("Try again in 30 seconds"));
    assert_eq!(sign_in(&app, "192.0.2.1", "ada").await, Status::TooManyRequests);
}

/// The whole answer without what is new in each: the token, the sealed cookie, the name that was typed.
fn comparable(mut answer: Answer, name: &str) -> Answer {
    answer.body = answer.body.replace(&answer.token().unwrap(), "").replace(name, "");
    answer.headers.remove("set-cookie");
    answer
}

#[rocket::async_test]
async fn a1_an_unknown_account_is_throttled_like_a_known_one_byte_for_byte() {
    let app = with_ada(&[]).await;
    let mut refused = Vec::new();
    for (name, from) in [("ada", "192.0.2.1"), ("eve", "192.0.2.2")] {
        let mut answers = Vec::new();
        for _ in 0..12 {
            answers.push(comparable(guess(&app, from, name).await, name));
        }
        refused.push(answers);
    }
    assert_eq!(refused[0], refused[1]);
    assert_eq!(refused[0][11].status, Status::TooManyRequests);
}

#[rocket::async_test]
async fn a3_what_was_tried_is_remembered_over_a_restart() {
    let app = with_ada(&[]).await;
    for _ in 0..10 {
        guess(&app, "192.0.2.1", "ada").await;
    }
    let app = app.restarted().await;
    assert_eq!(guess(&app, "192.0.2.1", "ada").await.status, Status::TooManyRequests);
}

#[rocket::async_test]
async fn a3_a_throttle_that_is_turned_off_refuses_nothing() {
    let app = with_ada(&[("throttle.enabled", "false")]).await;
    for _ in 0..12 {
        assert_eq!(guess(&app, "192.0.2.1", "ada").await.status, Status::Unauthorized);
    }
}
