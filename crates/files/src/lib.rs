//! Inputs of imports, refused rows and reports, as files in a folder or as objects in an S3 bucket.
//!
//! Nothing is read from the environment here, except where the operating system keeps its trusted certificates
//! (`SSL_CERT_FILE`, `SSL_CERT_DIR`) and, with S3, its temporary files (`TMPDIR`).

mod addresses;
mod buckets;
mod disks;
mod failures;
mod keys;
mod reading;
mod runtimes;
mod writing;

use std::{fs::File, io, sync::Arc};

use usecases::ports::{Files, NewFile, StoredFile};

use addresses::Address;
use buckets::Bucket;
use disks::Disk;
use keys::{Key, Prefix};
use reading::BucketReader;
use writing::{BucketWriter, Guarded};

pub use addresses::check_address;

#[derive(Clone, Default)]
pub struct Options {
    /// `file://strata-files` (below the working folder), `file:///var/lib/strata/files`, or `s3://bucket/prefix`.
    pub url: String,
    /// Does not count for a folder.
    pub s3: S3Options,
}

/// How a bucket is reached. It has no `Debug`, so that no log can show the secret.
#[derive(Clone, Default)]
pub struct S3Options {
    /// Where a service that is not Amazon's listens, as `http://127.0.0.1:9000`. Only `http://` leaves out TLS.
    pub endpoint: Option<String>,
    /// May be left out where there is an endpoint; most of those do not care.
    pub region: Option<String>,
    /// Both keys are needed. Neither the environment nor a cloud's metadata service is asked for them.
    pub access_key_id: Option<String>,
    pub secret_access_key: Option<String>,
}

/// Files in a folder or in a bucket.
///
/// A key is one or more segments of `a-z`, `0-9`, `.`, `_` and `-`, joined by `/`; `.` and `..` are no segments. Others
/// are refused with [`io::ErrorKind::InvalidInput`]. A prefix is a key, which names that file and whatever lies below
/// it, or a key and a `/`, which names only what lies below: neither `jobs/1` nor `jobs/1/` touches `jobs/17/input`.
///
/// In a folder a file is on the disk, and its name too, when it is finished. What a killed process left unfinished
/// cannot be opened, and goes when the files around it are deleted. Scratch lies in the same folder, because that is
/// where room was made.
///
/// In a bucket a file may have 10,000 parts of 8 MiB, which is 78 GiB. A writer holds one part in memory, a reader one
/// block of 1 MiB. What a killed process left unfinished cannot be seen, but is paid for: give the bucket a lifecycle
/// rule with `AbortIncompleteMultipartUpload`. Scratch lies in the system's temporary folder.
///
/// A file that is replaced while it is read stays what it was in a folder; in a bucket the reader fails.
///
/// S3 is given up within 15 seconds a request, of which an answer has 10: a writer needs 0.8 MiB/s. When `finish` fails
/// on the way, the file may stand all the same, but whole.
pub struct ObjectFiles(Storage);

enum Storage {
    Disk(Disk),
    Bucket(Arc<Bucket>),
}

impl ObjectFiles {
    /// Touches neither disk nor network: a folder is made for its first file, and S3 is reached when it is used.
    /// Fails with [`io::ErrorKind::InvalidInput`] when the options are at fault; the reason holds no secret.
    pub fn open(options: &Options) -> io::Result<ObjectFiles> {
        let storage = match Address::parse(&options.url).map_err(invalid)? {
            Address::Folder(folder) => Storage::Disk(Disk::new(&folder)?),
            Address::Bucket { name, prefix } => Storage::Bucket(Arc::new(Bucket::new(name, prefix, &options.s3)?)),
        };
        Ok(ObjectFiles(storage))
    }
}

impl Files for ObjectFiles {
    fn create(&self, key: &str) -> io::Result<Box<dyn NewFile>> {
        let key = Key::parse(key)?;
        Ok(match &self.0 {
            Storage::Disk(disk) => Box::new(Guarded::new(disk.create(key)?)),
            Storage::Bucket(bucket) => Box::new(Guarded::new(BucketWriter::new(bucket.clone(), key))),
        })
    }

    fn open(&self, key: &str) -> io::Result<Option<Box<dyn StoredFile>>> {
        let key = Key::parse(key)?;
        Ok(match &self.0 {
            Storage::Disk(disk) => disk.open(key)?.map(|file| Box::new(file) as Box<dyn StoredFile>),
            Storage::Bucket(bucket) => {
                BucketReader::open(bucket.clone(), key)?.map(|file| Box::new(file) as Box<dyn StoredFile>)
            }
        })
    }

    fn delete(&self, prefix: &str) -> io::Result<()> {
        let prefix = Prefix::parse(prefix)?;
        match &self.0 {
            Storage::Disk(disk) => disk.delete(prefix),
            Storage::Bucket(bucket) => bucket.delete(prefix),
        }
    }

    fn scratch(&self) -> io::Result<File> {
        match &self.0 {
            Storage::Disk(disk) => disk.scratch(),
            Storage::Bucket(_) => tempfile::tempfile(),
        }
    }
}

fn invalid(reason: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason.into())
}
