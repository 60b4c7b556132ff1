//! Free ports.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// How far above a node's own port is the one that the nodes of a Redis cluster use among themselves.
pub(super) const BUS: u16 = 10_000;

/// A port that is free together with the one [`BUS`] above it. Both are below those that the system gives to
/// connections (32768 and up), or one of these could take the port while its server is killed and about to
/// come back.
pub(crate) fn free_port() -> u16 {
    static NEXT: LazyLock<AtomicU16> =
        LazyLock::new(|| AtomicU16::new(RandomState::new().hash_one(()) as u16));
    let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    loop {
        let port = 10_000 + NEXT.fetch_add(1, Ordering::Relaxed) % 12_000;
        if is_free(port) && is_free(port + BUS) {
            return port;
        }
    }
}
