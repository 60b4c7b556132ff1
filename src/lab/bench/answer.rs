//! What a browser gets back.

use serde_json::Value;

use super::site::LIVE;

/// What came back, whatever its status: for an experiment that looks at the status.
pub(in crate::lab) struct Reply {
    /// Which of the exchanges it ended; 0 if there is no note of it.
    pub(in crate::lab) number: usize,
    pub(in crate::lab) status: u16,
    /// Bytes of the `Cookie` header's names and values.
    pub(super) up: usize,
    /// Bytes of the `Set-Cookie` lines.
    pub(in crate::lab) down: usize,
    /// Bytes that the server keeps of what was written.
    pub(in crate::lab) rest: usize,
    /// What the site says. A fault says neither that somebody is signed in nor that nobody is: then it is what was asked,
    /// and what went wrong.
    pub(in crate::lab) answer: Result<Answer, String>,
}

/// What the small site says of the session that came with a request.
pub(in crate::lab) struct Answer {
    /// Which of the exchanges it ended; 0 if there is no note of it.
    pub(in crate::lab) number: usize,
    pub(in crate::lab) set_cookie: bool,
    /// Bytes of the `Cookie` header's names and values.
    pub(in crate::lab) up: usize,
    pub(super) body: Value,
}

impl Reply {
    pub(super) fn numbered(self, number: usize) -> Reply {
        Reply { number, answer: self.answer.map(|answer| Answer { number, ..answer }), ..self }
    }
}

impl Answer {
    /// Who is signed in.
    pub(in crate::lab) fn user(&self) -> Option<&str> {
        self.body["user"].as_str()
    }

    pub(in crate::lab) fn count(&self, field: &str) -> u64 {
        self.body[field].as_u64().unwrap_or_default()
    }

    pub(in crate::lab) fn arrival(&self) -> &str {
        self.body["arrival"].as_str().unwrap_or("none")
    }

    /// How many other sessions were ended, in words.
    pub(in crate::lab) fn ended(&self) -> &str {
        self.body["ended"].as_str().unwrap_or_default()
    }

    pub(in crate::lab) fn resumed(&self) -> bool {
        self.arrival() == LIVE
    }

    /// Who is signed in, and what the session holds, in words.
    pub(super) fn says(&self) -> String {
        let mut says =
            self.user().map_or("nobody is signed in".into(), |user| format!("signed in as {user}"));
        if !self.ended().is_empty() {
            says.push_str(&format!("; others: {}", self.ended()));
        }
        for (field, one, many) in [("visits", "visit", "visits"), ("likes", "like", "likes")] {
            match self.count(field) {
                0 => {}
                1 => says.push_str(&format!(", 1 {one}")),
                count => says.push_str(&format!(", {count} {many}")),
            }
        }
        says
    }
}
