//! The tour: five pages, and at the foot of each the way to the next.

use serde::Serialize;

/// The foot of a page of the tour.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Step {
    number: u8,
    of: u8,
    title: &'static str,
    says: &'static str,
    /// Where the tour goes on, and what is there.
    next: Next,
}

/// How the tour goes on.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Next {
    Link {
        href: String,
        label: &'static str,
    },
    /// By the button that signs out.
    SignOut,
}

/// The step of the page with this template, in the realm at this path (empty outside of every realm).
pub(super) fn step(page: &str, realm: &str, is_signed_in: bool) -> Option<Step> {
    let link = |path: String, label| Next::Link { href: path, label };
    let sign_in = format!("{realm}/login?next={realm}/cookie");
    let (number, title, says, next) = match (page, is_signed_in) {
        ("visits", false) => {
            (1, "Visit", "Reload the page, and the count goes up.", link(sign_in, "Sign in"))
        }
        ("visits", true) => (
            1,
            "Visit",
            "Reload the page, and the count goes up.",
            link(format!("{realm}/cookie"), "Look inside the cookie"),
        ),
        ("login" | "register", _) => (
            2,
            "Sign in",
            "The session gets a new id, and keeps its visits.",
            link(format!("{realm}/cookie"), "Look inside the cookie"),
        ),
        ("cookie", false) => {
            (3, "Look inside", "There is more to see once you are signed in.", link(sign_in, "Sign in"))
        }
        ("cookie", true) => (
            3,
            "Look inside",
            "Save a copy before you sign out: your browser’s developer tools show the cookie’s value under Application or Storage. The next page sends it again.",
            Next::SignOut,
        ),
        ("signed-out", _) => (
            4,
            "Sign out and replay",
            "What a copy is worth after a sign-out is where the realms differ most.",
            link("/compare".to_owned(), "Compare the realms"),
        ),
        ("compare", _) => (
            5,
            "Compare",
            "The same step in every realm, with what it costs. That was the tour.",
            link("/".to_owned(), "Back to the overview"),
        ),
        _ => return None,
    };
    Some(Step { number, of: 5, title, says, next })
}

#[cfg(test)]
mod tests {
    use super::{Next, step};

    #[test]
    fn the_five_pages_follow_one_another() {
        let walk = [
            ("visits", false),
            ("login", false),
            ("cookie", true),
            ("signed-out", false),
            ("compare", false),
        ];
        let next = |(page, is_signed_in)| step(page, "/shop", is_signed_in).unwrap();
        let steps = walk.map(next);
        assert_eq!(steps.each_ref().map(|step| step.number), [1, 2, 3, 4, 5]);
        let hrefs = steps.map(|step| match step.next {
            Next::Link { href, .. } => href,
            Next::SignOut => "/shop/logout".to_owned(),
        });
        assert_eq!(hrefs, ["/shop/login?next=/shop/cookie", "/shop/cookie", "/shop/logout", "/compare", "/"]);
    }

    #[test]
    fn no_other_page_is_a_step() {
        assert_eq!(step("profile", "/shop", true), None);
    }
}
