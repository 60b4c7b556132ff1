use std::ops::Deref;
use std::path::PathBuf;
use std::process::Command;

use super::installed::installed;
use super::port::free_port;
use super::redis::Redis;
use super::{Database, directory, output};

/// A Redis server that speaks TLS alone.
pub struct Encrypted {
    database: Database,
    /// The file of its certificate, which nobody trusts by default.
    pub certificate: PathBuf,
    /// The directory of that file.
    _directory: tempfile::TempDir,
}

impl Deref for Encrypted {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.database
    }
}

/// A single Redis server with a certificate of its own for `localhost`.
pub fn redis_tls() -> Option<Encrypted> {
    let redis = Redis::installed("Redis with TLS")?;
    let [openssl] = installed("Redis with TLS", ["openssl"])?;
    let directory = directory();
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| directory.path().join(name));
    let mut request = Command::new(openssl);
    request.args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(' '));
    request.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
    request.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    output(request.arg("-keyout").arg(&key).arg("-out").arg(&certificate));
    let database = Database::launch(|dir| {
        let port = free_port();
        let settings = format!(
            "port 0\ntls-port {port}\ntls-cert-file {}\ntls-key-file {}\ntls-auth-clients no",
            certificate.display(),
            key.display()
        );
        let node = redis.node(&dir, port, &settings, "ping", |answer| answer.contains("PONG"));
        Database::new(format!("rediss://localhost:{port}"), [node], dir)
    });
    Some(Encrypted { database, certificate, _directory: directory })
}
