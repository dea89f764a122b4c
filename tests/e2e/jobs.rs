//! Imports over HTTP, the jobs that they become, and the files that go in and come out.

use std::{
    collections::BTreeMap,
    io::{Cursor, Write},
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use tables::{Column, ColumnKind, Format, Header, Limits, Packing, Reader, Row, Writer};

use crate::client::{Answer, Client};

/// Any file: what it is is told from its bytes.
pub const FILE: (&str, &str) = ("content-type", "application/octet-stream");

/// Every form that an export has.
pub const FORMS: [&str; 6] = ["csv", "ndjson", "xlsx", "csv.gz", "ndjson.gz", "xlsx.gz"];

/// Asks again and again until there is an answer.
pub fn until<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    within(120, what, ask)
}

/// As `until`, with so many seconds of patience.
pub fn within<T>(seconds: u64, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let patience = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < patience, "not within {seconds} s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a file to an address below /api/v1.
pub fn send(client: &Client, address: &str, file: impl AsRef<[u8]>) -> Answer {
    client.send("POST", address, &[FILE], file.as_ref())
}

/// Sends a file, and waits until all of it is imported; returns the job.
pub fn import(client: &Client, address: &str, file: impl AsRef<[u8]>) -> Value {
    let job = ended(client, &begun(&send(client, address, file)));
    assert_eq!(job["state"], "done", "{job}");
    job
}

/// The job of an answer that took a file, or an undo, in.
pub fn begun(answer: &Answer) -> Value {
    assert!([200, 202].contains(&answer.status), "{} {}", answer.status, answer.text);
    let job = answer.json();
    assert_eq!(answer.header("location"), Some(format!("/api/v1/jobs/{}", job["id"]).as_str()));
    let is_over = ["done", "failed", "cancelled"].contains(&job["state"].as_str().unwrap());
    assert_eq!(is_over, answer.status == 200, "{job}");
    job
}

/// The job as it stands. A server that is away, or busy, is asked again.
pub fn job(client: &Client, id: &Value) -> Value {
    until("the job can be read", || {
        let answer = client.try_send("GET", &format!("/jobs/{id}"), &[], b"").ok()?;
        (answer.status == 200).then(|| answer.json())
    })
}

/// Waits for the end of a job, however it ends.
pub fn ended(client: &Client, begun: &Value) -> Value {
    until(&format!("job {} ends", begun["id"]), || {
        let job = job(client, &begun["id"]);
        ["done", "failed", "cancelled"].contains(&job["state"].as_str().unwrap()).then_some(job)
    })
}

/// Waits until a job did something, and has more to do.
pub fn under_way(client: &Client, begun: &Value) -> Value {
    until(&format!("job {} is under way", begun["id"]), || {
        let job = job(client, &begun["id"]);
        assert!(["queued", "running"].contains(&job["state"].as_str().unwrap()), "it was too quick: {job}");
        (job["progress"]["done"].as_u64() > Some(0)).then_some(job)
    })
}

/// Takes an import back, and waits until that is done.
pub fn undo(client: &Client, job: &Value) -> Value {
    let undo = ended(client, &begun(&client.send("POST", &format!("/jobs/{}/undo", job["id"]), &[], b"")));
    assert_eq!((&undo["state"], &undo["undoes"]), (&json!("done"), &job["id"]), "{undo}");
    undo
}

/// The counts of a job that are not 0.
pub fn counts(job: &Value) -> Value {
    let counts = job["counts"].as_object().unwrap().clone();
    Value::Object(counts.into_iter().filter(|(_, count)| *count != json!(0)).collect())
}

/// How many live members a segment has.
pub fn members(client: &Client, slug: &str) -> u64 {
    let page = client.get(&format!("/segments/{slug}/users?limit=1&count=exact"));
    assert_eq!(page.status, 200, "{}", page.text);
    page.json()["total"].as_u64().unwrap()
}

/// How many rows history has.
pub fn history_rows(client: &Client) -> u64 {
    client.get("/history?limit=1&count=exact").json()["total"].as_u64().unwrap()
}

pub fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes.as_ref()).unwrap();
    packed.finish().unwrap()
}

/// A table of texts in a form such as `xlsx.gz`; what is empty is an empty cell.
pub fn table<'a>(
    form: &str,
    columns: &[&'static str],
    rows: impl IntoIterator<Item = impl AsRef<[&'a str]>>,
) -> Vec<u8> {
    let (format, packing) = match form.strip_suffix(".gz") {
        Some(format) => (format, Packing::Gzip),
        None => (form, Packing::Plain),
    };
    let columns: Vec<Column> = columns.iter().map(|name| Column { name, kind: ColumnKind::Text }).collect();
    let format = Format::parse(format).unwrap();
    let mut writer = Writer::new(Vec::new(), format, packing, columns, Header::Written).unwrap();
    for row in rows {
        let text = |text: &&'a str| if text.is_empty() { tables::Value::Empty } else { tables::Value::Text(text) };
        writer.row(&row.as_ref().iter().map(text).collect::<Vec<_>>()).unwrap();
    }
    writer.finish().unwrap()
}

/// The cells of each row by their columns, whatever the form of the file; empty cells are left out.
pub fn rows(file: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut reader = match Reader::open(Box::new(Cursor::new(file.to_vec())), &Limits::default()) {
        Ok(reader) => reader,
        // NDJSON has no header, which would be left of it.
        Err(error) if error.code == "empty" => return Vec::new(),
        Err(error) => panic!("{error}"),
    };
    let (mut row, mut found) = (Row::new(), Vec::new());
    while reader.next(&mut row).unwrap() {
        assert!(row.fault().is_none(), "{row:?}");
        let cells = reader.columns().iter().enumerate();
        let cells = cells.filter_map(|(at, name)| Some((name.clone(), row.cell(at)?.text.to_owned())));
        found.push(cells.collect());
    }
    found
}
