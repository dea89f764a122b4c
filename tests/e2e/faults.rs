//! Ends without warning in the middle of long acts, and disks without room: nothing is lost, doubled or stuck.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use testkit::TempPostgres;

use crate::{
    bounds::with_a_long_history,
    client::Client,
    crashes::{bounded, limit},
    jobs::{begun, counts, ended, history_rows, import, job, members, rows, send, under_way, undo, until},
    races::{at_once, patient},
    server::{Engine, Place, Server, on_both_engines},
};

on_both_engines!(
    a_killed_process_leaves_its_jobs_to_others,
    a_stop_in_the_middle_releases_a_job_at_once,
    two_equal_imports_at_once_add_each_pair_once,
    imports_that_cross_leave_a_whole_behind,
    a_full_disk_refuses_files_and_leaves_nothing,
    a_file_that_is_not_read_on_is_visibly_broken,
);

fn numbered(range: std::ops::Range<usize>) -> String {
    range.fold("user_id\n".to_owned(), |text, number| text + &format!("u{number:0>6}\n"))
}

/// How long a job may lie with nobody: half a minute until its claim lapses, and some time for a slow machine.
const RESUMED_WITHIN: Duration = Duration::from_secs(60);

/// The cases wait for the same half minute side by side.
fn a_killed_process_leaves_its_jobs_to_others(engine: Engine) {
    let cases: [fn(Engine); 6] = [
        killed_while_importing,
        killed_while_replacing,
        killed_while_importing_as_a_whole,
        killed_while_taking_back,
        killed_while_reporting,
        killed_beside_another_worker,
    ];
    thread::scope(|scope| {
        let threads: Vec<_> = cases.map(|case| scope.spawn(move || case(engine))).into_iter().collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// Kills the server in the middle of a job, starts it again, and waits for the job's end.
fn killed_in(place: &Place, server: Server, begun: &Value) -> (Server, Value) {
    let before = under_way(&server.client, begun);
    server.kill();
    place.is_sound();
    let server = place.serve();
    is_resumed(&server, &before);
    let done = ended(&server.client, begun);
    (server, done)
}

/// Waits until somebody comes forward with a job.
fn is_resumed(server: &Server, before: &Value) {
    let begun = Instant::now();
    until("somebody goes on with it", || {
        let now = job(&server.client, &before["id"]);
        let moved = now["progress"]["done"].as_u64() > before["progress"]["done"].as_u64();
        (moved || now["state"] == "done").then_some(())
    });
    println!("{} went on after {:?}", before["kind"], begun.elapsed());
    assert!(begun.elapsed() < RESUMED_WITHIN, "{:?}", begun.elapsed());
}

fn killed_while_importing(engine: Engine) {
    const ROWS: usize = 80_000;
    let place = Place::new(engine);
    let server = place.serve();
    server.client.has_segment("A");
    let begun = begun(&send(&server.client, "/segments/A/users/import", numbered(0..ROWS) + "a b\n"));
    let (server, done) = killed_in(&place, server, &begun);
    assert_eq!((&done["state"], &done["refused"]), (&json!("done"), &json!(1)), "{done}");
    assert_eq!(counts(&done), json!({"added": ROWS, "users_created": ROWS}));
    assert_eq!((members(&server.client, "A"), history_rows(&server.client)), (ROWS as u64, ROWS as u64));
    // All that it did can still be taken back.
    assert_eq!(counts(&undo(&server.client, &done)), json!({"removed": ROWS}));
    assert_eq!(members(&server.client, "A"), 0);
    place.is_sound();
}

fn killed_while_replacing(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    server.client.has_segment("A");
    import(&server.client, "/segments/A/users/import", numbered(0..60_000));
    let answer = send(&server.client, "/segments/A/users/import?mode=replace", numbered(20_000..80_000));
    let (server, done) = killed_in(&place, server, &begun(&answer));
    assert_eq!(
        counts(&done),
        json!({"added": 20_000, "removed": 20_000, "unchanged": 40_000, "users_created": 20_000})
    );
    assert_eq!((members(&server.client, "A"), history_rows(&server.client)), (60_000, 100_000));
    assert_eq!(server.client.segments_of("u000000"), Vec::<String>::new());
    assert_eq!(server.client.segments_of("u079999"), ["A"]);
    place.is_sound();
}

/// Nothing of it is seen before it is whole, so that it begins anew.
fn killed_while_importing_as_a_whole(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    server.client.has_segment("A");
    let begun = begun(&send(&server.client, "/segments/A/users/import?atomic=true", numbered(0..60_000)));
    let before = until("somebody works at it", || {
        let job = job(&server.client, &begun["id"]);
        (job["state"] == "running").then_some(job)
    });
    server.kill();
    place.is_sound();
    let server = place.serve();
    assert_eq!((members(&server.client, "A"), history_rows(&server.client)), (0, 0));
    is_resumed(&server, &before);
    let done = ended(&server.client, &before);
    assert_eq!(counts(&done), json!({"added": 60_000, "users_created": 60_000}));
    assert_eq!((members(&server.client, "A"), history_rows(&server.client)), (60_000, 60_000));
    place.is_sound();
}

fn killed_while_taking_back(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    server.client.has_segment("A");
    let imported = import(&server.client, "/segments/A/users/import", numbered(0..50_000));
    let asked = server.client.send("POST", &format!("/jobs/{}/undo", imported["id"]), &[], b"");
    let (server, done) = killed_in(&place, server, &begun(&asked));
    assert_eq!((&done["state"], counts(&done)), (&json!("done"), json!({"removed": 50_000})));
    assert_eq!((members(&server.client, "A"), history_rows(&server.client)), (0, 100_000));
    place.is_sound();
}

fn killed_while_reporting(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    server.client.has_segment("A");
    import(&server.client, "/segments/A/users/import", numbered(0..60_000));
    let before = thread::scope(|scope| {
        let client = server.client.clone();
        scope.spawn(move || {
            let body = json!({"format": "xlsx", "link_ttl": "P1D"}).to_string();
            // Nobody answers: the server is killed.
            client.try_send("POST", "/reports/history", &[("content-type", "application/json")], body.as_bytes()).ok();
        });
        let before = until("the report is begun", || {
            let found = server.client.get("/jobs?kind=report").json()["items"][0].clone();
            (!found.is_null()).then_some(found)
        });
        assert_eq!(before["state"], "running", "it was too quick: {before}");
        server.kill();
        before
    });
    let server = place.serve();
    is_resumed(&server, &before);
    let done = ended(&server.client, &before);
    assert_eq!((&done["state"], &done["report"]["rows"]), (&json!("done"), &json!(60_000)), "{done}");
    // The link names the server that the question reached.
    let link = done["result_url"].as_str().unwrap();
    let file = server.client.get(link.strip_prefix(&format!("{}/api/v1", server.base)).unwrap());
    let digest: String = Sha256::digest(&file.bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((&done["report"]["sha256"], rows(&file.bytes).len()), (&json!(digest), 60_000));
    place.is_sound();
}

fn killed_beside_another_worker(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve_with(&[("STRATA_WORKER", "false")]);
    server.client.has_segment("A");
    let begun = begun(&send(&server.client, "/segments/A/users/import", numbered(0..60_000)));
    let first = place.work(&[]);
    let before = under_way(&server.client, &begun);
    let _second = place.work(&[]);
    drop(first);
    is_resumed(&server, &before);
    let done = ended(&server.client, &begun);
    assert_eq!(counts(&done), json!({"added": 60_000, "users_created": 60_000}));
    assert_eq!((members(&server.client, "A"), history_rows(&server.client)), (60_000, 60_000));
    place.is_sound();
}

fn a_stop_in_the_middle_releases_a_job_at_once(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    server.client.has_segment("A");
    let begun = begun(&send(&server.client, "/segments/A/users/import", numbered(0..80_000)));
    let before = under_way(&server.client, &begun);
    assert!(server.stop().success());
    place.is_sound();
    let server = place.serve_with(&[("STRATA_WORKER", "false")]);
    let released = job(&server.client, &begun["id"]);
    assert_eq!(released["state"], "queued", "{released}");
    assert!(released["progress"]["done"].as_u64() >= before["progress"]["done"].as_u64(), "{released}");
    assert_eq!(json!(members(&server.client, "A")), released["counts"]["added"]);
    // Whoever comes next goes on at once.
    let taken = Instant::now();
    let output = place.run(&["work", "--once"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(taken.elapsed() < Duration::from_secs(25), "it waited for {:?}", taken.elapsed());
    let done = job(&server.client, &begun["id"]);
    assert_eq!((&done["state"], counts(&done)), (&json!("done"), json!({"added": 80_000, "users_created": 80_000})));
    assert_eq!((members(&server.client, "A"), history_rows(&server.client)), (80_000, 80_000));
    place.is_sound();
}

fn two_equal_imports_at_once_add_each_pair_once(engine: Engine) {
    const ROWS: usize = 25_000;
    let place = Place::new(engine);
    let servers = [patient(&place), patient(&place)];
    let file: String = (0..ROWS).map(|number| format!("u{number};S{}\n", number % 3)).collect();
    let file = format!("user_id;segment\n{file}");
    let path = "/memberships/import?create_segments=true";
    let done = at_once(4, |number| import(&servers[number % 2].client, path, &file));
    let sum = |count: &str| done.iter().map(|job| job["counts"][count].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("added"), sum("unchanged")), (ROWS as u64, 3 * ROWS as u64));
    assert_eq!((sum("users_created"), sum("segments_created")), (ROWS as u64, 3));
    let client = &servers[0].client;
    assert_eq!(history_rows(client), ROWS as u64);
    assert_eq!((0..3).map(|slug| members(client, &format!("S{slug}"))).sum::<u64>(), ROWS as u64);
    // Small ones, which are done while their callers wait, as well.
    let small = numbered(0..3_000);
    client.has_segment("A");
    let done = at_once(6, |number| import(&servers[number % 2].client, "/segments/A/users/import", &small));
    assert_eq!(done.iter().map(|job| job["counts"]["added"].as_u64().unwrap()).sum::<u64>(), 3_000);
    assert_eq!(members(client, "A"), 3_000);
    // Of two askings to take the same back, one is heard.
    let path = format!("/jobs/{}/undo", done[0]["id"]);
    let answers = at_once(4, |number| servers[number % 2].client.send("POST", &path, &[], b""));
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 409).count(), 3);
    place.is_sound();
}

fn imports_that_cross_leave_a_whole_behind(engine: Engine) {
    let place = Place::new(engine);
    let server = patient(&place);
    let client = &server.client;
    client.has_segment("A");
    let file = |user: usize| numbered(user..user + 8_000);
    for _ in 0..2 {
        let done = at_once(4, |number| {
            let mode = ["add", "remove", "replace", "add&atomic=true"][number];
            import(client, &format!("/segments/A/users/import?mode={mode}"), file(number * 2_000))
        });
        let change = |job: &Value| {
            let count = |name: &str| job["counts"][name].as_i64().unwrap();
            count("added") - count("removed")
        };
        println!("{} more", done.iter().map(change).sum::<i64>());
        place.is_sound();
    }
    let all: i64 = client.get("/jobs?limit=1000").json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["counts"]["added"].as_i64().unwrap() - job["counts"]["removed"].as_i64().unwrap())
        .sum();
    assert_eq!(members(client, "A") as i64, all, "what was told is what is there");
}

/// Files of the server end at 2 MiB, which is what a full disk is to it, and needs no rights.
fn a_full_disk_refuses_files_and_leaves_nothing(engine: Engine) {
    let place = Place::new(engine);
    let server = bounded(&place, "4096");
    let client = &server.client;
    client.has_segment("A");
    let too_large = numbered(0..400_000);
    assert!(too_large.len() > 2 << 20);
    let refused = send(client, "/segments/A/users/import", &too_large);
    assert_eq!((refused.status, refused.problem().as_str()), (503, "unavailable"));
    assert!(refused.header("retry-after").is_some() && !refused.text.contains("/tmp"), "{}", refused.text);
    let folders = || std::fs::read_dir(place.files().join("imports")).map_or(0, Iterator::count);
    assert_eq!((folders(), members(client, "A"), history_rows(client)), (0, 0, 0));
    assert_eq!(client.get("/jobs?count=exact").json()["total"], 0);

    // There is room for the file, and none for what is refused of it.
    let bad = format!("user_id\n{}", "a b\n".repeat(100_000));
    let failed = ended(client, &begun(&send(client, "/segments/A/users/import", &bad)));
    assert_eq!((&failed["state"], &failed["errors_url"]), (&json!("failed"), &Value::Null), "{failed}");
    assert!(failed["problem"].as_str().is_some_and(|problem| !problem.is_empty()), "{failed}");
    assert_eq!((members(client, "A"), history_rows(client)), (0, 0));
    place.is_sound();

    if engine == Engine::Postgres {
        // The rows of a report find room in the store, which is elsewhere, and the file does not.
        import(client, "/segments/A/users/import", numbered(0..30_000));
        let answer = client.post("/reports/history", json!({"format": "ndjson"}));
        let failed = answer.json();
        assert_eq!(
            (answer.status, &failed["state"], &failed["result_url"]),
            (200, &json!("failed"), &Value::Null),
            "{failed}"
        );
        assert!(failed["problem"].as_str().is_some_and(|problem| !problem.is_empty()), "{failed}");
        let reports = place.files().join("reports");
        let left =
            std::fs::read_dir(reports).unwrap().flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
        assert_eq!(left.count(), 0, "a part of a report is left");
        // One that fits is written all the same.
        assert_eq!(client.post("/reports/stats", json!({})).status, 201);
    }
    let server = match limit(&server, "unlimited") {
        true => server,
        false => {
            server.kill();
            place.serve()
        }
    };
    let client = &server.client;
    let done = import(client, "/segments/A/users/import?dry_run=true", &too_large);
    assert_eq!(done["progress"]["done"], 400_000);
    assert_eq!(client.post("/reports/history", json!({"format": "ndjson"})).status, 201);
    place.is_sound();
}

/// Asks for a file and reads nothing of it yet.
fn begin(server: &Server, path: &str) -> TcpStream {
    let address = server.base.strip_prefix("http://").unwrap();
    let mut reader = TcpStream::connect(address).unwrap();
    write!(reader, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    reader.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    reader
}

fn a_file_that_is_not_read_on_is_visibly_broken(engine: Engine) {
    let place = with_a_long_history(engine, 40_000);
    // A pool of four has one place for exports.
    let server = place.serve_with(&[("STRATA_EXPORT_PATIENCE_MS", "200"), ("STRATA_POOL_SIZE", "4")]);
    let slug = "S".repeat(250);
    let report = server.client.post("/reports/history", json!({"format": "ndjson"})).json();
    let link = report["link"].as_str().unwrap().strip_prefix(&server.base).unwrap().to_owned();
    let exports = [format!("/api/v1/segments/{slug}/users.ndjson"), "/api/v1/history.ndjson".to_owned()];
    for path in exports.iter().chain([&link]) {
        let mut asleep = begin(&server, path);
        let mut told = vec![0; 12];
        asleep.read_exact(&mut told).unwrap();
        assert_eq!(told, b"HTTP/1.1 200", "{path}");
        // The place of an export is free when the server has given the reader up, and so is its connection.
        let whole = whole_of(&server.client, path);
        // A broken connection may also be reset.
        let end = asleep.read_to_end(&mut told);
        if path != &link {
            assert!(told.len() < whole, "{path}: {} of {whole} bytes were read: the buffers took it all", told.len());
            assert!(end.is_err() || !told.ends_with(b"0\r\n\r\n"), "{path}: a part ends as a whole does");
        }
    }
    // A report's file holds no connection, but its reader is given up as well.
    let mut asleep = begin(&server, &link);
    let mut told = vec![0; 12];
    asleep.read_exact(&mut told).unwrap();
    let patience = Instant::now() + Duration::from_secs(1);
    while Instant::now() < patience {
        assert_eq!(server.client.get("/users/1/segments").status, 200);
    }
    let end = asleep.read_to_end(&mut told);
    assert!(end.is_err() || !told.ends_with(b"0\r\n\r\n"), "a part ends as a whole does");
}

/// Asks until there is a place for an export, and tells how many bytes it has.
fn whole_of(client: &Client, path: &str) -> usize {
    until("there is a place for an export", || {
        let answer = client.get(&format!("/{path}"));
        (answer.status == 200).then_some(answer.bytes.len())
    })
}

#[test]
fn postgres_restarted_in_the_middle_of_an_import_costs_nothing() {
    let postgres = TempPostgres::start();
    let place = Place::on(&postgres);
    let server = place.serve_with(&[("STRATA_POOL_TIMEOUT_MS", "300")]);
    let client = &server.client;
    ["A", "B"].into_iter().for_each(|slug| client.has_segment(slug));
    // One that a worker carries out, and one whose caller waits.
    let long = begun(&send(client, "/segments/A/users/import", numbered(0..80_000)));
    under_way(client, &long);
    let short = thread::scope(|scope| {
        let short = scope.spawn(|| send(client, "/segments/B/users/import", numbered(0..10_000)));
        until("the short one is begun", || {
            let total = client.get("/jobs?count=exact&limit=1").json()["total"].as_u64();
            (total == Some(2)).then_some(())
        });
        postgres.stop();
        postgres.restart();
        short.join().unwrap()
    });
    println!("the caller hears {} {}", short.status, short.text);
    let done = ended(client, &long);
    assert_eq!((&done["state"], counts(&done)), (&json!("done"), json!({"added": 80_000, "users_created": 80_000})));
    let short = ended(client, &client.get("/jobs?limit=1").json()["items"][0]);
    assert_eq!((&short["state"], &short["counts"]["added"]), (&json!("done"), &json!(10_000)), "{short}");
    assert_eq!((members(client, "A"), members(client, "B"), history_rows(client)), (80_000, 10_000, 90_000));
    place.is_sound();
}
