//! Addresses of storages: a folder or a bucket, and no room for secrets.

use std::path::PathBuf;

use crate::keys::is_segment;

const FILE: &str = "file";
const S3: &str = "s3";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Folder(PathBuf),
    /// The prefix is empty or ends with a `/`.
    Bucket {
        name: String,
        prefix: String,
    },
}

impl Address {
    /// The reason of a refusal repeats nothing that may be a secret.
    pub(crate) fn parse(url: &str) -> Result<Address, String> {
        let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) else {
            return Err("an address of files begins with file:// or s3://".to_owned());
        };
        match scheme {
            FILE if rest.is_empty() => Err("file:// is followed by the path of a folder".to_owned()),
            FILE => Ok(Address::Folder(PathBuf::from(rest))),
            S3 => bucket(rest),
            _ => Err(format!("`{scheme}` is not a storage that is known; use file:// or s3://")),
        }
    }
}

/// Says what is wrong with an address of files, without any part of it that may be a secret.
pub fn check_address(url: &str) -> Result<(), String> {
    Address::parse(url).map(drop)
}

/// Where an endpoint says `http://`, nothing is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Plain,
    Tls,
}

/// How the service at an endpoint is spoken to.
pub(crate) fn transport(endpoint: &str) -> Result<Transport, String> {
    let (transport, authority) = if let Some(rest) = endpoint.strip_prefix("http://") {
        (Transport::Plain, rest)
    } else if let Some(rest) = endpoint.strip_prefix("https://") {
        (Transport::Tls, rest)
    } else {
        return Err("an S3 endpoint begins with http:// or https://".to_owned());
    };
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    if authority.contains('@') {
        return Err("an S3 endpoint holds no keys".to_owned());
    }
    let is_host = |b: u8| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b);
    if authority.is_empty() || !authority.bytes().all(is_host) {
        return Err("an S3 endpoint is a host, and a port if need be, behind http:// or https://".to_owned());
    }
    Ok(transport)
}

fn bucket(rest: &str) -> Result<Address, String> {
    if rest.contains('@') {
        return Err("the address of a bucket holds no keys; they have settings of their own".to_owned());
    }
    let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
    if !(3..=63).contains(&name.len()) || !name.bytes().all(is_name) {
        return Err("the name of an S3 bucket is 3 to 63 of a-z, 0-9, `.` and `-`".to_owned());
    }
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    if prefix.is_empty() {
        return Ok(Address::Bucket { name: name.to_owned(), prefix: String::new() });
    }
    // A bucket may be shared with others, who write capitals.
    if !prefix.split('/').all(|segment| is_segment(&segment.to_ascii_lowercase())) {
        return Err("the prefix in a bucket is words of letters, digits, `.`, `_` and `-`, joined by `/`".to_owned());
    }
    Ok(Address::Bucket { name: name.to_owned(), prefix: format!("{prefix}/") })
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_relative_or_absolute() {
        for (url, path) in
            [("file://strata-files", "strata-files"), ("file:///var/lib/strata/files", "/var/lib/strata/files")]
        {
            assert_eq!(Address::parse(url), Ok(Address::Folder(PathBuf::from(path))));
        }
    }

    #[test]
    fn buckets_may_have_a_prefix() {
        for (url, expected) in [
            ("s3://strata", ""),
            ("s3://strata/", ""),
            ("s3://strata/files", "files/"),
            ("s3://strata/Team-A/files/", "Team-A/files/"),
        ] {
            let address = Address::Bucket { name: "strata".to_owned(), prefix: expected.to_owned() };
            assert_eq!(Address::parse(url), Ok(address));
        }
    }

    #[test]
    fn unknown_storages_are_refused_by_name() {
        let refusal = check_address("gs://strata/files").unwrap_err();
        assert_eq!(refusal, "`gs` is not a storage that is known; use file:// or s3://");
    }

    #[test]
    fn refusals_do_not_repeat_a_secret() {
        for url in [
            "s3cret",
            "",
            "file://",
            "s3://",
            "gs://ann:s3cret@strata",
            "s3://ann:s3cret@strata",
            "s3://strata/files?secret=s3cret",
            "s3://strata?secret=s3cret",
            "s3://strata/../s3cret",
            "s3://strata//s3cret",
        ] {
            let refusal = check_address(url).unwrap_err();
            assert!(!refusal.contains("s3cret"), "{refusal}");
        }
    }

    #[test]
    fn only_http_is_plain() {
        assert_eq!(transport("http://127.0.0.1:9000"), Ok(Transport::Plain));
        assert_eq!(transport("http://[::1]:9000/"), Ok(Transport::Plain));
        assert_eq!(transport("https://s3.example.org"), Ok(Transport::Tls));
        for endpoint in ["127.0.0.1:9000", "ftp://host", "http://", "https://ann:s3cret@host", "http://host/path"] {
            let refusal = transport(endpoint).unwrap_err();
            assert!(!refusal.contains("s3cret"), "{refusal}");
        }
    }
}
