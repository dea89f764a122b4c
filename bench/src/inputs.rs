//! The files that are imported: made once, the same for everybody, kept between runs.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::{Failure, draws::Draws, failed};

/// Which pairs are drawn. Another seed would be another file.
const SEED: u64 = 20_261_121;
const SEGMENTS: u64 = 1_000;

/// A file `user_id;segment` of so many different pairs in random order: ten for each user on average, of a thousand
/// segments.
pub(crate) fn memberships(folder: &Path, rows: u64) -> Result<PathBuf, Failure> {
    let path = folder.join(format!("memberships-{rows}-{SEED}.csv"));
    if path.exists() {
        return Ok(path);
    }
    eprintln!("making {}", path.display());
    // Under another name until it is whole, for a run that is interrupted.
    let unfinished = path.with_extension("unfinished");
    write(&unfinished, rows).and_then(|()| fs::rename(&unfinished, &path)).map_err(failed(path.display()))?;
    Ok(path)
}

fn write(path: &Path, rows: u64) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "user_id;segment")?;
    let pairs = (rows / 10).max(1) * SEGMENTS;
    let mut draws = Draws(SEED);
    let mut drawn = HashSet::with_capacity(rows as usize);
    while (drawn.len() as u64) < rows {
        let pair = draws.below(pairs);
        if drawn.insert(pair) {
            writeln!(file, "user-{:07};SEG_{:04}", pair / SEGMENTS, pair % SEGMENTS)?;
        }
    }
    file.into_inner()?.sync_all()
}
