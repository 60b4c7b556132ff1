//! What a session costs, in machine instructions per request: `cargo bench --bench instructions`.
//!
//! Runs `examples/visits.rs` under callgrind and sends requests over one kept connection, once 100 and
//! once 600 of them: (Ir at 600 − Ir at 100) / 500 leaves out the start. Needs valgrind. `BENCH_FEATURES`
//! names features to build it with, such as `stores`.
//!
//! Then the same of Rocket alone, which this program is too when `ROCKET_ALONE` is set: it takes the same
//! cookie, sends the same headers and knows no session. That much no session layer of Rocket can save.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::figment::providers::Env;
use rocket::http::Header;
use rocket::{Config, get, routes};
use world::KEY;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The headers that Rocket alone sends, a line each.
const ALONE: &str = "ROCKET_ALONE";
/// What every response has that was built from a session.
const UNCACHED: &str = "Cache-Control: no-store\n";

fn main() -> Outcome<()> {
    if let Ok(headers) = std::env::var(ALONE) {
        return serve_alone(headers);
    }
    let visits = Program { path: build()?, alone: None };
    let alone = |headers: &str| -> Outcome<Program> {
        Ok(Program { path: std::env::current_exe()?, alone: Some(headers.to_owned()) })
    };
    let set_cookie = visits.first_cookie()?;
    let cookie = set_cookie.split(';').next().unwrap_or_default();

    let bare = visits.per_request("/bare", "")?;
    println!("GET /bare    {bare}");
    let carried = visits.per_request("/bare", cookie)?;
    println!("GET /bare    {carried}, {:+} with the cookie of {} bytes", carried - bare, cookie.len());
    let alone_bare = alone("")?.per_request("/bare", "")?;
    let with_cookie = format!("{UNCACHED}Set-Cookie: {set_cookie}\n");
    for (path, headers) in [("/visits", with_cookie.as_str()), ("/read", UNCACHED)] {
        let all = visits.per_request(path, cookie)?;
        let rocket = alone(headers)?.per_request("/bare", cookie)? - alone_bare;
        let session = all - bare - rocket;
        println!(
            "GET {path:<8} {all}, {:+} over /bare: {rocket:+} of Rocket alone, {session:+} of the session",
            all - bare
        );
    }
    Ok(())
}

#[get("/bare")]
fn bare() -> &'static str {
    "0"
}

fn serve_alone(headers: String) -> Outcome<()> {
    let headers = headers.leak().lines().filter_map(|line| line.split_once(": ")).collect::<Vec<_>>();
    let figment = Figment::from(Config::default()).merge(Env::prefixed("ROCKET_").global());
    let mut rocket = rocket::custom(figment).mount("/", routes![bare]);
    if !headers.is_empty() {
        rocket = rocket.attach(AdHoc::on_response("Headers", move |_, response| {
            for (name, value) in &headers {
                response.set_header(Header::new(*name, *value));
            }
            Box::pin(std::future::ready(()))
        }));
    }
    rocket::execute(rocket.launch()).map_err(|error| error.to_string())?;
    Ok(())
}

fn build() -> Outcome<PathBuf> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let features = std::env::var("BENCH_FEATURES").unwrap_or_default();
    let built = Command::new(cargo)
        .args(["build", "--release", "--features", &features, "--example", "visits"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    if !built.success() {
        return Err("examples/visits.rs does not build".into());
    }
    // This program is in target/release/deps.
    let program = std::env::current_exe()?;
    let release = program.ancestors().nth(2).ok_or("no target directory")?;
    Ok(release.join("examples/visits"))
}

/// A server to be counted.
struct Program {
    path: PathBuf,
    /// Rocket alone, with these headers.
    alone: Option<String>,
}

impl Program {
    /// What `/visits` says of a new session in its `Set-Cookie` line.
    fn first_cookie(&self) -> Outcome<String> {
        let (server, port) = self.start(&mut Command::new(&self.path))?;
        let mut browser = Browser::connect(port, "")?;
        browser.get("/visits")?;
        server.stop()?;
        Ok(browser.set_cookie)
    }

    /// Instructions of one request of `path` by a browser that has this cookie.
    fn per_request(&self, path: &str, cookie: &str) -> Outcome<i64> {
        let (short, long) = (self.count(path, cookie, 100)?, self.count(path, cookie, 600)?);
        Ok((long - short) / 500)
    }

    /// All instructions from its start to its end, with so many requests in between.
    fn count(&self, path: &str, cookie: &str, requests: usize) -> Outcome<i64> {
        let who = if self.alone.is_some() { "rocket" } else { "sessions" };
        let run = format!("{who}{}.{requests}", path.replace('/', "."));
        let out = std::env::temp_dir().join(format!("callgrind.{}.{run}", std::process::id()));
        let mut valgrind = Command::new("valgrind");
        valgrind.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", out.display()));
        let (server, port) = self.start(valgrind.arg(&self.path))?;
        let mut browser = Browser::connect(port, cookie)?;
        for _ in 0..requests {
            browser.get(path)?;
        }
        drop(browser);
        server.stop()?;
        let report = std::fs::read_to_string(&out)?;
        if std::env::var_os("CALLGRIND_KEEP").is_none() {
            std::fs::remove_file(&out)?;
        }
        let total = |line: &str| line.strip_prefix("summary: ").and_then(|total| total.trim().parse().ok());
        Ok(report.lines().find_map(total).ok_or("callgrind wrote no total")?)
    }

    fn start(&self, command: &mut Command) -> Outcome<(Server, u16)> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        command.envs(self.alone.as_ref().map(|headers| (ALONE, headers)));
        command.env("ROCKET_PORT", port.to_string());
        command.env("ROCKET_WORKERS", "1").env("ROCKET_SECRET_KEY", KEY);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Ok((Server(child.map_err(|error| format!("{command:?}: {error}"))?), port))
    }
}

struct Server(Child);

impl Server {
    /// Asks the server to shut down, so that callgrind writes what it has counted.
    fn stop(mut self) -> Outcome<()> {
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

/// One kept connection.
struct Browser {
    connection: BufReader<TcpStream>,
    cookie: String,
    /// The last that came.
    set_cookie: String,
}

impl Browser {
    fn connect(port: u16, cookie: &str) -> Outcome<Browser> {
        let deadline = Instant::now() + Duration::from_secs(60);
        let stream = loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(stream) => break stream,
                Err(error) if Instant::now() > deadline => return Err(error.into()),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        };
        Ok(Browser {
            connection: BufReader::new(stream),
            cookie: cookie.to_owned(),
            set_cookie: String::new(),
        })
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
                    self.set_cookie = value.to_owned();
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
