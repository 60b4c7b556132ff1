//! The program with TLS, by the certificate that `scripts/dev-cert` makes.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use world::{Curl, PASSWORD, program};

/// A directory with `cert.pem` and `key.pem` for localhost; `None` where it cannot be made or used.
pub fn certificate() -> Option<TempDir> {
    if !Curl::is_installed() {
        return None;
    }
    let directory = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/dev-cert");
    let output = Command::new(script).arg(directory.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(directory)
}

#[test]
fn x6_the_program_serves_tls_by_the_certificate_of_the_script_and_says_that_it_stays_so() {
    let Some(tls) = certificate() else { return };
    let at = tls.path().display();
    let setting = format!(r#"{{certs="{at}/cert.pem",key="{at}/key.pem"}}"#);
    // In the profile debug Rocket does not say so, lest a browser keep to TLS on every port of localhost.
    let server = program!().start(&[("ROCKET_TLS", &setting), ("ROCKET_PROFILE", "release")]);
    let browser = Curl::new(server.port, tls.path(), &tls.path().join("cert.pem"));
    let page = browser.get("/stateless/register", &["--http2"]);
    assert_eq!(page.header("strict-transport-security"), Some("max-age=31536000"));
    let fields = [("csrf_token", &*page.token()), ("username", "alice"), ("password", PASSWORD)];
    browser.post("/stateless/register", &fields, &["--http2"]).leads_to("/stateless");
    let profile = browser.get("/stateless/profile", &["--http1.1"]);
    assert_eq!(profile.output("username"), Some("alice"));
    assert_eq!(profile.header("strict-transport-security"), Some("max-age=31536000"));
}

#[test]
fn the_key_of_the_certificate_is_for_its_owner_only() {
    let Some(tls) = certificate() else { return };
    let mode = tls.path().join("key.pem").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
