//! What an error of MongoDB says about what was asked.

use mongodb::error::{Error, ErrorKind, WriteFailure};

use crate::error::StoreError;

/// A duplicate key.
const TAKEN: i32 = 11000;

/// Two writes of one document met.
const CONFLICT: i32 = 112;

/// A document, or the message it comes in, is too large.
const TOO_LARGE: &[i32] = &[10334, 17419, 17420];

/// A server that shuts down, is no primary any more, or cannot be reached by the one that was asked.
const LOST: &[i32] = &[6, 7, 89, 91, 189, 9001, 10107, 11600, 11602, 13435, 13436];

fn code(error: &Error) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Some(error.code),
        ErrorKind::Command(error) => Some(error.code),
        _ => None,
    }
}

pub(super) fn is_taken(error: &Error) -> bool {
    code(error) == Some(TAKEN)
}

/// Whether all that some insertions have met is that there was a document already.
pub(super) fn are_taken(error: &Error) -> bool {
    let ErrorKind::InsertMany(error) = &*error.kind else { return false };
    let mut errors = error.write_errors.iter().flatten();
    error.write_concern_error.is_none() && errors.all(|error| error.code == TAKEN)
}

/// Whether another write came first: the layer above looks again.
pub(super) fn is_conflict(error: &Error) -> bool {
    code(error) == Some(CONFLICT)
}

/// The driver's message may name the server, and never shows a password or a document.
pub(super) fn failed(error: Error) -> StoreError {
    let text = error.to_string().lines().collect::<Vec<_>>().join(" ");
    match (&*error.kind, code(&error)) {
        (ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. }, _) => StoreError::Disconnected(text),
        // The driver itself knows how large a document may be.
        (ErrorKind::InvalidArgument { .. }, _) => StoreError::Refused(text),
        (_, Some(code)) if LOST.contains(&code) => StoreError::Disconnected(text),
        (_, Some(code)) if TOO_LARGE.contains(&code) => StoreError::Refused(text),
        _ => StoreError::Failed(text),
    }
}
