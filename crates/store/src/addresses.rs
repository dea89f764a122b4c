//! Addresses of databases: which engine, where, and nothing of the password.

use std::{fmt, path::PathBuf};

use usecases::ports::StoreError;

use crate::unavailable;

const HIDDEN: &str = "***";
const SQLITE: &str = "sqlite";
const POSTGRES: [&str; 2] = ["postgres", "postgresql"];

#[derive(Clone)]
pub(crate) enum Address {
    Postgres(String),
    Sqlite(PathBuf),
}

/// Why an address is refused. It never repeats what may be a password.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadAddress(String);

impl std::error::Error for BadAddress {}

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Address, StoreError> {
        Address::read(url).map_err(unavailable)
    }

    fn read(url: &str) -> Result<Address, BadAddress> {
        let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) else {
            return Err(BadAddress("a database address begins with sqlite:// or postgres://".to_owned()));
        };
        if scheme == SQLITE {
            return match rest {
                "" => Err(BadAddress("sqlite:// is followed by the path of a file".to_owned())),
                // Each connection would see a database of its own.
                ":memory:" => Err(BadAddress("a database in memory cannot be shared; name a file".to_owned())),
                path => Ok(Address::Sqlite(PathBuf::from(path))),
            };
        }
        if !POSTGRES.contains(&scheme) {
            return Err(BadAddress(format!(
                "`{scheme}` is not a database that is known; use sqlite:// or postgres://"
            )));
        }
        // libpq shows the part that it cannot read, which may be a piece of the password: so it is not asked to.
        if !is_percent_encoded(rest) {
            return Err(BadAddress("a % in a database address is followed by two hexadecimal digits".to_owned()));
        }
        if password(rest).is_some_and(|password| password.contains(['/', '?', '#', '@', ' '])) {
            return Err(BadAddress("special characters of a database password must be percent-encoded".to_owned()));
        }
        if !ports_are_numbers(rest) {
            return Err(BadAddress(
                "the port of a database address is a number; is there an @ before the host?".to_owned(),
            ));
        }
        Ok(Address::Postgres(url.to_owned()))
    }

    /// A driver's message, without the password that it might repeat.
    pub(crate) fn scrub(&self, message: &str) -> String {
        let message = message.trim();
        match self {
            Address::Sqlite(_) => message.to_owned(),
            Address::Postgres(url) => {
                let rest = url.split_once("://").map_or("", |(_, rest)| rest);
                let secrets = password(rest).into_iter().chain(secret_parameters(rest));
                secrets.filter(|secret| !secret.is_empty()).fold(message.to_owned(), |message, secret| {
                    message.replace(secret, HIDDEN).replace(&percent_decoded(secret), HIDDEN)
                })
            }
        }
    }
}

/// Says what is wrong with an address, without any part of it that may be a password.
pub fn check_address(url: &str) -> Result<(), String> {
    Address::read(url).map(drop).map_err(|BadAddress(reason)| reason)
}

/// Shows an address without its password.
pub fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        // Without a scheme nobody knows what is a password, as in `host=db password=…`.
        return HIDDEN.to_owned();
    };
    let shown = match rest.rsplit_once('@') {
        Some((user, place)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:{HIDDEN}@{place}"),
            None => rest.to_owned(),
        },
        None => rest.to_owned(),
    };
    let Some((place, parameters)) = shown.split_once('?') else { return format!("{scheme}://{shown}") };
    let parameters: Vec<String> = parameters
        .split('&')
        .map(|parameter| match parameter.split_once('=') {
            Some((name, _)) if is_secret(name) => format!("{name}={HIDDEN}"),
            _ => parameter.to_owned(),
        })
        .collect();
    format!("{scheme}://{place}?{}", parameters.join("&"))
}

/// Where the `@` was forgotten, a password stands in the port's place, and libpq would show it.
fn ports_are_numbers(rest: &str) -> bool {
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    hosts.split(',').all(|host| {
        let after_brackets = host.rsplit_once(']').map_or(host, |(_, rest)| rest);
        after_brackets.split_once(':').is_none_or(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
    })
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+')
}

/// Up to the last `@`, because a password may hold one that nobody encoded.
fn password(rest: &str) -> Option<&str> {
    let (user, _) = rest.rsplit_once('@')?;
    user.split_once(':').map(|(_, password)| password)
}

fn secret_parameters(rest: &str) -> impl Iterator<Item = &str> {
    let parameters = rest.split_once('?').map_or("", |(_, parameters)| parameters);
    parameters
        .split('&')
        .filter_map(|parameter| parameter.split_once('='))
        .filter_map(|(name, value)| if is_secret(name) { Some(value) } else { None })
}

fn is_secret(parameter: &str) -> bool {
    percent_decoded(parameter).to_ascii_lowercase().contains("password")
}

fn is_percent_encoded(text: &str) -> bool {
    let is_digit = |b: Option<&u8>| b.is_some_and(u8::is_ascii_hexdigit);
    let bytes = text.as_bytes();
    (0..bytes.len())
        .filter(|&at| bytes[at] == b'%')
        .all(|at| is_digit(bytes.get(at + 1)) && is_digit(bytes.get(at + 2)))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).filter(|_| first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("postgres://ann:s3cret@db:5432/strata", "postgres://ann:***@db:5432/strata"),
            ("postgres://ann:s3c@ret@db/strata", "postgres://ann:***@db/strata"),
            ("postgres://ann@db/strata?password=s3cret&a=b", "postgres://ann@db/strata?password=***&a=b"),
            ("postgres://db/strata", "postgres://db/strata"),
            ("sqlite://strata.db", "sqlite://strata.db"),
            ("host=db password=s3cret", "***"),
        ] {
            assert_eq!(redacted(url), shown);
        }
    }

    #[test]
    fn refusals_do_not_repeat_a_password() {
        for url in [
            "mysql://ann:s3cret@db/strata",
            "host=db password=s3cret",
            "s3cret",
            "postgres://ann:s3cret/x@db/strata",
            "postgres://ann:s3cret%zz@db/strata",
            "sqlite://",
            "sqlite://:memory:",
        ] {
            let refusal = Address::read(url).err().map(|error| error.to_string()).unwrap();
            assert!(!refusal.contains("s3cret"), "{refusal}");
        }
    }

    #[test]
    fn drivers_messages_lose_the_password() {
        let address = Address::parse("postgres://ann:s3%41ret@db/strata?sslpassword=hush").unwrap();
        assert_eq!(address.scrub("no s3%41ret, s3Aret nor hush\n"), "no ***, *** nor ***");
    }
}
