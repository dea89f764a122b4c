//! Workbooks as others write them.

use tables::{Kind, Limits, Packing, Reader};

use crate::{gzip, read, workbook};

fn text(at: &str, value: &str) -> String {
    format!("<c r=\"{at}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{value}</t></is></c>")
}

/// The fixtures are made by openpyxl 3.1.5: a sheet, an empty one, and one that goes on; days counted from 1900 and 1904.
#[test]
fn what_openpyxl_writes_is_read() {
    for bytes in [&include_bytes!("../fixtures/openpyxl.xlsx")[..], include_bytes!("../fixtures/openpyxl-1904.xlsx")] {
        let table = read(bytes).unwrap();
        assert_eq!(table.columns, ["user_id", "joined", "day", "active", "count", "score", "twice", "note"]);
        assert_eq!(table.lines, [2, 4, 5, 2]);
        let cell = |kind, text: &str| Some((kind, text.to_owned()));
        let first = [
            cell(Kind::Text, "007"),
            cell(Kind::Instant, "2026-01-31T12:00:00.123000Z"),
            cell(Kind::Instant, "2024-02-29T00:00:00.000000Z"),
            cell(Kind::Flag, "true"),
            cell(Kind::Number, "1000"),
            cell(Kind::Number, "0.1"),
            // Openpyxl does not reckon formulas.
            None,
            cell(Kind::Text, "two\nlines"),
        ];
        assert_eq!(table.rows[0], first);
        assert_eq!(table.rows[1][0], cell(Kind::Text, "-1"));
        assert_eq!(table.rows[1][1], cell(Kind::Instant, "1999-12-31T23:59:59.000000Z"));
        assert_eq!(table.rows[1][4], cell(Kind::Number, "12345678901234570"));
        // Openpyxl does not escape what looks like an escape, so that Excel too shows an A.
        assert_eq!(table.rows[1][7], cell(Kind::Text, "A & <b>"));
        assert_eq!(table.rows[3][0], cell(Kind::Text, "last"));
        assert_eq!(table.faults.len(), 1);
        assert_eq!((table.faults[0].0, table.faults[0].1), (5, "cell_error"));
    }
}

#[test]
fn a_formula_gives_the_value_it_last_had() {
    let rows = format!(
        "<row>{}</row><row><c><f>1+1</f><v>2</v></c></row><row><c t=\"str\"><f>A1</f><v>a &amp; b</v></c></row>\
         <row><c t=\"b\"><f>TRUE()</f><v>1</v></c></row>",
        text("A1", "a")
    );
    let table = read(workbook(&[&rows], "")).unwrap();
    assert_eq!(table.texts(), [["2"], ["a & b"], ["true"]]);
}

#[test]
fn numbers_are_decimals_without_an_exponent() {
    let mut rows = format!("<row>{}</row>", text("A1", "n"));
    for number in ["1000.0", "1E3", "1e-7", "12345678901234567", "-0", "1e21", "0.1", "-2.50"] {
        rows += &format!("<row><c><v>{number}</v></c></row>");
    }
    let table = read(workbook(&[&rows], "")).unwrap();
    let expected = ["1000", "1000", "0.0000001", "12345678901234568", "0", "1000000000000000000000", "0.1", "-2.5"];
    assert_eq!(table.texts(), expected.map(|text| [text]));
    assert!(table.rows.iter().all(|row| row[0].as_ref().unwrap().0 == Kind::Number));
}

#[test]
fn strings_may_be_shared_and_rich() {
    let shared = "<sst uniqueCount=\"2\"><si><t>a</t></si><si><r><t>ri</t></r><r><t xml:space=\"preserve\">ch </t></r>\
                  <rPh><t>no</t></rPh></si></sst>";
    let rows = "<row><c t=\"s\"><v>0</v></c></row><row><c t=\"s\"><v>1</v></c></row>";
    assert_eq!(read(workbook(&[rows], shared)).unwrap().texts(), [["rich "]]);
}

#[test]
fn further_sheets_go_on_under_the_same_header() {
    let heading = |name: &str| format!("<row r=\"3\">{}{}</row>", text("A3", "id"), text("B3", name));
    let row = |id: &str| format!("<row r=\"4\">{}</row>", text("A4", id));
    let sheet = |name: &str, id: &str| heading(name) + &row(id);
    let table = read(workbook(&[&sheet("n", "1"), "<row r=\"1\"/>", &sheet(" n", "2")], "")).unwrap();
    assert_eq!(table.texts(), [["1", ""], ["2", ""]]);
    assert_eq!(table.lines, [4, 4]);
    let error = read(workbook(&[&sheet("n", "1"), &sheet("m", "2")], "")).unwrap_err();
    assert_eq!((error.code, error.line), ("other_columns", Some(3)));
    assert_eq!(error.to_string(), "line 3: sheet `S1` has other columns than the first sheet");
}

#[test]
fn a_workbook_inside_gzip_is_read_too() {
    let bytes = gzip(include_bytes!("../fixtures/openpyxl.xlsx"));
    let reader = Reader::open(Box::new(std::io::Cursor::new(bytes.clone())), &Limits::default()).unwrap();
    assert_eq!(reader.shape().packing, Packing::Gzip);
    assert_eq!(read(bytes).unwrap().rows.len(), 4);
}
