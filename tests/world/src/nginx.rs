//! nginx in front of an app, as the documentation configures it.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::databases::{free_port, installed, server_command};
use crate::process::Process;
use crate::wait::wait_for;

/// A running nginx. It ends with this value.
pub struct Nginx {
    /// Where it serves TLS.
    pub port: u16,
    /// Where it redirects from.
    pub plain_port: u16,
    _process: Process,
    _directory: TempDir,
}

impl Nginx {
    /// Starts nginx with the site of this configuration, in front of a server on the port `upstream`. `tls` holds
    /// `cert.pem` and `key.pem`. `None` where it is not installed.
    ///
    /// # Panics
    /// When the configuration has none of what is replaced in it, or nginx refuses it.
    pub fn start(site: &str, upstream: u16, tls: &Path) -> Option<Nginx> {
        let [program] = installed("nginx", ["nginx"])?;
        let directory = tempfile::tempdir().unwrap();
        let (port, plain_port) = (free_port(), free_port());
        let site = replaced(site, "listen 443 ", &format!("listen 127.0.0.1:{port} "));
        let site = replaced(&site, "listen 80;", &format!("listen 127.0.0.1:{plain_port};"));
        let site = replaced(&site, "server 127.0.0.1:8000;", &format!("server 127.0.0.1:{upstream};"));
        let (certificate, key) = (tls.join("cert.pem"), tls.join("key.pem"));
        let site = replaced(&site, "/etc/ssl/sessions.example.pem", certificate.to_str().unwrap());
        let site = replaced(&site, "/etc/ssl/private/sessions.example.key", key.to_str().unwrap());
        let site = site.replace("server_name sessions.example;", "server_name localhost;");
        let at = directory.path().display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {at}/{kind};\n"))
            .concat();
        let main = format!(
            "daemon off; master_process off; pid {at}/pid; error_log stderr;\n\
             events {{}}\n\
             http {{ access_log off;\n{temporary}{site}}}\n"
        );
        let file = directory.path().join("nginx.conf");
        fs::write(&file, main).unwrap();
        let mut command = server_command(&program, None);
        command.arg("-p").arg(directory.path()).arg("-c").arg(&file);
        let mut process = Process::spawn(&mut command, directory.path().join("log")).unwrap();
        wait_for("nginx", || {
            assert!(!process.has_ended(), "nginx has ended:\n{}", process.log());
            directory.path().join("pid").exists().then_some(())
        });
        Some(Nginx { port, plain_port, _process: process, _directory: directory })
    }
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from:?} is not there once:\n{text}");
    text.replace(from, to)
}
