//! Each code by a real bad input.

use std::{
    io::{self, Read, Seek, SeekFrom},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tables::{Limits, Reader};

use crate::{gzip, read, read_from, read_within, refused, workbook, zipped};

fn faults(bytes: impl Into<Vec<u8>>) -> Vec<(u64, &'static str, String)> {
    read(bytes).unwrap().faults
}

fn fault(line: u64, code: &'static str, detail: &str) -> (u64, &'static str, String) {
    (line, code, detail.to_owned())
}

/// Gives one byte over and over, and counts how many were taken.
struct Endless {
    start: &'static [u8],
    taken: Arc<AtomicU64>,
    at: u64,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= 10 << 30 {
            return Ok(0);
        }
        for slot in &mut *buffer {
            *slot = self.start.get(self.at as usize).copied().unwrap_or(b'x');
            self.at += 1;
        }
        self.taken.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        Ok(buffer.len())
    }
}

impl Seek for Endless {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::Start(at) => self.at = at,
            _ => unreachable!("only workbooks are read from their end"),
        }
        Ok(self.at)
    }
}

/// A disk that fails at one of its reads, and from then on; that there is no more can always be told.
struct Failing {
    inner: io::Cursor<Vec<u8>>,
    reads_left: u32,
}

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.inner.position() == self.inner.get_ref().len() as u64 {
            return Ok(0);
        }
        let left = self.reads_left.checked_sub(1).ok_or_else(|| io::Error::other("the disk is gone"))?;
        self.reads_left = left;
        let short = buffer.len().min(7_000);
        self.inner.read(&mut buffer[..short])
    }
}

impl Seek for Failing {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

#[test]
fn a_file_with_nothing_in_it_is_empty() {
    for text in ["", " ", "\n\r\n\t \n", "\u{feff}", "\u{feff}\n"] {
        assert_eq!(refused(text), ("empty", None), "{text:?}");
    }
    assert_eq!(refused(" \n".repeat(200_000)), ("empty", None));
    assert_eq!(refused(gzip(b"")), ("empty", None));
    assert_eq!(refused(workbook(&["", "<row r=\"1\"/>"], "")), ("empty", None));
}

#[test]
fn headers_are_checked() {
    assert_eq!(refused("\na;b; a\n"), ("duplicate_column", Some(2)));
    assert_eq!(read("a;b;a").unwrap_err().to_string(), "line 1: column `a` stands twice in the header");
    assert_eq!(refused("a;;b\n"), ("empty_column", Some(1)));
    assert_eq!(refused("a;b;\n"), ("empty_column", Some(1)));
    assert_eq!(refused("a;\"b\nc\"\n"), ("control_in_column", Some(1)));
    assert_eq!(refused(b"a;\xef\xf0\n".to_vec()), ("not_utf8", Some(1)));
    assert_eq!(refused((0..1_001).map(|n| format!("c{n};")).collect::<String>() + "d"), ("too_many_columns", Some(1)));
}

#[test]
fn utf_16_is_told_to_be_saved_as_utf_8() {
    for bytes in [b"\xff\xfea\0\n\0", b"\xfe\xff\0a\0\n"] {
        let error = read(bytes.to_vec()).unwrap_err();
        assert_eq!((error.code, error.to_string().as_str()), ("not_utf8", "the file is UTF-16; save it as UTF-8"));
    }
}

#[test]
fn a_row_that_is_too_long_ends_the_reading() {
    let long = "x".repeat(1_500_000);
    assert_eq!(refused(format!("a;b\n1;2\n{long};3\n4;5\n")), ("row_too_long", Some(3)));
    assert_eq!(refused(format!("a;b\n1;\"{long}\n")), ("row_too_long", Some(2)));
    assert_eq!(refused(format!("{long};b\n")), ("row_too_long", Some(1)));
    assert_eq!(refused(format!("{{}}\n{{\"a\":\"{long}\"}}\n")), ("row_too_long", Some(2)));
    let row = format!("<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>{long}</t></is></c></row>");
    let heading = "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>a</t></is></c></row>";
    assert_eq!(refused(workbook(&[&format!("{heading}{row}")], "")), ("row_too_long", Some(2)));
}

#[test]
fn an_endless_line_is_given_up_early() {
    for start in [&b""[..], b"a;b\n1;2\n", b"a;b\n1;\"", b"{\"a\":1}\n{\"a\":\""] {
        let taken = Arc::new(AtomicU64::new(0));
        let source = Endless { start, taken: Arc::clone(&taken), at: 0 };
        let error = read_from(Box::new(source), &Limits::default()).unwrap_err();
        assert_eq!(error.code, "row_too_long", "{start:?}");
        assert!(taken.load(Ordering::Relaxed) < 1_300_000, "{} bytes were taken", taken.load(Ordering::Relaxed));
    }
}

#[test]
fn gzip_that_is_cut_short_is_noticed() {
    let packed = gzip("a;b\n".to_owned().repeat(5_000).replacen("a;b", "c;d", 1).as_bytes());
    for cut in [2, 9, 10, 11, packed.len() / 2, packed.len() - 9, packed.len() - 8, packed.len() - 4, packed.len() - 1]
    {
        assert_eq!(refused(&packed[..cut]).0, "truncated", "{cut} of {}", packed.len());
    }
    let mut wrong = packed.clone();
    let at = wrong.len() - 6;
    wrong[at] ^= 1;
    assert_eq!(refused(wrong).0, "truncated");
}

#[test]
fn gzip_unpacks_once_and_not_without_end() {
    assert_eq!(refused(gzip(&gzip(b"a\n1\n"))).0, "unreadable");
    let limits = Limits { unpacked_bytes_max: 1_000_000, ..Limits::default() };
    let bomb = gzip(&b"x\n".repeat(1_000_000));
    assert!(bomb.len() < 20_000);
    assert_eq!(read_within(bomb, &limits).unwrap_err().code, "bomb");
    let inner = workbook(&[&"<row/>".repeat(300_000)], "");
    assert_eq!(read_within(gzip(&inner), &limits).unwrap_err().code, "bomb");
}

#[test]
fn a_failing_disk_is_no_fault_of_the_file() {
    let csv = "a;b\n".to_owned() + &"1;2\n".repeat(9_000);
    let fixture = include_bytes!("../fixtures/openpyxl.xlsx").to_vec();
    for bytes in [gzip(csv.as_bytes()), csv.into_bytes(), gzip(&fixture), fixture] {
        let mut reads_left = 0;
        loop {
            let source = Failing { inner: io::Cursor::new(bytes.clone()), reads_left };
            match read_from(Box::new(source), &Limits::default()) {
                Ok(_) => break,
                Err(error) => {
                    assert_eq!(error.code, "io", "{error} after {reads_left} reads");
                    assert!(std::error::Error::source(&error).is_some());
                }
            }
            reads_left += 1;
        }
        assert!(reads_left > 1);
    }
}

#[test]
fn workbooks_that_are_none_are_told_apart() {
    assert_eq!(refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec()).0, "unreadable");
    assert_eq!(refused(zipped(&[("a.txt", "a")])).0, "unreadable");
    assert_eq!(refused(workbook(&["<row r=\"1\"><c r=\"A1\"><v>1</v>"], "")).0, "unreadable");
    assert_eq!(refused(workbook(&["<row <c"], "")).0, "unreadable");
    assert_eq!(refused(workbook(&["<!DOCTYPE a>"], "")).0, "unreadable");
    let whole = workbook(&[&"<row r=\"1\"><c r=\"A1\"><v>1</v></c></row>".repeat(99)], "");
    for cut in [4, 30, whole.len() / 4, whole.len() / 2, whole.len() - 23, whole.len() - 1] {
        assert_eq!(refused(&whole[..cut]).0, "truncated", "{cut} of {}", whole.len());
    }
    let mut wrong = whole.clone();
    wrong[60] ^= 0x55;
    assert_eq!(refused(wrong).0, "truncated");
}

#[test]
fn a_workbook_whose_sizes_lie_is_a_bomb() {
    let mut bytes = workbook(&[&"<row/>".repeat(100_000)], "");
    // The first part's declared size, in both its headers.
    let declared = 600_000_u32 + "<worksheet><sheetData></sheetData></worksheet>".len() as u32;
    let places: Vec<usize> = (0..bytes.len() - 4).filter(|&at| bytes[at..at + 4] == declared.to_le_bytes()).collect();
    assert_eq!(places.len(), 2);
    for at in places {
        bytes[at..at + 4].copy_from_slice(&1_000_u32.to_le_bytes());
    }
    assert_eq!(refused(bytes).0, "bomb");
}

#[test]
fn a_workbook_that_unpacks_to_too_much_is_a_bomb() {
    let limits = Limits { unpacked_bytes_max: 100_000, ..Limits::default() };
    let bytes = workbook(&[&"<row/>".repeat(20_000)], "");
    assert!(bytes.len() < 3_000);
    assert_eq!(read_within(bytes, &limits).unwrap_err().code, "bomb");
    let names: Vec<String> = (0..10_001).map(|n| n.to_string()).collect();
    let parts: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
    assert_eq!(refused(zipped(&parts)).0, "bomb");
    let absurd = "<sst a='>' uniqueCount = \"99999999999\"></sst>";
    assert_eq!(refused(workbook(&["<row/>"], absurd)).0, "bomb");
    assert_eq!(refused(workbook(&["<row/>"], &("<sst>".to_owned() + &"x".repeat(257 << 20)))).0, "bomb");
}

#[test]
fn xml_without_end_is_given_up_early() {
    let filler = "<row>".repeat(4 << 20);
    for hidden in
        [format!("<!-- ' {filler} -->"), format!("<![CDATA[{filler}]]>"), format!("<? ' ?><!-- ' > {filler}-->")]
    {
        assert_eq!(refused(workbook(&[&hidden], "")).0, "row_too_long");
    }
    assert_eq!(refused(workbook(&[&format!("<c a='> {} '/>", "row>".repeat(5 << 20))], "")).0, "row_too_long");
}

#[test]
fn rows_of_csv_are_bad_by_themselves() {
    let mut bytes = b"a;b\n1\n1;2;3\n\xef\xf0;2\n1;\0\n1;2\n\xc3;\xa9\n".to_vec();
    assert_eq!(
        faults(bytes.clone()),
        [
            fault(2, "wrong_cell_count", "has 1 cells where the header has 2"),
            fault(3, "wrong_cell_count", "has 3 cells where the header has 2"),
            fault(4, "not_utf8", "is not UTF-8"),
            fault(5, "nul", "holds the NUL character"),
            fault(7, "not_utf8", "is not UTF-8"),
        ]
    );
    let table = read(bytes.clone()).unwrap();
    assert_eq!(table.texts()[2], ["\u{fffd}\u{fffd}", "2"]);
    assert_eq!(table.texts()[4], ["1", "2"]);
    bytes.extend(b"\xcf\xf0\xe8\xe2\xe5\xf2;2".iter());
    assert_eq!(faults(bytes).last().unwrap().0, 8);
}

#[test]
fn rows_of_ndjson_are_bad_by_themselves() {
    let text =
        b"{\"a\":1}\n{\"a\":1\n[1]\n{\"a\":1,\"b\":2,\"a\":3}\n{\"a\":\"\xff\"}\n{\"a\":\"\\u0000\"}\n{\"\":1}\n\
                 {\"a\\n\":1}\n{\"a\":[\"\\ud800\"]}\n1 2\n{} {}\n";
    let codes: Vec<_> = faults(text.to_vec()).into_iter().map(|(line, code, _)| (line, code)).collect();
    assert_eq!(
        codes,
        [
            (2, "malformed_json"),
            (3, "not_an_object"),
            (4, "duplicate_key"),
            (5, "not_utf8"),
            (6, "nul"),
            (7, "empty_column"),
            (8, "control_in_column"),
            (9, "malformed_json"),
            (10, "malformed_json"),
            (11, "malformed_json"),
        ]
    );
    let limits = Limits { columns_max: 2, ..Limits::default() };
    let table = read_within("{\"a\":1}\n{\"b\":1,\"c\":2}\n{\"a\":1,\"b\":2}\n", &limits).unwrap();
    assert_eq!(table.faults[0].1, "too_many_columns");
    assert_eq!((table.faults.len(), table.columns.len()), (1, 2));
}

#[test]
fn rows_of_a_workbook_are_bad_by_themselves() {
    let heading = "<row><c t=\"inlineStr\"><is><t>a</t></is></c><c t=\"inlineStr\"><is><t>b</t></is></c></row>";
    let rows = "<row><c t=\"e\"><v>#REF!</v></c><c><v>1</v></c></row><row><c r=\"A3\"><v>1</v></c><c r=\"E3\"><v>2</v></c></row>\
                <row><c t=\"inlineStr\"><is><t>_x0000_</t></is></c></row><row><c><v>1</v></c></row>\
                <row><c r=\"ZZZZ6\"><v>1</v></c></row>";
    let table = read(workbook(&[&format!("{heading}{rows}")], "")).unwrap();
    assert_eq!(
        table.faults,
        [
            fault(2, "cell_error", "has the error #REF! in a cell"),
            fault(3, "wrong_cell_count", "has 5 cells where the header has 2"),
            fault(4, "nul", "holds the NUL character"),
            fault(6, "wrong_cell_count", "has 475254 cells where the header has 2"),
        ]
    );
    assert_eq!(table.texts()[0], ["#REF!", "1"]);
}

#[test]
fn a_reader_may_be_dropped_before_the_end() {
    let heading = "<row><c><v>1</v></c></row>";
    let source = io::Cursor::new(workbook(&[&heading.repeat(50_000)], ""));
    drop(Reader::open(Box::new(source), &Limits::default()).unwrap());
}
