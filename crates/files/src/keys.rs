//! Keys of files, and prefixes of keys.

use std::io;

use crate::invalid;

/// Segments joined by `/`, fit to be a path on a disk and a key in a bucket as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key<'a>(&'a str);

impl<'a> Key<'a> {
    pub(crate) fn parse(text: &'a str) -> io::Result<Key<'a>> {
        if text.split('/').all(is_segment) {
            Ok(Key(text))
        } else {
            Err(invalid(format!("`{text}` is not the key of a file")))
        }
    }

    pub(crate) fn as_str(self) -> &'a str {
        self.0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prefix<'a> {
    /// `jobs/17`: the file of that key, and those below it.
    At(Key<'a>),
    /// `jobs/17/`: only those below it.
    Below(Key<'a>),
}

impl<'a> Prefix<'a> {
    /// An empty prefix, which would forget everything, is refused.
    pub(crate) fn parse(text: &'a str) -> io::Result<Prefix<'a>> {
        match text.strip_suffix('/') {
            Some(folder) => Key::parse(folder).map(Prefix::Below),
            None => Key::parse(text).map(Prefix::At),
        }
    }
}

pub(crate) fn is_segment(text: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    !matches!(text, "" | "." | "..") && text.bytes().all(is_allowed)
}
