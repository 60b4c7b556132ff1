//! The page of a session that cannot be kept: the one that Rocket itself would choose.

use std::sync::Arc;

use rocket::http::Status;
use rocket::local::blocking::Client;
use rocket::{Build, Rocket, catch, catchers, get, routes};

use crate::faulty::{Act, Faulty, app};
use crate::site::Visit;

#[get("/session")]
fn session(session: Visit<'_>) {
    session.update(|visitor| visitor.views += 1);
}

#[get("/rocket")]
fn rocket_itself() -> Status {
    Status::ServiceUnavailable
}

#[catch(default)]
fn any() -> &'static str {
    "any error of the desk"
}

#[catch(503)]
fn away() -> &'static str {
    "the shop is away"
}

#[catch(500)]
fn broken() -> &'static str {
    "the desk is broken"
}

const PATHS: [(&str, &str); 4] = [
    ("/shop", "the shop is away"),
    ("/desk", "any error of the desk"),
    ("/shopping", "our page for 503"),
    ("/elsewhere", "our page for 503"),
];

fn site(store: &Arc<Faulty>) -> Rocket<Build> {
    let mount = |rocket: Rocket<Build>, (path, _)| rocket.mount(path, routes![session, rocket_itself]);
    PATHS
        .into_iter()
        .fold(app(store).rocket(), mount)
        .register("/shop", catchers![any, away])
        .register("/desk", catchers![any, broken])
        .register("/desk/session/further", catchers![away])
}

#[test]
fn it_is_the_page_that_rocket_would_choose_for_this_path_and_status() {
    let store = Faulty::new();
    let browser = Client::untracked(site(&store)).unwrap();
    for (path, page) in PATHS {
        let answer = |what: &str| {
            let response = browser.get(format!("{path}/{what}")).dispatch();
            (response.status(), response.into_string().unwrap_or_default())
        };
        store.next("create", Act::Fault);
        let expected = (Status::ServiceUnavailable, page.to_owned());
        assert_eq!(answer("session"), expected, "{path}");
        assert_eq!(answer("rocket"), expected, "{path}");
    }
}
