//! Which browser a request comes from, in words: what a person recognises in a list of their sessions.

use std::convert::Infallible;

use rocket::request::{FromRequest, Outcome, Request};

/// Names in a `User-Agent`, and what people call them. The first that occurs counts, since browsers also name those that
/// they want to be taken for.
const BROWSERS: [(&str, &str); 12] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
    ("BSD", "BSD"),
];

/// A few words for the browser, such as "Firefox on Linux"; never what the header says itself.
pub(super) struct Browser(pub(super) String);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Browser {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Browser, Infallible> {
        Outcome::Success(Browser::of(request))
    }
}

impl Browser {
    /// The browser that has sent this request.
    pub(super) fn of(request: &Request<'_>) -> Browser {
        Browser(words(request.headers().get_one("User-Agent").unwrap_or_default()))
    }
}

fn words(user_agent: &str) -> String {
    let known = |names: &[(&str, &'static str)]| {
        names.iter().find(|(name, _)| user_agent.contains(name)).map(|(_, words)| *words)
    };
    match (known(&BROWSERS), known(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("A browser on {system}"),
        (None, None) => "An unknown browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_browser_has_the_name_that_people_call_it() {
        for (user_agent, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1",
                "Chrome on iPhone",
            ),
            ("curl/8.5.0", "curl"),
            ("a reader for Windows", "A browser on Windows"),
            ("", "An unknown browser"),
            ("<script>alert(1)</script>\u{7f}", "An unknown browser"),
        ] {
            assert_eq!(words(user_agent), name, "{user_agent}");
        }
    }
}
