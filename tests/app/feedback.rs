//! What pages tell their visitors: what has just happened, why they are where they are, and what was wrong.

use rocket::http::{ContentType, Cookie, Header, Status};
use rocket::uri;
use time::Duration;

use crate::support::{Answer, App, PASSWORD, Settings};

const ALL: [&str; 3] = ["/stateless", "/revocable", "/stateful"];
const ADA: [(&str, &str); 2] = [("username", "ada"), ("password", PASSWORD)];

fn cookies_set(answer: &Answer) -> usize {
    answer.headers.get("set-cookie").map_or(0, Vec::len)
}

/// Signs out as a button does whose page is of another browser, so without a token that could be good.
async fn sign_out_without_token(app: &App, realm: &str, site: (&'static str, &'static str)) -> Answer {
    let request = app.client.post(format!("{realm}/logout")).header(ContentType::Form).body("csrf_token=x");
    Answer::of(request.header(Header::new(site.0, site.1)).dispatch().await).await
}

#[rocket::async_test]
async fn a_new_account_and_a_sign_in_are_told_once_by_the_page_they_lead_to() {
    let app = App::start().await;
    for realm in ALL {
        let (form, told) = match realm {
            "/stateless" => ("register", "Account created. You are signed in as ada."),
            _ => ("login", "Signed in."),
        };
        let to = app.submit(&format!("{realm}/{form}"), &ADA).await.location().to_owned();
        let page = app.get(&to).await;
        assert_eq!(page.notice(), Some(told), "{realm}");
        let cookies = if realm == "/stateful" { 0 } else { 1 };
        assert_eq!(cookies_set(&page), cookies, "{realm}: it counts the visit and takes the notice at once");
        let next = app.get(&format!("{realm}/profile")).await;
        assert_eq!((next.notice(), cookies_set(&next)), (None, 0), "{realm}");
    }
}

#[rocket::async_test]
async fn somebody_who_has_just_registered_is_not_welcomed_back_yet() {
    let app = App::start().await;
    app.get("/stateless").await;
    let to = app.submit("/stateless/register", &ADA).await.location().to_owned();
    assert_eq!(app.get(&to).await.after("<h1>"), Some("Welcome. The session goes on."));
    assert_eq!(app.get("/stateless").await.after("<h1>"), Some("Welcome back."));
}

#[rocket::async_test]
async fn a_notice_that_a_page_outside_of_the_realm_could_not_tell_is_told_by_the_next_one_inside() {
    let app = App::start().await;
    app.register("ada").await;
    assert_eq!(app.get("/docs").await.notice(), None);
    let profile = app.get("/stateless/profile").await;
    assert_eq!(profile.notice(), Some("Account created. You are signed in as ada."));
    assert_eq!(cookies_set(&profile), 1);
    assert_eq!(cookies_set(&app.get("/stateless/profile").await), 0);
}

#[rocket::async_test]
async fn who_is_sent_to_sign_in_is_told_what_for() {
    let app = App::start().await;
    for (page, told) in [
        ("profile", "Sign in to see your profile."),
        ("sessions", "Sign in to see your sessions."),
        ("password", "Sign in to change your password."),
        ("account/delete", "Sign in to delete your account."),
    ] {
        let sent = app.get(&format!("/stateless/{page}")).await;
        assert_eq!(cookies_set(&sent), 0, "{page}");
        assert_eq!(app.get(sent.location()).await.notice(), Some(told));
    }
    assert_eq!(app.get("/stateless/login").await.notice(), None);
}

#[rocket::async_test]
async fn the_form_to_sign_in_leads_somebody_who_is_signed_in_to_the_profile() {
    let app = App::start().await;
    app.register("ada").await;
    for realm in ALL {
        app.submit(&format!("{realm}/login"), &ADA).await;
        let sent = app.get(&format!("{realm}/login?next={realm}/cookie")).await;
        assert_eq!(sent.location(), format!("{realm}/profile"));
        assert_eq!(app.get(sent.location()).await.notice(), Some("You are already signed in."), "{realm}");
        assert_eq!(app.get(&format!("{realm}/profile")).await.notice(), None, "{realm}");
    }
}

#[rocket::async_test]
async fn signing_out_leads_to_a_page_without_a_form_or_a_session() {
    let app = App::start().await;
    app.register("ada").await;
    for realm in ALL {
        app.submit(&format!("{realm}/login"), &ADA).await;
        let signed_out = app.submit(&format!("{realm}/logout"), &[]).await;
        assert_eq!(signed_out.location(), format!("{realm}/signed-out"));
        for page in [app.get(signed_out.location()).await, app.get(signed_out.location()).await] {
            assert_eq!((page.status, cookies_set(&page)), (Status::Ok, 0), "{realm}");
            assert!(page.body.contains("You are signed out") && !page.body.contains("<form"), "{realm}");
            assert_eq!(page.body.contains("would still open until <time"), realm == "/stateless", "{realm}");
        }
    }
}

#[rocket::async_test]
async fn only_stateless_tells_until_when_a_copy_opens() {
    let app = App::start().await;
    app.register("ada").await;
    let signed_out = app.submit("/stateless/logout", &[]).await;
    let times = signed_out.headers["set-cookie"].iter().find(|line| line.contains("-signed-out="));
    assert!(times.is_some_and(|line| line.contains("HttpOnly") && line.contains("Max-Age=600")), "{times:?}");
    let told = app.get("/stateless/signed-out").await.body;
    // 2027-01-15 08:00 UTC is when the clock of the tests begins.
    assert!(told.contains("08:30 UTC</time> (in 30 minutes)") && told.contains("20:00 UTC"), "{told}");
    for realm in &ALL[1..] {
        assert!(!app.get(&format!("{realm}/signed-out")).await.body.contains("still open"), "{realm}");
    }
    assert_eq!(app.get("/stateless").await.notice(), None, "it is told on its own page");
}

#[rocket::async_test]
async fn the_page_for_those_who_have_signed_out_leads_anyone_else_to_the_profile() {
    let app = App::start().await;
    app.register("ada").await;
    assert_eq!(app.get("/stateless/signed-out").await.location(), "/stateless/profile");
}

#[rocket::async_test]
async fn signing_out_without_a_session_needs_no_token_and_changes_nothing() {
    let own = ("Sec-Fetch-Site", "same-origin");
    for realm in ALL {
        let absent = App::start().await;
        let ended = App::start().await;
        ended.submit(&format!("{realm}/register"), &ADA).await;
        ended.clock.advance(Duration::minutes(31));
        let invalid = App::start().await;
        let cookie = format!("__Host-Http-{}", &realm[1..]);
        invalid.client.get("/docs").cookie(Cookie::new(cookie, "junk")).dispatch().await;
        for app in [absent, ended, invalid] {
            let signed_out = sign_out_without_token(&app, realm, own).await;
            assert_eq!(signed_out.location(), format!("{realm}/signed-out"));
            assert_eq!(
                (cookies_set(&signed_out), signed_out.header("clear-site-data")),
                (0, None),
                "{realm}"
            );
        }
    }
}

#[rocket::async_test]
async fn rule_14_signing_out_with_a_superseded_cookie_needs_its_token() {
    let app = App::start().await;
    for realm in ["/revocable", "/stateful"] {
        app.submit(&format!("{realm}/register"), &ADA).await;
        app.submit(&format!("{realm}/logout"), &[]).await;
        let name = format!("__Host-Http-{}", &realm[1..]);
        app.get(realm).await;
        let old = app.client.cookies().get(&name).cloned().unwrap();
        app.submit(&format!("{realm}/login"), &ADA).await;
        let new = app.client.cookies().get(&name).cloned().unwrap();
        for (site, value) in [("Sec-Fetch-Site", "same-origin"), ("Origin", "https://evil.example")] {
            let request = app.client.post(format!("{realm}/logout")).header(ContentType::Form);
            let request = request.header(Header::new(site, value)).cookie(old.clone()).body("csrf_token=x");
            let refused = Answer::of(request.dispatch().await).await;
            assert_eq!((refused.status, cookies_set(&refused)), (Status::Forbidden, 0), "{realm} {value}");
        }
        let profile = app.client.get(format!("{realm}/profile")).cookie(new).dispatch().await;
        assert_eq!(profile.status(), Status::Ok, "{realm}");
    }
}

#[rocket::async_test]
async fn x2_signing_out_from_another_site_is_403_with_and_without_a_session() {
    for realm in ALL {
        let (nobody, ada) = (App::start().await, App::start().await);
        ada.submit(&format!("{realm}/register"), &ADA).await;
        for app in [&nobody, &ada] {
            for site in [
                ("Sec-Fetch-Site", "cross-site"),
                ("Sec-Fetch-Site", "same-site"),
                ("Origin", "https://evil.example"),
            ] {
                let refused = sign_out_without_token(app, realm, site).await;
                assert_eq!(
                    (refused.status, cookies_set(&refused)),
                    (Status::Forbidden, 0),
                    "{realm} {site:?}"
                );
            }
        }
        assert_eq!(ada.get(&format!("{realm}/profile")).await.status, Status::Ok, "{realm}");
    }
}

#[rocket::async_test]
async fn a_form_whose_page_had_expired_is_shown_again_filled_in() {
    let app = App::start().await;
    app.register("ada").await;
    app.submit("/stateless/logout", &[]).await;
    for (form, heading) in [("login", "Sign in"), ("register", "Create an account")] {
        let path = format!("/stateless/{form}");
        let token = app.get(&path).await.token().unwrap();
        app.clock.advance(Duration::minutes(31));
        let typed = [("username", "ada"), ("password", PASSWORD), ("next", "/stateless/cookie")];
        let more = [("csrf_token", token.as_str()), ("remember", "true")];
        let refused = app.post(&path, &[&more[..], &typed].concat()).await;
        assert_eq!(refused.status, Status::Forbidden);
        assert_eq!(refused.after("autofocus>"), Some("This form had expired. Please send it again."));
        assert_eq!(refused.after("<title>"), Some(&*format!("Error: {heading} · Sealed Sessions")));
        assert!(refused.body.contains("value=\"ada\"") && !refused.body.contains(PASSWORD), "{form}");
        assert!(refused.body.contains("name=\"next\" value=\"/stateless/cookie\""), "{form}");
        assert_eq!(refused.body.contains("name=\"remember\" value=\"true\" checked"), form == "login");
        let token = refused.token().unwrap();
        let sent_again = app.post(&path, &[&[("csrf_token", token.as_str())], &typed[..]].concat()).await;
        assert_eq!(sent_again.location(), "/stateless/cookie", "{form}");
        app.submit("/stateless/logout", &[]).await;
    }
}

#[rocket::async_test]
async fn a_browser_that_keeps_no_cookie_is_told_at_the_second_failure() {
    for form in ["login", "register"] {
        let path = format!("/stateless/{form}");
        let fields = [("csrf_token", "x"), ("username", "ada"), ("password", PASSWORD)];
        let first = App::start().await.post(&path, &fields).await;
        assert!(first.body.contains("This form had expired") && !first.body.contains("Safari"), "{form}");
        assert!(first.body.contains("name=\"again\" value=\"true\""), "{form}");
        let again = [&fields[..], &[("again", "true")]].concat();
        let second = App::start().await.post(&path, &again).await;
        assert!(second.body.contains("not keeping this site’s cookies"), "{form}");
        assert!(second.body.contains("Safari") && !second.body.contains("had expired"), "{form}");
    }
}

#[rocket::async_test]
async fn the_title_and_the_focus_follow_what_was_wrong() {
    let app = App::start().await;
    app.register("ada").await;
    let wrong = async |path: &str, fields: &[(&str, &str)]| app.submit(path, fields).await;
    let new = [("current_password", PASSWORD), ("new_password", "short")];
    let both = [("current_password", "not hers"), ("new_password", "short")];
    let pages = [
        (wrong("/stateless/password", &new).await, "Change your password", "name=\"new_password\""),
        (wrong("/stateless/password", &both).await, "Change your password", "name=\"current_password\""),
        (wrong("/stateless/confirm", &[("password", "x")]).await, "Is that still you?", "name=\"password\""),
        (wrong("/stateful/login", &[("username", "ada"), ("password", "x")]).await, "Sign in", "form-error"),
        (
            wrong("/stateful/register", &[("username", ""), ("password", "x")]).await,
            "Create an account",
            "name=\"username\"",
        ),
        (
            wrong("/stateful/register", &[("username", "eve"), ("password", "x")]).await,
            "Create an account",
            "name=\"password\"",
        ),
    ];
    for (page, title, focused) in pages {
        assert_eq!(page.after("<title>"), Some(&*format!("Error: {title} · Sealed Sessions")));
        let (before, after) = page.body.split_once("autofocus").expect("something has the focus");
        assert!(!after.contains("autofocus"), "{title}: only one has it");
        assert!(before.rsplit('<').next().unwrap().contains(focused), "{title}: not {focused}");
    }
    assert_eq!(app.get("/nowhere").await.after("<title>"), Some("Error: Page not found · Sealed Sessions"));
    assert!(!app.get("/stateful/login").await.body.contains("autofocus"));
}

/// Where the foot of a page of the tour leads.
fn next_step(page: &Answer) -> (&str, &str) {
    let (_, foot) = page.body.split_once("<section class=\"tour\"").expect("it is a page of the tour");
    let (foot, _) = foot.split_once("</section>").unwrap();
    let (_, step) = foot.split_once("<small>").unwrap();
    let (_, link) = foot.split_once("href=\"").unwrap_or_else(|| foot.split_once("action=\"").unwrap());
    (step.split('<').next().unwrap(), link.split('"').next().unwrap())
}

#[rocket::async_test]
async fn the_tour_leads_through_five_pages() {
    let app = App::start().await;
    let start = app.get("/").await;
    let start = start.body.split_once("\">Take the tour").unwrap().0.rsplit("href=\"").next().unwrap();
    for realm in ALL {
        let visits = app.get(if realm == "/stateless" { start } else { realm }).await;
        let (step, to_login) = next_step(&visits);
        assert_eq!((step, to_login), ("Step 1 of 5", &*format!("{realm}/login?next={realm}/cookie")));
        let login = app.get(to_login).await;
        assert_eq!(next_step(&login), ("Step 2 of 5", &*format!("{realm}/cookie")));
        let form = if realm == "/stateless" { "register" } else { "login" };
        let next = format!("{realm}/cookie");
        let fields = [&ADA[..], &[("next", next.as_str())]].concat();
        let inside = app.submit(&format!("{realm}/{form}"), &fields).await.location().to_owned();
        let inside = app.get(&inside).await;
        assert_eq!(next_step(&inside), ("Step 3 of 5", &*format!("{realm}/logout")));
        let signed_out = app.submit(&format!("{realm}/logout"), &[]).await;
        let signed_out = app.get(signed_out.location()).await;
        assert_eq!(next_step(&signed_out), ("Step 4 of 5", "/compare"));
        assert_eq!(next_step(&app.get("/compare").await), ("Step 5 of 5", "/"));
    }
}

#[rocket::async_test]
async fn a_copy_that_is_replayed_as_the_page_says_gets_the_status_that_it_says() {
    let app = App::start().await;
    app.register("ada").await;
    for realm in ALL {
        app.submit(&format!("{realm}/login"), &ADA).await;
        app.get(&format!("{realm}/profile")).await;
        let name = format!("__Host-Http-{}", &realm[1..]);
        let copy = app.client.cookies().get(&name).cloned().unwrap();
        app.submit(&format!("{realm}/logout"), &[]).await;
        let mut request = app.client.get(format!("{realm}/signed-out"));
        request.inner_mut().set_host(uri!("localhost:8000").into());
        let page = Answer::of(request.dispatch().await).await;
        let command = format!("-b '{name}=VALUE' \\\n  http://localhost:8000{realm}/profile");
        assert!(page.body.contains(&command), "{}", page.body);
        let replayed = app.client.get(format!("{realm}/profile")).cookie(copy).dispatch().await;
        assert!(page.body.contains(&format!("It prints <b>{}</b>", replayed.status().code)), "{realm}");
        assert_eq!(replayed.status() == Status::Ok, realm == "/stateless");
    }
}

#[rocket::async_test]
async fn no_page_has_a_live_cookie_sent_without_tls_to_another_machine() {
    const PLAIN: Settings =
        &[("session.realms./stateful.secure", "false"), ("session.realms./stateful.cookie", "\"stateful\"")];
    let app = App::configured(PLAIN).await;
    for (realm, scheme) in [("/stateless", "https"), ("/revocable", "https"), ("/stateful", "http")] {
        // As docs/nginx.conf passes it on: the app itself has no TLS.
        let mut request = app.client.get(format!("{realm}/signed-out"));
        request.inner_mut().set_host(uri!("sessions.example").into());
        let page = Answer::of(request.dispatch().await).await;
        assert!(
            page.body.contains(&format!("  {scheme}://sessions.example{realm}/profile")),
            "{}",
            page.body
        );
    }
}

#[rocket::async_test]
async fn the_form_to_sign_in_says_what_remembering_means_in_its_realm() {
    let app = App::configured(&[("session.realms./stateful.remember_idle_timeout", "\"3 days\"")]).await;
    for (realm, told) in [
        ("/stateless", "For up to 30 days, unless you stay away for 14 days."),
        ("/stateful", "For up to 30 days, unless you stay away for 3 days."),
    ] {
        let form = app.get(&format!("{realm}/login")).await;
        assert!(form.body.contains(told), "{}", form.body);
    }
}

#[rocket::async_test]
async fn the_hint_for_a_new_password_stands_once_and_the_mistake_takes_its_place() {
    let app = App::start().await;
    let form = app.get("/stateless/register").await;
    assert_eq!(form.body.matches("15 characters or more").count(), 1);
    let refused = app.submit("/stateless/register", &[("username", "ada"), ("password", "short")]).await;
    assert_eq!(refused.body.matches("15 characters or more").count(), 1, "{}", refused.body);
    assert_eq!(refused.after("id=\"password-error\">"), Some("Use 15 characters or more."));
}

#[rocket::async_test]
async fn every_form_with_a_password_has_the_script_that_shows_it_from_this_site() {
    let app = App::start().await;
    let forms = [app.get("/stateless/login").await, app.get("/stateless/register").await];
    app.register("ada").await;
    let forms = forms.into_iter().chain([
        app.get("/stateless/password").await,
        app.get("/stateless/confirm").await,
        app.submit("/stateful/login", &[("username", "ada"), ("password", "x")]).await,
    ]);
    for form in forms {
        let script = form.body.split_once("<script src=\"").unwrap().1.split('"').next().unwrap();
        let script = app.get(script).await;
        assert_eq!(script.header("content-type"), Some("text/javascript"));
        assert_eq!(script.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert!(script.body.contains("\"use strict\""));
    }
    assert!(!app.get("/stateless/profile").await.body.contains("/password.js"), "no field, no script");
}
