//! Cursors: where the next page of a list begins, opaque to clients.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

const CHARS_MAX: usize = 4_096;

pub(crate) fn write(position: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(position).expect("a cursor is plain data"))
}

pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    if text.len() > CHARS_MAX {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// A page of a list: one more than `limit` is fetched, and says whether there is another page.
pub(crate) fn page<T>(
    mut items: Vec<T>,
    limit: usize,
    position: impl FnOnce(&T) -> String,
) -> (Vec<T>, Option<String>) {
    if items.len() <= limit {
        return (items, None);
    }
    items.truncate(limit);
    let next = items.last().map(position);
    (items, next)
}
