//! Objects in a bucket.

use std::{
    fs,
    io::{self, ErrorKind, Write},
    time::{Duration, Instant},
};

use files::{ObjectFiles, Options, S3Options};
use usecases::ports::Files;

use crate::{
    cases::{conforms, noise, read, write},
    s3_server::{BUCKET, KEY_ID, S3Server, SECRET},
};

conforms!(Bucket);

struct Bucket {
    files: ObjectFiles,
    server: S3Server,
}

impl Bucket {
    fn prepare() -> Bucket {
        let server = S3Server::start();
        Bucket { files: ObjectFiles::open(&options(&server)).unwrap(), server }
    }
}

fn options(server: &S3Server) -> Options {
    Options {
        url: format!("s3://{BUCKET}/files"),
        s3: S3Options {
            endpoint: Some(server.endpoint()),
            region: None,
            access_key_id: Some(KEY_ID.to_owned()),
            secret_access_key: Some(SECRET.to_owned()),
        },
    }
}

/// What comes of each thing that can be asked for.
fn failures(files: &ObjectFiles) -> [io::Error; 4] {
    let put = |length: usize| {
        let mut file = files.create("jobs/1/input")?;
        file.write_all(&noise(length))?;
        file.finish()
    };
    [
        put(1).unwrap_err(),
        put(9 << 20).unwrap_err(),
        files.open("jobs/1/input").map(drop).unwrap_err(),
        files.delete("jobs/1/").unwrap_err(),
    ]
}

#[test]
fn objects_lie_below_the_prefix() {
    let bucket = Bucket::prepare();
    write(&bucket.files, "jobs/1/input", b"1");
    assert_eq!(fs::read(bucket.server.home().join(BUCKET).join("files/jobs/1/input")).unwrap(), b"1");
}

#[test]
fn another_node_sees_the_same_files() {
    let bucket = Bucket::prepare();
    let other = ObjectFiles::open(&options(&bucket.server)).unwrap();
    write(&bucket.files, "jobs/1/input", b"1");
    assert_eq!(read(&other, "jobs/1/input").unwrap(), b"1");
}

#[test]
fn a_dropped_upload_leaves_no_parts() {
    let bucket = Bucket::prepare();
    let parts = || {
        let entries = fs::read_dir(bucket.server.home()).unwrap();
        entries.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".part-")).count()
    };
    let mut file = bucket.files.create("jobs/1/input").unwrap();
    file.write_all(&noise(17 << 20)).unwrap();
    assert_eq!(parts(), 2);
    drop(file);
    assert_eq!(parts(), 0);
}

#[test]
fn the_storage_itself_may_be_dropped_in_async_code() {
    let Bucket { files, server } = Bucket::prepare();
    write(&files, "jobs/1/input", b"1");
    let caller = tokio::runtime::Builder::new_current_thread().build().unwrap();
    caller.block_on(async move { drop(files) });
    drop(server);
}

#[test]
fn a_wrong_secret_is_denied_and_not_told() {
    let server = S3Server::start();
    let mut options = options(&server);
    options.s3.secret_access_key = Some("open barley".to_owned());
    let files = ObjectFiles::open(&options).unwrap();
    for failure in failures(&files) {
        assert_eq!(failure.kind(), ErrorKind::PermissionDenied, "{failure}");
        let told = format!("{failure} {failure:?}");
        assert!(!told.contains("barley") && !told.contains(KEY_ID), "{told}");
    }
}

/// The server in these tests knows no absent buckets except when it lists; what S3 says of a file in one is tested beside
/// the code that reads it.
#[test]
fn an_absent_bucket_is_an_error() {
    let server = S3Server::start();
    let files = ObjectFiles::open(&Options { url: "s3://nobody-made-this".to_owned(), ..options(&server) }).unwrap();
    let failure = files.delete("jobs/1/").unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::NotFound, "{failure}");
    assert!(failure.to_string().contains("NoSuchBucket"), "{failure}");
}

#[test]
fn a_server_that_is_gone_is_an_error_in_time() {
    let mut bucket = Bucket::prepare();
    write(&bucket.files, "jobs/1/input", b"1");
    bucket.server.stop();
    let begun = Instant::now();
    for failure in failures(&bucket.files) {
        assert_eq!(failure.kind(), ErrorKind::ConnectionRefused, "{failure}");
    }
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[test]
fn a_file_that_a_failure_cut_off_cannot_be_finished() {
    let mut bucket = Bucket::prepare();
    let mut file = bucket.files.create("jobs/1/input").unwrap();
    file.write_all(&noise(9 << 20)).unwrap();
    bucket.server.stop();
    file.write_all(&noise(9 << 20)).unwrap_err();
    file.write_all(b"more").unwrap_err();
    file.finish().unwrap_err();
}

#[test]
fn what_s3_needs_is_asked_for() {
    let server = S3Server::start();
    let complete = options(&server);
    let without = |change: fn(&mut S3Options)| {
        let mut options = complete.clone();
        change(&mut options.s3);
        ObjectFiles::open(&options).err().unwrap()
    };
    for refusal in [
        without(|s3| s3.access_key_id = None),
        without(|s3| s3.secret_access_key = None),
        without(|s3| s3.secret_access_key = Some(String::new())),
        without(|s3| s3.endpoint = None),
        without(|s3| s3.endpoint = Some("127.0.0.1:9000".to_owned())),
    ] {
        assert_eq!(refusal.kind(), ErrorKind::InvalidInput, "{refusal}");
        assert!(!refusal.to_string().contains(SECRET), "{refusal}");
    }
}

/// The certificates of the system are there, and a plain server cannot be taken for one that encrypts.
#[test]
fn a_plain_server_is_not_spoken_to_in_tls() {
    let server = S3Server::start();
    let mut options = options(&server);
    options.s3.endpoint = Some(server.endpoint().replace("http://", "https://"));
    for failure in failures(&ObjectFiles::open(&options).unwrap()) {
        assert_ne!(failure.kind(), ErrorKind::NotFound, "{failure}");
    }
}
