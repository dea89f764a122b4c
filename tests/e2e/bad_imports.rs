//! Files that cannot be: each is refused whole with a clear problem, or its bad rows are, and nothing is half done.

use std::{
    fs,
    io::{Cursor, Read, Write},
    net::{Shutdown, TcpStream},
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{
    client::Answer,
    jobs::{FILE, begun, counts, gzip, import, rows, send, table, until},
    server::{Engine, Place, Server, on_both_engines},
};

on_both_engines!(
    a_file_that_cannot_be_read_is_refused_whole,
    a_bad_row_is_refused_alone,
    what_only_looks_odd_is_taken,
    bombs_are_given_up_early,
    a_body_beyond_the_bound_is_refused_at_once,
    a_body_that_ends_early_is_refused,
    what_is_declared_as_something_else_is_refused,
    parameters_are_read_strictly,
);

/// A service that holds a little, and takes files up to 4 MiB.
struct Room {
    place: Place,
    server: Server,
}

impl Room {
    fn new(engine: Engine) -> Room {
        let place = Place::new(engine);
        let server = place.serve_with(&[("STRATA_IMPORT_BYTES_MAX", "4194304"), ("STRATA_EXPORT_PATIENCE_MS", "500")]);
        server.client.has_segment("A");
        assert_eq!(server.client.post("/users/1/segments", json!({"add": ["A"]})).status, 200);
        Room { place, server }
    }

    /// Everything that can be seen.
    fn state(&self) -> Vec<Value> {
        let lists = ["/segments", "/segments/stats", "/users", "/history", "/jobs"];
        let whole = |list: &str| self.server.client.get(&format!("{list}?limit=1000&count=exact")).json();
        lists.into_iter().map(whole).collect()
    }

    /// Sends each file, and compares the refusal with what `told` would say of it; nothing may be left of any of them.
    fn refuses(&self, cases: impl IntoIterator<Item = (&'static str, &'static str, Vec<u8>, &'static str)>) {
        let before = self.state();
        let mut wrong = Vec::new();
        for (what, address, file, expected) in cases {
            let answer = told(&send(&self.server.client, address, file));
            if answer != expected {
                wrong.push(format!("{what} to {address}\n    gives    {answer}\n    and not  {expected}"));
            }
        }
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
        self.is_untouched(&before);
    }

    fn is_untouched(&self, before: &[Value]) {
        assert_eq!(self.state(), before, "something changed");
        // Whoever hangs up is forgotten a little later.
        until("no file is left", || files_below(&self.place.files()).is_empty().then_some(()));
    }
}

fn files_below(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path.display().to_string()] }).collect()
}

/// `400 invalid line 1:duplicate_column` for a problem; the status and the body for anything else.
fn told(answer: &Answer) -> String {
    if answer.status < 400 {
        return format!("{} {}", answer.status, answer.text);
    }
    let mut text = format!("{} {}", answer.status, answer.problem());
    for fault in answer.json()["errors"].as_array().into_iter().flatten() {
        assert!(fault["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{fault}");
        text += &format!(" {}:{}", fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap());
    }
    text
}

/// A text as Windows writes Russian.
fn cp1251(text: &str) -> Vec<u8> {
    let byte = |letter: char| match letter {
        'А'..='я' => (letter as u32 - 'А' as u32 + 0xc0) as u8,
        other => other as u8,
    };
    text.chars().map(byte).collect()
}

/// A workbook of one sheet with these rows, as others write it.
fn workbook(rows: &str) -> Vec<u8> {
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relation = |kind: &str, target: &str| {
        format!("<Relationships><Relationship Id=\"r\" Type=\"{office}/{kind}\" Target=\"{target}\"/></Relationships>")
    };
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [
        ("_rels/.rels", relation("officeDocument", "xl/workbook.xml")),
        ("xl/_rels/workbook.xml.rels", relation("worksheet", "s.xml")),
        (
            "xl/workbook.xml",
            "<workbook><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r\"/></sheets></workbook>".to_owned(),
        ),
        ("xl/s.xml", format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")),
    ] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A sheet's row of texts.
fn sheet_row(cells: &[&str]) -> String {
    let cell = |text: &&str| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>");
    format!("<row>{}</row>", cells.iter().map(cell).collect::<String>())
}

const MEMBERS: &str = "/segments/A/users/import";
const MEMBERSHIPS: &str = "/memberships/import";
const USERS: &str = "/users/import";

fn a_file_that_cannot_be_read_is_refused_whole(engine: Engine) {
    let room = Room::new(engine);
    let whole = gzip("user_id\n".to_owned() + &"2\n".repeat(10_000));
    let sheet = table("xlsx", &["user_id"], [["2"], ["3"]]);
    let long = format!("user_id;reason\n2;fine\n3;{}\n", "x".repeat(1 << 20));
    let wide = (0..1_001).map(|number| format!("c{number};")).collect::<String>() + "user_id\n1\n";
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("users.csv", SimpleFileOptions::default()).unwrap();
    let archive = archive.finish().unwrap().into_inner();
    for address in [MEMBERS, MEMBERSHIPS, USERS] {
        let archive = archive.clone();
        let alike = [
            ("an empty file", b"".to_vec(), "400 invalid :empty"),
            ("blank lines", b"\n\r\n  \n".to_vec(), "400 invalid :empty"),
            ("a mark and nothing else", b"\xef\xbb\xbf".to_vec(), "400 invalid :empty"),
            ("nothing, packed", gzip(""), "400 invalid :empty"),
            ("a header only", b"user_id;segment\n".to_vec(), "400 invalid :no_rows"),
            ("a header only, packed", gzip("user_id;segment"), "400 invalid :no_rows"),
            (
                "a sheet with a header only",
                table("xlsx", &["user_id", "segment"], [[""; 2]; 0]),
                "400 invalid :no_rows",
            ),
            ("a duplicate column", b"user_id;segment;user_id\n2;A;2\n".to_vec(), "400 invalid line 1:duplicate_column"),
            ("a column without a name", b"user_id;;segment\n2;;A\n".to_vec(), "400 invalid line 1:empty_column"),
            ("a NUL in the header", b"user_id;segment\0\n2;A\n".to_vec(), "400 invalid line 1:control_in_column"),
            ("a header of Windows", cp1251("user_id;segment;имя\n2;A;Анна\n"), "400 invalid line 1:not_utf8"),
            ("UTF-16", b"\xff\xfeu\0s\0e\0r\0_\0i\0d\0\n\0".to_vec(), "400 invalid :not_utf8"),
            ("too many columns", wide.clone().into_bytes(), "400 invalid line 1:too_many_columns"),
            ("a line of 1 MiB", long.clone().into_bytes(), "400 invalid line 3:row_too_long"),
            ("a line of 1 MiB, packed", gzip(&long), "400 invalid line 3:row_too_long"),
            ("a line without end", "x".repeat(3 << 20).into_bytes(), "400 invalid line 1:row_too_long"),
            (
                "an object without end",
                format!("{{\"user_id\":\"{}", "x".repeat(2 << 20)).into_bytes(),
                "400 invalid line 1:row_too_long",
            ),
            ("half of a packed file", whole[..whole.len() / 2].to_vec(), "400 invalid :truncated"),
            ("a packed file without its end", whole[..whole.len() - 4].to_vec(), "400 invalid :truncated"),
            (
                "a packed file that is damaged",
                [&whole[..20], b"damaged", &whole[27..]].concat(),
                "400 invalid line 1:truncated",
            ),
            ("a file packed twice", gzip(gzip("user_id\n2\n")), "400 invalid :unreadable"),
            ("half of a workbook", sheet[..sheet.len() / 2].to_vec(), "400 invalid :truncated"),
            ("the beginning of an archive", b"PK\x03\x04nonsense".to_vec(), "400 invalid :truncated"),
            ("an archive of something else", archive, "400 invalid :unreadable"),
            ("a workbook under a password", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(), "400 invalid :unreadable"),
        ];
        room.refuses(alike.map(|(what, file, expected)| (what, address, file, expected)));
    }
    let text = |text: &str| text.as_bytes().to_vec();
    room.refuses([
        ("no id", MEMBERS, text("segment\nA\n"), "400 invalid line 1:missing_column"),
        ("no segment", MEMBERSHIPS, text("user_id\n2\n"), "400 invalid line 1:missing_column"),
        ("neither", MEMBERSHIPS, text("reason\nwhy\n"), "400 invalid line 1:missing_column line 1:missing_column"),
        ("no id", USERS, text("name\nAnna\n"), "400 invalid line 1:missing_column"),
        ("other letters", USERS, text("USER_ID\n2\n"), "400 invalid line 1:missing_column"),
        ("an unknown column", MEMBERS, text("user_id;colour\n2;red\n"), "400 invalid line 1:unknown_column"),
        (
            "an unknown key",
            MEMBERS,
            text("{\"user_id\":2}\n{\"user_id\":3,\"colour\":1}\n"),
            "400 invalid line 1:unknown_column",
        ),
        ("another delimiter", MEMBERSHIPS, text("user_id|segment\n2|A\n"), "400 invalid line 1:unknown_column"),
        ("a page", USERS, text("<!doctype html>\n<p>sign in</p>\n"), "400 invalid line 1:missing_column"),
        ("a list of objects", USERS, text("[{\"user_id\":2}]\n[{\"user_id\":3}]"), "400 invalid line 1:missing_column"),
        (
            "a log without instants",
            MEMBERSHIPS,
            text("user_id;segment;operation\n2;A;add\n"),
            "400 invalid line 1:missing_column",
        ),
        (
            "a log that replaces",
            "/segments/A/users/import?mode=replace",
            text("user_id;operation;timestamp\n2;add;2020-01-01\n"),
            "400 invalid mode:invalid_value",
        ),
    ]);
    assert_eq!(room.server.client.get("/users/2").status, 404);
    room.place.is_sound();
}

fn a_bad_row_is_refused_alone(engine: Engine) {
    let room = Room::new(engine);
    let client = &room.server.client;
    let with = |rows: &str| format!("user_id;ttl;reason\n{rows}\n").into_bytes();
    let long = "x".repeat(129);
    let sheet = |rows: &str| workbook(&(sheet_row(&["user_id", "reason"]) + rows));
    let formula = "<row><c t=\"e\"><f>1/0</f><v>#DIV/0!</v></c></row>";
    for (what, file, column) in [
        ("no id", with(";;why"), "user_id"),
        ("a blank id", with(" ;;"), "user_id"),
        ("a long id", with(&format!("{long};;")), "user_id"),
        ("bytes of Windows", [&with("")[..], &cp1251("Анна;;\n")].concat(), ""),
        ("a NUL", with("2\0;;"), ""),
        ("too many cells", with("2;;;"), ""),
        ("too few cells", with("2;"), ""),
        ("a ttl of nothing", with("2;0;"), "ttl"),
        ("a ttl that is none", with("2;soon;"), "ttl"),
        ("a ttl without end", with("2;P9999999Y;"), "ttl"),
        ("a reason with a tab", b"user_id,reason\n2,\"a\tb\"\n".to_vec(), "reason"),
        ("a long reason", with(&format!("2;;{}", "я".repeat(501))), "reason"),
        ("a deadline that was", b"user_id;expires_at\n2;2020-01-01\n".to_vec(), "expires_at"),
        ("a day that is none", b"user_id;since\n2;2020-02-30\n".to_vec(), "since"),
        ("a beginning to come", b"user_id;since\n2;2999-01-01\n".to_vec(), "since"),
        ("another segment", b"user_id;segment\n2;B\n".to_vec(), "segment"),
        ("half an object", b"{\"user_id\":\"1\"}\n{\"user_id\":\"2\"".to_vec(), ""),
        ("a list", b"{\"user_id\":[2]}".to_vec(), "user_id"),
        ("a truth", b"{\"user_id\":true}".to_vec(), "user_id"),
        ("a key twice", b"{\"user_id\":\"1\"}\n{\"user_id\":\"2\",\"user_id\":\"3\"}".to_vec(), ""),
        ("no object", b"{\"user_id\":\"1\"}\n5\n".to_vec(), ""),
        ("a formula that failed", sheet(formula), ""),
        ("a cell too many", sheet(&sheet_row(&["2", "", "", "x"])), ""),
    ] {
        let job = import(client, MEMBERS, &file);
        let refusals = job["refusals"].as_array().unwrap_or_else(|| panic!("{what}: {job}"));
        assert_eq!(
            (refusals.len(), &job["refused"], &job["counts"]["added"]),
            (1, &json!(1), &json!(0)),
            "{what}: {job}"
        );
        assert_eq!(refusals[0]["column"], column, "{what}: {job}");
        let refused = client.get(job["errors_url"].as_str().unwrap().strip_prefix("/api/v1").unwrap());
        assert!(refused.status == 200 && !refused.bytes.is_empty(), "{what}");
    }
    for (what, file, column) in [
        ("a long name", format!("user_id;name\n2;{}\n", "я".repeat(321)), "name"),
        ("an address of two lines", "user_id;email\n2;\"a\nb\"\n".to_owned(), "email"),
        ("attributes that are none", "user_id;attributes\n2;[1]\n".to_owned(), "attributes"),
        ("an object as a number", "{\"user_id\":\"2\",\"x\":{\"$serde_json::private::Number\":\"1\"}}".to_owned(), "x"),
    ] {
        let job = import(client, USERS, &file);
        assert_eq!((&job["refused"], &job["refusals"][0]["column"]), (&json!(1), &json!(column)), "{what}: {job}");
    }
    for (what, cells, column) in [
        ("an act that is none", "2;join;2020-01-01", "operation"),
        ("no instant", "2;add;", "timestamp"),
        ("an instant to come", "2;add;2999-01-01", "timestamp"),
    ] {
        let job = import(client, MEMBERS, format!("user_id;operation;timestamp\n{cells}\n"));
        assert_eq!((&job["refused"], &job["refusals"][0]["column"]), (&json!(1), &json!(column)), "{what}: {job}");
    }
    // However much is wrong, the answer stays small and the file has all of it.
    let all_bad = format!("user_id\n{}", "a b\n".repeat(5_000));
    let answer = send(client, MEMBERS, &all_bad);
    let job = begun(&answer);
    assert!(answer.text.len() < 20_000, "{} bytes", answer.text.len());
    assert_eq!((&job["refused"], job["refusals"].as_array().unwrap().len()), (&json!(5_000), 20));
    let refused = client.get(job["errors_url"].as_str().unwrap().strip_prefix("/api/v1").unwrap());
    assert_eq!(rows(&refused.bytes).len(), 5_000);
    assert_eq!(client.get("/users/2").status, 404);
    assert_eq!(client.get("/history?count=exact").json()["total"], 1);
    room.place.is_sound();
}

fn what_only_looks_odd_is_taken(engine: Engine) {
    let room = Room::new(engine);
    let client = &room.server.client;
    for (what, file, added) in [
        ("mixed line ends", b"user_id\n10\r11\r\n12\n\r13".to_vec(), 4),
        ("blanks around names", b" user_id ; reason \n14;\n".to_vec(), 1),
        ("a formula as a text", b"user_id\n=1+1\n'=2+2\n".to_vec(), 2),
        ("a formula with a value", workbook(&(sheet_row(&["user_id"]) + "<row><c><f>10+5</f><v>15</v></c></row>")), 1),
        ("two packed files in one", [gzip("user_id\n16\n"), gzip("17\n")].concat(), 2),
        ("quoted line ends", b"user_id;segment\n\"18\";\"A\"\r\n".to_vec(), 1),
        ("the same twice", b"user_id\n19\n19\n".to_vec(), 1),
    ] {
        let job = import(client, MEMBERS, &file);
        assert_eq!((&job["refused"], &counts(&job)["added"]), (&json!(0), &json!(added)), "{what}: {job}");
    }
    let ids: Vec<Value> = client.get("/segments/A/users").json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["user_id"].clone())
        .collect();
    assert_eq!(ids, ["1", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19", "=1+1", "=2+2"]);
}

fn bombs_are_given_up_early(engine: Engine) {
    let room = Room::new(engine);
    let zeros = vec![b'0'; 200 << 20];
    let lines = "user_id\n".to_owned() + &"2\n".repeat(3 << 20);
    let sheet = sheet_row(&["user_id"]) + &"<row/>".repeat(2 << 20);
    let bombs = [
        ("200 MiB of zeros", gzip(&zeros), "400 invalid line 1:row_too_long"),
        ("many short lines", gzip(&lines), "400 invalid :bomb"),
        ("a workbook of blank rows", workbook(&sheet), "400 invalid :bomb"),
        ("a workbook of zeros", workbook(&String::from_utf8(zeros).unwrap()), "400 invalid :bomb"),
        ("a workbook of blank rows, packed", gzip(workbook(&sheet)), "400 invalid :bomb"),
    ];
    let begun = Instant::now();
    for (what, file, expected) in bombs {
        assert!(file.len() < 4 << 20, "{what} has {} bytes", file.len());
        room.refuses([MEMBERS, USERS].map(|address| (what, address, file.clone(), expected)));
    }
    println!("{:?}", begun.elapsed());
}

/// Sends a head and a part of a body, and tells the status that comes back. Whoever hung up may get none.
fn raw_status(server: &Server, head: &str, body: &[u8], after: After) -> Option<u16> {
    let mut stream = TcpStream::connect(server.base.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = format!("POST /api/v1{MEMBERS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n{head}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    // The server may have refused, and gone, before it has heard all.
    if stream.write_all(body).is_ok() && after == After::HangUp {
        stream.shutdown(Shutdown::Write).ok();
    }
    let mut told = [0; 12];
    stream.read_exact(&mut told).ok()?;
    Some(std::str::from_utf8(&told).unwrap().strip_prefix("HTTP/1.1 ").unwrap().parse().unwrap())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Wait,
    HangUp,
}

fn a_body_beyond_the_bound_is_refused_at_once(engine: Engine) {
    let room = Room::new(engine);
    let before = room.state();
    let begun = Instant::now();
    // None of it is sent.
    assert_eq!(raw_status(&room.server, "Content-Length: 21474836480", b"", After::Wait), Some(413));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let large = "user_id\n".to_owned() + &"2\n".repeat(2 << 20);
    assert!(large.len() > 4 << 20);
    let answer = send(&room.server.client, MEMBERS, &large);
    assert_eq!((answer.status, answer.problem().as_str()), (413, "body_too_large"));
    // One that does not say how long it is is read up to the bound.
    let chunked = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    assert_eq!(raw_status(&room.server, "Transfer-Encoding: chunked", chunked.as_bytes(), After::Wait), Some(413));
    room.is_untouched(&before);
    // And one that fits is taken, though the bound of other bodies is lower.
    let fits = "user_id\n".to_owned() + &"2\n".repeat((1 << 20) + 1);
    assert_eq!(send(&room.server.client, "/segments/A/users/import?dry_run=true", fits).status, 202);
}

fn a_body_that_ends_early_is_refused(engine: Engine) {
    let room = Room::new(engine);
    let before = room.state();
    let part = b"user_id\n2\n3\n";
    for (head, body) in [
        ("Content-Length: 1000", &part[..]),
        ("Transfer-Encoding: chunked", b"c\r\nuser_id\n2\n3\n\r\n"),
        ("Transfer-Encoding: chunked", b"zz\r\nuser_id\n2\n3\n\r\n"),
    ] {
        let status = raw_status(&room.server, head, body, After::HangUp);
        assert!([None, Some(400)].contains(&status), "{head}: {status:?}");
    }
    // A sender that falls asleep is not waited for without end.
    let begun = Instant::now();
    assert_eq!(raw_status(&room.server, "Content-Length: 1000", part, After::Wait), Some(400));
    assert!(begun.elapsed() > Duration::from_millis(400), "{:?}", begun.elapsed());
    // Nor is anything left of one who goes without a word.
    for _ in 0..5 {
        let mut stream = TcpStream::connect(room.server.base.strip_prefix("http://").unwrap()).unwrap();
        let head = format!(
            "POST /api/v1{MEMBERS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nContent-Length: 99\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(part).unwrap();
    }
    room.is_untouched(&before);
}

fn what_is_declared_as_something_else_is_refused(engine: Engine) {
    let room = Room::new(engine);
    let before = room.state();
    for kind in [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/html",
        "application/zip",
        "application/vnd.ms-excel",
        "image/png",
        "csv",
        "",
    ] {
        for address in [MEMBERS, MEMBERSHIPS, USERS] {
            let answer = room.server.client.send("POST", address, &[("content-type", kind)], b"user_id\n2\n");
            assert_eq!(told(&answer), "415 unsupported_media_type", "{kind}");
        }
    }
    let answer = room.server.client.send("POST", MEMBERS, &[], b"user_id\n2\n");
    assert_eq!(told(&answer), "415 unsupported_media_type");
    for coding in ["br", "zstd", "deflate", "gzip, gzip", "nonsense"] {
        let headers = [FILE, ("content-encoding", coding)];
        let answer = room.server.client.send("POST", MEMBERS, &headers, b"user_id\n2\n");
        assert_eq!(told(&answer), "415 unsupported_media_type", "{coding}");
    }
    room.is_untouched(&before);
}

fn parameters_are_read_strictly(engine: Engine) {
    let room = Room::new(engine);
    let file = || b"user_id;segment\n2;A\n".to_vec();
    let cases = [
        ("/segments/A/users/import?mode=merge", "400 invalid mode:invalid_value"),
        ("/segments/A/users/import?mode=", "400 invalid mode:invalid_value"),
        ("/segments/A/users/import?mode=Add", "400 invalid mode:invalid_value"),
        ("/segments/A/users/import?atomic=1", "400 invalid atomic:invalid_value"),
        ("/segments/A/users/import?dry_run=yes", "400 invalid dry_run:invalid_value"),
        ("/segments/A/users/import?ttl=0", "400 invalid ttl:invalid_duration"),
        ("/segments/A/users/import?ttl=soon", "400 invalid ttl:invalid_duration"),
        ("/segments/A/users/import?expires_at=tomorrow", "400 invalid expires_at:invalid_instant"),
        ("/segments/A/users/import?ttl=60&expires_at=2099-01-01T00:00:00Z", "400 invalid ttl:both_given"),
        ("/segments/A/users/import?reason=", "400 invalid reason:invalid_reason"),
        ("/segments/A/users/import?reason=a%00b", "400 invalid reason:invalid_reason"),
        ("/segments/A/users/import?create_segments=true", "400 invalid create_segments:unknown_parameter"),
        ("/segments/A/users/import?dryrun=true", "400 invalid dryrun:unknown_parameter"),
        ("/segments/A/users/import?mode=add&mode=remove", "400 invalid mode:duplicate_key"),
        ("/segments/NOSUCH/users/import", "404 segment_not_found"),
        ("/segments/a%20b/users/import", "400 invalid slug:invalid_slug"),
        ("/memberships/import?create_segments=maybe", "400 invalid create_segments:invalid_value"),
        ("/memberships/import?segment=A", "400 invalid segment:unknown_parameter"),
        ("/users/import?mode=replace", "400 invalid mode:unknown_parameter"),
        ("/users/import?ttl=60", "400 invalid ttl:unknown_parameter"),
    ];
    room.refuses(cases.map(|(address, expected)| ("a good file", address, file(), expected)));
    let before = room.state();
    let long = "k".repeat(256);
    for key in ["", long.as_str()] {
        let answer = room.server.client.send("POST", MEMBERS, &[FILE, ("idempotency-key", key)], &file());
        assert_eq!(told(&answer), "400 invalid Idempotency-Key:invalid_value");
    }
    for address in [
        "/users.csv?header=perhaps",
        "/users.csv?limit=1",
        "/segments/A/users.csv?as_of=now",
        "/segments/stats.csv?kind=odd",
    ] {
        assert_eq!(room.server.client.get(address).problem(), "invalid", "{address}");
    }
    for address in
        ["/users.xml", "/users.csv.zip", "/users.", "/history.CSV", "/segments/A/users.xls", "/segments/stats.json"]
    {
        assert_eq!(room.server.client.get(address).problem(), "route_not_found", "{address}");
    }
    room.is_untouched(&before);
}
