//! The stylesheet, the scripts and the icon, built into the program and kept by browsers; and what robots may read.

use std::sync::LazyLock;

use ring::digest::{SHA384, digest};
use rocket::http::uri::Origin;
use rocket::http::{ContentType, Header};
use rocket::{Responder, Route, get, routes, uri};
use serde::Serialize;

/// One file for the browser, by subject in the source.
static CSS: LazyLock<File> = LazyLock::new(|| {
    File::new(concat!(
        include_str!("../../templates/site.css"),
        include_str!("../../templates/pieces.css"),
        include_str!("../../templates/lab.css"),
    ))
});
static LIVE: LazyLock<File> = LazyLock::new(|| File::new(include_str!("../../templates/live.js")));
static PASSWORD: LazyLock<File> = LazyLock::new(|| File::new(include_str!("../../templates/password.js")));
static ICON: LazyLock<File> = LazyLock::new(|| File::new(include_str!("../../templates/favicon.svg")));

/// Robots may read every page (RFC 9309): what is not for everybody asks them to sign in.
const ROBOTS: &str = "User-agent: *\nDisallow:\n";

/// A text, and what changes with it.
struct File {
    text: &'static str,
    /// What stands in its address.
    version: String,
    /// By which a browser checks it (W3C Subresource Integrity; ASVS 5.0, 3.6.1).
    integrity: String,
}

impl File {
    fn new(text: &'static str) -> File {
        let hash = digest(&SHA384, text.as_bytes());
        let version = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let integrity = format!("sha384-{}", base64_simd::STANDARD.encode_to_string(hash));
        File { text, version, integrity }
    }

    fn at(&'static self, uri: Origin<'_>) -> Linked {
        Linked { uri: uri.to_string(), integrity: &self.integrity }
    }
}

/// A file as a page links to it: at an address that changes with its content, which the browser compares with a hash.
#[derive(Serialize)]
pub(super) struct Linked {
    uri: String,
    integrity: &'static str,
}

/// The files that pages link to.
#[derive(Serialize)]
pub(super) struct Assets {
    css: Linked,
    live: Linked,
    password: Linked,
    icon: Linked,
}

impl Assets {
    pub(super) fn linked() -> Assets {
        Assets {
            css: CSS.at(uri!(css(v = Some(&*CSS.version)))),
            live: LIVE.at(uri!(live(v = Some(&*LIVE.version)))),
            password: PASSWORD.at(uri!(password(v = Some(&*PASSWORD.version)))),
            icon: ICON.at(uri!(icon(v = Some(&*ICON.version)))),
        }
    }
}

#[derive(Responder)]
struct Asset {
    text: &'static str,
    kind: ContentType,
    kept: Header<'static>,
}

/// Kept for ever at its own address. Another version's address leads here while an app is being replaced: what is kept
/// there would be the wrong text once that version answers.
fn asset(file: &'static File, kind: ContentType, v: Option<&str>) -> Asset {
    let is_own = v == Some(&file.version);
    let caching = if is_own { "public, max-age=31536000, immutable" } else { "no-cache" };
    Asset { text: file.text, kind, kept: Header::new("Cache-Control", caching) }
}

#[get("/site.css?<v>")]
fn css(v: Option<&str>) -> Asset {
    asset(&CSS, ContentType::CSS, v)
}

#[get("/live.js?<v>")]
fn live(v: Option<&str>) -> Asset {
    asset(&LIVE, ContentType::JavaScript, v)
}

#[get("/password.js?<v>")]
fn password(v: Option<&str>) -> Asset {
    asset(&PASSWORD, ContentType::JavaScript, v)
}

#[get("/favicon.svg?<v>")]
fn icon(v: Option<&str>) -> Asset {
    asset(&ICON, ContentType::SVG, v)
}

#[get("/robots.txt")]
fn robots() -> Asset {
    let kept = Header::new("Cache-Control", "public, max-age=86400");
    Asset { text: ROBOTS, kind: ContentType::Plain, kept }
}

pub(super) fn routes() -> Vec<Route> {
    routes![css, live, password, icon, robots]
}
