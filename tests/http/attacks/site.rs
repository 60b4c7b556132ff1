//! The site under attack: Alice is signed in to every realm, Mallory too, and strangers are not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use world::{Answer, Jar, PASSWORD, Server, program};

use crate::bad_cookies::SECRET;
use crate::database::lines;
use crate::routes::REALMS;

/// What would be run where a page showed it as it came: as markup, as a template.
pub const MARKUP: &str = "\"'><script>alert(31337)</script>";
pub const TEMPLATE: &str = "{{ 7777*7777 }}{% debug %}";
/// Where nobody may be led.
pub const EVIL: &str = "evil.example";

/// The texts that do harm where a program takes them for more than text.
pub const PAYLOADS: [&str; 22] = [
    MARKUP,
    TEMPLATE,
    "${7777*7777}",
    "<%= 7777*7777 %>",
    "' OR '1'='1' --",
    "1; DROP TABLE accounts; --",
    "') UNION SELECT password_hash FROM accounts --",
    "../../../../etc/passwd",
    "..\\..\\..\\windows\\win.ini",
    "file:///etc/passwd",
    "https://evil.example/",
    "//evil.example",
    "javascript:alert(31337)",
    "x\r\nSet-Cookie: forged=1\r\nLocation: https://evil.example/",
    "x\u{2028}\u{2029}\u{85}\u{0}y",
    "\u{202e}\u{200d}\u{feff}",
    "`id`; $(id) | id",
    "%s%s%n%x",
    "-1",
    "99999999999999999999999999",
    "NaN",
    "[object Object]",
];

/// What is in the database that no attack may change: the accounts, Alice's own session, how many sessions are signed
/// in, and what the ledger says.
const STATE: &str = "
    SELECT 'account ' || id || name || name_key || password_hash || created || ifnull(disabled, '') || stamp FROM accounts
    UNION ALL SELECT 'look ' || look || account FROM account_looks
    UNION ALL SELECT 'deleted ' || id FROM deleted_accounts
    UNION ALL SELECT 'ledger ' || hex(namespace) || position || hex(body) FROM sealed_session_ledger
    UNION ALL SELECT 'signed in ' || count(*) FROM sealed_session_rows WHERE subject_hash IS NOT NULL
    UNION ALL SELECT 'session ' || hex(id_hash) || version || hex(body) FROM sealed_session_rows
              WHERE hex(id_hash) = ";

pub struct Site {
    pub server: Server,
    /// Signed in to every realm; nobody attacks with these cookies.
    pub alice: Jar,
    /// Signed in to every realm.
    pub mallory: Jar,
    query: String,
    before: Vec<String>,
    visits: u64,
}

impl Site {
    pub fn open() -> Site {
        let server = program!().start(&[
            ("ROCKET_SECRET_KEY", &STANDARD.encode(SECRET)),
            // What is refused is refused for what it is, not because there was so much of it.
            ("ROCKET_THROTTLE", "{enabled=false}"),
            ("ROCKET_LAB", r#"{stores=["cookie"]}"#),
        ]);
        let alice = signed_in(&server, "alice");
        let row = "SELECT hex(id_hash) FROM sealed_session_rows WHERE subject_hash IS NOT NULL";
        let query = format!("{STATE} '{}'", lines(&server, row).concat());
        let mallory = signed_in(&server, "mallory");
        let (before, visits) = (lines(&server, &query), server.visits(&alice));
        assert!(before.len() > 8, "{before:?}");
        Site { server, alice, mallory, query, before, visits }
    }

    /// Judges the answer to one input, which somebody sent who is signed in as `sender`; `None` where the connection
    /// ended without an answer.
    #[track_caller]
    pub fn judge(&self, what: &str, sender: Option<&str>, answer: Option<&Answer>) {
        if let Some(answer) = answer {
            self.judge_answer(what, sender, answer);
        }
        self.is_unchanged(what);
    }

    /// Checks that an input changed nothing.
    #[track_caller]
    pub fn is_unchanged(&self, what: &str) {
        assert_eq!(lines(&self.server, &self.query), self.before, "{what} changed something");
    }

    #[track_caller]
    pub fn judge_answer(&self, what: &str, sender: Option<&str>, answer: &Answer) {
        let Answer { status, body, .. } = answer;
        assert!((200..500).contains(status), "{what}: {status} {body}");
        let reflected = ["<script>alert", "60481729", "<script src=\"http", "root:x:0:0", "[package]"];
        for text in reflected {
            assert!(!body.contains(text), "{what}: {text} is in the page: {body}");
        }
        let secrets = [PASSWORD, "$argon2", "secret.key", &STANDARD.encode(SECRET)];
        for secret in secrets.into_iter().chain(self.alice.values()) {
            assert!(!body.contains(secret), "{what}: {secret} is in the page");
        }
        for name in
            ["forged", "x-injected", "access-control-allow-origin", "access-control-allow-credentials"]
        {
            assert_eq!(answer.header(name), None, "{what}");
        }
        let location = answer.location();
        assert!(location.is_empty() || (location.starts_with('/') && !location.starts_with("//")), "{what}");
        assert!(!location.contains('\\'), "{what}: {location}");
        // What is not HTTP is refused below Rocket, without a page.
        if answer.header("content-type").is_some() {
            for name in
                ["content-security-policy", "x-content-type-options", "referrer-policy", "x-frame-options"]
            {
                assert!(answer.header(name).is_some(), "{what}: no {name}");
            }
        }
        if answer.all("set-cookie").count() > 0 {
            let found = self.signed_in_as(&Jar::of(answer));
            assert!(found.iter().all(|name| Some(name.as_str()) == sender), "{what}: now {found:?}");
        }
    }

    /// Whom this browser is signed in as, in any realm.
    pub fn signed_in_as(&self, jar: &Jar) -> Vec<String> {
        let user = |realm: &&str| {
            let profile = self.server.get(&mut jar.clone(), &format!("{realm}/profile"));
            profile.output("username").map(str::to_owned)
        };
        REALMS.iter().filter_map(user).collect()
    }

    /// Checks, after all, that the program is well, that nobody lost a session, and that the log holds no secret.
    #[track_caller]
    pub fn close(self) {
        self.is_unchanged("all of it");
        self.outlives();
    }

    /// Checks that too, but for what is in the database.
    #[track_caller]
    pub fn outlives(mut self) {
        self.server.assert_well();
        assert_eq!(self.server.visits(&self.alice), self.visits, "nobody visited in her name");
        assert_eq!(self.signed_in_as(&self.alice), ["alice"; 3]);
        let log = self.server.log();
        let secrets = [PASSWORD, "$argon2"].into_iter().chain(self.alice.values());
        for secret in secrets {
            assert!(!log.contains(secret), "{secret} is in the log");
        }
        server_takes_the_password(&self.server);
    }
}

#[track_caller]
fn server_takes_the_password(server: &Server) {
    server.sign_in(&mut Jar::default(), "/stateless/login", "alice").leads_to("/stateless");
}

/// A browser with a new account, signed in to every realm.
fn signed_in(server: &Server, name: &str) -> Jar {
    let mut jar = server.register(name);
    for realm in &REALMS[1..] {
        server.sign_in(&mut jar, &format!("{realm}/login"), name).leads_to(realm);
    }
    // What is told once and compared once after a sign-in is behind them.
    for realm in REALMS {
        assert_eq!(server.get(&mut jar, &format!("{realm}/profile")).status, 200);
    }
    jar
}
