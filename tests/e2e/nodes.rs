//! Several nodes on one store: what one writes the others hear of, and none answers what is long over.

use std::{
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use testkit::TempPostgres;

use crate::{
    client::{Answer, Client},
    jobs::{import, until},
    relays::Relay,
    server::{Engine, Place, Server, on_both_engines},
};

on_both_engines!(
    a_node_hears_what_another_wrote,
    a_position_that_is_not_reached_is_refused_in_time,
    nodes_agree_under_changes_of_all_kinds,
    a_node_begins_where_its_file_ended,
    a_damaged_file_is_not_used,
    a_paused_node_answers_with_what_it_missed,
);

/// Waits until the node answers out of its index.
fn is_ready(server: &Server) {
    until("the index is loaded", || (server.client.get("//readyz").status == 200).then_some(()));
    until("the index answers", || server.client.get("/users/nobody/segments").header("strata-position").map(drop));
}

fn two_nodes(place: &Place) -> [Server; 2] {
    let file = place.dir.path().join("second-index");
    let first = place.serve();
    let second = place.serve_with(&[("STRATA_INDEX_FILE", file.to_str().unwrap())]);
    is_ready(&first);
    is_ready(&second);
    [first, second]
}

fn add(client: &Client, user: &str, slug: &str) -> String {
    let answer = client.post(&format!("/users/{user}/segments"), json!({ "add": [slug] }));
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.header("strata-position").expect("a change has a position").to_owned()
}

fn at_least(client: &Client, user: &str, position: &str) -> Answer {
    client.send("GET", &format!("/users/{user}/segments"), &[("strata-at-least", position)], b"")
}

fn a_node_hears_what_another_wrote(engine: Engine) {
    let place = Place::new(engine);
    let [first, second] = two_nodes(&place);
    first.client.has_segment("A");
    for number in 0..50 {
        let (user, from, to) = (format!("u{number}"), &first.client, &second.client);
        let (from, to) = if number % 2 == 0 { (from, to) } else { (to, from) };
        let position = add(from, &user, "A");
        assert_eq!(from.segments_of(&user), ["A"], "the node that wrote");
        let answer = at_least(to, &user, &position);
        assert_eq!((answer.status, &answer.json()["segments"]), (200, &json!(["A"])), "{}", answer.text);
        assert!(answer.header("strata-position").is_some());
    }
    // Without being asked for it they hear it as well.
    add(&first.client, "late", "A");
    until("the other one hears of it", || (second.client.segments_of("late") == ["A"]).then_some(()));
    place.is_sound();
}

fn a_position_that_is_not_reached_is_refused_in_time(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve_with(&[("STRATA_POSITION_TIMEOUT_MS", "200")]);
    is_ready(&server);
    let far = "999999999999";
    for path in ["/users/u/segments", "/users/u/segments/A"] {
        let answer = server.client.send("GET", path, &[("strata-at-least", far)], b"");
        assert_eq!(
            (answer.status, answer.problem().as_str(), answer.header("retry-after")),
            (503, "behind", Some("1"))
        );
    }
    for wrong in ["x", "", "1-", "-1", "1.5", "1e3", "99999999999999999999999"] {
        let answer = at_least(&server.client, "u", wrong);
        assert_eq!((answer.status, &answer.json()["errors"][0]["code"]), (400, &json!("invalid_position")), "{wrong}");
    }
    let own = server.client.get("/users/u/segments").header("strata-position").unwrap().to_owned();
    assert_eq!(at_least(&server.client, "u", &own).status, 200);
}

/// Everything that the index answers, of both nodes.
fn nodes_agree_under_changes_of_all_kinds(engine: Engine) {
    let place = Place::new(engine);
    let nodes = two_nodes(&place);
    let [first, second] = nodes.each_ref().map(|node| &node.client);
    for slug in ["A", "B", "C"] {
        first.has_segment(slug);
    }
    // More than is told at once, so that the nodes have to read it.
    let users = (0..30_000).fold("user_id\n".to_owned(), |text, number| text + &format!("u{number:0>6}\n"));
    import(first, "/segments/A/users/import", &users);
    assert_eq!(second.post("/segments/B/distribute", json!({ "percent": 50 })).status, 200);
    assert_eq!(first.post("/segments/C/distribute", json!({ "percent": 10 })).status, 200);
    assert_eq!(second.post("/segments/B/rename", json!({ "slug": "D" })).status, 200);
    assert_eq!(first.post("/segments/move_users", json!({ "from_segment": "C", "to_segment": "A" })).status, 200);
    assert_eq!(first.delete("/segments/C").status, 204);
    for node in [first, second] {
        let ask = |path: &str, body: serde_json::Value| {
            let answer = node.post(path, body);
            (answer.status == 200 && answer.header("strata-position").is_some()).then(|| answer.json())
        };
        until("the node has all of it", || {
            let count = |expr: &str| Some(ask("/segments/algebra", json!({ "expr": expr }))?["user_count"].clone());
            let counts = [count("A")?, count("ALL")?, count("A - D")?, count("D - A")?];
            (counts == [30_000, 30_000, 15_000, 0].map(|count| json!(count))).then_some(())
        });
        let overlap = ask("/segments/overlap", json!({ "slugs": ["A", "D"] })).unwrap();
        assert_eq!(overlap["segments"][1]["user_count"], json!(15_000), "{overlap}");
        let similar = node.get("/segments/A/similar").json();
        assert_eq!((&similar["items"][0]["segment"], &similar["items"][0]["jaccard"]), (&json!("D"), &json!(0.5)));
        let page = ask("/segments/algebra", json!({ "expr": "D", "return": "users" })).unwrap();
        let users: Vec<&str> = page["items"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        let looked_up = ask("/users/segments/lookup", json!({ "user_ids": users })).unwrap();
        let all = looked_up["items"].as_array().unwrap();
        assert!(all.len() == 100 && all.iter().all(|one| one["segments"] == json!(["A", "D"])), "{looked_up}");
    }
    let [one, other] = nodes.each_ref().map(|node| ["check", "--index", node.base.as_str()].map(str::to_owned));
    for arguments in [one, other] {
        let output = place.run(&arguments.each_ref().map(String::as_str));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

fn a_node_begins_where_its_file_ended(engine: Engine) {
    let place = Place::new(engine);
    let file = file_with(&place, "before");
    assert!(file.starts_with(b"strata index 2\n"));
    // Somebody writes while it is away.
    assert!(place.run(&["import", "segments", &written(&place, "segment\nB\n")]).status.success());
    assert!(place.run(&["import", "memberships", &written(&place, "user_id,segment\nbetween,B\n")]).status.success());
    let server = place.serve();
    is_ready(&server);
    assert_eq!(server.client.segments_of("before"), ["A"]);
    assert_eq!(server.client.segments_of("between"), ["B"]);
    place.is_sound();
}

/// What a node leaves that ends with this user in `A`.
fn file_with(place: &Place, user: &str) -> Vec<u8> {
    let server = place.serve_with(&[("STRATA_WORKER_INTERVAL_MS", "10")]);
    is_ready(&server);
    server.client.has_segment("A");
    add(&server.client, user, "A");
    assert!(server.stop().success());
    std::fs::read(place.index_file()).expect("it left its file")
}

fn written(place: &Place, text: &str) -> String {
    let path = place.dir.path().join("rows.csv");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn a_damaged_file_is_not_used(engine: Engine) {
    let place = Place::new(engine);
    let whole = file_with(&place, "u");
    let damaged = (0..whole.len()).step_by(whole.len() / 7 + 1).map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    });
    let cut = [Vec::new(), whole[..whole.len() / 2].to_vec(), whole[..10].to_vec()];
    // And one that is whole, of another store.
    let elsewhere = Place::new(engine);
    for bytes in damaged.chain(cut) {
        std::fs::write(place.index_file(), bytes).unwrap();
        let server = place.serve();
        is_ready(&server);
        assert_eq!(server.client.segments_of("u"), ["A"]);
    }
    std::fs::write(elsewhere.index_file(), &whole).unwrap();
    let server = elsewhere.serve();
    is_ready(&server);
    assert_eq!(server.client.segments_of("u"), Vec::<String>::new());
    elsewhere.is_sound();
}

fn signal(server: &Server, name: &str) {
    assert!(Command::new("kill").args([name, &server.id().to_string()]).status().unwrap().success());
}

fn a_paused_node_answers_with_what_it_missed(engine: Engine) {
    let place = Place::new(engine);
    let [first, second] = two_nodes(&place);
    first.client.has_segment("A");
    let position = add(&first.client, "before", "A");
    assert_eq!(at_least(&second.client, "before", &position).json()["segments"], json!(["A"]));
    signal(&second, "-STOP");
    for number in 0..20 {
        add(&first.client, &format!("meanwhile-{number}"), "A");
    }
    // Longer than it answers without having heard from the store.
    thread::sleep(Duration::from_millis(1_500));
    signal(&second, "-CONT");
    for number in 0..20 {
        assert_eq!(second.client.segments_of(&format!("meanwhile-{number}")), ["A"]);
    }
    is_ready(&second);
    place.is_sound();
}

#[test]
fn a_node_that_is_cut_off_answers_nothing_old() {
    let postgres = TempPostgres::start();
    let place = Place::on(&postgres);
    let relay = Relay::to(&place.url);
    let first = place.serve();
    let file = place.dir.path().join("second-index");
    let settings = [
        ("STRATA_INDEX_FILE", file.to_str().unwrap()),
        ("STRATA_POOL_TIMEOUT_MS", "300"),
        ("STRATA_INDEX_PATIENCE_MS", "500"),
    ];
    let second = place.serve_by(&relay.url, &settings);
    is_ready(&first);
    is_ready(&second);
    first.client.has_segment("A");
    let position = add(&first.client, "before", "A");
    assert_eq!(at_least(&second.client, "before", &position).json()["segments"], json!(["A"]));
    relay.cut();
    let cut_at = Instant::now();
    let position = add(&first.client, "meanwhile", "A");
    // As long as it has patience it answers what it knew; after that it refuses rather than to be wrong.
    until("it has no patience any more", || (second.client.get("/users/before/segments").status == 503).then_some(()));
    assert!(cut_at.elapsed() < Duration::from_secs(5), "{:?}", cut_at.elapsed());
    assert_eq!(second.client.get("/users/meanwhile/segments").problem(), "unavailable");
    assert_eq!(first.client.segments_of("meanwhile"), ["A"]);
    relay.mend();
    let answer = until("it is back", || {
        Some(at_least(&second.client, "meanwhile", &position)).filter(|answer| answer.status == 200)
    });
    assert_eq!(answer.json()["segments"], json!(["A"]));
    is_ready(&second);
    assert_eq!(second.client.segments_of("meanwhile"), ["A"]);
    place.is_sound();
}

#[test]
fn a_transaction_that_takes_long_keeps_nobody_from_hearing_the_others() {
    let place = Place::new(Engine::Postgres);
    let [first, second] = two_nodes(&place);
    first.client.has_segment("A");
    first.client.has_segment("B");
    let users = (0..60_000).fold("user_id\n".to_owned(), |text, number| text + &format!("u{number:0>6}\n"));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            import(&first.client, "/segments/A/users/import?atomic=true", &users);
            is_over.store(true, Ordering::Relaxed);
        });
        let mut heard = 0;
        while !is_over.load(Ordering::Relaxed) {
            let user = format!("b{heard}");
            let position = add(&first.client, &user, "B");
            assert_eq!(at_least(&second.client, &user, &position).json()["segments"], json!(["B"]));
            heard += 1;
        }
        assert!(heard > 0);
    });
    until("all are there", || (second.client.segments_of("u059999") == ["A"]).then_some(()));
    place.is_sound();
}
