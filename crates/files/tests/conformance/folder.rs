//! Files in a folder.

use std::{
    env,
    fs::{self, File},
    io::{ErrorKind, Read, Write},
    path::{Path, PathBuf},
    process::Command,
};

use files::{ObjectFiles, Options, S3Options};
use tempfile::TempDir;
use usecases::ports::Files;

use crate::cases::{conforms, noise, read, write};

conforms!(Folder);

struct Folder {
    files: ObjectFiles,
    home: TempDir,
}

impl Folder {
    fn prepare() -> Folder {
        let home = tempfile::tempdir().unwrap();
        Folder { files: open(&home.path().join("files")), home }
    }

    fn root(&self) -> PathBuf {
        self.home.path().join("files")
    }
}

fn open(root: &Path) -> ObjectFiles {
    ObjectFiles::open(&Options { url: format!("file://{}", root.display()), s3: S3Options::default() }).unwrap()
}

/// All that is not a folder, at any depth.
fn found(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(found(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn the_folder_comes_with_the_first_file() {
    let folder = Folder::prepare();
    assert!(folder.files.open("jobs/1/input").unwrap().is_none());
    folder.files.delete("jobs/1/").unwrap();
    assert!(!folder.root().exists());
    write(&folder.files, "jobs/1/input", b"1");
    assert!(folder.root().exists());
}

#[test]
fn a_dropped_file_leaves_nothing() {
    let folder = Folder::prepare();
    let mut file = folder.files.create("jobs/1/input").unwrap();
    file.write_all(&noise(100_000)).unwrap();
    assert_eq!(found(&folder.root()).len(), 1);
    drop(file);
    assert!(found(&folder.root()).is_empty());
}

#[test]
fn what_a_killed_process_left_goes_with_its_folder() {
    let folder = Folder::prepare();
    let mut file = folder.files.create("jobs/1/input").unwrap();
    file.write_all(&noise(100_000)).unwrap();
    // A process that is killed drops nothing.
    std::mem::forget(file);
    let left = found(&folder.root());
    assert_eq!(left.len(), 1);
    let name = left[0].strip_prefix(folder.root()).unwrap().to_str().unwrap();
    folder.files.open(name).map(drop).unwrap_err();
    folder.files.delete("jobs/1/").unwrap();
    assert!(found(&folder.root()).is_empty());
}

/// In a bucket this goes without saying, but the server in these tests keeps objects in folders, and says so.
#[test]
fn a_folder_is_no_file_and_a_file_no_folder() {
    let folder = Folder::prepare();
    write(&folder.files, "jobs/1/input", b"1");
    for key in ["jobs", "jobs/1", "jobs/1/input/more"] {
        assert!(folder.files.open(key).unwrap().is_none(), "{key}");
    }
    folder.files.delete("jobs/1/input/more").unwrap();
    folder.files.delete("jobs/1/input/more/").unwrap();
    assert!(folder.files.open("jobs/1/input").unwrap().is_some());
}

#[test]
fn a_file_stays_itself_for_who_reads_it() {
    let folder = Folder::prepare();
    write(&folder.files, "report", b"older");
    let mut file = folder.files.open("report").unwrap().unwrap();
    write(&folder.files, "report", b"newer");
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"older");
}

#[test]
fn scratch_leaves_no_name() {
    let folder = Folder::prepare();
    let mut scratch: File = folder.files.scratch().unwrap();
    scratch.write_all(b"notes").unwrap();
    assert!(found(&folder.root()).is_empty());
}

#[test]
fn a_file_in_place_of_the_folder_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("files");
    fs::write(&root, b"").unwrap();
    let refusal = open(&root).create("jobs/1/input").map(drop).unwrap_err();
    assert!(refusal.to_string().contains(root.to_str().unwrap()), "{refusal}");
}

/// A limit on the size of files stands for a full disk, because everybody may set one. The limit holds for a process,
/// so this test runs itself once more below it; ignoring the signal makes the failure an error, as a full disk's is.
#[test]
fn a_write_that_finds_no_room_fails_and_leaves_nothing() {
    const ROOT: &str = "STRATA_TEST_LIMITED_ROOT";
    if let Some(root) = env::var_os(ROOT) {
        return writing_without_room(Path::new(&root));
    }
    let home = tempfile::tempdir().unwrap();
    let ran = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; ulimit -f 40; exec "$0" "$@""#])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "folder::a_write_that_finds_no_room_fails_and_leaves_nothing"])
        .env(ROOT, home.path().join("files"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && told.contains("1 passed"), "{told}");
    assert_eq!(found(&home.path().join("files")), [home.path().join("files/jobs/1/input")]);
}

fn writing_without_room(root: &Path) {
    let files = open(root);
    write(&files, "jobs/1/input", b"older");
    let mut file = files.create("jobs/1/input").unwrap();
    let refusal = file.write_all(&noise(1 << 20)).unwrap_err();
    assert_eq!(refusal.kind(), ErrorKind::FileTooLarge);
    // What was given up is gone at once, and cannot be finished with a gap.
    assert_eq!(found(root), [root.join("jobs/1/input")]);
    file.write_all(b"more").unwrap_err();
    file.finish().unwrap_err();

    // The buffer has room for all of it, so that only finishing finds out.
    let mut file = files.create("jobs/1/input").unwrap();
    file.write_all(&noise(60 << 10)).unwrap();
    assert_eq!(file.finish().unwrap_err().kind(), ErrorKind::FileTooLarge);
    assert_eq!(read(&files, "jobs/1/input").unwrap(), b"older");
}
