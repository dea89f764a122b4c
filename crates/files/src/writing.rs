//! Files that are being written, whole or not at all.

use std::{
    io::{self, Write},
    mem,
    sync::Arc,
};

use object_store::{MultipartUpload, ObjectStoreExt, PutPayload, path::Path};
use usecases::ports::NewFile;

use crate::{buckets::Bucket, keys::Key};

/// Sizes and bounds of uploads, from "Amazon S3 multipart upload limits": a part has 5 MiB or more, except the last.
const PART_BYTES: usize = 8 << 20;
const PARTS_MAX: usize = 10_000;

/// Where bytes go. Dropped before it is finished, it leaves nothing.
pub(crate) trait Sink: Write + Send {
    fn finish(self) -> io::Result<()>;
}

/// A file that is given up with its first failure: what came after a gap is never finished.
pub(crate) struct Guarded<S>(Option<S>);

impl<S: Sink> Guarded<S> {
    pub(crate) fn new(sink: S) -> Guarded<S> {
        Guarded(Some(sink))
    }

    fn attempt<T>(&mut self, work: impl FnOnce(&mut S) -> io::Result<T>) -> io::Result<T> {
        let result = work(self.0.as_mut().ok_or_else(given_up)?);
        // An interrupted write wrote nothing, and is tried again by its caller.
        if result.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted) {
            self.0 = None;
        }
        result
    }
}

impl<S: Sink> Write for Guarded<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.attempt(|sink| sink.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.attempt(S::flush)
    }
}

impl<S: Sink> NewFile for Guarded<S> {
    fn finish(self: Box<Self>) -> io::Result<()> {
        self.0.ok_or_else(given_up)?.finish()
    }
}

fn given_up() -> io::Error {
    io::Error::other("the file was given up when an earlier write failed")
}

/// Goes to the bucket at once when it is small, else part by part.
pub(crate) struct BucketWriter {
    bucket: Arc<Bucket>,
    path: Path,
    /// What was not sent yet; a full part waits for the byte after it.
    part: Vec<u8>,
    sent: usize,
    upload: Option<Box<dyn MultipartUpload>>,
}

impl BucketWriter {
    pub(crate) fn new(bucket: Arc<Bucket>, key: Key) -> BucketWriter {
        let path = bucket.path(key);
        BucketWriter { bucket, path, part: Vec::new(), sent: 0, upload: None }
    }

    fn send_part(&mut self) -> io::Result<()> {
        if self.sent == PARTS_MAX {
            let reason = format!("{} is longer than {PARTS_MAX} parts of {PART_BYTES} bytes", self.path);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
        }
        if self.upload.is_none() {
            let (store, path) = (self.bucket.store(), self.path.clone());
            self.upload = Some(self.bucket.wait(&self.path, async move { store.put_multipart(&path).await })?);
        }
        let upload = self.upload.as_mut().expect("the upload was begun");
        let sending = upload.put_part(PutPayload::from(mem::take(&mut self.part)));
        self.bucket.wait(&self.path, sending)?;
        self.sent += 1;
        Ok(())
    }

    /// Parts that nobody wants any more would still be paid for.
    fn abort(&self, mut upload: Box<dyn MultipartUpload>) {
        let aborted = self.bucket.wait(&self.path, async move { upload.abort().await });
        if let Err(error) = aborted {
            log::warn!("parts of an unfinished upload stay in the bucket: {error}");
        }
    }
}

impl Write for BucketWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.part.len() == PART_BYTES && !bytes.is_empty() {
            self.send_part()?;
        }
        let taken = bytes.len().min(PART_BYTES - self.part.len());
        self.part.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    /// Nothing goes before its part is full: S3 refuses small ones.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for BucketWriter {
    fn finish(mut self) -> io::Result<()> {
        if self.upload.is_none() {
            let (store, path) = (self.bucket.store(), self.path.clone());
            let payload = PutPayload::from(mem::take(&mut self.part));
            return self.bucket.wait(&self.path, async move { store.put(&path, payload).await }).map(drop);
        }
        self.send_part()?;
        let mut upload = self.upload.take().expect("an upload was begun");
        let (completed, upload) = self.bucket.join(async move { (upload.complete().await, upload) })?;
        completed.map(drop).map_err(|error| {
            self.abort(upload);
            self.bucket.failure(&self.path, &error)
        })
    }
}

impl Drop for BucketWriter {
    fn drop(&mut self) {
        if let Some(upload) = self.upload.take() {
            self.abort(upload);
        }
    }
}
