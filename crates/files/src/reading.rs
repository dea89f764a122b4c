//! Objects of a bucket, read block by block from any place.

use std::{
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    sync::Arc,
};

use object_store::{GetOptions, ObjectMeta, ObjectStore, path::Path};

use crate::{buckets::Bucket, failures, keys::Key};

/// Blocks begin at multiples of this, so that steps back and forth at the end of an archive stay in one.
const BLOCK_BYTES: u64 = 1 << 20;

pub(crate) struct BucketReader {
    bucket: Arc<Bucket>,
    path: Path,
    size: u64,
    /// Which of the objects that had this key is read.
    tag: Option<String>,
    position: u64,
    block: Vec<u8>,
    block_start: u64,
}

impl BucketReader {
    /// One request brings the first block, and tells the size. Nothing when there is no such object.
    pub(crate) fn open(bucket: Arc<Bucket>, key: Key) -> io::Result<Option<BucketReader>> {
        let path = bucket.path(key);
        let reader = |size, tag, block| BucketReader {
            bucket: bucket.clone(),
            path: path.clone(),
            size,
            tag,
            position: 0,
            block,
            block_start: 0,
        };
        match fetch(&bucket, &path, 0..BLOCK_BYTES, None)? {
            Ok((meta, block)) => Ok(Some(reader(meta.size, meta.e_tag, block))),
            Err(error) if failures::is_past_the_end(&error) => Ok(Some(reader(0, None, Vec::new()))),
            Err(error) if failures::is_absent(&error) => Ok(None),
            Err(error) => Err(bucket.failure(&path, &error)),
        }
    }

    fn load_block(&mut self) -> io::Result<()> {
        let start = self.position - self.position % BLOCK_BYTES;
        let range = start..self.size.min(start + BLOCK_BYTES);
        let length = range.end - range.start;
        let (_, block) = fetch(&self.bucket, &self.path, range, self.tag.clone())?
            .map_err(|error| self.bucket.failure(&self.path, &error))?;
        if block.len() as u64 != length {
            let reason = format!("{} gave {} bytes of {length}", self.path, block.len());
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, reason));
        }
        (self.block, self.block_start) = (block, start);
        Ok(())
    }

    /// The place in the block that is at hand, if the position lies in it.
    fn offset(&self) -> Option<usize> {
        let offset = usize::try_from(self.position.checked_sub(self.block_start)?).ok()?;
        (offset < self.block.len()).then_some(offset)
    }
}

impl Read for BucketReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        if self.offset().is_none() {
            self.load_block()?;
        }
        let offset = self.offset().expect("the block that was loaded holds the position");
        let given = buffer.len().min(self.block.len() - offset);
        buffer[..given].copy_from_slice(&self.block[offset..offset + given]);
        self.position += given as u64;
        Ok(given)
    }
}

impl Seek for BucketReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(distance) => self.size.checked_add_signed(distance),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
        };
        self.position = position.ok_or_else(|| crate::invalid("a seek to before the first byte"))?;
        Ok(self.position)
    }
}

type Fetched = object_store::Result<(ObjectMeta, Vec<u8>)>;

fn fetch(bucket: &Bucket, path: &Path, range: Range<u64>, tag: Option<String>) -> io::Result<Fetched> {
    let (store, path) = (bucket.store(), path.clone());
    let options = GetOptions::new().with_range(Some(range)).with_if_match(tag);
    bucket.join(async move {
        let found = store.get_opts(&path, options).await?;
        let meta = found.meta.clone();
        Ok((meta, Vec::from(found.bytes().await?)))
    })
}
