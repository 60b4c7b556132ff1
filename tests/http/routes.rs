//! Every route of the app, as its own log names them at the start: a new page joins each test that walks them.

use world::Server;

/// The realms of the app, by what can end a session: nothing, a ledger, a store.
pub const REALMS: [&str; 3] = ["/stateless", "/revocable", "/stateful"];

/// Paths for this method that lead to every route. Where a route takes a part of its path, an experiment or a guide.
pub fn paths(server: &Server, method: &str) -> Vec<String> {
    let log = server.log();
    let start = format!(") {method} ");
    let routes = log.lines().filter_map(|line| line.trim_start().strip_prefix(">> (")?.split_once(&start));
    let path = |(_, route): (&str, &str)| {
        let path = route.split('?').next().unwrap_or_default();
        path.replace("<slug>", "growth").replace("<name>", "keys")
    };
    let mut paths: Vec<String> = routes.map(path).collect();
    paths.sort();
    let least = if method == "GET" { 40 } else { 25 };
    assert!(paths.len() > least && !paths.iter().any(|path| path.contains('<')), "{paths:?}");
    paths
}
