//! The fake of the files port: bytes in memory.

use std::{
    collections::BTreeMap,
    io::{self, Cursor, Write},
    sync::{Arc, Mutex, PoisonError},
};

use usecases::ports::{Files, NewFile, StoredFile};

type Kept = Arc<Mutex<BTreeMap<String, Arc<[u8]>>>>;

/// Clones look at the same files.
#[derive(Default, Clone)]
pub struct MemoryFiles(Kept);

impl MemoryFiles {
    pub fn keys(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }

    pub fn text(&self, key: &str) -> Option<String> {
        self.0.lock().unwrap().get(key).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}

impl Files for MemoryFiles {
    fn create(&self, key: &str) -> io::Result<Box<dyn NewFile>> {
        Ok(Box::new(MemoryFile { key: key.to_owned(), bytes: Vec::new(), kept: Arc::clone(&self.0) }))
    }

    fn open(&self, key: &str) -> io::Result<Option<Box<dyn StoredFile>>> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        Ok(bytes.map(|bytes| Box::new(Cursor::new(bytes)) as Box<dyn StoredFile>))
    }

    fn delete(&self, prefix: &str) -> io::Result<()> {
        let below = format!("{prefix}/");
        self.0.lock().unwrap().retain(|key, _| key != prefix && !key.starts_with(&below));
        Ok(())
    }

    fn scratch(&self) -> io::Result<std::fs::File> {
        tempfile::tempfile()
    }
}

struct MemoryFile {
    key: String,
    bytes: Vec<u8>,
    kept: Kept,
}

impl Write for MemoryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl NewFile for MemoryFile {
    fn finish(self: Box<Self>) -> io::Result<()> {
        self.kept.lock().unwrap().insert(self.key, self.bytes.into());
        Ok(())
    }
}
