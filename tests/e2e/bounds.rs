//! What one client may cost the others: answers, exports and refusals stay within bounds.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::server::{Engine, Place, Server, on_both_engines, strata};

on_both_engines!(
    an_export_that_is_not_read_is_visibly_broken,
    exports_leave_connections_for_others,
    a_refusal_is_small_however_wrong_the_body_is,
    no_object_passes_for_a_number,
    a_forged_cursor_is_refused,
    a_user_may_be_called_diff,
    a_deadline_in_the_past_is_refused_beside_removals_too,
    a_late_expiry_goes_by_the_name_of_its_time,
    pages_of_other_origins_get_a_problem,
);

/// Long names, so that few rows are more than the buffers between server and reader hold.
pub fn with_a_long_history(engine: Engine, rows: usize) -> Place {
    let place = Place::new(engine);
    let slug = "S".repeat(250);
    let mut content = "user_id,segment\n".to_owned();
    for number in 0..rows {
        content.push_str(&format!("{number:0>120},{slug}\n"));
    }
    let path = place.dir.path().join("long.csv");
    fs::write(&path, content).unwrap();
    let output = place.run(&["import", "memberships", path.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    place
}

/// Asks for the history and reads nothing of the answer yet.
fn begin_export(server: &Server) -> TcpStream {
    let address = server.base.strip_prefix("http://").unwrap();
    let mut reader = TcpStream::connect(address).unwrap();
    write!(reader, "GET /api/v1/history.csv HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    reader
}

fn an_export_that_is_not_read_is_visibly_broken(engine: Engine) {
    let place = with_a_long_history(engine, 40_000);
    // A pool of four has one place for exports.
    let server = place.serve_with(&[("STRATA_EXPORT_PATIENCE_MS", "200"), ("STRATA_POOL_SIZE", "4")]);
    let mut reader = begin_export(&server);
    let mut told = vec![0; 12];
    reader.read_exact(&mut told).unwrap();
    assert_eq!(told, b"HTTP/1.1 200");
    // As long as others find that place taken, the server waits for this reader.
    let whole = wait_for_an_export(&server);
    reader.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // A broken connection may also be reset.
    let ended = reader.read_to_end(&mut told);
    assert!(told.len() < whole, "{} of {whole} bytes were read: the buffers took it all", told.len());
    assert!(ended.is_err() || !told.ends_with(b"0\r\n\r\n"), "a part of the history ends as a whole one does");
}

/// Asks until there is a place for an export, and tells how many bytes it has.
fn wait_for_an_export(server: &Server) -> usize {
    let begun = Instant::now();
    loop {
        let answer = server.client.get("/history.csv");
        if answer.status == 200 {
            return answer.text.len();
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "the place of an export is not freed");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn exports_leave_connections_for_others(engine: Engine) {
    let place = with_a_long_history(engine, 40_000);
    let settings = [("STRATA_POOL_SIZE", "4"), ("STRATA_POOL_TIMEOUT_MS", "10000")];
    let server = place.serve_with(&settings);
    let mut asleep = begin_export(&server);
    let mut first = [0; 12];
    asleep.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let second = server.client.get("/history.csv");
    assert_eq!((second.status, second.problem().as_str(), second.header("retry-after")), (503, "busy", Some("1")));
    for _ in 0..20 {
        assert_eq!(server.client.get("/users/1/segments").status, 200);
    }
    // When its reader goes, the place is free again.
    drop(asleep);
    wait_for_an_export(&server);
}

fn a_refusal_is_small_however_wrong_the_body_is(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let empties = format!("[{}\"\"]", "\"\",".repeat(300_000));
    let long = "k".repeat(500_000);
    for (path, body) in [
        ("/users/1/segments", format!("{{\"add\":{empties}}}")),
        ("/users/segments/lookup", format!("{{\"user_ids\":{empties}}}")),
        ("/users/1/segments", format!("{{\"remove\":[{}\"\"]}}", "\"\",".repeat(900))),
        ("/users", format!("{{\"{long}\":1}}")),
        ("/users", format!("{{\"user_id\":\"{long}\"}}")),
        ("/users", format!("{{\"attributes\":{{\"{long}\":{{\"a\":1,\"a\":2}}}}}}")),
        ("/segments", format!("{{\"slug\":\"{long}\"}}")),
    ] {
        let answer = server.client.send("POST", path, &[("content-type", "application/json")], body.as_bytes());
        assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid"), "{path}");
        assert!(answer.text.len() < 100_000, "{path}: {} bytes", answer.text.len());
    }
}

fn no_object_passes_for_a_number(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    server.client.has_segment("A");
    for (path, body) in [
        ("/segments/A/distribute", r#"{"percent":{"$serde_json::private::Number":"10"}}"#),
        ("/users", r#"{"user_id":{"$serde_json::private::Number":"777"}}"#),
        ("/users", r#"{"attributes":{"a":{"$serde_json::private::\u004eumber":"5"}}}"#),
    ] {
        let answer = server.client.send("POST", path, &[("content-type", "application/json")], body.as_bytes());
        assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid"), "{body}");
    }
    assert_eq!(server.client.get("/users?count=exact").json()["total"], 0);
}

fn a_forged_cursor_is_refused(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    // Each is base64url of `[sort, value, slug]`, with a NUL in the value, and of a slug that is not the value.
    for (address, cursor) in [
        ("/segments?sort=name", "WyJuYW1lIiwiYVx1MDAwMGIiLCJBIl0"),
        ("/segments/stats?sort=slug", "WyJzbHVnIiwiYVx1MDAwMGIiLCJBIl0"),
        ("/segments?sort=slug", "WyJzbHVnIiwiQiIsIkEiXQ"),
    ] {
        let answer = server.client.get(&format!("{address}&cursor={cursor}"));
        assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid"), "{address}");
        assert_eq!(answer.json()["errors"][0]["code"], "invalid_cursor");
    }
}

fn a_user_may_be_called_diff(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    server.client.has_segment("A");
    assert_eq!(server.client.put("/segments/A/users/diff", json!({})).json()["added"], json!(["A"]));
    assert_eq!(server.client.segments_of("diff"), ["A"]);
    assert_eq!(server.client.delete("/segments/A/users/diff").json()["removed"], json!(["A"]));
}

fn a_deadline_in_the_past_is_refused_beside_removals_too(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    server.client.has_segment("A");
    server.client.post("/users/1/segments", json!({"add": ["A"]}));
    for body in [
        json!({"remove": ["A"], "expires_at": "2020-01-01T00:00:00Z"}),
        json!({"add": [{"slug": "A", "ttl": "P1D"}], "expires_at": "2020-01-01T00:00:00Z"}),
    ] {
        let answer = server.client.post("/users/1/segments", body);
        assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid"));
        let fault = &answer.json()["errors"][0];
        assert_eq!((&fault["pointer"], &fault["code"]), (&json!("/expires_at"), &json!("in_the_past")));
    }
    assert_eq!(server.client.segments_of("1"), ["A"]);
}

fn a_late_expiry_goes_by_the_name_of_its_time(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve_with(&[("STRATA_WORKER", "false")]);
    let client = &server.client;
    client.has_segment("OLD");
    client.post("/users/1/segments", json!({"add": ["OLD"], "ttl": 1}));
    let begun = Instant::now();
    while !client.segments_of("1").is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the deadline does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(client.post("/segments/OLD/rename", json!({"slug": "NEW"})).status, 200);
    client.post("/users/1/segments", json!({"add": ["NEW"]}));
    let rows = client.get("/history").json()["items"].as_array().unwrap().clone();
    let told: Vec<(&str, &str)> =
        rows.iter().map(|row| (row["segment"].as_str().unwrap(), row["operation"].as_str().unwrap())).collect();
    assert_eq!(told, [("OLD", "add"), ("OLD", "remove"), ("NEW", "add")]);
    place.is_sound();
}

fn pages_of_other_origins_get_a_problem(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve_with(&[("STRATA_CORS_ORIGINS", "https://console.example.com")]);
    let ask = |origin: &str| {
        let headers = [("origin", origin), ("access-control-request-method", "GET"), ("x-request-id", "from-a-page")];
        server.client.send("OPTIONS", "/segments", &headers, b"")
    };
    assert_eq!(ask("https://console.example.com").status, 200);
    let refused = ask("https://elsewhere.example.com");
    assert_eq!((refused.status, refused.problem().as_str()), (400, "refused"));
    assert_eq!(refused.header("x-request-id"), Some("from-a-page"));
    assert_eq!(refused.json()["request_id"], "from-a-page");
}

/// Settings are the same for both engines.
#[test]
fn mistakes_in_settings_are_all_told_at_once_and_without_secrets() {
    let mut command = strata();
    command.arg("check").env("STRATA_POOL_SIZE", "0").env("STRATA_LOG", "loud").env("STRATA_WROKER", "true");
    let output = command.args(["--database-url", "postgres://strata:hunter2"]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    for key in
        ["pool_size (STRATA_POOL_SIZE)", "log (STRATA_LOG)", "wroker (STRATA_WROKER)", "database_url (--database-url)"]
    {
        assert!(told.contains(key), "{key} in:\n{told}");
    }
    assert!(!told.contains("hunter2"), "{told}");
}

#[cfg(unix)]
#[test]
fn an_environment_that_is_not_text_is_no_reason_to_end() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let place = Place::new(Engine::Sqlite);
    let broken = OsStr::from_bytes(b"\xff");
    let ours = |name| place.command(&["migrate"]).env(name, broken).output().unwrap();
    assert!(ours("FOO").status.success());
    let refused = ours("STRATA_LISTEN");
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("STRATA_LISTEN: is not UTF-8"));
}

#[test]
fn a_file_that_is_not_there_makes_no_store() {
    let place = Place::new(Engine::Sqlite);
    assert!(!place.run(&["import", "users", "no-such-file.csv"]).status.success());
    let left: Vec<_> = fs::read_dir(place.dir.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// One event is one line of the log, as text and as JSON, with the id of its request.
#[test]
fn each_line_of_the_log_names_its_request() {
    let place = Place::new(Engine::Sqlite);
    for format in ["text", "json"] {
        let path = place.dir.path().join(format!("{format}.log"));
        // The shell becomes the binary, with its log in a file.
        let mut command = Command::new("sh");
        command.args(["-c", r#"exec "$0" "$@" 2>"$LOG_FILE""#]).arg(strata().get_program()).env("LOG_FILE", &path);
        let server = Server::launch(command, &place, &[("STRATA_LOG_FORMAT", format)]);
        server.client.send("GET", "/segments/NONE", &[("x-request-id", "asked-by-a-test")], b"");
        assert!(server.stop().success());
        let log = fs::read_to_string(&path).unwrap();
        let line = log.lines().find(|line| line.contains("asked-by-a-test")).unwrap_or_else(|| panic!("{log}"));
        assert!(line.contains("/api/v1/segments/NONE") && line.contains("404"), "{line}");
        if format == "json" {
            for line in log.lines() {
                let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
                assert!(line["at"].is_string() && line["level"].is_string() && line["message"].is_string());
            }
        }
    }
}
