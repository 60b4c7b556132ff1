//! A browser over TLS: curl, which keeps cookies by the rules of browsers and speaks HTTP/2.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::answer::Answer;
use crate::client::form;
use crate::databases::installed;

/// One browser, which trusts one certificate.
pub struct Curl {
    origin: String,
    directory: PathBuf,
    certificate: PathBuf,
}

impl Curl {
    /// Whether there is curl, and openssl to make a certificate with; says so where there is not.
    pub fn is_installed() -> bool {
        installed("TLS", ["curl", "openssl"]).is_some()
    }

    /// A new browser of the site at this port of localhost. Its cookies are kept in `directory`.
    pub fn new(port: u16, directory: &Path, certificate: &Path) -> Curl {
        let origin = format!("https://localhost:{port}");
        Curl { origin, directory: directory.to_owned(), certificate: certificate.to_owned() }
    }

    /// Where the site is, as a browser names it.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// `GET`, with these arguments to curl too.
    pub fn get(&self, path: &str, more: &[&str]) -> Answer {
        self.send(path, more)
    }

    /// Posts a form from a page of the site.
    pub fn post(&self, path: &str, fields: &[(&str, &str)], more: &[&str]) -> Answer {
        let (body, origin) = (form(fields), format!("Origin: {}", self.origin));
        self.send(path, &[&["--data-raw", &body, "--header", &origin], more].concat())
    }

    fn send(&self, path: &str, more: &[&str]) -> Answer {
        let jar = self.directory.join("jar");
        let mut command = Command::new("curl");
        command.args([
            "--silent",
            "--show-error",
            "--include",
            "--max-time",
            "60",
            "--noproxy",
            "*",
            "--ipv4",
        ]);
        command.arg("--cacert").arg(&self.certificate);
        command.arg("--cookie").arg(&jar).arg("--cookie-jar").arg(&jar);
        let output = command.args(more).arg(format!("{}{path}", self.origin)).output().unwrap();
        let problem = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{path}: {problem}");
        Answer::parse(&output.stdout).unwrap_or_else(|| panic!("{path}: no answer: {problem}"))
    }
}
