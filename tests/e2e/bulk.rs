//! Lists of any length, in and out: imported, taken back, exported, and imported elsewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    bad_input::encoded,
    client::{Answer, Client},
    jobs::{
        FILE, FORMS, begun, counts, ended, gzip, history_rows, import, job, members, rows, send, table, under_way,
        undo, until,
    },
    s3_server::{BUCKET, KEY_ID, S3Server, SECRET},
    server::{Engine, Place, Server, on_both_engines},
};

on_both_engines!(
    files_of_every_form_are_taken,
    ten_thousand_rows_are_done_at_once_and_more_become_a_job,
    a_job_is_followed_to_its_end_by_events,
    who_follows_a_job_does_not_keep_the_server_from_ending,
    users_are_born_and_completed,
    joining_instants_come_along,
    replace_writes_only_the_differences,
    a_rehearsal_tells_the_effect_and_changes_nothing,
    an_atomic_import_is_whole_or_nothing,
    refused_rows_are_mended_and_sent_again,
    an_import_is_taken_back_exactly,
    a_taking_back_can_be_taken_back,
    every_export_comes_in_again_unchanged,
    the_past_is_exported_as_it_was,
    members_who_are_searched_are_exported_and_reported_as_the_list_tells_them,
    a_search_of_members_that_finds_nobody_leaves_the_head_alone,
    a_search_of_members_that_is_no_search_is_refused_by_name,
    numbers_of_segments_are_exported,
    ids_stay_texts_and_dates_stay_dates_in_a_sheet,
    a_report_is_fetched_by_its_link_alone,
    a_link_ends_when_it_says,
    a_month_is_reported_for_all_users,
    reports_lie_in_a_bucket,
    a_running_import_is_cancelled_and_taken_back,
    a_waiting_job_is_cancelled_at_once,
    an_import_with_a_key_happens_once,
    jobs_are_listed_filtered_and_paged,
    the_beginning_of_history_is_forgotten,
    stale_segments_are_named_and_deleted,
);

const JSON: (&str, &str) = ("content-type", "application/json");

fn ok(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// `user_id` and the numbers of a range, one a line.
fn numbered(range: std::ops::Range<usize>) -> String {
    range.fold("user_id\n".to_owned(), |text, number| text + &format!("u{number:0>6}\n"))
}

fn ids(client: &Client, slug: &str) -> Vec<String> {
    let page = ok(&client.get(&format!("/segments/{slug}/users?limit=1000")));
    page["items"].as_array().unwrap().iter().map(|one| one["user_id"].as_str().unwrap().to_owned()).collect()
}

fn files_of_every_form_are_taken(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("A");
    let sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    let one = |form: &str, id: &'static str| table(form, &["user_id"], [[id]]);
    let files = [
        ("text/csv", b"user_id;segment\n01;A\n".to_vec()),
        ("text/csv; charset=utf-8", b"user_id,reason\n02,\"one, two\"\r\n".to_vec()),
        ("text/tab-separated-values", b"segment\tuser_id\nA\t03".to_vec()),
        ("text/plain", b"\xef\xbb\xbfuser_id\r\n04\r\n\r\n".to_vec()),
        ("application/csv", b"\n\n\"user_id\"\n\"05\"\n".to_vec()),
        ("application/gzip", gzip("user_id\n06\n")),
        ("application/x-ndjson", b"{\"user_id\":\"07\"}\n\n{\"user_id\":8,\"reason\":\"a number\"}".to_vec()),
        ("application/ndjson", gzip("{\"user_id\":\"09\"}\n")),
        ("application/jsonl", b" {\"user_id\":\"10\"}".to_vec()),
        (sheet, one("xlsx", "11")),
        ("Application/Octet-Stream", one("xlsx.gz", "12")),
    ];
    for (kind, file) in &files {
        let answer = client.send("POST", "/segments/A/users/import", &[("content-type", kind)], file);
        let job = begun(&answer);
        assert_eq!((&job["state"], &job["refused"]), (&json!("done"), &json!(0)), "{kind}: {job}");
    }
    // What travels packed is unpacked on arrival.
    let headers = [("content-type", "text/csv"), ("content-encoding", "gzip")];
    let answer = client.send("POST", "/segments/A/users/import", &headers, &gzip("user_id\n13\n"));
    assert_eq!(ok(&answer)["counts"]["added"], 1, "{}", answer.text);
    assert_eq!(ids(client, "A"), ["01", "02", "03", "04", "05", "06", "07", "09", "10", "11", "12", "13", "8"]);
    place.is_sound();
}

fn ten_thousand_rows_are_done_at_once_and_more_become_a_job(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("A");
    let answer = send(client, "/segments/A/users/import?ttl=P1D&reason=why", numbered(0..10_000));
    let job = begun(&answer);
    assert_eq!(answer.status, 200);
    assert_eq!(counts(&job), json!({"added": 10_000, "users_created": 10_000}));
    assert_eq!((&job["progress"]["done"], &job["progress"]["total"]), (&json!(10_000), &json!(10_000)));
    let held = ok(&client.get("/users/u000007/memberships"))["items"][0].clone();
    assert!(held["expires_at"].is_string() && held["reason"] == "why" && held["source"] == "import", "{held}");

    let answer = send(client, "/segments/A/users/import", numbered(9_000..19_001));
    assert_eq!(answer.status, 202, "{}", answer.text);
    let waiting = begun(&answer);
    assert_eq!((&waiting["kind"], &waiting["progress"]["total"]), (&json!("import_memberships"), &json!(10_001)));
    let done = ended(client, &waiting);
    assert_eq!(counts(&done), json!({"added": 9_001, "unchanged": 1_000, "users_created": 9_001}));
    for field in ["created_at", "started_at", "finished_at"] {
        assert!(done[field].is_string(), "{done}");
    }
    assert_eq!((&done["errors_url"], &done["problem"], &done["actor"]), (&Value::Null, &Value::Null, &json!("api")));
    assert_eq!((members(client, "A"), history_rows(client)), (19_001, 19_001));
    place.is_sound();
}

fn a_job_is_followed_to_its_end_by_events(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve_with(&[("STRATA_WORKER", "false")]);
    let client = &server.client;
    client.has_segment("A");
    let waiting = begun(&send(client, "/segments/A/users/import", numbered(0..40_000)));
    let (mut stream, mut told) = followed(&server, &waiting);
    // Only now somebody begins to work.
    let _worker = place.work(&[]);
    stream.read_to_end(&mut told).unwrap();
    let told = String::from_utf8(told).unwrap();
    assert!(told.to_lowercase().contains("content-type: text/event-stream"), "{told}");
    assert!(told.ends_with("0\r\n\r\n"), "{told}");
    assert_eq!(told.matches("data: {").count(), told.matches("event: job\n").count(), "{told}");
    let events: Vec<Value> = told
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    let done: Vec<u64> = events.iter().map(|event| event["progress"]["done"].as_u64().unwrap()).collect();
    assert!(done.is_sorted() && done.first() == Some(&0) && done.last() == Some(&40_000), "{done:?}");
    assert_eq!((&events[0]["state"], &events.last().unwrap()["state"]), (&json!("queued"), &json!("done")));
    assert!(events.len() >= 3, "{events:?}");
    assert_eq!(events.last().unwrap(), &job(client, &waiting["id"]));
    // Whoever comes late hears the end at once.
    let late = client.get(&format!("/jobs/{}/events", waiting["id"]));
    let data = late.text.strip_prefix("event: job\ndata: ").unwrap().strip_suffix("\n\n").unwrap();
    assert_eq!(&serde_json::from_str::<Value>(data).unwrap(), events.last().unwrap());
}

/// The events of a job, up to the first one.
fn followed(server: &Server, job: &Value) -> (TcpStream, Vec<u8>) {
    let mut stream = TcpStream::connect(server.base.strip_prefix("http://").unwrap()).unwrap();
    write!(stream, "GET /api/v1/jobs/{}/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", job["id"])
        .unwrap();
    let (mut told, mut piece) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&told).contains("data: {") {
        let length = stream.read(&mut piece).unwrap();
        assert!(length > 0, "{}", String::from_utf8_lossy(&told));
        told.extend(&piece[..length]);
    }
    (stream, told)
}

fn who_follows_a_job_does_not_keep_the_server_from_ending(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve_with(&[("STRATA_WORKER", "false")]);
    server.client.has_segment("A");
    let waiting = begun(&send(&server.client, "/segments/A/users/import", numbered(0..11_000)));
    let (mut stream, mut told) = followed(&server, &waiting);
    let asked = Instant::now();
    assert!(server.stop().success());
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    stream.read_to_end(&mut told).unwrap();
    assert!(told.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&told));
}

fn users_are_born_and_completed(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    assert_eq!(client.post("/segments", json!({"slug": "SHARE", "percent": 100})).status, 201);
    let created =
        client.post("/users", json!({"user_id": "1", "email": "old@y", "attributes": {"kept": true, "age": 3}}));
    assert_eq!(created.status, 201);
    let file = "user_id;name;email;created_at;age;tags;attributes\n\
                1;Анна;;2020-01-01;33;;\"{\"\"deep\"\":{\"\"x\"\":1}}\"\n\
                2;;b@y;2021-02-03T04:05:06+03:00;;a tag;\n\
                3;;;;;;\n\
                3;Third;;;;;\n\
                4;;;2999-01-01;;;\n\
                5;;;;;;nonsense\n";
    let job = import(client, "/users/import", file);
    assert_eq!(job["kind"], "import_users");
    assert_eq!(counts(&job), json!({"created": 2, "updated": 1, "duplicates": 1}));
    let told: Vec<(u64, &str)> = job["refusals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["line"].as_u64().unwrap(), row["column"].as_str().unwrap()))
        .collect();
    assert_eq!((&job["refused"], told), (&json!(2), vec![(6, "created_at"), (7, "attributes")]));

    let anna = ok(&client.get("/users/1"));
    assert_eq!((&anna["name"], &anna["email"], &anna["version"]), (&json!("Анна"), &json!("old@y"), &json!(2)));
    assert_eq!(anna["attributes"], json!({"kept": true, "age": 33, "deep": {"x": 1}}));
    assert_eq!(anna["created_at"], created.json()["created_at"], "who is there was born before");
    let second = ok(&client.get("/users/2"));
    assert_eq!(second["created_at"], "2021-02-03T01:05:06.000000Z");
    assert_eq!((&second["email"], &second["attributes"]), (&json!("b@y"), &json!({"tags": "a tag"})));
    assert_eq!(ok(&client.get("/users/3"))["name"], "Third", "the later row counts");
    assert_eq!(client.get("/users/4").status, 404);
    // Whoever is born takes part in what goes to everybody.
    assert_eq!(ids(client, "SHARE"), ["1", "2", "3"]);

    let again = import(client, "/users/import", "user_id,name\n1,Анна\n2,\n");
    assert_eq!(counts(&again), json!({"unchanged": 2}));
    assert_eq!(ok(&client.get("/users/1"))["version"], 2);
    place.is_sound();
}

fn joining_instants_come_along(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    let file = "user_id;segment;since;expires_at\n\
                1;OLD;2020-05-06T07:08:09.123456+03:00;\n\
                2;OLD;2021-01-01;2099-01-01 00:00:00\n\
                3;OLD;2999-01-01;\n";
    let job = import(client, "/memberships/import?create_segments=true", file);
    assert_eq!(counts(&job), json!({"added": 2, "users_created": 2, "segments_created": 1}));
    assert!(job["refusals"][0]["reason"].as_str().unwrap().contains("in the future"), "{job}");
    let held = ok(&client.get("/segments/OLD/users"))["items"].clone();
    assert_eq!(held[0]["since"], "2020-05-06T04:08:09.123456Z");
    assert_eq!(
        (&held[1]["since"], &held[1]["expires_at"]),
        (&json!("2021-01-01T00:00:00.000000Z"), &json!("2099-01-01T00:00:00.000000Z"))
    );
    let then = |at: &str| ok(&client.get(&format!("/segments/OLD/users?count=exact&as_of={at}")))["total"].clone();
    assert_eq!(
        (then("2020-05-06T04:08:09Z"), then("2020-06-01T00:00:00Z"), then("2022-01-01T00:00:00Z")),
        (json!(0), json!(1), json!(2))
    );
    // The same again keeps the instants.
    let again = import(client, "/memberships/import", file);
    assert_eq!((counts(&again), history_rows(client)), (json!({"unchanged": 2}), 2));
    place.is_sound();
}

fn replace_writes_only_the_differences(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    ["A", "OTHER"].into_iter().for_each(|slug| client.has_segment(slug));
    import(client, "/segments/A/users/import?reason=first", numbered(0..12_000));
    import(client, "/segments/OTHER/users/import", numbered(0..10));
    let before = history_rows(client);
    let path = "/segments/A/users/import?mode=replace&reason=second";
    let replaced = import(client, path, numbered(11_000..23_000));
    assert_eq!(
        counts(&replaced),
        json!({"added": 11_000, "removed": 11_000, "unchanged": 1_000, "users_created": 11_000})
    );
    assert_eq!((members(client, "A"), members(client, "OTHER")), (12_000, 10));
    assert_eq!(history_rows(client) - before, 22_000);
    let stayed = ok(&client.get("/history?segment=A&user_id=u011500"))["items"].clone();
    assert_eq!((stayed.as_array().unwrap().len(), &stayed[0]["reason"]), (1, &json!("first")));
    let left = ok(&client.get("/history?segment=A&user_id=u000000"))["items"][1].clone();
    assert_eq!(
        (&left["operation"], &left["source"], &left["reason"]),
        (&json!("remove"), &json!("import"), &json!("second"))
    );

    let again = import(client, path, numbered(11_000..23_000));
    assert_eq!((counts(&again), history_rows(client) - before), (json!({"unchanged": 12_000}), 22_000));
    // A row that is refused still says who is to stay; only a row that names nobody cannot.
    let file = "user_id;expires_at\nu011000;2001-01-01\nu011001;\nu011002;2099-01-01\na b;\n";
    let small = import(client, "/segments/A/users/import?mode=replace", file);
    assert_eq!(
        (counts(&small), &small["refused"]),
        (json!({"extended": 1, "removed": 11_997, "unchanged": 1}), &json!(2))
    );
    assert_eq!(ids(client, "A"), ["u011000", "u011001", "u011002"]);
    // Each segment that rows name is made anew, and no other.
    let both = "user_id;segment\nu011001;A\nu5;OTHER\n";
    import(client, "/memberships/import?mode=replace", both);
    assert_eq!((ids(client, "A"), ids(client, "OTHER")), (vec!["u011001".to_owned()], vec!["u5".to_owned()]));
    let gone = import(client, "/segments/A/users/import?mode=remove", "user_id\nu011001\nu5\nnobody\n");
    assert_eq!(counts(&gone), json!({"removed": 1, "unchanged": 2}));
    assert_eq!(client.get("/users/nobody").status, 404, "leaving brings nobody to life");
    place.is_sound();
}

/// Everything that an import may change.
fn state(client: &Client) -> Vec<String> {
    let lists = ["/segments?limit=1000", "/users.csv", "/history.ndjson", "/segments/stats.csv"];
    lists.map(|list| client.get(list).text).to_vec()
}

fn a_rehearsal_tells_the_effect_and_changes_nothing(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("A");
    import(client, "/segments/A/users/import", numbered(0..300));
    let few = numbered(200..500);
    let many = numbered(100..10_200);
    for (query, file) in [
        ("mode=add&ttl=60", &few),
        ("mode=remove", &few),
        ("mode=replace", &few),
        ("mode=add&atomic=true", &few),
        ("mode=replace", &many),
    ] {
        let before = state(client);
        let rehearsed = import(client, &format!("/segments/A/users/import?{query}&dry_run=true"), file);
        assert!(state(client) == before, "{query}: a rehearsal changed something");
        assert_eq!(rehearsed["import"]["dry_run"], true);
        // There is nothing to take back.
        assert_eq!(counts(&undo(client, &rehearsed)), json!({}));
        let done = import(client, &format!("/segments/A/users/import?{query}"), file);
        assert_eq!(rehearsed["counts"], done["counts"], "{query}");
        undo(client, &done);
    }
    let before = state(client);
    let file = "user_id;segment;age\n1;NEW;\n";
    assert_eq!(send(client, "/memberships/import?create_segments=true&dry_run=true", file).status, 400);
    let rehearsed = import(client, "/memberships/import?create_segments=true&dry_run=true", "user_id;segment\n1;NEW\n");
    assert_eq!(counts(&rehearsed), json!({"added": 1, "users_created": 1, "segments_created": 1}));
    let rehearsed = import(client, "/users/import?dry_run=true", "user_id;age\n1;5\nu000001;6\n");
    assert_eq!(counts(&rehearsed), json!({"created": 1, "updated": 1}));
    assert!(state(client) == before, "a rehearsal changed something");
    place.is_sound();
}

fn an_atomic_import_is_whole_or_nothing(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("A");
    let before = state(client);
    let refused = send(client, "/segments/A/users/import?atomic=true", "user_id;ttl\n1;\na b;\n2;soon\n");
    assert_eq!((refused.status, refused.problem().as_str()), (400, "invalid"));
    let errors = refused.json()["errors"].clone();
    let pointers: Vec<&str> = errors.as_array().unwrap().iter().map(|one| one["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["line 3", "line 4"], "{errors}");
    assert_eq!(errors[0]["code"], "refused");
    let refused = send(client, "/users/import?atomic=true", "user_id;created_at\n1;\n2;soon\n");
    assert_eq!(refused.problem(), "invalid");
    assert!(state(client) == before, "something changed");

    let bad = numbered(0..12_000) + "a b\n";
    let failed = ended(client, &begun(&send(client, "/segments/A/users/import?atomic=true", &bad)));
    assert_eq!((&failed["state"], &failed["refused"]), (&json!("failed"), &json!(1)));
    assert!(failed["problem"].as_str().unwrap().contains("nothing was imported"), "{failed}");
    let file = client.get(failed["errors_url"].as_str().unwrap().strip_prefix("/api/v1").unwrap());
    assert!(file.text.starts_with("import_line,import_error,user_id\n12002,"), "{}", file.text);
    assert!(state(client) == before, "something changed");

    let good = import(client, "/segments/A/users/import?atomic=true", numbered(0..12_000));
    assert_eq!(counts(&good), json!({"added": 12_000, "users_created": 12_000}));
    place.is_sound();
}

fn refused_rows_are_mended_and_sent_again(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    let columns = &["user_id", "segment", "ttl"];
    let cells = [["1", "A", ""], ["a b", "A", ""], ["2", "NOSUCH", ""], ["3", "A", "soon"], ["=4", "A", ""]];
    client.has_segment("A");
    let delimited = |delimiter: &str| {
        let lines = [*columns].into_iter().chain(cells).map(|row| row.join(delimiter) + "\n");
        lines.collect::<String>().into_bytes()
    };
    let mut forms = vec![("csv", delimited(";")), ("csv", delimited(",")), ("csv", delimited("\t"))];
    for form in ["ndjson", "xlsx", "csv.gz", "ndjson.gz", "xlsx.gz"] {
        forms.push((form, table(form, columns, cells)));
    }
    for (form, file) in forms {
        let format = form.trim_end_matches(".gz");
        let job = import(client, "/memberships/import", &file);
        assert_eq!((&job["refused"], &job["counts"]["added"]), (&json!(3), &json!(2)), "{form}: {job}");
        let lines: Vec<u64> =
            job["refusals"].as_array().unwrap().iter().map(|row| row["line"].as_u64().unwrap()).collect();
        assert_eq!(lines, if format == "ndjson" { [2, 3, 4] } else { [3, 4, 5] });
        let refused = client.get(job["errors_url"].as_str().unwrap().strip_prefix("/api/v1").unwrap());
        assert_eq!(refused.status, 200);
        let name = format!("refused-{}.{format}", job["id"]);
        assert!(refused.header("content-disposition").unwrap().contains(&name), "{refused:?}");
        if form == "csv" {
            let delimiter = char::from(file["user_id".len()]);
            assert!(refused.text.starts_with(&format!("import_line{delimiter}import_error{delimiter}user_id")));
        }
        // What was wrong is said beside each row, and goes when the file is read again.
        let found = rows(&refused.bytes);
        assert!(found.iter().all(|row| row.len() <= 3 && !row.contains_key("import_line")), "{found:?}");
        let mended: Vec<[&str; 3]> = found
            .iter()
            .map(|row| match row["user_id"].as_str() {
                "a b" => ["ab", "A", ""],
                "2" => ["2", "A", ""],
                _ => ["3", "A", "60"],
            })
            .collect();
        let again = if format == "xlsx" {
            table(format, columns, mended)
        } else {
            let text = refused.text.replace("NOSUCH", "A").replace("soon", "60");
            // The reason names the value as well.
            let text: Vec<String> = text
                .lines()
                .map(|line| match line.rfind("a b") {
                    Some(at) => format!("{}ab{}", &line[..at], &line[at + 3..]),
                    None => line.to_owned(),
                })
                .collect();
            text.join("\n").into_bytes()
        };
        let job = import(client, "/memberships/import", &again);
        assert_eq!((&job["refused"], &job["counts"]["added"]), (&json!(0), &json!(3)), "{form}: {job}");
        assert_eq!(ids(client, "A"), ["1", "2", "3", "=4", "ab"]);
        assert_eq!(job["errors_url"], Value::Null);
        assert_eq!(client.get(&format!("/jobs/{}/errors", job["id"])).problem(), "route_not_found");
        import(client, "/segments/A/users/import?mode=remove", "user_id\n1\n2\n3\n=4\nab\n");
    }
    place.is_sound();
}

/// Who is in a segment, since when and until when.
fn held(client: &Client, slug: &str) -> Vec<(String, Value, Value)> {
    let page = ok(&client.get(&format!("/segments/{slug}/users?limit=1000")));
    let member =
        |one: &Value| (one["user_id"].as_str().unwrap().to_owned(), one["since"].clone(), one["expires_at"].clone());
    page["items"].as_array().unwrap().iter().map(member).collect()
}

fn an_import_is_taken_back_exactly(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    ["A", "B"].into_iter().for_each(|slug| client.has_segment(slug));
    let far = "2098-01-01T00:00:00Z";
    let start = format!(
        "user_id;since;expires_at;reason\n1;2020-01-01;;\n2;2020-01-02;{far};\n3;2020-01-03;{far};why\n4;2020-01-04;;\n5;2020-01-05;{far};\n"
    );
    import(client, "/segments/A/users/import", start);
    import(client, "/segments/B/users/import", "user_id\n1\n");
    let before = (held(client, "A"), held(client, "B"));
    let rows_before = history_rows(client);

    // 1 and 2 leave, 3 and 5 get another deadline, 4 stays, 6 to 8 come.
    let file = "user_id;expires_at\n3;2099-01-01\n4;\n5;2099-01-01\n6;\n7;2099-01-01\n8;\n";
    let replaced = import(client, "/segments/A/users/import?mode=replace", file);
    assert_eq!(counts(&replaced), json!({"added": 3, "extended": 2, "removed": 2, "unchanged": 1, "users_created": 3}));
    let after = held(client, "A");
    // Others go on meanwhile: 8 leaves, 5 gets a deadline by hand, 9 comes.
    assert_eq!(client.delete("/users/8/segments/A").status, 200);
    assert_eq!(client.put("/segments/A/users/5", json!({"expires_at": "2097-01-01T00:00:00Z"})).status, 200);
    assert_eq!(client.put("/segments/A/users/9", json!({})).status, 200);

    let back = undo(client, &replaced);
    assert_eq!(counts(&back), json!({"added": 2, "extended": 1, "removed": 2, "unchanged": 2}));
    let mut expected = before.0.clone();
    expected[4].2 = json!("2097-01-01T00:00:00.000000Z");
    expected.push(held(client, "A").pop().unwrap());
    assert_eq!(expected[5].0, "9");
    assert_eq!((held(client, "A"), held(client, "B")), (expected, before.1));
    assert_ne!(after, before.0);
    // The taking back is told in rows of its own, and no row is ever taken away.
    let reason = format!("undo of job {}", replaced["id"]);
    let told: Vec<Value> = ok(&client.get("/history?segment=A&limit=1000"))["items"].as_array().unwrap().clone();
    let own: Vec<&Value> = told.iter().filter(|row| row["reason"] == json!(reason)).collect();
    assert_eq!(own.len(), 5, "{told:?}");
    assert!(own.iter().all(|row| row["source"] == "import" && row["actor"] == "api"), "{own:?}");
    assert_eq!(history_rows(client) - rows_before, 7 + 3 + 5);

    let again = client.send("POST", &format!("/jobs/{}/undo", replaced["id"]), &[], b"");
    assert_eq!((again.status, again.problem().as_str()), (409, "conflict"));
    assert!(again.text.contains("taken back"), "{}", again.text);
    // What was born stays born: only memberships are taken back.
    assert_eq!(client.get("/users/6").status, 200);
    let users = import(client, "/users/import", "user_id\n6\n");
    let refused = client.send("POST", &format!("/jobs/{}/undo", users["id"]), &[], b"");
    assert_eq!((refused.status, refused.problem().as_str()), (409, "conflict"));
    place.is_sound();
}

fn a_taking_back_can_be_taken_back(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("A");
    import(client, "/segments/A/users/import?expires_at=2098-01-01T00:00:00Z", numbered(0..6_000));
    let whole = held(client, "A");
    let replaced = import(client, "/segments/A/users/import?mode=replace", numbered(5_000..17_000));
    let after = held(client, "A");
    let back = undo(client, &replaced);
    assert_eq!(counts(&back), json!({"added": 5_000, "removed": 11_000}));
    assert_eq!((members(client, "A"), held(client, "A")), (6_000, whole.clone()));
    let forth = undo(client, &back);
    assert_eq!(counts(&forth), json!({"added": 11_000, "removed": 5_000}));
    assert_eq!((members(client, "A"), held(client, "A")), (12_000, after));
    let back = undo(client, &forth);
    assert_eq!(counts(&back), json!({"added": 5_000, "removed": 11_000}));
    assert_eq!((members(client, "A"), held(client, "A")), (6_000, whole));
    place.is_sound();
}

/// A service that holds something of everything that an export can tell.
fn with_a_little_of_everything(client: &Client) {
    for slug in ["A", "B", "EMPTY"] {
        client.has_segment(slug);
    }
    let users = [
        json!({"user_id": "007", "name": "Анна; \"A\"", "email": "anna@example.com", "attributes": {"age": 33, "tags": ["a;b", "c\n"], "deep": {"x": null}}}),
        json!({"user_id": "=1+1", "name": "=HYPERLINK(1)", "attributes": {"big": 12345678901234567890_u64, "half": 0.5}}),
        json!({"user_id": "-5", "name": "'quoted", "email": "+7"}),
        json!({"user_id": "'x", "attributes": {"=a": "@b", " ": "\t"}}),
        json!({"user_id": "a;b,c\"d", "name": "  blanks  "}),
        json!({"user_id": "юзер😀", "name": "1e5"}),
        json!({"user_id": "alone"}),
    ];
    for user in &users {
        let created = client.post("/users", user.clone());
        assert_eq!(created.status, 201, "{}", created.text);
        let id = crate::bad_input::encoded(user["user_id"].as_str().unwrap());
        if id == "alone" {
            continue;
        }
        let add =
            json!({"add": ["A", {"slug": "B", "expires_at": "2099-01-01T00:00:00.000001Z", "reason": "=why; \"so\""}]});
        assert_eq!(client.post(&format!("/users/{id}/segments"), add).status, 200);
    }
    // Some left, some came again, and some stay longer.
    for change in
        [json!({"remove": ["A"]}), json!({"add": ["A"], "reason": "again"}), json!({"add": ["A"], "ttl": "P1D"})]
    {
        assert_eq!(client.post("/users/007/segments", change).status, 200);
    }
    assert_eq!(client.post("/users/-5/segments", json!({"remove": ["B"]})).status, 200);
}

/// Rows without what an import tells in its own name, in an order of their own.
fn comparable(file: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut rows = rows(file);
    for row in &mut rows {
        row.retain(|column, _| !["source", "actor"].contains(&column.as_str()));
    }
    rows.sort();
    rows
}

fn every_export_comes_in_again_unchanged(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let from = &server.client;
    with_a_little_of_everything(from);
    for form in FORMS {
        let elsewhere = Place::new(engine);
        let second = elsewhere.serve();
        let to = &second.client;
        let export = |path: &str| {
            let answer = from.get(path);
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            let name = answer.header("content-disposition").unwrap();
            assert!(name.starts_with("attachment; filename=\"") && name.ends_with(&format!(".{form}\"")), "{name}");
            answer.bytes
        };
        let again = |path: &str| to.get(path).bytes;
        let users = export(&format!("/users.{form}"));
        let taken = import(to, "/users/import", &users);
        assert_eq!((&taken["counts"]["created"], &taken["refused"]), (&json!(7), &json!(0)), "{form}: {taken}");
        assert_eq!(rows(&again(&format!("/users.{form}"))), rows(&users), "{form}");
        for user in ["007", "%3D1%2B1", "'x"] {
            let attributes = |client: &Client| ok(&client.get(&format!("/users/{user}")))["attributes"].clone();
            assert_eq!(attributes(to), attributes(from), "{form}");
        }
        for (slug, count) in [("A", 6), ("B", 5)] {
            let members = export(&format!("/segments/{slug}/users.{form}"));
            let taken = import(to, "/memberships/import?create_segments=true", &members);
            assert_eq!((&taken["counts"]["added"], &taken["refused"]), (&json!(count), &json!(0)), "{form}: {taken}");
            assert_eq!(comparable(&again(&format!("/segments/{slug}/users.{form}"))), comparable(&members), "{form}");
            let taken = import(to, &format!("/segments/{slug}/users/import?mode=replace"), &members);
            assert_eq!(counts(&taken), json!({"unchanged": count}), "{form}");
        }
        elsewhere.is_sound();
        a_history_comes_in_again(engine, from, form);
    }
}

fn a_history_comes_in_again(engine: Engine, from: &Client, form: &str) {
    let elsewhere = Place::new(engine);
    let server = elsewhere.serve();
    let to = &server.client;
    let path = format!("/history.{form}");
    let history = from.get(&path).bytes;
    assert_eq!(rows(&history).len(), 16);
    let taken = import(to, "/memberships/import?create_segments=true", &history);
    assert_eq!((&taken["refused"], &taken["counts"]["added"]), (&json!(0), &json!(13)), "{form}: {taken}");
    let told = comparable(&to.get(&path).bytes);
    let expected = comparable(&history);
    assert_eq!(
        counts(&taken),
        json!({"added": 13, "extended": 1, "removed": 2, "users_created": 6, "segments_created": 2})
    );
    // The four columns of the CSV say no deadline.
    if !form.starts_with("csv") {
        for slug in ["A", "B"] {
            let path = format!("/segments/{slug}/users.csv");
            assert_eq!(comparable(&to.get(&path).bytes), comparable(&from.get(&path).bytes), "{form}");
        }
    }
    assert_eq!(told, expected, "{form}");
    // What is told again happens once.
    let again = import(to, "/memberships/import", &history);
    assert_eq!(counts(&again), json!({"unchanged": 16}), "{form}");
    assert_eq!(comparable(&to.get(&path).bytes), expected, "{form}");
    elsewhere.is_sound();
}

fn the_past_is_exported_as_it_was(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("A");
    import(client, "/segments/A/users/import?ttl=P1D", numbered(0..700));
    let then = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
    let before = client.get("/segments/A/users.csv").bytes;
    import(client, "/segments/A/users/import?mode=replace", numbered(300..900));
    for form in FORMS {
        let path = format!("/segments/A/users.{form}");
        assert_eq!(rows(&client.get(&format!("{path}?as_of={then}")).bytes), rows(&before), "{form}");
        assert_eq!(rows(&client.get(&path).bytes).len(), 600, "{form}");
        assert_eq!(rows(&client.get(&format!("{path}?as_of=2001-01-01T00:00:00Z")).bytes).len(), 0, "{form}");
    }
    let bare = client.get("/segments/A/users.csv?header=false");
    let whole = client.get("/segments/A/users.csv");
    assert_eq!(whole.text, format!("user_id;segment;since;expires_at;source;actor;reason\n{}", bare.text));
    assert_eq!(whole.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    assert_eq!(bare.header("content-type"), Some("text/csv; charset=utf-8; header=absent"));
    assert_eq!(client.get("/segments/NOSUCH/users.csv").problem(), "segment_not_found");
}

/// Members of whom some are found by id, some by name or address; returns an instant before one left and another came.
fn with_people(client: &Client) -> String {
    client.has_segment("A");
    let people = "user_id;name;email\nann;Zoe;\nanna;;\nann_2;;x@example.com\nb;Ёлка АННА;\nc;50% off_;\nd;;ann@example.com\n\
                  later;Annabel;\noutside;Joanne;\n";
    import(client, "/users/import", people);
    import(client, "/segments/A/users/import", "user_id\nann\nanna\nann_2\nb\nc\nd\n");
    let then = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
    assert_eq!(client.delete("/users/anna/segments/A").status, 200);
    import(client, "/segments/A/users/import", "user_id\nlater\n");
    then
}

fn members_who_are_searched_are_exported_and_reported_as_the_list_tells_them(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    let then = with_people(client);
    let ids_of =
        |items: &[BTreeMap<String, String>]| items.iter().map(|row| row["user_id"].clone()).collect::<Vec<_>>();
    for (text, as_of, expected) in [
        ("ANN", None, vec!["d", "later"]),
        ("ann", None, vec!["ann", "ann_2", "d", "later"]),
        ("ann", Some(&then), vec!["ann", "ann_2", "anna", "d"]),
        ("ann_", None, vec!["ann_2"]),
        ("%", None, vec!["c"]),
        ("f_", Some(&then), vec!["c"]),
        ("ёлКА анна", None, vec!["b"]),
        ("", None, vec!["ann", "ann_2", "b", "c", "d", "later"]),
    ] {
        let mut asked = format!("query={}", encoded(text));
        let mut body = json!({"segment": "A", "query": text});
        if let Some(then) = as_of {
            asked += &format!("&as_of={then}");
            body["as_of"] = json!(then);
        }
        let listed = ok(&client.get(&format!("/segments/A/users?{asked}")));
        let listed = listed["items"].as_array().unwrap().iter().map(|one| one["user_id"].as_str().unwrap());
        assert_eq!(listed.collect::<Vec<_>>(), expected, "{asked}");
        for form in ["csv", "xlsx"] {
            let answer = client.get(&format!("/segments/A/users.{form}?{asked}"));
            assert_eq!(answer.status, 200, "{asked}: {}", answer.text);
            let exported = rows(&answer.bytes);
            assert_eq!(ids_of(&exported), expected, "{form} {asked}");
            body["format"] = json!(form);
            let report = report(client, "members", body.clone());
            let (status, file) = fetch(report["link"].as_str().unwrap());
            assert_eq!(status, 200, "{report}");
            is_whole(&report, &file);
            assert_eq!(rows(&file), exported, "{form} {body}");
        }
    }
    place.is_sound();
}

fn a_search_of_members_that_finds_nobody_leaves_the_head_alone(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    let then = with_people(client);
    let head = "user_id;segment;since;expires_at;source;actor;reason\n";
    for asked in ["query=nobody".to_owned(), "query=outside".to_owned(), format!("query=nobody&as_of={then}")] {
        assert_eq!(client.get(&format!("/segments/A/users.csv?{asked}")).text, head, "{asked}");
        let sheet = client.get(&format!("/segments/A/users.xlsx?{asked}")).bytes;
        let source = Box::new(std::io::Cursor::new(sheet));
        let mut reader = tables::Reader::open(source, &tables::Limits::default()).unwrap();
        assert_eq!(reader.columns().join(";") + "\n", head, "{asked}");
        assert!(!reader.next(&mut tables::Row::new()).unwrap(), "{asked}");
    }
    let report = report(client, "members", json!({"segment": "A", "query": "nobody"}));
    assert_eq!(report["rows"], 0);
    assert_eq!(fetch(report["link"].as_str().unwrap()), (200, head.as_bytes().to_vec()));
}

fn a_search_of_members_that_is_no_search_is_refused_by_name(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("A");
    let told = |answer: &Answer| {
        let fault = answer.json()["errors"][0].clone();
        let [pointer, code, detail] =
            ["pointer", "code", "detail"].map(|name| fault[name].as_str().unwrap().to_owned());
        (answer.status, answer.problem(), pointer, code, detail)
    };
    // Letters, not bytes, are counted.
    let longest = "я".repeat(200);
    for text in [format!("{longest}я"), "a\0".to_owned()] {
        let listed = client.get(&format!("/segments/A/users?query={}", encoded(&text)));
        let expected = told(&listed);
        assert_eq!(
            (expected.0, expected.1.as_str(), expected.2.as_str()),
            (400, "invalid", "query"),
            "{}",
            listed.text
        );
        for form in ["csv", "xlsx"] {
            let path = format!("/segments/A/users.{form}?query={}", encoded(&text));
            assert_eq!(told(&client.get(&path)), expected, "{form}");
        }
        let reported = told(&client.post("/reports/members", json!({"segment": "A", "query": text})));
        let (status, problem, _, code, detail) = expected;
        assert_eq!(reported, (status, problem, "/query".to_owned(), code, detail));
    }
    assert_eq!(client.get(&format!("/segments/A/users.csv?query={}", encoded(&longest))).status, 200);
    assert_eq!(client.post("/reports/members", json!({"segment": "A", "query": longest})).status, 201);
    assert_eq!(client.get("/segments/A/users.csv?query=a&query=b").problem(), "invalid");
    assert_eq!(client.get("/segments/NOSUCH/users.csv?query=a").problem(), "segment_not_found");
}

fn numbers_of_segments_are_exported(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    for (slug, body) in [("A", json!({"slug": "A", "name": "Первый; \"A\""})), ("EMPTY", json!({"slug": "EMPTY"}))]
    {
        assert_eq!(client.post("/segments", body).status, 201, "{slug}");
    }
    import(client, "/segments/A/users/import", numbered(0..30));
    assert_eq!(client.post("/segments", json!({"slug": "SHARE", "percent": 33.5})).status, 201);
    for form in FORMS {
        let found = rows(&client.get(&format!("/segments/stats.{form}")).bytes);
        let told: Vec<(&str, &str, &str, Option<&str>, &str)> = found
            .iter()
            .map(|row| {
                (
                    row["segment"].as_str(),
                    row["name"].as_str(),
                    row["kind"].as_str(),
                    row.get("percent").map(String::as_str),
                    row["user_count"].as_str(),
                )
            })
            .collect();
        let expected = [
            ("A", "Первый; \"A\"", "manual", None, "30"),
            ("EMPTY", "EMPTY", "manual", None, "0"),
            ("SHARE", "SHARE", "percent", Some("33.5"), "10"),
        ];
        assert_eq!(told, expected, "{form}");
        let manual = rows(&client.get(&format!("/segments/stats.{form}?kind=manual&sort=-slug&query=m")).bytes);
        assert_eq!((manual.len(), manual[0]["segment"].as_str()), (1, "EMPTY"), "{form}");
    }
    // Elsewhere they are the same segments, with the same shares of the same users.
    let users = client.get("/users.ndjson").bytes;
    for form in FORMS {
        let elsewhere = Place::new(engine);
        let second = elsewhere.serve();
        let to = &second.client;
        let stats = client.get(&format!("/segments/stats.{form}")).bytes;
        import(to, "/users/import", &users);
        let rehearsed = import(to, "/segments/import?dry_run=true", &stats);
        let taken = import(to, "/segments/import", &stats);
        assert_eq!((&taken["kind"], counts(&taken)), (&json!("import_segments"), json!({"created": 3})), "{form}");
        assert_eq!((&taken["refused"], &rehearsed["counts"]), (&json!(0), &taken["counts"]), "{form}");
        let members = |client: &Client| client.get("/segments/SHARE/users").json()["items"].clone();
        let ids =
            |members: Value| members.as_array().unwrap().iter().map(|one| one["user_id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(members(to)), ids(members(client)), "{form}");
        import(to, "/segments/A/users/import", &client.get("/segments/A/users.csv").bytes);
        assert_eq!(rows(&to.get(&format!("/segments/stats.{form}")).bytes), rows(&stats), "{form}");
        assert_eq!(counts(&import(to, "/segments/import", &stats)), json!({"unchanged": 3}), "{form}");
        elsewhere.is_sound();
    }
    let filtered = rows(&client.get("/users.csv?query=u00001").bytes);
    assert_eq!(filtered.len(), 10);
}

fn ids_stay_texts_and_dates_stay_dates_in_a_sheet(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("A");
    import(
        client,
        "/segments/A/users/import?expires_at=2099-01-01T00:00:00Z",
        "user_id;since\n007;2020-02-03T04:05:06.5Z\n1e5;\n",
    );
    let sheet = client.get("/segments/A/users.xlsx");
    assert!(sheet.bytes.starts_with(b"PK\x03\x04"));
    let source = Box::new(std::io::Cursor::new(sheet.bytes));
    let mut reader = tables::Reader::open(source, &tables::Limits::default()).unwrap();
    let mut row = tables::Row::new();
    assert!(reader.next(&mut row).unwrap());
    let cell = |at| row.cell(at).map(|cell| (cell.text, cell.kind));
    assert_eq!(cell(0), Some(("007", tables::Kind::Text)));
    assert_eq!(cell(2), Some(("2020-02-03T04:05:06.500000Z", tables::Kind::Instant)));
    assert_eq!(cell(3), Some(("2099-01-01T00:00:00.000000Z", tables::Kind::Instant)));
}

/// Asks for a report, which is ready when the answer comes.
fn report(client: &Client, kind: &str, body: Value) -> Value {
    let answer = client.post(&format!("/reports/{kind}"), body);
    assert_eq!(answer.status, 201, "{}", answer.text);
    let report = answer.json();
    assert_eq!(answer.header("location"), Some(format!("/api/v1/jobs/{}", report["job_id"]).as_str()));
    report
}

/// What a link leads to, asked for without any header that is not needed.
fn fetch(link: &str) -> (u16, Vec<u8>) {
    let (host, path) = link.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut told = Vec::new();
    stream.read_to_end(&mut told).unwrap();
    let end = told.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let (head, body) = (String::from_utf8(told[..end].to_vec()).unwrap().to_lowercase(), &told[end + 4..]);
    let body = if head.contains("transfer-encoding: chunked") { joined(body) } else { body.to_vec() };
    (head[9..12].parse().unwrap(), body)
}

/// A body that came in pieces, of which the last is empty.
pub fn joined(mut pieces: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = pieces.iter().position(|byte| *byte == b'\r').unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&pieces[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend(&pieces[end + 2..end + 2 + length]);
        pieces = &pieces[end + 2 + length + 2..];
    }
}

fn is_whole(report: &Value, file: &[u8]) {
    let digest: String = Sha256::digest(file).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(report["sha256"], json!(digest));
    assert_eq!(report["rows"], json!(rows(file).len()));
}

fn a_report_is_fetched_by_its_link_alone(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    with_a_little_of_everything(client);
    for (kind, body, export) in [
        ("history", json!({"user_id": "007"}), "/history.{}?user_id=007"),
        ("history", json!({"segment": "B", "from": "2020-01-01T00:00:00Z"}), "/history.{}?segment=B"),
        ("members", json!({"segment": "A"}), "/segments/A/users.{}"),
        ("users", json!({"query": "a"}), "/users.{}?query=a"),
        ("stats", json!({}), "/segments/stats.{}"),
    ] {
        for form in FORMS {
            let mut body = body.clone();
            body["format"] = json!(form.trim_end_matches(".gz"));
            body["gzip"] = json!(form.ends_with(".gz"));
            let report = report(client, kind, body);
            let (status, file) = fetch(report["link"].as_str().unwrap());
            assert_eq!(status, 200, "{report}");
            is_whole(&report, &file);
            assert_eq!(rows(&file), rows(&client.get(&export.replace("{}", form)).bytes), "{kind} {form}");
        }
    }
    let report =
        report(client, "members", json!({"segment": "A", "as_of": "2001-01-01T00:00:00Z", "link_ttl": "PT1H"}));
    let link = report["link"].as_str().unwrap();
    assert_eq!(fetch(link), (200, b"user_id;segment;since;expires_at;source;actor;reason\n".to_vec()));
    let job = job(client, &report["job_id"]);
    assert_eq!((&job["kind"], &job["state"], &job["result_url"]), (&json!("report"), &json!("done"), &report["link"]));
    assert_eq!(job["report"], report);
    let expires = link.split("expires=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let later = (expires.parse::<i64>().unwrap() + 1).to_string();
    let signature = link.split("signature=").nth(1).unwrap();
    let flipped = if signature.ends_with('0') { "1" } else { "0" };
    for changed in [
        link.replace(&expires, &later),
        link.replace(signature, &format!("{}{flipped}", &signature[..63])),
        link.replace(signature, &signature[..62]),
        link.replace(signature, ""),
        link.replace(&format!("/reports/{}/", report["job_id"]), "/reports/1/"),
        link.replace(&format!("/reports/{}/", report["job_id"]), "/reports/x/"),
        link.replace("members-A.csv", "members-B.csv"),
        link.split("&signature").next().unwrap().to_owned(),
        link.split('?').next().unwrap().to_owned(),
    ] {
        assert_ne!(changed, link);
        let (status, told) = fetch(&changed);
        let told: Value = serde_json::from_slice(&told).unwrap();
        assert_eq!((status, &told["code"]), (403, &json!("link_refused")), "{changed}");
    }
    assert_eq!(client.post("/reports/members", json!({"segment": "NOSUCH"})).problem(), "segment_not_found");
    for (kind, body, pointer) in [
        ("history", json!({"month": "2026-13"}), "/month"),
        ("history", json!({"month": "2026-08", "from": "2026-08-01T00:00:00Z"}), "/month"),
        ("history", json!({"from": "2026-08-02T00:00:00Z", "to": "2026-08-01T00:00:00Z"}), "/to"),
        ("history", json!({"format": "pdf"}), "/format"),
        ("history", json!({"user_id": "a b"}), "/user_id"),
        ("members", json!({}), "/segment"),
        ("members", json!({"segment": "A", "as_of": "now"}), "/as_of"),
        ("algebra", json!({"expr": "A & - B"}), "/expr"),
        ("users", json!({"link_ttl": "P8D"}), "/link_ttl"),
        ("users", json!({"link_ttl": 0}), "/link_ttl"),
        ("stats", json!({"kind": "odd"}), "/kind"),
        ("stats", json!({"colour": "red"}), "/colour"),
    ] {
        let refused = client.post(&format!("/reports/{kind}"), body.clone());
        assert_eq!(
            (refused.problem().as_str(), &refused.json()["errors"][0]["pointer"]),
            ("invalid", &json!(pointer)),
            "{body}"
        );
    }
    // Behind a proxy the link is as the world reaches it.
    let behind = place.serve_with(&[("STRATA_PUBLIC_URL", "https://strata.example.com/")]);
    let link = behind.client.post("/reports/stats", json!({})).json()["link"].as_str().unwrap().to_owned();
    let path = link.strip_prefix("https://strata.example.com/api/v1/reports/").unwrap();
    // Any server on the store and its files takes it.
    assert_eq!(fetch(&format!("{}/api/v1/reports/{path}", server.base)).0, 200);
}

fn a_link_ends_when_it_says(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let report = report(&server.client, "stats", json!({"link_ttl": 2}));
    let link = report["link"].as_str().unwrap();
    assert_eq!(fetch(link).0, 200);
    let ends: chrono::DateTime<Utc> = report["expires_at"].as_str().unwrap().parse().unwrap();
    let told = until("the link ends", || {
        let asked = Utc::now();
        let (status, told) = fetch(link);
        match status {
            200 => assert!(asked < ends, "it ended at {ends}"),
            _ => return Some(told),
        }
        None
    });
    assert!(Utc::now() >= ends, "it was to hold until {ends}");
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!((&told["code"], &told["detail"]), (&json!("link_refused"), &json!("the link has ended")));
}

fn a_month_is_reported_for_all_users(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    let log = "user_id;segment;operation;timestamp\n\
               1;A;add;2023-07-31T23:59:59.999999Z\n\
               1;A;remove;2023-08-01T00:00:00Z\n\
               2;B;add;2023-08-15T12:00:00Z\n\
               2;B;remove;2023-08-31T23:59:59.999999Z\n\
               3;A;add;2023-09-01T00:00:00Z\n";
    let taken = import(client, "/memberships/import?create_segments=true", log);
    assert_eq!(counts(&taken), json!({"added": 3, "removed": 2, "users_created": 3, "segments_created": 2}));
    let report = report(client, "history", json!({"month": "2023-08"}));
    let (status, file) = fetch(report["link"].as_str().unwrap());
    let expected = "user_id;segment;operation;timestamp\n\
                    1;A;remove;2023-08-01T00:00:00.000000Z\n\
                    2;B;add;2023-08-15T12:00:00.000000Z\n\
                    2;B;remove;2023-08-31T23:59:59.999999Z\n";
    assert_eq!((status, String::from_utf8(file).unwrap().as_str(), &report["rows"]), (200, expected, &json!(3)));
    assert!(report["link"].as_str().unwrap().contains("/history.csv?"), "{report}");
    place.is_sound();
}

fn reports_lie_in_a_bucket(engine: Engine) {
    let place = Place::new(engine);
    let s3 = S3Server::start();
    let (url, endpoint) = (format!("s3://{BUCKET}/under/here"), s3.endpoint());
    let settings = [
        ("STRATA_FILES_URL", url.as_str()),
        ("STRATA_S3_ENDPOINT", endpoint.as_str()),
        ("STRATA_S3_ACCESS_KEY_ID", KEY_ID),
        ("STRATA_S3_SECRET_ACCESS_KEY", SECRET),
    ];
    let server = place.serve_with(&settings);
    let client = &server.client;
    client.has_segment("A");
    let taken = import(client, "/segments/A/users/import", numbered(0..12_000) + "a b\n");
    assert_eq!((&taken["counts"]["added"], &taken["refused"]), (&json!(12_000), &json!(1)));
    let refused = client.get(taken["errors_url"].as_str().unwrap().strip_prefix("/api/v1").unwrap());
    assert!(refused.text.starts_with("import_line,import_error,user_id\n12002,"), "{}", refused.text);
    for (kind, body) in [
        ("members", json!({"segment": "A"})),
        ("history", json!({"format": "ndjson"})),
        ("users", json!({"format": "xlsx", "gzip": true})),
    ] {
        let report = report(client, kind, body);
        let (status, file) = fetch(report["link"].as_str().unwrap());
        assert_eq!((status, &report["rows"]), (200, &json!(12_000)), "{kind}");
        is_whole(&report, &file);
    }
    let below = s3.home().join(BUCKET).join("under/here");
    assert!(below.join("reports").is_dir() && below.join("imports").is_dir());
    assert!(!place.files().exists(), "nothing lies on the disk");
    // A wrong key is the operator's affair: it is told as a store that is not there, and not to everybody.
    let mut wrong = settings;
    wrong[3].1 = "wrong";
    let broken = place.serve_with(&wrong);
    let answer = send(&broken.client, "/segments/A/users/import", "user_id\n1\n");
    assert_eq!((answer.status, answer.problem().as_str()), (503, "unavailable"));
    assert!(!answer.text.contains(KEY_ID) && !answer.text.contains("127.0.0.1"), "{}", answer.text);
    assert_eq!(members(&broken.client, "A"), 12_000);
    place.is_sound();
}

fn a_running_import_is_cancelled_and_taken_back(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    ["A", "B"].into_iter().for_each(|slug| client.has_segment(slug));
    let begun = begun(&send(client, "/segments/A/users/import", numbered(0..120_000)));
    under_way(client, &begun);
    let id = &begun["id"];
    let early = client.send("POST", &format!("/jobs/{id}/undo"), &[], b"");
    assert_eq!((early.status, early.problem().as_str()), (409, "conflict"));
    let asked = ok(&client.send("POST", &format!("/jobs/{id}/cancel"), &[], b""));
    assert_eq!(asked["cancelled_by"], "api");
    let cancelled = ended(client, &begun);
    assert_eq!((&cancelled["state"], &cancelled["problem"]), (&json!("cancelled"), &Value::Null));
    let added = cancelled["counts"]["added"].as_u64().unwrap();
    assert!(added > 0 && added < 120_000, "{cancelled}");
    assert_eq!(members(client, "A"), added, "what was done stays, and is told");
    let again = client.send("POST", &format!("/jobs/{id}/cancel"), &[], b"");
    assert_eq!((again.status, again.problem().as_str()), (409, "conflict"));
    let back = undo(client, &cancelled);
    assert_eq!((counts(&back), members(client, "A")), (json!({"removed": added}), 0));
    place.is_sound();
}

fn a_waiting_job_is_cancelled_at_once(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve_with(&[("STRATA_WORKER", "false")]);
    let client = &server.client;
    client.has_segment("A");
    let waiting = begun(&send(client, "/segments/A/users/import", numbered(0..10_001)));
    assert_eq!(waiting["state"], "queued");
    let cancelled = ok(&client.send("POST", &format!("/jobs/{}/cancel", waiting["id"]), &[], b""));
    assert_eq!((&cancelled["state"], &cancelled["cancelled_by"]), (&json!("cancelled"), &json!("api")));
    assert!(place.run(&["work", "--once"]).status.success());
    assert_eq!((job(client, &waiting["id"]), members(client, "A")), (cancelled, 0));
}

fn an_import_with_a_key_happens_once(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("A");
    let send = |key: &str, file: &str| {
        client.send("POST", "/segments/A/users/import", &[FILE, ("idempotency-key", key)], file.as_bytes())
    };
    let first = send("k1", "user_id\n1\n");
    assert_eq!((first.status, first.header("idempotent-replayed")), (200, None));
    assert_eq!(client.delete("/users/1/segments/A").status, 200);
    let again = send("k1", "user_id\n1\n");
    assert_eq!((again.status, again.header("idempotent-replayed"), again.json()), (200, Some("true"), first.json()));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(members(client, "A"), 0, "it did not happen again");
    let other = send("k1", "user_id\n2\n");
    assert_eq!((other.status, other.problem().as_str()), (422, "idempotency_key_reused"));
    assert_eq!(client.post("/users", json!({})).status, 201);
    let elsewhere = client.send("POST", "/users/import", &[FILE, ("idempotency-key", "k1")], b"user_id\n1\n");
    assert_eq!(elsewhere.problem(), "idempotency_key_reused");

    let many = numbered(0..15_000);
    let answers: Vec<Answer> = thread::scope(|scope| {
        let (send, many) = (&send, &many);
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(move || send("k2", many))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let told: BTreeSet<String> = answers.iter().map(|answer| answer.json()["id"].to_string()).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(answers.iter().filter(|answer| answer.header("idempotent-replayed").is_none()).count(), 1);
    let done = ended(client, &answers[0].json());
    assert_eq!(done["counts"]["added"], 15_000);
    // A repeated report is the same file behind the same link; a repeated undo the same undo.
    let post = |path: &str, body: &str| {
        client.send("POST", path, &[JSON, ("idempotency-key", path.rsplit('/').next().unwrap())], body.as_bytes())
    };
    let reports = [post("/reports/stats", "{}"), post("/reports/stats", "{}")];
    assert_eq!(reports[0].text, reports[1].text);
    assert_eq!(reports[1].header("idempotent-replayed"), Some("true"));
    let path = format!("/jobs/{}/undo", done["id"]);
    let undone = [post(&path, ""), post(&path, "")];
    assert_eq!(undone[0].json()["id"], undone[1].json()["id"]);
    ended(client, &undone[0].json());
    assert_eq!(members(client, "A"), 0);
    // Each job has its files, and what was sent again left none.
    let jobs = ok(&client.get("/jobs?kind=import_memberships&count=exact"))["total"].as_u64().unwrap();
    assert_eq!((jobs, std::fs::read_dir(place.files().join("imports")).unwrap().count()), (2, 2));
    place.is_sound();
}

fn jobs_are_listed_filtered_and_paged(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("A");
    assert_eq!(ok(&client.get("/jobs?count=exact")), json!({"items": [], "next_cursor": null, "total": 0}));
    for number in 0..4 {
        import(client, "/segments/A/users/import", numbered(number..number + 2));
    }
    import(client, "/users/import", "user_id\n1\n");
    report(client, "stats", json!({}));
    send(client, "/segments/A/users/import?atomic=true", "user_id\na b\n");
    let list = |query: &str| ok(&client.get(&format!("/jobs?{query}")));
    let found = |page: &Value| page["items"].as_array().unwrap().clone();
    assert_eq!(found(&list("")).len(), 7);
    let first = list("limit=3&count=exact");
    assert_eq!((found(&first).len(), &first["total"]), (3, &json!(7)));
    let mut paged = found(&first);
    let mut cursor = first["next_cursor"].clone();
    while let Some(next) = cursor.as_str() {
        let page = list(&format!("limit=3&cursor={next}"));
        paged.extend(found(&page));
        cursor = page["next_cursor"].clone();
    }
    assert_eq!(paged, found(&list("")));
    let all: BTreeSet<i64> = paged.iter().map(|job| job["id"].as_i64().unwrap()).collect();
    assert_eq!(all.len(), 7);
    for (query, count) in [
        ("kind=import_memberships", 5),
        ("kind=import_users", 1),
        ("kind=report", 1),
        ("kind=undo", 0),
        ("state=done", 6),
        ("state=failed", 1),
        ("state=running", 0),
        ("kind=import_memberships&state=failed", 1),
    ] {
        assert_eq!(found(&list(query)).len(), count, "{query}");
    }
    for (query, fault) in [
        ("kind=odd", "invalid_value"),
        ("state=odd", "invalid_value"),
        ("cursor=x", "invalid_cursor"),
        ("limit=0", "out_of_range"),
        ("sort=id", "unknown_parameter"),
    ] {
        let refused = client.get(&format!("/jobs?{query}"));
        assert_eq!(
            (refused.problem().as_str(), &refused.json()["errors"][0]["code"]),
            ("invalid", &json!(fault)),
            "{query}"
        );
    }
}

/// Begins a job of housekeeping, and waits for its end.
fn housekeeping(client: &Client, address: &str, body: Value) -> Value {
    let done = ended(client, &begun(&client.post(address, body)));
    assert_eq!(done["state"], "done", "{done}");
    done
}

fn the_beginning_of_history_is_forgotten(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    let log = "user_id;segment;operation;timestamp;expires_at\n\
               1;A;add;2020-01-10T00:00:00Z;\n\
               1;A;remove;2020-02-10T00:00:00Z;\n\
               2;A;add;2020-03-10T00:00:00Z;\n\
               3;A;add;2020-03-11T00:00:00Z;2098-01-01T00:00:00Z\n\
               3;A;extend;2020-04-11T00:00:00Z;2099-01-01T00:00:00Z\n";
    import(client, "/memberships/import?create_segments=true", log);
    import(client, "/memberships/import", "user_id;segment\n4;A\n");
    let before = state(client);
    let rehearsed = housekeeping(client, "/jobs/retention?dry_run=true", json!({"months": 12}));
    assert!(state(client) == before, "a rehearsal changed something");
    let done = housekeeping(client, "/jobs/retention", json!({"months": 12}));
    assert_eq!(
        (counts(&rehearsed), counts(&done)),
        (json!({"forgotten": 3, "kept": 2}), json!({"forgotten": 3, "kept": 2}))
    );
    assert_eq!((history_rows(client), ids(client, "A")), (3, ["2", "3", "4"].map(str::to_owned).to_vec()));
    let then = Utc::now() - chrono::TimeDelta::days(100);
    let then = then.to_rfc3339_opts(SecondsFormat::Micros, true);
    let past = ok(&client.get(&format!("/segments/A/users?as_of={then}")))["items"].clone();
    assert_eq!(
        (past[0]["user_id"].as_str(), past[1]["expires_at"].as_str()),
        (Some("2"), Some("2099-01-01T00:00:00.000000Z"))
    );
    assert_eq!(past.as_array().unwrap().len(), 2);
    let again = housekeeping(client, "/jobs/retention", json!({"months": 12}));
    assert_eq!(counts(&again)["forgotten"], Value::Null);
    for body in [json!({"months": 0}), json!({"months": 1_201}), json!({"months": -1}), json!({})] {
        assert_eq!(client.post("/jobs/retention", body.clone()).problem(), "invalid", "{body}");
    }
    place.is_sound();
}

fn stale_segments_are_named_and_deleted(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    ["OLD", "OLDER"].into_iter().for_each(|slug| client.has_segment(slug));
    import(client, "/segments/OLD/users/import", "user_id\n1\n");
    let none = housekeeping(client, "/jobs/stale_segments", json!({"older_than": "P1D"}));
    assert_eq!((&none["segments"], counts(&none)), (&json!([]), json!({})));
    until("both are older than 4 seconds", || {
        let named = housekeeping(client, "/jobs/stale_segments?dry_run=true", json!({"older_than": 4}));
        (named["segments"] == json!(["OLD", "OLDER"])).then_some(())
    });
    // Whoever enters brings it to life again.
    assert_eq!(client.put("/segments/OLD/users/2", json!({})).status, 200);
    let done = housekeeping(client, "/jobs/stale_segments", json!({"older_than": 4}));
    assert_eq!((&done["segments"], counts(&done)), (&json!(["OLDER"]), json!({"found": 1})));
    assert_eq!((client.get("/segments/OLDER").status, members(client, "OLD")), (404, 2));
    for body in [json!({"older_than": 0}), json!({"older_than": "long"}), json!({})] {
        assert_eq!(client.post("/jobs/stale_segments", body.clone()).problem(), "invalid", "{body}");
    }
    place.is_sound();
}
