//! The snapshot file: the packed state as it is in memory, so that a start need not read the store.
//!
//! A line that says what it is and its version, the length of the head, the head, where blocks begin, their bytes, and the
//! SHA-256 of all that. Whatever is wrong with it, the store is read instead.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
    sync::Arc,
};

use domain::{Instant, SegmentId, Slug};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use usecases::{
    changes::Seen,
    ports::{Store, StoreError},
};

use crate::{
    overlay::{Changed, Overlay},
    packed::Packed,
    rows::Rows,
    state::{LOADED, State},
};

/// Another number for whatever an older program would read wrongly.
const FIRST_LINE: &[u8] = b"strata index 2\n";
const DIGEST_BYTES: usize = 32;

#[derive(Serialize, Deserialize)]
struct Head {
    seen: String,
    /// A note that the store had then. A store that was put back to an earlier state has it no more.
    noted_at: i64,
    /// By ordinal; a segment without slug was deleted.
    segments: Vec<(i64, Option<String>)>,
    changed: Vec<(String, Changed)>,
    emptied: Vec<(u32, i64)>,
    users: u32,
    memberships: u64,
    blocks: u64,
    bytes: u64,
}

/// Writes the state in place of an earlier one. A store that was never noted is so new that it is not worth it.
pub(crate) fn write(path: &Path, state: &State, store: &dyn Store) -> io::Result<()> {
    let noted_at = store.read(|unit| unit.changes().noted_at()).map_err(|error: StoreError| io::Error::other(error))?;
    let Some(noted_at) = noted_at else { return Ok(()) };
    let head = postcard::to_allocvec(&Head::of(state, noted_at)).map_err(io::Error::other)?;
    let beside = path.with_extension("new");
    let mut file = Digesting { inner: BufWriter::new(File::create(&beside)?), digest: Sha256::new() };
    file.write_all(FIRST_LINE)?;
    file.write_all(&(head.len() as u64).to_le_bytes())?;
    file.write_all(&head)?;
    for begin in state.packed.rows.begins() {
        file.write_all(&begin.to_le_bytes())?;
    }
    file.write_all(state.packed.rows.packed_bytes())?;
    let Digesting { mut inner, digest } = file;
    inner.write_all(&digest.finalize())?;
    inner.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(beside, path)
}

/// The state that the file has, if the store goes on from there.
pub(crate) fn read(path: &Path, store: &dyn Store) -> Option<State> {
    let refused = |reason: &dyn std::fmt::Display| log::warn!("index: `{}` is not used: {reason}", path.display());
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            refused(&error);
            return None;
        }
    };
    let Some((head, state)) = parse(bytes) else {
        refused(&"it is damaged, or of another version");
        return None;
    };
    let suits = store.read(|unit| {
        let noted_at = Instant::from_timestamp_micros(head.noted_at).unwrap_or_default();
        Ok::<_, StoreError>(unit.changes().is_noted(noted_at)? && unit.changes().seen()?.covers(&state.seen))
    });
    match suits {
        Ok(true) => Some(state),
        Ok(false) => {
            refused(&"the store does not go on from there");
            None
        }
        Err(error) => {
            refused(&error);
            None
        }
    }
}

fn parse(mut bytes: Vec<u8>) -> Option<(Head, State)> {
    let end = bytes.len().checked_sub(DIGEST_BYTES)?;
    let is_whole = Sha256::digest(&bytes[..end]).as_slice() == &bytes[end..];
    let rest = bytes[..end].strip_prefix(FIRST_LINE).filter(|_| is_whole)?;
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let (head, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let head: Head = postcard::from_bytes(head).ok()?;
    let (begins, packed) = rest.split_at_checked(usize::try_from(head.blocks).ok()?.checked_mul(8)?)?;
    if packed.len() as u64 != head.bytes {
        return None;
    }
    let begins: Vec<u64> = begins.as_chunks().0.iter().map(|begin| u64::from_le_bytes(*begin)).collect();
    // The rows stay where they were read to.
    let begin = end - packed.len();
    bytes.truncate(end);
    bytes.drain(..begin);
    bytes.shrink_to_fit();
    let rows = Rows::from_parts(bytes, &begins, head.users, head.memberships)?;
    let state = head.state(rows)?;
    Some((head, state))
}

impl Head {
    fn of(state: &State, noted_at: Instant) -> Head {
        let rows = &state.packed.rows;
        let changed = state.overlay.users().map(|(user, changed)| (user.to_owned(), changed.clone()));
        Head {
            seen: state.seen.to_string(),
            noted_at: noted_at.timestamp_micros(),
            segments: state.names.all().map(|(segment, slug)| (segment.0, slug.map(ToString::to_string))).collect(),
            changed: changed.collect(),
            emptied: state.overlay.emptied.iter().map(|(segment, number)| (*segment, *number)).collect(),
            users: rows.users(),
            memberships: rows.memberships(),
            blocks: rows.begins().len() as u64,
            bytes: rows.packed_bytes().len() as u64,
        }
    }

    fn state(&self, rows: Rows) -> Option<State> {
        let mut state = State::new(self.seen.parse::<Seen>().ok()?);
        for (segment, slug) in &self.segments {
            let slug = slug.as_ref().map(|slug| Slug::parse(slug)).transpose().ok()?;
            state.name(SegmentId(*segment), slug.as_ref(), LOADED);
        }
        let mut overlay = Overlay::default();
        for (user, changed) in &self.changed {
            overlay.insert(user, changed.clone());
        }
        overlay.emptied = self.emptied.iter().copied().collect();
        state.overlay = overlay;
        state.packed = Arc::new(Packed::new(rows));
        Some(state)
    }
}

/// Writes, and digests what it writes.
struct Digesting<W> {
    inner: W,
    digest: Sha256,
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
