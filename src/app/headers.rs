//! The headers of every response, errors and assets too (ASVS 5.0, 3.4).

use rocket::fairing::Fairing;
use rocket::http::Header;
use rocket::shield::{Frame, NoSniff, Policy, Referrer, Shield};

macro_rules! policies {
    ($($policy:expr),* $(,)?) => {
        /// Rocket's Shield with what this site needs; it adds HSTS by itself when TLS is on.
        pub(super) fn fairing() -> impl Fairing {
            Shield::new()$(.enable($policy))*
        }

        /// The same headers, for the answer to a request that Rocket cannot read: no fairing sees it.
        pub(super) fn all() -> Vec<Header<'static>> {
            vec![$($policy.header()),*]
        }
    };
}

policies![
    NoSniff::Enable,
    Frame::Deny,
    Referrer::SameOrigin,
    ContentSecurity,
    Opener,
    Resource,
    Embedder,
    Features,
];

macro_rules! policy {
    ($policy:ident, $name:literal, $value:expr) => {
        #[derive(Default)]
        struct $policy;

        impl Policy for $policy {
            const NAME: &'static str = $name;

            fn header(&self) -> Header<'static> {
                Header::new($name, $value)
            }
        }
    };
}

policy!(
    ContentSecurity,
    "Content-Security-Policy",
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
);
policy!(Opener, "Cross-Origin-Opener-Policy", "same-origin");
policy!(Resource, "Cross-Origin-Resource-Policy", "same-origin");
policy!(Embedder, "Cross-Origin-Embedder-Policy", "require-corp");
policy!(Features, "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
