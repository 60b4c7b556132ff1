//! The lines that do what a page shows, as they stand in the source, and the same in Express.

use serde::{Serialize, Serializer};

/// What a page's own source does, beside the same in express-session.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Code {
    /// The template of the page.
    page: &'static str,
    /// What the lines do.
    does: &'static str,
    /// Where they stand.
    file: &'static str,
    #[serde(skip)]
    #[cfg_attr(not(test), expect(dead_code, reason = "compared with the lines by a test"))]
    source: &'static str,
    #[serde(serialize_with = "by_line")]
    rust: &'static str,
    #[serde(serialize_with = "by_line")]
    express: &'static str,
}

macro_rules! code {
    ($page:literal, $does:literal, $file:literal, $rust:literal, $express:literal) => {
        Code {
            page: $page,
            does: $does,
            file: concat!("src/app/", $file),
            source: include_str!($file),
            rust: $rust,
            express: $express,
        }
    };
}

const ALL: &[Code] = &[
    code!(
        "visits",
        "Counts a visit.",
        "visits.rs",
        "\
let visits = session.update(|visitor| {
    …
    visitor.visits = visitor.visits.saturating_add(1);
    visitor.visits
});",
        "\
req.session.visits = (req.session.visits ?? 0) + 1;
const { visits } = req.session;"
    ),
    code!(
        "login",
        "Signs in: the session gets a new id and keeps its data.",
        "visitor.rs",
        "\
session.sign_in(|visitor| {
    visitor.user = Some(proven.account);
    visitor.stamp = stamp;
    visitor.browser = browser;
    visitor.flash = Some(flash);
});
if remember {
    session.remember();
}",
        "\
const kept = { ...req.session };
req.session.regenerate((error) => {
  if (error) return next(error);
  Object.assign(req.session, kept, { user: account });
  if (remember) {
    req.session.cookie.maxAge = 30 * 86_400_000;
  }
  req.session.save(done);
});"
    ),
    code!(
        "register",
        "Signs the new account in.",
        "register.rs",
        "sign_in(session, proven, false, browser, Flash::Registered);",
        "\
req.session.regenerate((error) => {
  if (error) return next(error);
  req.session.user = account;
  req.session.save(done);
});"
    ),
    code!(
        "profile",
        "Lets in anyone who is signed in, and nobody else: its first parameter is a guard.",
        "profile.rs",
        "\
fn profile(user: User<'_>, page: Page<'_>) -> Html {
    …
}",
        "\
app.get('/profile', (req, res) => {
  if (!req.session.user) {
    return res.redirect('/login');
  }
  …
});"
    ),
    code!(
        "cookie",
        "Looks into the session: its record, and what it takes on the wire.",
        "cookie/mod.rs",
        "\
let record = session.inspect().record();
let wire = session.inspect().wire();",
        "\
const record = req.session;
const wire = req.headers.cookie;"
    ),
    code!(
        "sessions",
        "Ends the other sessions of the account, in a realm whose server can.",
        "sessions.rs",
        "\
match session.end_others().await.map_err(fault)? {
    Ended::Sessions(count) => done(Some(count)),
    Ended::Uncounted => done(None),
    …
}",
        "\
// Not in express-session. With a store that can list:
const { id } = req.session.user;
req.sessionStore.all((error, all) => {
  for (const [sid, other] of Object.entries(all)) {
    if (other.user?.id !== id) continue;
    if (sid !== req.sessionID) {
      req.sessionStore.destroy(sid);
    }
  }
});"
    ),
    code!(
        "password",
        "Ends the other sessions of the account, and keeps this one after the change.",
        "password.rs",
        "\
let ended = end_others(&page, session, &account, &audit).await;
…
keep(session, stamp, Flash::PasswordChanged { is_whole });",
        "\
// Not in express-session. Keep a version in the
// account, copy it into the session, and compare
// the two in a middleware:
if (req.session.version !== account.version) {
  return req.session.destroy(() => {
    res.redirect('/login');
  });
}"
    ),
    code!(
        "compare",
        "Counts a visit in each realm. express-session has no realms: one app has one session.",
        "compare.rs",
        "\
for path in page.realm_paths() {
    …
    session.update(|visitor| visitor.visits = visitor.visits.saturating_add(1));
}",
        "req.session.visits = (req.session.visits ?? 0) + 1;"
    ),
];

/// Each line of its own, so that one which is broken on a narrow screen keeps its indent.
fn by_line<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(text.lines())
}

/// The lines of the page with this template.
pub(super) fn of(page: &str) -> Option<Code> {
    ALL.iter().find(|code| code.page == page).copied()
}

/// The counter of the README, as a whole program.
pub(super) fn counter() -> &'static str {
    let example = include_str!("../../sessions/examples/counter.rs");
    let start = example.find("use ").unwrap_or_default();
    let end = example.find("\n#[cfg(test)]").unwrap_or(example.len());
    example.get(start..end).unwrap_or_default().trim_end()
}

#[cfg(test)]
mod tests {
    use super::{ALL, counter};

    #[test]
    fn what_is_shown_stands_in_the_source() {
        for code in ALL {
            let mut lines = code.source.lines().map(str::trim);
            let mut may_skip = true;
            for shown in code.rust.lines().map(str::trim) {
                // A gap, which is any number of lines.
                if shown == "…" {
                    may_skip = true;
                    continue;
                }
                let found =
                    if may_skip { lines.any(|line| line == shown) } else { lines.next() == Some(shown) };
                assert!(found, "{}: {shown}", code.file);
                may_skip = false;
            }
        }
    }

    #[test]
    fn the_counter_is_a_whole_program() {
        assert!(counter().starts_with("use rocket::") && counter().ends_with('}'), "{}", counter());
        assert!(counter().contains("#[launch]") && !counter().contains("#[cfg(test)]"));
    }
}
