//! What an error of Redis means: whether the command was done, whether the connection is still good, and what may be
//! said of it.
//!
//! The client's own texts show what a server answered, and a server's texts show what it was asked.

use std::error::Error;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::error::StoreError;

/// Whether no server has taken the command, so that it can be sent again.
pub(super) fn is_surely_undone(error: &RedisError) -> bool {
    use ServerErrorKind::{Ask, BusyLoading, ClusterDown, MasterDown, Moved, TryAgain};
    match error.kind() {
        _ if is_read_only(error) => true,
        ErrorKind::ClusterConnectionNotFound | ErrorKind::MasterNameNotFoundBySentinel => true,
        ErrorKind::Server(refusal) => {
            matches!(refusal, Moved | Ask | TryAgain | ClusterDown | MasterDown | BusyLoading)
        }
        _ => error.is_connection_refusal(),
    }
}

/// Whether another attempt to connect may succeed in a moment. A login that is wrong stays wrong.
pub(super) fn may_connect_soon(error: &RedisError) -> bool {
    error.is_io_error() || is_surely_undone(error)
}

/// Whether the next command needs another connection: this one has ended or gone silent, or the server behind it is
/// not, or no longer, the one that takes writes.
pub(super) fn ends_connection(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, MasterDown};
    match error.kind() {
        ErrorKind::Io | ErrorKind::Parse | ErrorKind::AuthenticationFailed => true,
        ErrorKind::ClusterConnectionNotFound | ErrorKind::Server(MasterDown | BusyLoading) => true,
        _ => is_read_only(error),
    }
}

/// Whether it was a replica that was told to write. It refuses the first thing that a script writes, so nothing was
/// done. Redis 6 wraps what a script meets into an error of its own.
fn is_read_only(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::ReadOnly) => true,
        ErrorKind::Server(ServerErrorKind::ResponseError) => {
            error.detail().is_some_and(|detail| detail.contains(": -READONLY "))
        }
        _ => false,
    }
}

/// The error of a command that was sent.
pub(super) fn of_command(error: &RedisError) -> StoreError {
    if error.is_timeout() {
        StoreError::TimedOut
    } else if error.is_connection_dropped() && !error.is_connection_refusal() {
        StoreError::Disconnected(description(error))
    } else if is_too_large(error) {
        StoreError::Refused("a session is larger than Redis takes; see its setting proto-max-bulk-len".into())
    } else {
        StoreError::Failed(description(error))
    }
}

/// The error of an attempt to connect: nothing was sent.
pub(super) fn of_connecting(error: &RedisError) -> StoreError {
    StoreError::Failed(description(error))
}

fn is_too_large(error: &RedisError) -> bool {
    let texts = ["invalid bulk length", "exceeds maximum allowed size"];
    error.code() == Some("ERR")
        && error.detail().is_some_and(|detail| texts.iter().any(|text| detail.contains(text)))
}

/// What can be logged: the code of a server's error, the system's or TLS's own words, or the kind of error.
fn description(error: &RedisError) -> String {
    if let Some(code) = error.code() {
        return format!("Redis answered {code}");
    }
    match (error.kind(), error.source()) {
        (ErrorKind::Io | ErrorKind::Client, Some(cause)) => cause.to_string(),
        _ => error.category().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(line: &str) -> RedisError {
        redis::parse_redis_value(line.as_bytes()).unwrap().extract_error().unwrap_err()
    }

    #[test]
    fn an_error_shows_no_value() {
        let from_value =
            redis::from_redis_value::<i64>(redis::Value::BulkString(b"hunter2".into())).unwrap_err();
        for error in [
            answered("-ERR unknown command 'NONE', with args beginning with: 'hunter2'\r\n"),
            answered("-OOM hunter2\r\n"),
            from_value.into(),
            (ErrorKind::InvalidClientConfig, "wrong", "hunter2".to_owned()).into(),
        ] {
            for error in [of_command(&error), of_connecting(&error)] {
                assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
            }
        }
    }

    #[test]
    fn what_may_have_been_done_is_not_sent_again() {
        use std::io::ErrorKind::{BrokenPipe, ConnectionReset, TimedOut, UnexpectedEof};

        for kind in [BrokenPipe, ConnectionReset, UnexpectedEof] {
            let error = std::io::Error::from(kind).into();
            assert!(!is_surely_undone(&error) && ends_connection(&error), "{kind}");
            assert!(matches!(of_command(&error), StoreError::Disconnected(_)), "{kind}");
        }
        let late = std::io::Error::from(TimedOut).into();
        assert!(!is_surely_undone(&late) && ends_connection(&late));
        assert!(matches!(of_command(&late), StoreError::TimedOut));
    }

    #[test]
    fn a_server_that_refuses_is_asked_again_and_one_that_is_full_is_not() {
        let wrapped =
            "-ERR Error running script (call to f_1): @user_script: 2: -READONLY You can't write\r\n";
        for line in ["-MOVED 1 a:1\r\n", "-ASK 1 a:1\r\n", "-TRYAGAIN x\r\n", "-CLUSTERDOWN x\r\n", wrapped] {
            assert!(is_surely_undone(&answered(line)), "{line}");
        }
        for line in [wrapped, "-READONLY x\r\n", "-LOADING x\r\n", "-MASTERDOWN x\r\n"] {
            assert!(is_surely_undone(&answered(line)) && ends_connection(&answered(line)), "{line}");
        }
        let full = answered("-OOM command not allowed when used memory > 'maxmemory'.\r\n");
        assert!(!is_surely_undone(&full) && !ends_connection(&full));
        assert_eq!(of_command(&full).to_string(), "the store failed: Redis answered OOM");
        let large = answered("-ERR Protocol error: invalid bulk length\r\n");
        assert!(matches!(of_command(&large), StoreError::Refused(_)));
    }
}
