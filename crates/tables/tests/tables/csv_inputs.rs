//! CSV as others write it.

use proptest::prelude::*;
use tables::{Format, Kind, Limits, Packing, Reader};

use crate::{gzip, read};

fn delimiter(text: &str) -> char {
    let source = Box::new(std::io::Cursor::new(text.as_bytes().to_vec()));
    char::from(Reader::open(source, &Limits::default()).unwrap().shape().delimiter)
}

#[test]
fn the_header_line_tells_the_delimiter() {
    for (text, expected) in [
        ("a;b\n1,2;3\n", ';'),
        ("a\tb\n", '\t'),
        ("a,b\n", ','),
        ("a\n", ','),
        ("a", ','),
        ("\"a;b;c\",d\n", ','),
        ("\"x\"\"y;z;\",b\n", ','),
        ("a;b,c,d\n", ','),
        ("a;b,c\n", ';'),
        ("a\tb,c\n", '\t'),
        ("a\tb\tc;d\n", '\t'),
        ("a,\"two;;;\"\r\n1;;;;", ','),
        ("5\"disk;a,b\n", ';'),
    ] {
        assert_eq!(delimiter(text), expected, "{text:?}");
    }
}

#[test]
fn every_line_end_ends_a_line() {
    let table = read("\n\r\n  \na;b\r1;2\n3;4\r\n\r\n5;6\r\r7;8\n \n9;\"x\r\ny\"\n0;0").unwrap();
    assert_eq!(table.columns, ["a", "b"]);
    let expected = [["1", "2"], ["3", "4"], ["5", "6"], ["7", "8"], ["9", "x\r\ny"], ["0", "0"]];
    assert_eq!(table.texts(), expected);
    assert_eq!(table.lines, [5, 6, 8, 10, 12, 14]);
    assert_eq!(table.faults, []);
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let table = read("\u{feff}a;b\n1;2\n").unwrap();
    assert_eq!(table.columns, ["a", "b"]);
    assert_eq!(read(gzip("\u{feff}a\n1\n".as_bytes())).unwrap().columns, ["a"]);
}

#[test]
fn names_are_trimmed_and_ours_are_left_out() {
    let table = read("import_line; a b ;import_error;Ü;\"'-c\"\n7;1;no;2;'-3\n8;;;;\n").unwrap();
    assert_eq!(table.columns, ["a b", "Ü", "-c"]);
    assert_eq!(table.texts(), [["1", "2", "-3"], ["", "", ""]]);
    assert_eq!(table.rows[0][0], Some((Kind::Plain, "1".to_owned())));
    assert_eq!(table.rows[1][0], None);
}

#[test]
fn a_header_alone_has_no_rows() {
    for text in ["a;b", "a;b\n", "a;b\r\n\n\n"] {
        let table = read(text).unwrap();
        assert_eq!((table.columns.len(), table.rows.len()), (2, 0), "{text:?}");
    }
}

#[test]
fn only_a_guard_before_a_formula_is_no_text() {
    let table = read("a\n'=1\n''=1\n'a\n'\n''\n=1\n'\t\n'''\n").unwrap();
    assert_eq!(table.texts(), [["=1"], ["'=1"], ["'a"], ["'"], ["'"], ["=1"], ["\t"], ["''"]]);
}

#[test]
fn gzip_may_have_several_members() {
    let bytes = [gzip(b"a;b\n1;"), gzip(b"2\n")].concat();
    let source = Box::new(std::io::Cursor::new(bytes.clone()));
    let reader = Reader::open(source, &Limits::default()).unwrap();
    assert_eq!((reader.shape().format, reader.shape().packing), (Format::Csv, Packing::Gzip));
    assert_eq!(read(bytes).unwrap().texts(), [["1", "2"]]);
}

proptest! {
    #[test]
    fn records_are_what_the_csv_crate_reads(body in "([ab;\"\r\n'é]|\r\n|\"\"|\"){0,40}", packed: bool) {
        let text = format!("x;y;z\n{body}");
        let mut reader = csv::ReaderBuilder::new().delimiter(b';').flexible(true).from_reader(text.as_bytes());
        let expected: Vec<Vec<String>> = reader
            .records()
            .map(|record| record.unwrap().iter().map(|cell| cell.to_owned()).collect::<Vec<_>>())
            .filter(|record| record.len() != 1 || !record[0].trim().is_empty())
            .map(|record| {
                let unguarded = |cell: String| if cell.starts_with("''") || cell.starts_with("'\r") { cell[1..].to_owned() } else { cell };
                let mut record: Vec<_> = record.into_iter().take(3).map(unguarded).collect();
                record.resize(3, String::new());
                record
            })
            .collect();
        let table = read(if packed { gzip(text.as_bytes()) } else { text.into_bytes() }).unwrap();
        prop_assert_eq!(table.texts(), expected);
    }
}
