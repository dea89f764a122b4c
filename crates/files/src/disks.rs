//! Files in a folder.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::{
    keys::{Key, Prefix},
    writing::Sink,
};

/// No key holds a `~`, so a file that is not finished cannot be opened.
const UNFINISHED: &str = "~";
const BUFFER_BYTES: usize = 64 << 10;

pub(crate) struct Disk {
    root: PathBuf,
}

impl Disk {
    /// A relative folder stays where it is now, wherever the process goes later.
    pub(crate) fn new(folder: &Path) -> io::Result<Disk> {
        Ok(Disk { root: std::path::absolute(folder)? })
    }

    pub(crate) fn create(&self, key: Key) -> io::Result<DiskWriter> {
        let path = self.path(key);
        let folder = path.parent().expect("a key lies below the root");
        // In the folder of the file itself, because only there it can be moved in one step.
        let file = fs::create_dir_all(folder)
            .and_then(|()| tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder))
            .map_err(|error| at(folder, error))?;
        Ok(DiskWriter { file: BufWriter::with_capacity(BUFFER_BYTES, file), path, root: self.root.clone() })
    }

    pub(crate) fn open(&self, key: Key) -> io::Result<Option<BufReader<File>>> {
        let path = self.path(key);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(at(&path, error)),
        };
        // A folder is no file, as a prefix is none in a bucket.
        let is_file = file.metadata().map_err(|error| at(&path, error))?.is_file();
        Ok(is_file.then(|| BufReader::with_capacity(BUFFER_BYTES, file)))
    }

    pub(crate) fn delete(&self, prefix: Prefix) -> io::Result<()> {
        let (Prefix::At(key) | Prefix::Below(key)) = prefix;
        let path = self.path(key);
        let removed = fs::symlink_metadata(&path).and_then(|found| match prefix {
            _ if found.is_dir() => fs::remove_dir_all(&path),
            Prefix::At(_) => fs::remove_file(&path),
            Prefix::Below(_) => Ok(()),
        });
        match removed {
            Err(error) if !is_absent(&error) => Err(at(&path, error)),
            _ => Ok(()),
        }
    }

    pub(crate) fn scratch(&self) -> io::Result<File> {
        fs::create_dir_all(&self.root)
            .and_then(|()| tempfile::tempfile_in(&self.root))
            .map_err(|error| at(&self.root, error))
    }

    fn path(&self, key: Key) -> PathBuf {
        self.root.join(key.as_str())
    }
}

/// Goes away with its temporary file, unless it is finished.
pub(crate) struct DiskWriter {
    file: BufWriter<NamedTempFile>,
    path: PathBuf,
    root: PathBuf,
}

impl Write for DiskWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes).map_err(|error| at(&self.path, error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush().map_err(|error| at(&self.path, error))
    }
}

impl Sink for DiskWriter {
    fn finish(self) -> io::Result<()> {
        let DiskWriter { file, path, root } = self;
        let file = file.into_inner().map_err(|error| at(&path, error.into_error()))?;
        // Without this a loss of power could leave the name without the bytes.
        file.as_file().sync_all().map_err(|error| at(&path, error))?;
        file.persist(&path).map_err(|error| at(&path, error.error))?;
        sync_folders(&path, &root)
    }
}

/// Keeps the name, and the names of folders that may be new. A new root's own name is the operating system's affair.
fn sync_folders(path: &Path, root: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        // Elsewhere a folder cannot be opened to be synced.
        return Ok(());
    }
    for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(root)) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| at(folder, error))?;
    }
    Ok(())
}

fn is_absent(error: &io::Error) -> bool {
    // The second when a file stands where the key has a folder.
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn at(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
