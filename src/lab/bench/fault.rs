//! How a failure of a store is said.

/// What a driver says of a failure, without the structures that some print along with it: Redis's shows the error of the
/// operating system as Rust does for debugging, MongoDB's all that it knows of its servers.
pub(super) fn plain(failure: &str) -> String {
    let Some((said, structure)) = failure.split_once(" {").map(|(said, rest)| (said, rest.trim_start()))
    else {
        return failure.to_owned();
    };
    let message = structure.split_once("message: \"").and_then(|(_, rest)| rest.split_once('"'));
    match message {
        Some((message, _)) => {
            said.rsplit_once(' ').map_or(message.into(), |(said, _)| format!("{said} {message}"))
        }
        None => said.rsplit_once(". ").map_or(said, |(said, _)| said).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_failure_is_said_without_structures() {
        for (failure, said) in [
            (
                "the store failed: Connection refused (os error 111)",
                "the store failed: Connection refused (os error 111)",
            ),
            (
                r#"the store failed: Os { code: 111, kind: ConnectionRefused, message: "Connection refused" }"#,
                "the store failed: Connection refused",
            ),
            (
                "the store failed: Kind: Server selection timeout: No available servers. Topology: { Type: Unknown }, labels: {}",
                "the store failed: Kind: Server selection timeout: No available servers",
            ),
        ] {
            assert_eq!(plain(failure), said);
        }
    }
}
