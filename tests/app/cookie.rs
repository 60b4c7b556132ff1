//! The page that looks inside the cookie, and its two forms.

use rocket::http::Status;

use crate::support::{Answer, App, PASSWORD};

const NAME: &str = "__Host-Http-stateless";

/// The letters of the value as the page shows them, part by part.
fn shown(body: &str) -> Vec<&str> {
    body.split("<span class=\"ink-").skip(1).filter_map(|rest| rest.split(['>', '<']).nth(1)).collect()
}

#[rocket::async_test]
async fn c8_the_value_is_shown_without_the_tag_that_would_make_it_a_credential() {
    let app = App::start().await;
    app.register("ada").await;
    app.get("/stateless/profile").await;
    let page = app.get("/stateless/cookie").await;
    let value = app.client.cookies().get(NAME).unwrap().value().to_owned();
    let shown = shown(&page.body);
    assert_eq!(shown.len(), 4, "nonce, record, data, tag: {shown:?}");
    let (tag, letters) = shown.split_last().unwrap();
    let letters = letters.concat();
    assert!(value.starts_with(&letters), "{letters}");
    assert_eq!(shown[0].len(), 16, "a nonce of 12 bytes");
    assert!(tag.chars().all(|letter| letter == '•'));
    assert!(tag.chars().count() >= 21, "16 bytes of tag");
    assert_eq!(letters.len() + tag.chars().count(), value.len());
}

#[rocket::async_test]
async fn a_changed_character_is_refused_wherever_it_is() {
    let app = App::start().await;
    app.register("ada").await;
    for character in ["", "1", "17", "60", "9999", "0"] {
        let fields: &[_] = if character.is_empty() { &[] } else { &[("character", character)] };
        let token = app.get("/stateless/cookie").await.token().unwrap();
        let answer =
            app.post("/stateless/cookie/tamper", &[&[("csrf_token", token.as_str())], fields].concat()).await;
        assert_eq!(answer.status, Status::Ok);
        assert!(answer.body.contains("<b>Refused.</b> Character"), "{character:?}: {}", answer.body);
        let all = app.client.cookies().get(NAME).unwrap().value().len();
        assert!(answer.body.contains(&format!(" of {all} was <code>")), "{all}: {}", answer.body);
        assert!(!answer.body.contains("It opened"));
    }
    assert_eq!(app.get("/stateless/profile").await.status, Status::Ok, "the session itself is untouched");
}

#[rocket::async_test]
async fn a_note_makes_the_session_grow_into_chunks_and_back() {
    let app = App::start().await;
    app.get("/stateless").await;
    app.get("/stateless/login").await;
    let keep = async |note: &str| keep_note(&app, "/stateless", note).await;
    assert_eq!(keep(&"x".repeat(5000)).await.location(), "/stateless/cookie#note");
    assert!(app.client.cookies().get(&format!("{NAME}.1")).is_some(), "two cookies");
    let page = app.get("/stateless/cookie").await;
    for told in ["split into 2 cookies", "The names of the cookies", "all Set-Cookie lines"] {
        assert!(page.body.contains(told), "{told}: {}", page.body);
    }
    let letters: usize = shown(&page.body).iter().map(|text| text.chars().count()).sum();
    assert!(letters > 6500, "all chunks are shown: {letters}");
    let tampered = [("csrf_token", page.token().unwrap()), ("character", "6000".into())];
    let tampered = tampered.each_ref().map(|(name, value)| (*name, value.as_str()));
    let answer = app.post("/stateless/cookie/tamper", &tampered).await;
    assert!(answer.body.contains("it was changed, or sealed by another key"), "{}", answer.body);
    let again = keep(&"é".repeat(2501)).await;
    assert_eq!(again.status, Status::UnprocessableEntity);
    assert!(
        again.body.contains(&format!(">{}</textarea>", "é".repeat(2501))),
        "what was typed is still there"
    );
    assert_eq!(keep("").await.status, Status::SeeOther);
    assert!(app.client.cookies().get(&format!("{NAME}.1")).is_none(), "one cookie again");
}

async fn keep_note(app: &App, realm: &str, note: &str) -> Answer {
    let token = app.get(&format!("{realm}/cookie")).await.token().unwrap();
    app.post(&format!("{realm}/cookie/note"), &[("csrf_token", &token), ("note", note)]).await
}

#[rocket::async_test]
async fn a_note_is_measured_as_the_session_keeps_it() {
    let app = App::start().await;
    for realm in ["/stateless", "/revocable", "/stateful"] {
        app.get(realm).await;
        // One byte each as it is typed.
        for (letter, bytes) in [('x', 1), ('"', 2), ('\\', 2), ('\n', 2), ('\u{1}', 6)] {
            let most = letter.to_string().repeat(5000 / bytes);
            let kept = keep_note(&app, realm, &most).await;
            assert_eq!(kept.location(), format!("{realm}/cookie#note"), "{letter:?}");
            let more = format!("{most}{letter}");
            let again = keep_note(&app, realm, &more).await;
            assert_eq!(again.status, Status::UnprocessableEntity, "{letter:?}: {}", again.body);
            let takes = format!("this note in {} bytes, and there is room for 5000", more.len() * bytes);
            assert!(again.body.contains(&takes), "{letter:?}: {}", again.body);
        }
        assert!(keep_note(&app, realm, &"\"".repeat(5000)).await.body.contains(&"&quot;".repeat(5000)));
    }
}

/// A session that holds as much as a visitor can put into it: counts, times of clicks, a stamp, the longest name.
#[rocket::async_test]
async fn beside_the_longest_note_there_is_room_for_a_sign_in() {
    let app = App::start().await;
    let name = "\u{10400}".repeat(64);
    let fields = [("username", name.as_str()), ("password", PASSWORD), ("remember", "true")];
    app.submit("/stateful/register", &fields).await;
    app.submit("/stateful/logout", &[]).await;
    app.database("UPDATE accounts SET stamp = -9223372036854775807").await;
    for _ in 0..21 {
        app.submit("/compare", &[]).await;
    }
    for realm in ["/stateless", "/revocable"] {
        let page = app.get(&format!("{realm}/cookie")).await;
        let hint = page.after("id=\"note-hint\">").unwrap();
        let most: usize = hint.split(' ').find_map(|word| word.parse().ok()).unwrap();
        keep_note(&app, realm, &"\"".repeat(most / 2)).await.location();
        let signed_in = app.submit(&format!("{realm}/login"), &fields).await;
        assert_eq!(signed_in.status, Status::SeeOther, "{realm}: {}", signed_in.body);
        let profile = app.get(&format!("{realm}/profile")).await;
        assert_eq!(profile.status, Status::Ok, "{realm}");
        let lines: usize = signed_in.headers["set-cookie"].iter().map(String::len).sum();
        assert!(lines < 8192 - 256, "{realm}: little is left of max_cookie_bytes: {lines}");
    }
}

#[rocket::async_test]
async fn the_page_opens_no_session_by_being_looked_at() {
    let app = App::start().await;
    let page = app.get("/stateless/cookie").await;
    assert_eq!(page.header("set-cookie"), None);
    assert!(!page.body.contains("<textarea") && !page.body.contains("tamper"));
    for realm in ["/stateless", "/revocable", "/stateful"] {
        let page = app.get(&format!("{realm}/cookie")).await;
        assert_eq!(page.body.matches("sent no session cookie").count(), 1, "{realm}");
        assert!(page.body.contains("<b>No session of yours"), "{realm}: {}", page.body);
    }
}
