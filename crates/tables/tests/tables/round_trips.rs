//! What is written reads back the same, in every format and packing.

use chrono::{DateTime, SecondsFormat, Utc};
use proptest::{collection::vec, prelude::*};
use tables::{Column, ColumnKind, Format, Header, Kind, Packing, Value, Writer, content_type};

use crate::read;

const FORMATS: [Format; 3] = [Format::Csv, Format::Ndjson, Format::Xlsx];
const PACKINGS: [Packing; 2] = [Packing::Plain, Packing::Gzip];
const COLUMNS: &[Column] = &[
    Column { name: "id", kind: ColumnKind::Text },
    Column { name: "=text, or; not", kind: ColumnKind::Text },
    Column { name: "number", kind: ColumnKind::Number },
    Column { name: "at", kind: ColumnKind::Instant },
    Column { name: "json", kind: ColumnKind::Json },
];

/// A row before it is written; the first cell is never empty, because a sheet has no blank rows.
#[derive(Debug, Clone)]
struct Written {
    id: String,
    text: Option<String>,
    number: Option<i64>,
    at: Option<DateTime<Utc>>,
    json: Option<String>,
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{1,12}",
        "\\PC{1,12}",
        "['=+\\-@\t\r]{1,3}[a-z]{0,3}",
        "[\"\r\n;,\t'é😀]{1,8}",
        "(_x00[0-4][0-9A-Fa-f]_|_x|_|0041|\u{1}|\u{ffff}|\u{7f}| ){1,8}",
        "-?0{0,3}[0-9]{1,22}",
        any::<String>(),
    ]
    // NUL is a fault, and no text at all an empty cell.
    .prop_map(|text| text.replace('\0', ""))
    .prop_filter("an empty cell", |text| !text.is_empty())
}

fn rows() -> impl Strategy<Value = Vec<Written>> {
    let instants = (0..253_370_764_800_000_000_i64).prop_map(|micros| DateTime::from_timestamp_micros(micros).unwrap());
    let jsons = vec(texts(), 0..3).prop_map(|texts| serde_json::to_string(&texts).unwrap());
    let row = (texts(), option(texts()), option(any::<i64>()), option(instants), option(jsons));
    vec(row.prop_map(|(id, text, number, at, json)| Written { id, text, number, at, json }), 0..8)
}

fn option<S: Strategy>(inner: S) -> impl Strategy<Value = Option<S::Value>> {
    proptest::option::of(inner)
}

fn write(rows: &[Written], format: Format, packing: Packing) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), format, packing, COLUMNS, Header::Written).unwrap();
    for row in rows {
        let text = |text: &Option<String>| text.is_some();
        let values = [
            Value::Text(&row.id),
            if text(&row.text) { Value::Text(row.text.as_deref().unwrap()) } else { Value::Empty },
            row.number.map_or(Value::Empty, Value::Number),
            row.at.map_or(Value::Empty, Value::Instant),
            row.json.as_deref().map_or(Value::Empty, Value::Json),
        ];
        writer.row(&values).unwrap();
        if row.number.is_some_and(|number| number % 2 == 0) {
            writer.flush().unwrap();
        }
    }
    assert_eq!(writer.rows(), rows.len() as u64);
    writer.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn rows_read_back_as_they_were_written(rows in rows()) {
        for (format, packing) in FORMATS.into_iter().flat_map(|format| PACKINGS.map(|packing| (format, packing))) {
            let table = read(write(&rows, format, packing)).or_else(|error| match error.code {
                // An NDJSON without a row is an empty file.
                "empty" if rows.is_empty() => read("{}"),
                _ => Err(error),
            });
            let table = table.unwrap();
            if format != Format::Ndjson {
                let names: Vec<_> = COLUMNS.iter().map(|column| column.name).collect();
                prop_assert_eq!(&table.columns, &names);
                prop_assert_eq!(table.rows.len(), rows.len());
            }
            prop_assert_eq!(&table.faults, &[]);
            for (row, read) in rows.iter().zip(&table.rows) {
                let at = row.at.map(|at| at.to_rfc3339_opts(SecondsFormat::Micros, true));
                let number = row.number.map(|number| number.to_string());
                let expected = [Some(row.id.clone()), row.text.clone(), number, at, row.json.clone()];
                let texts: Vec<_> = read.iter().map(|cell| cell.as_ref().map(|(_, text)| text.clone())).collect();
                prop_assert_eq!(&texts, &expected, "{:?}", format);
                if let Some((kind, _)) = &read[0] {
                    prop_assert_eq!(*kind, if format == Format::Csv { Kind::Plain } else { Kind::Text });
                }
            }
        }
    }

    #[test]
    fn a_single_column_reads_back_too(texts in vec(proptest::option::of(texts()), 0..6)) {
        const COLUMN: &[Column] = &[Column { name: "a", kind: ColumnKind::Text }];
        let mut writer = Writer::new(Vec::new(), Format::Csv, Packing::Plain, COLUMN, Header::Written).unwrap();
        for text in &texts {
            writer.row(&[text.as_deref().map_or(Value::Empty, Value::Text)]).unwrap();
        }
        let table = read(writer.finish().unwrap()).unwrap();
        let read: Vec<_> = table.rows.iter().map(|row| row[0].as_ref().map(|(_, text)| text.clone())).collect();
        prop_assert_eq!(read, texts);
    }
}

#[test]
fn lines_are_written_as_promised() {
    let at = "2026-11-20T12:00:00.5Z".parse().unwrap();
    let values =
        [Value::Text("-7"), Value::Text("a;\"b\""), Value::Decimal("-1.50"), Value::Instant(at), Value::Json("[1]")];
    let mut text = Vec::new();
    for format in [Format::Csv, Format::Ndjson] {
        let mut writer = Writer::new(Vec::new(), format, Packing::Plain, COLUMNS, Header::Written).unwrap();
        writer.row(&values).unwrap();
        writer.row(&[Value::Empty; 5]).unwrap();
        text.extend(writer.finish().unwrap());
    }
    let expected = "id;\"'=text, or; not\";number;at;json\n\
                    '-7;\"a;\"\"b\"\"\";-1.50;2026-11-20T12:00:00.500000Z;[1]\n;;;;\n\
                    {\"id\":\"-7\",\"=text, or; not\":\"a;\\\"b\\\"\",\"number\":-1.50,\"at\":\"2026-11-20T12:00:00.500000Z\",\"json\":[1]}\n\
                    {\"id\":null,\"=text, or; not\":null,\"number\":null,\"at\":null,\"json\":null}\n";
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[test]
fn a_header_may_be_left_out_of_a_csv() {
    let mut writer = Writer::new(Vec::new(), Format::Csv, Packing::Plain, &COLUMNS[..1], Header::LeftOut).unwrap();
    writer.row(&[Value::Number(i64::MIN)]).unwrap();
    assert_eq!(writer.finish().unwrap(), b"-9223372036854775808\n");
}

#[test]
fn numbers_that_a_sheet_would_round_are_text() {
    const COLUMN: &[Column] = &[Column { name: "n", kind: ColumnKind::Number }];
    let mut writer = Writer::new(Vec::new(), Format::Xlsx, Packing::Plain, COLUMN, Header::Written).unwrap();
    for value in [
        Value::Number(1 << 53),
        Value::Number((1 << 53) + 1),
        Value::Decimal("1.50"),
        Value::Decimal("-1e3"),
        Value::Decimal("0.1234567890123456789"),
        Value::Decimal("1e400"),
        Value::Decimal("0"),
    ] {
        writer.row(&[value]).unwrap();
    }
    let table = read(writer.finish().unwrap()).unwrap();
    let expected = [
        (Kind::Number, "9007199254740992"),
        (Kind::Text, "9007199254740993"),
        (Kind::Number, "1.5"),
        (Kind::Number, "-1000"),
        (Kind::Text, "0.1234567890123456789"),
        (Kind::Text, "1e400"),
        (Kind::Number, "0"),
    ];
    let read: Vec<_> =
        table.rows.iter().map(|row| row[0].as_ref().map(|(kind, text)| (*kind, text.as_str())).unwrap()).collect();
    assert_eq!(read, expected);
}

#[test]
fn dates_are_dates_in_a_sheet_where_they_can_be() {
    const COLUMN: &[Column] = &[Column { name: "at", kind: ColumnKind::Instant }];
    let mut writer = Writer::new(Vec::new(), Format::Xlsx, Packing::Plain, COLUMN, Header::Written).unwrap();
    let texts = ["2026-11-20T12:34:56.123456Z", "1850-01-01T00:00:00.000000Z", "9998-12-31T23:59:59.999999Z"];
    for text in texts {
        writer.row(&[Value::Instant(text.parse().unwrap())]).unwrap();
    }
    let table = read(writer.finish().unwrap()).unwrap();
    let kinds: Vec<_> = table.rows.iter().map(|row| row[0].as_ref().unwrap().0).collect();
    assert_eq!(kinds, [Kind::Instant, Kind::Text, Kind::Text]);
    assert_eq!(table.texts(), texts.map(|text| [text]));
}

#[test]
fn a_text_that_no_sheet_can_hold_is_refused_by_column() {
    let mut writer = Writer::new(Vec::new(), Format::Xlsx, Packing::Plain, &COLUMNS[..1], Header::Written).unwrap();
    writer.row(&[Value::Text(&"é".repeat(32_767))]).unwrap();
    let error = writer.row(&[Value::Text(&"é".repeat(32_768))]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    let expected = "column `id` has a text of more than 32767 characters, which a sheet cannot hold";
    assert_eq!(error.to_string(), expected);
    assert_eq!(read(writer.finish().unwrap()).unwrap().rows.len(), 1);
}

#[test]
fn files_say_what_they_are() {
    assert_eq!(content_type(Format::Csv, Packing::Plain), "text/csv; charset=utf-8");
    assert_eq!(content_type(Format::Xlsx, Packing::Gzip), "application/gzip");
}
