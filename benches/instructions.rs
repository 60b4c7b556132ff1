//! What a session costs, in machine instructions per request: `cargo bench --bench instructions`.
//!
//! Runs `examples/visits.rs` under callgrind and sends requests over one kept connection, once 100 and
//! once 600 of them: (Ir at 600 − Ir at 100) / 500 leaves out the start. Needs valgrind.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error>>;

const KEY: &str = "c2VhbGVkIHNlc3Npb25zOiBhIGtleSBmb3IgdGVzdHM=";

fn main() -> Outcome<()> {
    let server = build()?;
    let bare = per_request(&server, "/bare", None)?;
    println!("{:<24} {bare:>8}", "GET /bare");
    let carrying = per_request(&server, "/bare", Some("/visits"))?;
    println!("{:<24} {carrying:>8}  {:+}", "GET /bare with a cookie", carrying - bare);
    for path in ["/visits", "/read"] {
        let cost = per_request(&server, path, Some("/visits"))?;
        let over = (cost - bare, cost - carrying);
        println!(
            "{:<24} {cost:>8}  {:+} over /bare, {:+} over /bare with the cookie",
            format!("GET {path}"),
            over.0,
            over.1
        );
    }
    Ok(())
}

fn build() -> Outcome<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let features = std::env::var("BENCH_FEATURES").unwrap_or_else(|_| "mimalloc".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--no-default-features", "--features", &features, "--example", "visits"])
        .current_dir(root)
        .status()?;
    if !built.success() {
        return Err("examples/visits.rs does not build".into());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/examples/visits"))
}

/// Instructions of one request of `path`, by a browser that has been at `first` before.
fn per_request(server: &Path, path: &str, first: Option<&str>) -> Outcome<i64> {
    let short = run(server, path, first, 100)?;
    let long = run(server, path, first, 600)?;
    Ok((long - short) / 500)
}

fn run(server: &Path, path: &str, first: Option<&str>, requests: usize) -> Outcome<i64> {
    let out = std::env::temp_dir().join(format!("callgrind.{}.{requests}", std::process::id()));
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut valgrind = Command::new("valgrind");
    valgrind.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", out.display()));
    if let Some(option) = std::env::var_os("CALLGRIND_OPTION") {
        valgrind.arg(option);
    }
    let child = valgrind
        .arg(server)
        .env("ROCKET_PORT", port.to_string())
        .env("ROCKET_WORKERS", "1")
        .env("ROCKET_SECRET_KEY", KEY)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("valgrind: {error}"))?;
    let mut server = Server(child);
    let mut browser = Browser::connect(port)?;
    if let Some(first) = first {
        browser.get(first)?;
    }
    for _ in 0..requests {
        browser.get(path)?;
    }
    drop(browser);
    server.stop()?;
    let report = std::fs::read_to_string(&out)?;
    if std::env::var_os("CALLGRIND_KEEP").is_none() {
        std::fs::remove_file(&out)?;
    }
    let totals =
        report.lines().find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    Ok(totals.ok_or("callgrind wrote no total")?.trim().parse()?)
}

struct Server(Child);

impl Server {
    /// Asks the server to shut down, so that callgrind writes what it has counted.
    fn stop(&mut self) -> Outcome<()> {
        Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Browser {
    connection: BufReader<TcpStream>,
    cookie: String,
}

impl Browser {
    fn connect(port: u16) -> Outcome<Browser> {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(stream) => {
                    return Ok(Browser { connection: BufReader::new(stream), cookie: String::new() });
                }
                Err(error) if Instant::now() > deadline => return Err(error.into()),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    fn get(&mut self, path: &str) -> Outcome<()> {
        let cookie =
            if self.cookie.is_empty() { String::new() } else { format!("Cookie: {}\r\n", self.cookie) };
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n{cookie}\r\n");
        self.connection.get_mut().write_all(request.as_bytes())?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.connection.read_line(&mut line)?;
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse()?
                }
                Some((name, value)) if name.eq_ignore_ascii_case("set-cookie") => {
                    self.cookie = value.split(';').next().unwrap_or_default().to_owned();
                }
                Some(_) => {}
                None if line.starts_with("HTTP/1.1 200") => {}
                None if line == "\r\n" => break,
                None => return Err(format!("unexpected answer: {line:?}").into()),
            }
        }
        let mut body = vec![0; length];
        self.connection.read_exact(&mut body)?;
        Ok(())
    }
}
