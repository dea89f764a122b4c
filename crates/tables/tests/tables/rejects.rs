//! Rejected rows, mended and sent again.

use std::io::Cursor;

use tables::{Limits, Reader, Rejects, Row};

use crate::{read, workbook};

/// The rejects file of a table all of whose rows are rejected.
fn rejects(bytes: impl Into<Vec<u8>>) -> Vec<u8> {
    let mut reader = Reader::open(Box::new(Cursor::new(bytes.into())), &Limits::default()).unwrap();
    let mut rejects = Rejects::new(Vec::new(), reader.shape());
    let mut row = Row::new();
    while reader.next(&mut row).unwrap() {
        let reason = row.fault().map_or("=is not wanted".to_owned(), ToString::to_string);
        rejects.reject(reader.columns(), &row, &reason).unwrap();
    }
    assert!(rejects.rows() > 0);
    rejects.finish().unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn csv_keeps_its_delimiter_and_the_cells_of_bad_rows() {
    let rejected = text(rejects("a,'=b\r\n\"1,5\",'-2\r\n1\r\n1,2,3\r\n"));
    let expected = "import_line,import_error,a,'=b\n2,'=is not wanted,\"1,5\",'-2\n3,has 1 cells where the header has 2,1\n\
                    4,has 3 cells where the header has 2,1,2,3\n";
    assert_eq!(rejected, expected);
    let mended = rejected.replace("has 2,1,2,3", "has 2,1,2").replace("has 2,1\n", "has 2,1,\n");
    let table = read(mended).unwrap();
    assert_eq!(table.columns, ["a", "=b"]);
    assert_eq!(table.texts(), [["1,5", "-2"], ["1", ""], ["1", "2"]]);
    assert_eq!(table.faults, []);
}

#[test]
fn rejects_of_rejects_stay_the_same_rows() {
    let first = rejects("a;b\n1;2\n");
    let again = text(rejects(first));
    assert_eq!(again, "import_line;import_error;a;b\n2;'=is not wanted;1;2\n");
}

#[test]
fn ndjson_keeps_keys_types_and_what_it_could_not_parse() {
    let rejected =
        text(rejects("{\"a\":1.50,\"b\":\"x\",\"c\":[1],\"d\":true,\"e\":null}\n{\"a\":\n{\"a\":1,\"a\":2}\n"));
    let expected = "{\"import_line\":1,\"import_error\":\"=is not wanted\",\"a\":1.50,\"b\":\"x\",\"c\":[1],\"d\":true}\n\
        {\"import_line\":2,\"import_error\":\"is not JSON: EOF while parsing a value at character 5\",\"import_text\":\"{\\\"a\\\":\"}\n\
        {\"import_line\":3,\"import_error\":\"has the key `a` twice\",\"import_text\":\"{\\\"a\\\":1,\\\"a\\\":2}\"}\n";
    assert_eq!(rejected, expected);
    let table = read(rejected).unwrap();
    assert_eq!(table.columns, ["a", "b", "c", "d"]);
    assert_eq!(table.faults, []);
}

#[test]
fn a_workbook_keeps_its_types() {
    let rows = "<row r=\"1\"><c r=\"A1\" t=\"str\"><v>a</v></c><c r=\"B1\" t=\"str\"><v>b</v></c><c r=\"C1\" t=\"str\"><v>c</v></c></row>\
                <row r=\"2\"><c r=\"A2\" t=\"str\"><v>007</v></c><c r=\"B2\"><v>1.5</v></c><c r=\"C2\" t=\"b\"><v>1</v></c></row>\
                <row r=\"3\"><c r=\"A3\" t=\"d\"><v>2026-01-31T12:00:00</v></c><c r=\"E3\"><v>9</v></c></row>";
    let first = read(workbook(&[rows], "")).unwrap();
    let rejected = rejects(workbook(&[rows], ""));
    let table = read(rejected.clone()).unwrap();
    assert_eq!(table.columns, first.columns);
    assert_eq!(table.rows, first.rows);
    assert_eq!(table.faults.len(), 1);
    assert_eq!(read(rejects(rejected)).unwrap().rows, first.rows);
}
