//! Where to go after signing in: `next`, which leads only to a path of this site.

use rocket::http::uri::Origin;
use rocket::http::{Method, RawStr};
use rocket::request::Request;

const MAX_BYTES: usize = 2048;

/// A path of this site, with its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Next(String);

impl Next {
    /// Accepts `text` only if no browser can take it for another site: what percent-encoding hides must be a
    /// plain path too.
    pub(super) fn checked(text: &str) -> Option<Next> {
        let decoded = RawStr::new(text).percent_decode().ok()?;
        let plain = |text: &str| {
            text.starts_with('/')
                && !text.starts_with("//")
                && !text.contains(|letter: char| letter.is_control() || letter == '\\')
        };
        let path_end = decoded.find(['?', '#']).unwrap_or(decoded.len());
        let single = decoded.get(..path_end).is_some_and(|path| !path.contains("//"));
        let fits = text.len() <= MAX_BYTES && plain(text) && plain(&decoded) && single;
        (fits && Origin::parse(text).is_ok()).then(|| Next(text.to_owned()))
    }

    /// The page that a request asked for, if asking again changes nothing.
    pub(super) fn of(request: &Request<'_>) -> Option<Next> {
        match request.method() {
            Method::Get | Method::Head => Next::checked(&request.uri().to_string()),
            _ => None,
        }
    }

    /// The page that sent the form of a request: its own address, or the page around it for a button of a page. `None`
    /// for the form that signs out, which is on every page.
    pub(super) fn of_form(request: &Request<'_>) -> Option<Next> {
        let path = request.uri().path().as_str();
        let page = match path.rsplit_once('/') {
            Some((_, "logout")) => return None,
            Some((page, "end" | "end-all")) => page,
            _ => path,
        };
        // A path that begins with two slashes leads to another site.
        Next::checked(page).filter(|_| request.method() == Method::Post)
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// What must hold for any bytes: where a browser would go stays on this site.
#[cfg(any(test, fuzzing))]
pub(crate) fn stays_here(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(Next(path)) = Next::checked(text) else { return };
    assert_eq!(path, text);
    // As browsers read an address: they drop tabs and line breaks, and take a backslash for a slash.
    let read: String = path.chars().filter(|letter| !['\t', '\n', '\r'].contains(letter)).collect();
    let read = read.replace('\\', "/");
    assert!(read.starts_with('/') && !read.starts_with("//"), "{path:?}");
    assert!(!path.contains(char::is_control), "{path:?} would be another header");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_this_site_is_taken() {
        for path in ["/", "/stateless", "/stateless/profile?tab=1&x=%20", "/a/b.c~d", "/a?back=https://b/"] {
            assert_eq!(Next::checked(path).map(Next::into_string).as_deref(), Some(path));
        }
    }

    #[test]
    fn every_kept_path_stays_on_this_site() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/next");
        for input in std::fs::read_dir(corpus).unwrap() {
            stays_here(&std::fs::read(input.unwrap().path()).unwrap());
        }
    }

    #[test]
    fn what_leads_elsewhere_is_not() {
        let long = format!("/{}", "a".repeat(10_000));
        let elsewhere = [
            "",
            "evil",
            "//evil",
            "///evil",
            "/\\evil",
            "\\\\evil",
            "https:evil",
            "https://evil",
            "javascript:x",
            "/%09/evil",
            "/%2Fevil",
            "/%5Cevil",
            "/\t/evil",
            "/\n/evil",
            "/%0d%0aSet-Cookie:x",
            "http://a@evil/",
            " /x",
            "/a//evil",
            &long,
        ];
        for path in elsewhere {
            assert_eq!(Next::checked(path), None, "{path:?}");
        }
    }
}
