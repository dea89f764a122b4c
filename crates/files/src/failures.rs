//! What S3 and the way to it failed with, as `io::Error`s that hold no secret.

use std::{error::Error as _, io};

use object_store::client::{HttpError, HttpErrorKind};

const HIDDEN: &str = "***";
/// Some services answer with whole pages.
const REASON_CHARS_MAX: usize = 400;

/// The error of an operation at `place`. What object_store says is made into text here, because it may quote whatever
/// the service answered.
pub(crate) fn translated(place: &str, error: &object_store::Error, secrets: &[String]) -> io::Error {
    // Scrubbed before it is cut, lest the cut leave half a secret.
    let reason: String = scrubbed(&reason(error), secrets).trim().chars().take(REASON_CHARS_MAX).collect();
    io::Error::new(kind(error), format!("{place}: {reason}"))
}

/// S3 itself says that there is no such object. The bucket may also be absent, or what answers may be no S3.
pub(crate) fn is_absent(error: &object_store::Error) -> bool {
    code(error).as_deref() == Some("NoSuchKey")
}

/// An empty object has no first byte.
pub(crate) fn is_past_the_end(error: &object_store::Error) -> bool {
    code(error).as_deref() == Some("InvalidRange")
}

fn kind(error: &object_store::Error) -> io::ErrorKind {
    match status(error) {
        Some(401 | 403) => return io::ErrorKind::PermissionDenied,
        Some(404) => return io::ErrorKind::NotFound,
        Some(507) => return io::ErrorKind::StorageFull,
        _ => {}
    }
    match on_the_way(error).map(HttpError::kind) {
        Some(HttpErrorKind::Timeout) => io::ErrorKind::TimedOut,
        Some(HttpErrorKind::Connect) => cause(error).unwrap_or(io::ErrorKind::NotConnected),
        Some(HttpErrorKind::Interrupted | HttpErrorKind::Request) => io::ErrorKind::ConnectionAborted,
        _ => io::ErrorKind::Other,
    }
}

fn reason(error: &object_store::Error) -> String {
    let said = error.to_string();
    if let Some(code) = code(error) {
        return match between(&said, "<Message>", "</Message>") {
            Some(message) => format!("{code}: {message}"),
            None => code,
        };
    }
    if on_the_way(error).is_none() {
        return said;
    }
    // The outer errors only say that there is an inner one.
    sources(error).last().map_or(said, ToString::to_string)
}

/// The word by which S3 names a failure, if it answered at all.
fn code(error: &object_store::Error) -> Option<String> {
    between(&error.to_string(), "<Code>", "</Code>").map(ToOwned::to_owned)
}

/// The number of the answer. A listing that was denied has no variant of its own, and the type that knows the number is
/// not public, so it is read from the text (`RequestError::Status` in object_store).
fn status(error: &object_store::Error) -> Option<u16> {
    between(&error.to_string(), "non-2xx status code: ", " ")?.parse().ok()
}

fn on_the_way(error: &object_store::Error) -> Option<&HttpError> {
    sources(error).find_map(|source| source.downcast_ref())
}

/// Why there is no connection, where the operating system knows a name for it.
fn cause(error: &object_store::Error) -> Option<io::ErrorKind> {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable, TimedOut};
    let known = [ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable, TimedOut];
    sources(error)
        .filter_map(|source| source.downcast_ref::<io::Error>())
        .map(io::Error::kind)
        .find(|kind| known.contains(kind))
}

fn sources(error: &object_store::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |&source| source.source())
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inside, _)| inside)
}

/// S3 is never told the secret, but what quotes the settings, or a proxy's page, may hold it.
fn scrubbed(text: &str, secrets: &[String]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), HIDDEN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(body: &str) -> object_store::Error {
        object_store::Error::Generic { store: "S3", source: body.to_owned().into() }
    }

    #[test]
    fn the_words_of_the_service_are_told() {
        let error = answered("<Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>");
        assert_eq!(translated("s3://b/k", &error, &[]).to_string(), "s3://b/k: SlowDown: Reduce your rate.");
    }

    #[test]
    fn a_full_service_is_a_full_storage() {
        let error =
            answered("Server returned non-2xx status code: 507 Insufficient Storage: <Code>XMinioStorageFull</Code>");
        assert_eq!(translated("s3://b/k", &error, &[]).kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn reasons_lose_the_secret_and_stay_short() {
        let page = format!("<html>hush s3cret {}", "x".repeat(10_000));
        let told = translated("s3://b/k", &answered(&page), &["s3cret".to_owned(), "hush".to_owned()]).to_string();
        assert!(told.contains("*** ***") && told.len() < 500, "{told}");
    }

    #[test]
    fn only_s3_can_say_that_a_file_is_absent() {
        for (answer, absent) in [
            ("<Error><Code>NoSuchKey</Code></Error>", true),
            ("<Error><Code>NoSuchBucket</Code></Error>", false),
            ("<html>404 Not Found</html>", false),
        ] {
            let error = object_store::Error::NotFound { path: "k".to_owned(), source: answer.into() };
            assert_eq!(is_absent(&error), absent, "{answer}");
        }
    }
}
