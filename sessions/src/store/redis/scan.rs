//! Going through all rows, node by node.

use redis::{Cmd, Value};
use rocket::futures::future::try_join_all;

use super::row::damaged;
use super::{Redis, command};
use crate::error::StoreError;
use crate::record::id::IdHash;
use crate::store::server::backend::{Backend as _, Scan, Scanned};

/// How many keys a node looks at for one page.
const KEYS: usize = 500;

/// Where a page begins on a node of a Cluster, or on the only server, which has no name.
struct Place {
    node: String,
    cursor: String,
}

/// The places where a scan goes on, the next page's first. Written as lines.
struct Places(Vec<Place>);

impl Places {
    fn read(text: &[u8]) -> Option<Places> {
        let place = |line: &str| {
            let (node, cursor) = line.split_once(' ')?;
            Some(Place { node: node.to_owned(), cursor: cursor.to_owned() })
        };
        str::from_utf8(text).ok()?.lines().map(place).collect::<Option<_>>().map(Places)
    }

    fn write(&self) -> Option<Vec<u8>> {
        let lines = self.0.iter().map(|place| format!("{} {}\n", place.node, place.cursor));
        (!self.0.is_empty()).then(|| lines.collect::<String>().into_bytes())
    }
}

#[rocket::async_trait]
impl Scan for Redis {
    /// A key that is moved to another node of a Cluster meanwhile may be missed.
    async fn page(&self, from: &[u8]) -> Result<Scanned, StoreError> {
        let (ids, next) = self.ids_from(from).await?;
        let found = try_join_all(ids.iter().map(|id| self.get(id))).await?;
        let rows = ids.into_iter().zip(found).filter_map(|(id, row)| Some((id, row?)));
        Ok(Scanned { rows: rows.collect(), next })
    }
}

impl Redis {
    /// The ids of the page that begins at `from`, and where the next one begins.
    pub(super) async fn ids_from(&self, from: &[u8]) -> Result<(Vec<IdHash>, Option<Vec<u8>>), StoreError> {
        let mut places =
            if from.is_empty() { self.first().await? } else { Places::read(from).ok_or_else(damaged)? };
        let Some(place) = places.0.first_mut() else { return Ok((Vec::new(), None)) };
        let (cursor, ids) = self.keys(place).await?;
        if cursor == "0" {
            places.0.remove(0);
        } else {
            place.cursor = cursor;
        }
        Ok((ids, places.write()))
    }

    /// The beginning, on each node that has keys of its own.
    async fn first(&self) -> Result<Places, StoreError> {
        let nodes = if self.link.is_cluster() { self.masters().await? } else { vec![String::new()] };
        Ok(Places(nodes.into_iter().map(|node| Place { node, cursor: "0".to_owned() }).collect()))
    }

    /// The addresses of a Cluster's masters.
    pub(super) async fn masters(&self) -> Result<Vec<String>, StoreError> {
        let Value::Array(slots) = self.link.ask(&command("CLUSTER", "SLOTS")).await? else {
            return Err(damaged());
        };
        let master = |slots: &Value| {
            let Value::Array(parts) = slots else { return None };
            let Value::Array(master) = parts.get(2)? else { return None };
            match (master.first()?, master.get(1)?) {
                (Value::BulkString(host), Value::Int(port)) => {
                    Some(format!("{}:{port}", str::from_utf8(host).ok()?))
                }
                _ => None,
            }
        };
        let mut masters = slots.iter().map(master).collect::<Option<Vec<String>>>().ok_or_else(damaged)?;
        masters.sort_unstable();
        masters.dedup();
        Ok(masters)
    }

    /// Asks a node of a Cluster, by its address, or the only server, which has no name.
    pub(super) async fn ask_node(&self, node: &str, command: &Cmd) -> Result<Value, StoreError> {
        match node.rsplit_once(':') {
            Some((host, port)) => self.link.ask_at(host, port.parse().map_err(|_| damaged())?, command).await,
            None => self.link.ask(command).await,
        }
    }

    /// Some rows' hashes at a place, and the cursor of the place after it: `0` after the last.
    async fn keys(&self, place: &Place) -> Result<(String, Vec<IdHash>), StoreError> {
        let prefix = format!("sessions:{}:session:", self.realm);
        let mut scan = command("SCAN", &place.cursor);
        scan.arg("MATCH").arg(format!("{}*", escaped(&prefix))).arg("COUNT").arg(KEYS);
        let Value::Array(parts) = self.ask_node(&place.node, &scan).await? else { return Err(damaged()) };
        let [Value::BulkString(cursor), Value::Array(keys)] = &parts[..] else { return Err(damaged()) };
        let id = |key: &Value| match key {
            Value::BulkString(key) => IdHash::from_text(str::from_utf8(key).ok()?.strip_prefix(&prefix)?),
            _ => None,
        };
        let cursor = String::from_utf8(cursor.clone()).map_err(|_| damaged())?;
        Ok((cursor, keys.iter().filter_map(id).collect()))
    }
}

/// A text as a pattern that only it matches: a cookie's name, which a namespace may be, can have a `*`.
fn escaped(text: &str) -> String {
    let letters = text.chars().flat_map(|letter| ['\\', letter]);
    letters.collect()
}
