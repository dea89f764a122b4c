//! The list of cases, by names that are facts.

use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};

use files::ObjectFiles;
use usecases::ports::{Files, NewFile};

/// Makes each case a test of its own, on the storage that `$place` prepares.
macro_rules! conforms {
    ($place:ty) => {
        crate::cases::conforms!($place:
            what_was_written_is_read,
            large_files_are_read_as_written,
            many_small_writes_are_one_file,
            an_unfinished_file_is_invisible,
            a_dropped_file_never_was,
            a_file_is_replaced_whole,
            an_absent_file_is_none,
            deleting_leaves_the_neighbours,
            one_file_can_be_deleted,
            a_prefix_without_a_slash_names_what_lies_below_too,
            deleting_nothing_succeeds,
            any_place_can_be_read,
            the_last_of_two_writers_wins,
            bad_keys_are_refused,
            scratch_is_room_to_work,
            all_may_be_dropped_in_async_code,
        );
    };
    ($place:ty: $($case:ident,)+) => {$(
        #[test]
        fn $case() {
            let place = <$place>::prepare();
            crate::cases::$case(&place.files);
        }
    )+};
}
pub(crate) use conforms;

/// A part of an upload has 8 MiB, and a block that is read 1 MiB.
const MIB: usize = 1 << 20;

pub(crate) fn write(files: &dyn Files, key: &str, bytes: &[u8]) {
    let mut file = files.create(key).unwrap();
    file.write_all(bytes).unwrap();
    file.finish().unwrap();
}

pub(crate) fn read(files: &dyn Files, key: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    files.open(key).unwrap()?.read_to_end(&mut bytes).unwrap();
    Some(bytes)
}

/// Bytes in which no piece looks like another (SplitMix64).
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 17_u64;
    let words = std::iter::repeat_with(|| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    });
    words.flat_map(u64::to_le_bytes).take(length).collect()
}

/// Comparing with `assert_eq!` would print megabytes.
fn holds(files: &dyn Files, key: &str, bytes: &[u8]) -> bool {
    read(files, key).as_deref() == Some(bytes)
}

pub(crate) fn what_was_written_is_read(files: &ObjectFiles) {
    for length in [0, 1, MIB, 5 * MIB + 1] {
        let bytes = noise(length);
        write(files, "jobs/1/input", &bytes);
        assert!(holds(files, "jobs/1/input", &bytes), "{length} bytes");
    }
}

pub(crate) fn large_files_are_read_as_written(files: &ObjectFiles) {
    let bytes = noise(20 * MIB);
    for length in [8 * MIB, 8 * MIB + 1, 20 * MIB] {
        write(files, "jobs/1/input", &bytes[..length]);
        assert!(holds(files, "jobs/1/input", &bytes[..length]), "{length} bytes");
    }
}

pub(crate) fn many_small_writes_are_one_file(files: &ObjectFiles) {
    let bytes = noise(9 * MIB);
    let mut file = files.create("report.csv").unwrap();
    for piece in bytes.chunks(1009) {
        file.write_all(piece).unwrap();
    }
    file.flush().unwrap();
    file.finish().unwrap();
    assert!(holds(files, "report.csv", &bytes));
}

pub(crate) fn an_unfinished_file_is_invisible(files: &ObjectFiles) {
    for length in [1, 9 * MIB] {
        let key = format!("jobs/{length}/input");
        let mut file = files.create(&key).unwrap();
        file.write_all(&noise(length)).unwrap();
        file.flush().unwrap();
        assert!(files.open(&key).unwrap().is_none(), "{length} bytes");
        file.finish().unwrap();
        assert!(holds(files, &key, &noise(length)), "{length} bytes");
    }
}

pub(crate) fn a_dropped_file_never_was(files: &ObjectFiles) {
    write(files, "jobs/1/input", b"older");
    for length in [1, 9 * MIB] {
        for key in ["jobs/1/input", "jobs/2/input"] {
            files.create(key).unwrap().write_all(&noise(length)).unwrap();
        }
        assert_eq!(read(files, "jobs/1/input").unwrap(), b"older");
        assert!(files.open("jobs/2/input").unwrap().is_none());
    }
}

pub(crate) fn a_file_is_replaced_whole(files: &ObjectFiles) {
    write(files, "jobs/1/input", b"a longer one");
    write(files, "jobs/1/input", b"short");
    assert_eq!(read(files, "jobs/1/input").unwrap(), b"short");
}

pub(crate) fn an_absent_file_is_none(files: &ObjectFiles) {
    assert!(files.open("jobs/1/input").unwrap().is_none());
    write(files, "jobs/1/input", b"1");
    for key in ["jobs/1/errors", "jobs/1/input2", "jobs/17/input"] {
        assert!(files.open(key).unwrap().is_none(), "{key}");
    }
}

pub(crate) fn deleting_leaves_the_neighbours(files: &ObjectFiles) {
    let gone = ["jobs/1/input", "jobs/1/errors", "jobs/1/parts/2"];
    let kept = ["jobs/17/input", "jobs/1.csv", "jobs/0/input", "jobs1/input"];
    for key in gone.iter().chain(&kept) {
        write(files, key, key.as_bytes());
    }
    files.delete("jobs/1/").unwrap();
    for key in gone {
        assert!(files.open(key).unwrap().is_none(), "{key}");
    }
    for key in kept {
        assert_eq!(read(files, key).unwrap(), key.as_bytes());
    }
}

pub(crate) fn one_file_can_be_deleted(files: &ObjectFiles) {
    for key in ["jobs/1/input", "jobs/1/input2"] {
        write(files, key, b"1");
    }
    files.delete("jobs/1/input/").unwrap();
    assert!(files.open("jobs/1/input").unwrap().is_some());
    files.delete("jobs/1/input").unwrap();
    assert!(files.open("jobs/1/input").unwrap().is_none());
    assert!(files.open("jobs/1/input2").unwrap().is_some());
}

pub(crate) fn a_prefix_without_a_slash_names_what_lies_below_too(files: &ObjectFiles) {
    let [gone, kept] = [["jobs/1/input", "jobs/1/parts/2"], ["jobs/17/input", "jobs/1.csv"]];
    for key in gone.iter().chain(&kept) {
        write(files, key, b"1");
    }
    // The second time there is nothing left.
    files.delete("jobs/1").unwrap();
    files.delete("jobs/1").unwrap();
    for key in gone {
        assert!(files.open(key).unwrap().is_none(), "{key}");
    }
    for key in kept {
        assert!(files.open(key).unwrap().is_some(), "{key}");
    }
}

pub(crate) fn deleting_nothing_succeeds(files: &ObjectFiles) {
    files.delete("jobs/1/").unwrap();
    files.delete("jobs/1").unwrap();
    write(files, "jobs/1/input", b"1");
    files.delete("jobs/1/errors").unwrap();
    files.delete("jobs/1/errors/").unwrap();
    assert!(files.open("jobs/1/input").unwrap().is_some());
}

pub(crate) fn any_place_can_be_read(files: &ObjectFiles) {
    let bytes = noise(3 * MIB + 5);
    write(files, "report.zip", &bytes);
    let mut file = files.open("report.zip").unwrap().unwrap();
    let mut piece = [0; 100];
    let mut expect = |place: SeekFrom, start: usize| {
        assert_eq!(file.seek(place).unwrap(), start as u64);
        file.read_exact(&mut piece).unwrap();
        assert_eq!(piece[..], bytes[start..start + 100], "from {start}");
    };
    expect(SeekFrom::End(-100), 3 * MIB - 95);
    expect(SeekFrom::Start(0), 0);
    expect(SeekFrom::Current(0), 100);
    expect(SeekFrom::Start(MIB as u64 - 50), MIB - 50);
    expect(SeekFrom::Current(-100), MIB - 50);
    expect(SeekFrom::Start(2 * MIB as u64), 2 * MIB);

    assert_eq!(file.seek(SeekFrom::End(10)).unwrap(), bytes.len() as u64 + 10);
    assert_eq!(file.read(&mut [0; 8]).unwrap(), 0);
    let before_the_start = file.seek(SeekFrom::End(-4 * MIB as i64)).unwrap_err();
    assert_eq!(before_the_start.kind(), ErrorKind::InvalidInput);
}

pub(crate) fn the_last_of_two_writers_wins(files: &ObjectFiles) {
    let [first, second] = [noise(9 * MIB), noise(10 * MIB)];
    let begin = |bytes: &[u8]| -> Box<dyn NewFile> {
        let mut file = files.create("jobs/1/input").unwrap();
        file.write_all(bytes).unwrap();
        file
    };
    let (one, other) = (begin(&first), begin(&second));
    other.finish().unwrap();
    assert!(holds(files, "jobs/1/input", &second));
    one.finish().unwrap();
    assert!(holds(files, "jobs/1/input", &first));
}

pub(crate) fn bad_keys_are_refused(files: &ObjectFiles) {
    let bad = ["", "/", "/a", "a//b", ".", "..", "a/../b", "../a", "a/.", "A", "a b", "a\\b", "ä", "~a", "a\0", "a%2e"];
    for key in bad {
        let refused = [files.create(key).map(drop), files.open(key).map(drop), files.delete(key)];
        for refusal in refused {
            assert_eq!(refusal.unwrap_err().kind(), ErrorKind::InvalidInput, "{key:?}");
        }
    }
    for key in ["a/", "/a/"] {
        assert_eq!(files.create(key).map(drop).unwrap_err().kind(), ErrorKind::InvalidInput, "{key:?}");
    }
}

pub(crate) fn scratch_is_room_to_work(files: &ObjectFiles) {
    let mut scratch = files.scratch().unwrap();
    scratch.write_all(b"notes").unwrap();
    scratch.rewind().unwrap();
    let mut notes = String::new();
    scratch.read_to_string(&mut notes).unwrap();
    assert_eq!(notes, "notes");
}

/// Nobody should, but a panic in a drop would end the process.
pub(crate) fn all_may_be_dropped_in_async_code(files: &ObjectFiles) {
    let mut unfinished = files.create("jobs/1/input").unwrap();
    unfinished.write_all(&noise(9 * MIB)).unwrap();
    write(files, "report", b"1");
    let open = files.open("report").unwrap();
    let caller = tokio::runtime::Builder::new_current_thread().build().unwrap();
    caller.block_on(async move {
        drop(unfinished);
        drop(open);
    });
    assert!(files.open("jobs/1/input").unwrap().is_none());
}
