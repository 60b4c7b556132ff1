//! What the app answers.

/// The name of the session's cookie under `/stateless`.
pub const COOKIE: &str = "__Host-Http-stateless";

/// A response.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The code of its status.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The text of its body.
    pub body: String,
}

impl Answer {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Answer> {
        let text = String::from_utf8_lossy(bytes);
        let (mut head, mut body) = text.split_once("\r\n\r\n")?;
        if head.starts_with("HTTP/1.1 1") {
            // Go on: the answer follows.
            (head, body) = body.split_once("\r\n\r\n")?;
        }
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_ascii_lowercase(), value.to_owned()))
        };
        let headers: Option<Vec<_>> = lines.map(header).collect();
        Some(Answer { status, headers: headers?, body: body.to_owned() })
    }

    /// Every header: its name in lower case, and its value.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The values of every header of this name, which is in lower case.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(held, _)| held == name).map(|(_, value)| value.as_str())
    }

    /// The value of the first header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Where it redirects to; empty when it does not.
    pub fn location(&self) -> &str {
        self.header("location").unwrap_or_default()
    }

    /// Checks that it redirects to `path` by a 303.
    #[track_caller]
    pub fn leads_to(&self, path: &str) {
        assert_eq!((self.status, self.location()), (303, path), "{}", self.body);
    }

    /// The same answer without what changes with the time of day.
    #[must_use]
    pub fn undated(mut self) -> Answer {
        self.headers.retain(|(name, _)| name != "date");
        self
    }

    /// Whether it removes the session's cookie from the browser.
    pub fn clears(&self) -> bool {
        self.all("set-cookie")
            .any(|line| line.starts_with(&format!("{COOKIE}=;")) && line.contains("Max-Age=0"))
    }

    /// The text of `<output id="…">`.
    pub fn output(&self, id: &str) -> Option<&str> {
        between(&self.body, &format!("<output id=\"{id}\">"), "<")
    }

    /// The token of the form on this page.
    ///
    /// # Panics
    /// When there is no form.
    #[track_caller]
    pub fn token(&self) -> String {
        let token = between(&self.body, "name=\"csrf_token\" value=\"", "\"");
        token.unwrap_or_else(|| panic!("no form: {} {}", self.status, self.body)).to_owned()
    }

    /// The path that the login form on this page leads to.
    pub(crate) fn next(&self) -> Option<&str> {
        between(&self.body, "name=\"next\" value=\"", "\"")
    }

    /// The page's notice to the visitor.
    pub fn notice(&self) -> Option<&str> {
        between(&self.body, "role=\"status\">", "<")
    }

    /// How many visits the overview shows.
    pub(crate) fn visits(&self) -> Option<u64> {
        between(&self.body, "<dt>Visits</dt><dd>", "<")?.parse().ok()
    }
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}
