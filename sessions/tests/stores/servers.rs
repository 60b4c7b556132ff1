//! Database servers for the tests: real ones, each on a port and in a directory of its own.
//!
//! The system kills a server when the thread that started it ends, so that nothing is left behind, however
//! the test ends. So a test starts its servers itself, on its own thread: a server kept in a static would
//! end with the first test that used it, and one started on a pool's thread when the pool lets that go.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{LazyLock, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{array, env};

use tempfile::TempDir;

/// How long anything that is waited for may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Attempts to find ports that nobody else takes before the server does.
const ATTEMPTS: usize = 10;

/// Hash slots of a Redis cluster.
const SLOTS: usize = 16384;

/// MongoDB's wire protocol: the message `{ hello: 1, $db: "admin" }`.
const HELLO: &[u8; 52] = b"\
    \x34\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\
    \x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0";

/// That of the user `sessions`, whom the database `sessions` belongs to.
const PASSWORD: &str = "correct-horse";

/// A running server, or the several that make up a cluster. Its processes and its data end with this value.
pub struct Server {
    url: String,
    nodes: Vec<Node>,
    dir: TempDir,
}

impl Server {
    /// Where a store finds it.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Ends it as a crash would, its open connections too. The data stays.
    pub fn kill(&mut self) {
        self.nodes.iter_mut().for_each(Node::kill);
    }

    /// Ends what still runs and starts all of it over the same data, on the same ports.
    pub fn restart(&mut self) {
        self.kill();
        if let Err(failure) = self.start() {
            panic!("{failure}");
        }
    }

    /// Hangs it: connections stay open, and new ones are made by the system, but nothing answers.
    pub fn pause(&mut self) {
        self.nodes.iter_mut().for_each(Node::pause);
    }

    /// Lets it go on after [`Server::pause`].
    pub fn resume(&mut self) {
        self.nodes.iter_mut().for_each(Node::resume);
    }

    /// Starts what `build` describes for an empty directory; other ports when one was taken meanwhile.
    fn launch(build: impl Fn(TempDir) -> Server) -> Server {
        for _ in 0..ATTEMPTS {
            let mut server = build(directory());
            match server.start() {
                Ok(()) => return server,
                Err(failure) if failure.to_lowercase().contains("address already in use") => (),
                Err(failure) => panic!("{failure}"),
            }
        }
        panic!("{ATTEMPTS} times in a row a free port was taken before the server took it");
    }

    /// Starts all nodes and waits until each is ready; else says what the node that failed has logged.
    fn start(&mut self) -> Result<(), String> {
        self.nodes.iter_mut().for_each(Node::spawn);
        let start = Instant::now();
        for node in &mut self.nodes {
            while !(node.ready)() {
                let failure = if node.has_ended() {
                    "ended while it started"
                } else if start.elapsed() > PATIENCE {
                    "is not ready yet"
                } else {
                    sleep(Duration::from_millis(20));
                    continue;
                };
                let command: Vec<_> = node.command.get_args().collect();
                return Err(format!("{command:?} {failure}:\n{}", node.log()));
            }
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        // A PostgreSQL that was killed leaves a segment of shared memory, of which a system has only so many;
        // the seventh line of this file names its key and its id.
        if let Ok(state) = fs::read_to_string(self.dir.path().join("data/postmaster.pid"))
            && let Some(id) = state.lines().nth(6).and_then(|line| line.split_whitespace().nth(1))
        {
            let _ = Command::new("ipcrm").args(["-m", id]).stderr(Stdio::null()).status();
        }
    }
}

/// One process of a server, with those that it started.
struct Node {
    command: Command,
    port: u16,
    log: PathBuf,
    ready: Box<dyn Fn() -> bool + Send + Sync>,
    child: Option<Child>,
    /// Sends the paused processes on as soon as its input closes, be it that the test was killed: the
    /// children of a server end by themselves then, but not while they are stopped.
    waker: Option<Child>,
}

impl Node {
    fn new(
        command: Command,
        port: u16,
        log: PathBuf,
        ready: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Node {
        Node { command, port, log, ready: Box::new(ready), child: None, waker: None }
    }

    fn spawn(&mut self) {
        let output = File::create(&self.log).unwrap();
        self.command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        self.child = Some(self.command.spawn().unwrap());
    }

    fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    fn has_ended(&mut self) -> bool {
        let ended = self.child.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some());
        if ended {
            // Its process id may be another's from now on.
            self.child = None;
        }
        ended
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Stops the process and its children, and says which these are. The process first: it then starts no
    /// more of them.
    fn stop(&self) -> Vec<u32> {
        let Some(pid) = self.pid() else { return Vec::new() };
        signal("STOP", &[pid]);
        let children = children(pid);
        signal("STOP", &children);
        children
    }

    fn pause(&mut self) {
        let Some(pid) = self.pid().filter(|_| self.waker.is_none()) else { return };
        let mut waker = Command::new("sh");
        waker.args(["-c", "read -r _; kill -s CONT \"$@\"", "sh", &pid.to_string()]);
        waker.args(self.stop().iter().map(u32::to_string));
        // Not in the group that a terminal interrupts.
        waker.process_group(0).stdin(Stdio::piped()).stderr(Stdio::null());
        self.waker = Some(waker.spawn().unwrap());
    }

    fn resume(&mut self) {
        if let Some(mut waker) = self.waker.take() {
            // This closes its input first.
            waker.wait().unwrap();
        }
    }

    fn kill(&mut self) {
        let children = self.stop();
        let Some(mut child) = self.child.take() else { return };
        child.kill().unwrap();
        signal("KILL", &children);
        child.wait().unwrap();
        // As long as one of them has the shared memory, PostgreSQL does not start again.
        wait_for("the children of a server to end", || !children.iter().any(|&pid| is_alive(pid)));
        self.resume();
    }
}

/// Two Redis servers, a master and its replica, under three sentinels.
pub struct Sentinel {
    server: Server,
    cli: PathBuf,
}

impl Sentinel {
    /// The port of the master, once the three sentinels agree on it.
    pub fn master(&self) -> u16 {
        let mut master = 0;
        wait_for("the sentinels to agree on a master", || {
            let ports = self.nodes[2..].iter().map(|sentinel| {
                let ask = ["sentinel", "get-master-addr-by-name", "mymaster"];
                let answer =
                    output(Command::new(&self.cli).args(["-p", &sentinel.port.to_string()]).args(ask));
                answer.lines().nth(1).and_then(|port| port.parse().ok())
            });
            let ports: BTreeSet<Option<u16>> = ports.collect();
            master = ports.first().copied().flatten().unwrap_or(0);
            ports.len() == 1 && master != 0
        });
        master
    }

    /// Kills the master, and says which port it had; some seconds later [`Sentinel::master`] is another.
    pub fn kill_master(&mut self) -> u16 {
        let master = self.master();
        self.server.nodes.iter_mut().find(|node| node.port == master).unwrap().kill();
        master
    }
}

impl Deref for Sentinel {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl DerefMut for Sentinel {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.server
    }
}

pub fn postgres() -> Option<Server> {
    let [initdb, postgres, isready] = installed("PostgreSQL", ["initdb", "postgres", "pg_isready"])?;
    let access = ["--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256"];
    // A small segment of the log is copied quickly.
    let settings = ["--no-locale", "--encoding=UTF8", "--wal-segsize=1", "--no-sync"];
    // A server in single-user mode takes each line for a statement.
    let sql = format!(
        "CREATE ROLE sessions LOGIN PASSWORD '{PASSWORD}'\n\
         CREATE DATABASE sessions OWNER sessions\n"
    );
    Some(Server::launch(|dir| {
        let data = dir.path().join("data");
        copy_template("postgres", (version(&postgres), settings, access, &sql), &data, |scratch, data| {
            let (password, script) = (scratch.join("password"), scratch.join("sql"));
            fs::write(&password, PASSWORD).unwrap();
            fs::write(&script, &sql).unwrap();
            let mut install = server_command(&initdb, Some("postgres"));
            install.args(settings).args(access).arg("-D").arg(data);
            output(install.arg("--pwfile").arg(password));
            let mut single = server_command(&postgres, Some("postgres"));
            single.args(["--single", "-c", "exit_on_error=on", "-D"]).arg(data).arg("postgres");
            output(single.stdin(File::open(script).unwrap()));
        });
        let port = free_port();
        let mut command = server_command(&postgres, Some("postgres"));
        command.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=16MB"]);
        command.arg("-c").arg(format!("unix_socket_directories={}", data.display()));
        // A crash of the machine alone would lose what is not on the disk, and syncing it all makes the start
        // after a crash take seconds.
        command.args(["-c", "fsync=off"]);
        // What a killed server leaves of it goes with the data.
        command.args(["-c", "dynamic_shared_memory_type=mmap"]);
        let isready = isready.clone();
        // Through the socket in its directory: at the port another server could answer.
        let ready = move || {
            let mut ask = Command::new(&isready);
            answer(ask.arg("-h").arg(&data).args(["-p", &port.to_string()])).contains("accepting connections")
        };
        let node = Node::new(command, port, dir.path().join("log"), ready);
        let url = format!("postgres://sessions:{PASSWORD}@127.0.0.1:{port}/sessions");
        Server { url, nodes: vec![node], dir }
    }))
}

pub fn mariadb() -> Option<Server> {
    let programs = ["mariadb-install-db", "mariadbd", "mariadb-admin"];
    let [install_db, mariadbd, admin] = installed("MariaDB", programs)?;
    // A small log is written and copied quickly; no file of the system's is read.
    let settings = ["--no-defaults", "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=16M"];
    // The installer knows of no privileges before the first line.
    let sql = format!(
        "FLUSH PRIVILEGES;\n\
         CREATE DATABASE sessions;\n\
         CREATE USER sessions@'%' IDENTIFIED BY '{PASSWORD}';\n\
         GRANT ALL ON sessions.* TO sessions@'%';\n"
    );
    Some(Server::launch(|dir| {
        let data = dir.path().join("data");
        copy_template("mysql", (version(&mariadbd), settings, &sql), &data, |scratch, data| {
            let script = scratch.join("sql");
            fs::write(&script, &sql).unwrap();
            let mut install = server_command(&install_db, Some("mysql"));
            install.args(settings).arg("--skip-test-db").arg(format!("--datadir={}", data.display()));
            output(install.arg(format!("--extra-file={}", script.display())));
        });
        let port = free_port();
        let socket = format!("--socket={}", data.join("socket").display());
        let mut command = server_command(&mariadbd, Some("mysql"));
        command.args(settings).arg(format!("--datadir={}", data.display())).arg(&socket);
        command.args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--character-set-server=utf8mb4"]);
        command.arg(format!("--port={port}"));
        let admin = admin.clone();
        let ready = move || {
            let mut ask = Command::new(&admin);
            // It answers whoever asks; to a stranger it would also log that it did not know one.
            ask.args([
                "--no-defaults",
                "--user=sessions",
                &format!("--password={PASSWORD}"),
                &socket,
                "ping",
            ]);
            answer(&mut ask).contains("is alive")
        };
        let node = Node::new(command, port, dir.path().join("log"), ready);
        let url = format!("mysql://sessions:{PASSWORD}@127.0.0.1:{port}/sessions");
        Server { url, nodes: vec![node], dir }
    }))
}

pub fn redis() -> Option<Server> {
    let programs = installed("Redis", ["redis-server", "redis-cli"])?;
    Some(Server::launch(|dir| {
        let port = free_port();
        let is_awake = |answer: &str| answer.contains("PONG");
        let node = redis_node(&programs, &dir, port, "appendonly yes", "ping", is_awake);
        Server { url: format!("redis://127.0.0.1:{port}"), nodes: vec![node], dir }
    }))
}

/// Three masters without replicas.
pub fn redis_cluster() -> Option<Server> {
    let programs = installed("Redis Cluster", ["redis-server", "redis-cli"])?;
    Some(Server::launch(|dir| {
        let ports: [u16; 3] = array::from_fn(|_| free_port());
        let settings = "appendonly yes\ncluster-enabled yes\ncluster-node-timeout 2000";
        let nodes = ports.map(|port| {
            let is_whole = |answer: &str| answer.contains("cluster_state:ok");
            let node = redis_node(&programs, &dir, port, settings, "cluster info", is_whole);
            // As each node itself would have noted the cluster down: so it is one from the start.
            let mut cluster = String::new();
            for (index, other) in ports.into_iter().enumerate() {
                let flags = if other == port { "myself,master" } else { "master" };
                let slots = (index * SLOTS / 3, (index + 1) * SLOTS / 3 - 1);
                let (id, bus, epoch) = (redis_id(other), other + 10_000, index + 1);
                cluster += &format!("{id} 127.0.0.1:{other}@{bus} {flags} - 0 0 {epoch} connected ");
                cluster += &format!("{}-{}\n", slots.0, slots.1);
            }
            cluster += "vars currentEpoch 3 lastVoteEpoch 0\n";
            fs::write(node.log.with_file_name("nodes.conf"), cluster).unwrap();
            node
        });
        let [first, second, third] = ports;
        let url = format!("redis-cluster://127.0.0.1:{first}?node=127.0.0.1:{second}&node=127.0.0.1:{third}");
        Server { url, nodes: nodes.into(), dir }
    }))
}

/// A master, a replica and three sentinels, two of which must agree that the master is down. Restarted after
/// a failover it takes some ten seconds: the sentinels look only so often for a master that came back.
pub fn redis_sentinel() -> Option<Sentinel> {
    let programs = installed("Redis Sentinel", ["redis-server", "redis-cli"])?;
    let server = Server::launch(|dir| {
        let [master, replica]: [u16; 2] = array::from_fn(|_| free_port());
        let sentinels: [u16; 3] = array::from_fn(|_| free_port());
        let alone = "appendonly yes\nrepl-diskless-sync-delay 0";
        let replicates = format!("{alone}\nreplicaof 127.0.0.1 {master}");
        // After a restart either may be the replica, which is of no use before it has the master's data.
        let is_in_step =
            |answer: &str| answer.contains("connected_slaves:1") || answer.contains("master_link_status:up");
        let mut nodes = vec![
            redis_node(&programs, &dir, master, alone, "info replication", is_in_step),
            redis_node(&programs, &dir, replica, &replicates, "info replication", is_in_step),
        ];
        for port in sentinels {
            let mut settings = format!(
                "sentinel myid {}\n\
                 sentinel monitor mymaster 127.0.0.1 {master} 2\n\
                 sentinel down-after-milliseconds mymaster 1000\n\
                 sentinel failover-timeout mymaster 2000\n\
                 sentinel known-replica mymaster 127.0.0.1 {replica}\n",
                redis_id(port)
            );
            // Known to each other from the start, which they would else learn in some seconds.
            for other in sentinels.into_iter().filter(|other| *other != port) {
                settings +=
                    &format!("sentinel known-sentinel mymaster 127.0.0.1 {other} {}\n", redis_id(other));
            }
            let agrees = |answer: &str| answer.starts_with("OK 3 usable");
            let mut node = redis_node(&programs, &dir, port, &settings, "sentinel ckquorum mymaster", agrees);
            node.command.arg("--sentinel");
            nodes.push(node);
        }
        let [first, second, third] = sentinels;
        let others = format!("node=127.0.0.1:{second}&node=127.0.0.1:{third}");
        let url = format!("redis-sentinel://127.0.0.1:{first}?{others}&sentinelServiceName=mymaster");
        Server { url, nodes, dir }
    });
    let [_, cli] = programs;
    Some(Sentinel { server, cli })
}

/// Mongoeco, which understands MongoDB's protocol and keeps its data in memory: a restart empties it.
pub fn mongoeco() -> Option<Server> {
    let [python] = installed("mongoeco", [python_environment().join("python")])?;
    Some(Server::launch(|dir| {
        let port = free_port();
        let mut command = server_command(&python, None);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/mongo_substitute.py"));
        command.arg(port.to_string());
        mongo(command, port, "ProxyAddress", dir)
    }))
}

/// NX-27017, which understands MongoDB's protocol and keeps its data in SQLite.
pub fn nx_27017() -> Option<Server> {
    let [nx_27017] = installed("NX-27017", [python_environment().join("nx-27017")])?;
    Some(Server::launch(|dir| {
        let port = free_port();
        let mut command = server_command(&nx_27017, None);
        command.args(["--port", &port.to_string()]);
        for (option, name) in [("--data-dir", "data"), ("--log-file", "own-log"), ("--pid-file", "pid")] {
            command.arg(option).arg(dir.path().join(name));
        }
        mongo(command, port, "Listening", dir)
    }))
}

fn redis_node(
    [server, cli]: &[PathBuf; 2],
    dir: &TempDir,
    port: u16,
    settings: &str,
    question: &'static str,
    is_ready: fn(&str) -> bool,
) -> Node {
    let dir = dir.path().join(port.to_string());
    let (file, socket) = (dir.join("redis.conf"), dir.join("socket"));
    fs::create_dir(&dir).unwrap();
    let own =
        format!("dir {0}\nport {port}\nbind 127.0.0.1\nunixsocket {0}/socket\nsave \"\"\n", dir.display());
    fs::write(&file, own + settings).unwrap();
    let mut command = server_command(server, None);
    command.arg(file);
    let cli = cli.clone();
    let ready =
        move || is_ready(&answer(Command::new(&cli).arg("-s").arg(&socket).args(question.split(' '))));
    Node::new(command, port, dir.join("log"), ready)
}

/// The name of a node among its own: 40 hexadecimal digits.
fn redis_id(port: u16) -> String {
    format!("{port:040x}")
}

fn mongo(command: Command, port: u16, sign: &'static str, dir: TempDir) -> Server {
    let log = dir.path().join("log");
    let said = log.clone();
    // Its log says that it was this one that took the port.
    let ready = move || fs::read_to_string(&said).unwrap().contains(sign) && greets(port).is_ok();
    let node = Node::new(command, port, log, ready);
    Server { url: format!("mongodb://127.0.0.1:{port}/sessions"), nodes: vec![node], dir }
}

/// Has the server answer the message with which every connection begins.
fn greets(port: u16) -> io::Result<()> {
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    connection.write_all(HELLO)?;
    connection.read_exact(&mut [0; 16])
}

/// Where the programs are; None where one is missing, which is said once for each store. On a machine that
/// checks every change (`CI=true`) a test that cannot run has failed.
fn installed<const N: usize>(store: &'static str, programs: [impl AsRef<Path>; N]) -> Option<[PathBuf; N]> {
    let found = programs.each_ref().map(|program| find(program.as_ref()));
    if let Some(missing) = found.iter().position(Option::is_none) {
        let missing = programs[missing].as_ref().display();
        assert!(env::var("CI").as_deref() != Ok("true"), "{store}: {missing} is not installed");
        static SAID: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
        if SAID.lock().unwrap().insert(store) {
            // Past the harness, which shows nothing of a test that passes.
            let _ = writeln!(io::stderr(), "{store} tests SKIPPED: no {missing} (scripts/test installs it)");
        }
    }
    found.into_iter().collect::<Option<Vec<_>>>()?.try_into().ok()
}

/// The program, wherever Debian puts it: that of the newest PostgreSQL, one on the path, or one for daemons.
fn find(program: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path()).collect();
    versions.sort_by_key(|path| {
        path.file_name().and_then(OsStr::to_str).and_then(|name| name.parse::<u32>().ok())
    });
    let postgres = versions.into_iter().rev().map(|version| version.join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    let mut paths = postgres.chain(env::split_paths(&path)).chain([PathBuf::from("/usr/sbin")]);
    paths.find_map(|path| Some(path.join(program)).filter(|path| path.is_file()))
}

/// What scripts/test installs beside the build.
fn python_environment() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("python").join("bin")
}

fn version(program: &Path) -> String {
    output(Command::new(program).arg("--version"))
}

/// A command that ends with this thread, as the account of that name where this one is root: some servers
/// refuse to run as root. Nothing in the environment changes what it does.
fn server_command(program: &Path, account: Option<&str>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).current_dir("/").env_clear();
    command.env("LC_ALL", "C").env("PATH", env::var_os("PATH").unwrap_or_default());
    if let Some(account) = account.filter(|_| user() == 0) {
        command.args([
            format!("--reuid={account}"),
            format!("--regid={account}"),
            "--init-groups".to_owned(),
        ]);
    }
    command.arg(program);
    command
}

/// The user that this process runs as.
fn user() -> u32 {
    fs::metadata("/proc/self").unwrap().uid()
}

/// A directory that the accounts of the servers can enter.
fn directory() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    dir
}

/// Puts a new data directory at `data`, which belongs to the account. `make` makes it, once for all test
/// runs: it takes seconds, a copy does not. A change of the recipe makes another.
fn copy_template(account: &str, recipe: impl Hash, data: &Path, make: impl FnOnce(&Path, &Path)) {
    let mut hasher = DefaultHasher::new();
    (user(), recipe).hash(&mut hasher);
    let template = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{account}-{:016x}", hasher.finish()));
    let lock = File::create(template.with_extension("lock")).unwrap();
    // One makes it, and the others wait for that.
    lock.lock().unwrap();
    if !template.exists() {
        // Made where the account can enter; moved in one step, so that what was cut short does not count.
        let scratch = directory();
        let (made, copy) = (scratch.path().join("data"), template.with_extension("part"));
        let mut create = Command::new("install");
        if user() == 0 {
            create.args(["--owner", account, "--group", account]);
        }
        output(create.args(["--directory", "--mode=700"]).arg(&made));
        make(scratch.path(), &made);
        output(Command::new("rm").arg("-rf").arg(&copy));
        output(Command::new("cp").args(["-a", "--reflink=auto"]).args([&made, &copy]));
        fs::rename(&copy, &template).unwrap();
    }
    drop(lock);
    output(Command::new("cp").args(["-a", "--reflink=auto"]).args([template.as_path(), data]));
}

/// A port that is free, and with it the one 10000 above, which a cluster's nodes use among themselves. Both
/// are below those that the system gives to connections (32768 and up), or else one of these could take
/// the port while its server is killed and is to come back.
fn free_port() -> u16 {
    static NEXT: LazyLock<AtomicU16> =
        LazyLock::new(|| AtomicU16::new(RandomState::new().hash_one(()) as u16));
    let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    loop {
        let port = 10_000 + NEXT.fetch_add(1, Ordering::Relaxed) % 12_000;
        if is_free(port) && is_free(port + 10_000) {
            return port;
        }
    }
}

/// What the command prints; it must succeed.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let (said, complaint) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} failed:\n{said}{complaint}");
    said.into_owned()
}

/// What the command prints, whether it succeeds or not.
fn answer(command: &mut Command) -> String {
    String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
}

fn signal(name: &str, pids: &[u32]) {
    if !pids.is_empty() {
        // The shell's own `kill` is on every machine. It fails only when they are gone already.
        let mut kill = Command::new("sh");
        kill.args(["-c", "kill -s \"$0\" \"$@\"", name]).args(pids.iter().map(u32::to_string));
        let _ = kill.stderr(Stdio::null()).status();
    }
}

fn children(parent: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|&pid| state(pid).is_some_and(|(_, its)| its == parent)).collect()
}

/// A process that has ended counts as dead even when nobody has asked for its exit status yet.
fn is_alive(pid: u32) -> bool {
    state(pid).is_some_and(|(state, _)| state != "Z" && state != "X")
}

/// The state of a process and its parent, which follow its name in parentheses.
fn state(pid: u32) -> Option<(String, u32)> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut words = line.rsplit_once(')')?.1.split_whitespace();
    Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        sleep(Duration::from_millis(20));
    }
}
