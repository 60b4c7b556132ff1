//! The stylesheet, the scripts and the icon, built into the program and kept by browsers; and what robots may read.

use std::hash::{DefaultHasher, Hash, Hasher};

use rocket::http::{ContentType, Header};
use rocket::{Responder, Route, get, routes, uri};

/// One file for the browser, by subject in the source.
const CSS: &str = concat!(
    include_str!("../../templates/site.css"),
    include_str!("../../templates/pieces.css"),
    include_str!("../../templates/lab.css"),
);
const LIVE: &str = include_str!("../../templates/live.js");
const PASSWORD: &str = include_str!("../../templates/password.js");
const ICON: &str = include_str!("../../templates/favicon.svg");
/// Robots may read every page (RFC 9309): what is not for everybody asks them to sign in.
const ROBOTS: &str = "User-agent: *\nDisallow:\n";

#[derive(Responder)]
struct Asset {
    text: &'static str,
    kind: ContentType,
    kept: Header<'static>,
}

impl Asset {
    fn new(text: &'static str, kind: ContentType, caching: &'static str) -> Asset {
        Asset { text, kind, kept: Header::new("Cache-Control", caching) }
    }
}

/// Changes with the text.
fn version(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:x}", hasher.finish())
}

/// Where the stylesheet is: an address that changes with its content.
pub(super) fn css_uri() -> String {
    uri!(css(v = Some(version(CSS)))).to_string()
}

/// Where the script of the live line is.
pub(super) fn live_uri() -> String {
    uri!(live(v = Some(version(LIVE)))).to_string()
}

/// Where the script of the fields for passwords is.
pub(super) fn password_uri() -> String {
    uri!(password(v = Some(version(PASSWORD)))).to_string()
}

/// Kept for ever at its own address. Another version's address leads here while an app is being replaced: what is kept
/// there would be the wrong text once that version answers.
fn versioned(text: &'static str, kind: ContentType, v: Option<&str>) -> Asset {
    let is_own = v == Some(&version(text));
    let caching = if is_own { "public, max-age=31536000, immutable" } else { "no-cache" };
    Asset::new(text, kind, caching)
}

#[get("/site.css?<v>")]
fn css(v: Option<&str>) -> Asset {
    versioned(CSS, ContentType::CSS, v)
}

#[get("/live.js?<v>")]
fn live(v: Option<&str>) -> Asset {
    versioned(LIVE, ContentType::JavaScript, v)
}

#[get("/password.js?<v>")]
fn password(v: Option<&str>) -> Asset {
    versioned(PASSWORD, ContentType::JavaScript, v)
}

#[get("/favicon.svg")]
fn icon() -> Asset {
    Asset::new(ICON, ContentType::SVG, "public, max-age=86400")
}

#[get("/robots.txt")]
fn robots() -> Asset {
    Asset::new(ROBOTS, ContentType::Plain, "public, max-age=86400")
}

pub(super) fn routes() -> Vec<Route> {
    routes![css, live, password, icon, robots]
}
