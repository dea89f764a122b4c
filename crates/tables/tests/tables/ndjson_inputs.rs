//! NDJSON as others write it.

use tables::Kind;

use crate::read;

#[test]
fn values_keep_their_types_and_numbers_their_digits() {
    let text = "\u{feff}\n {\"id\":\"007\",\"n\":1.50,\"f\":true,\"z\":null,\"a\":[1, {\"b\":2}]}\r\n\r\
                {\"n\":123456789012345678901234567890e-1,\"new\":\"\\u0041\\n\",\"e\":\"\",\"import_error\":\"x\",\"import_text\":\"y\"}";
    let table = read(text).unwrap();
    assert_eq!(table.columns, ["id", "n", "f", "z", "a", "new", "e"]);
    assert_eq!(table.lines, [2, 4]);
    let cell = |kind, text: &str| Some((kind, text.to_owned()));
    let first = [cell(Kind::Text, "007"), cell(Kind::Number, "1.50"), cell(Kind::Flag, "true"), None];
    assert_eq!(table.rows[0][..4], first);
    assert_eq!(table.rows[0][4], cell(Kind::Json, "[1, {\"b\":2}]"));
    assert_eq!(table.rows[1][1], cell(Kind::Number, "123456789012345678901234567890e-1"));
    assert_eq!(table.rows[1][5], cell(Kind::Text, "A\n"));
    assert_eq!(table.rows[1][6], None);
    assert_eq!(table.faults, []);
}

#[test]
fn the_keys_of_a_broken_line_name_no_columns() {
    let table = read("{\"a\":1}\n{\"b\":1,\n{\"c\":1}\n").unwrap();
    assert_eq!(table.columns, ["a", "c"]);
    assert_eq!(table.faults.len(), 1);
    assert_eq!(table.texts(), [vec!["1"], vec![""], vec!["", "1"]]);
}
