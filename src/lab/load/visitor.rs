//! The cookies that a visitor carries from request to request.

use hyper::HeaderMap;
use hyper::header::{HeaderValue, SET_COOKIE};

/// The cookies of one browser. The servers set only the session's, so paths and times are ignored, except
/// that `Max-Age=0` removes a cookie.
#[derive(Default)]
pub(super) struct Visitor {
    cookies: Vec<(Vec<u8>, Vec<u8>)>,
    header: Option<HeaderValue>,
}

impl Visitor {
    /// What to send as the Cookie header.
    pub(super) fn header(&self) -> Option<&HeaderValue> {
        self.header.as_ref()
    }

    /// Takes over the cookies of an answer.
    pub(super) fn keep(&mut self, headers: &HeaderMap) {
        let mut changed = false;
        for line in headers.get_all(SET_COOKIE) {
            let line = line.as_bytes();
            let mut parts = line.split(|byte| *byte == b';');
            let pair = parts.next().unwrap_or_default();
            let Some(equals) = pair.iter().position(|byte| *byte == b'=') else { continue };
            let (name, value) = (&pair[..equals], &pair[equals + 1..]);
            let removed = parts.any(|part| part.trim_ascii().eq_ignore_ascii_case(b"max-age=0"));
            self.cookies.retain(|(known, _)| known != name);
            if !removed {
                self.cookies.push((name.to_vec(), value.to_vec()));
            }
            changed = true;
        }
        if changed {
            let pairs: Vec<_> =
                self.cookies.iter().map(|(name, value)| [&**name, value].join(&b'=')).collect();
            self.header = HeaderValue::from_bytes(&pairs.join(&b"; "[..])).ok().filter(|all| !all.is_empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_keeps_replaces_and_forgets_cookies() {
        let mut visitor = Visitor::default();
        let mut keep = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(SET_COOKIE, HeaderValue::from_str(line).unwrap());
            }
            visitor.keep(&headers);
            visitor.header.as_ref().map(|header| header.to_str().unwrap().to_owned())
        };
        assert_eq!(keep(&["a=1; Path=/", "b=2=2; HttpOnly"]).unwrap(), "a=1; b=2=2");
        assert_eq!(keep(&["a=3; Max-Age=60"]).unwrap(), "b=2=2; a=3");
        assert_eq!(keep(&[]).unwrap(), "b=2=2; a=3");
        assert_eq!(keep(&["a=; Path=/; Max-Age=0", "b=; max-age=0"]), None);
    }
}
