//! What users of the service do, from beginning to end.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use chrono::{DateTime, FixedOffset, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    bad_input::encoded,
    client::{Answer, Client},
    jobs::within,
    server::{Engine, Place, on_both_engines},
};

on_both_engines!(
    a_user_enters_and_leaves,
    a_segment_lives_from_creation_to_deletion,
    a_user_has_a_profile_with_versions,
    a_person_is_told_everything_and_erased,
    lists_are_searched_sorted_and_paged,
    members_leave_when_their_time_is_up,
    the_past_can_be_asked,
    history_is_filtered_and_paged,
    the_file_tells_what_the_list_tells,
    a_segment_is_given_to_a_share_of_all_users,
    everybody_moves_with_the_later_deadline,
    many_users_are_looked_up_in_order,
    a_request_with_a_key_acts_once,
    every_answer_keeps_the_manners,
    a_restart_keeps_everything,
    a_shutdown_lets_requests_end,
);

const JSON: (&str, &str) = ("content-type", "application/json");

fn ok(answer: Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

fn items(client: &Client, address: &str) -> Vec<Value> {
    ok(client.get(address))["items"].as_array().unwrap().clone()
}

/// One field of each item.
fn each(client: &Client, address: &str, field: &str) -> Vec<String> {
    items(client, address).iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

/// All items of a list, page by page.
fn pages(client: &Client, address: &str, limit: usize) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let separator = if address.contains('?') { '&' } else { '?' };
        let page = ok(client.get(&format!("{address}{separator}limit={limit}{cursor}")));
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit);
        found.extend(items.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
        assert_eq!(items.len(), limit, "a page before the last is full");
    }
}

fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn now() -> String {
    stamp(Utc::now())
}

fn instant(value: &Value) -> DateTime<Utc> {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no instant"));
    assert_eq!(text.len(), "2026-11-20T12:00:00.000000Z".len(), "{text}");
    text.parse().unwrap()
}

fn a_user_enters_and_leaves(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("VIP");
    let change = client.post("/users/1000/segments", json!({"add": ["VIP"]}));
    assert_eq!(
        change.json(),
        json!({"user_id": "1000", "segments": ["VIP"], "added": ["VIP"], "removed": [], "unchanged": []})
    );
    assert_eq!(client.segments_of("1000"), ["VIP"]);
    assert_eq!(client.delete("/users/1000/segments/VIP").status, 200);
    assert!(client.segments_of("1000").is_empty());
    assert!(server.stop().success());
    place.is_sound();
}

fn a_segment_lives_from_creation_to_deletion(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    let body = json!({"slug": "VIP", "name": "Лучшие", "description": "Those who pay", "default_ttl": "P30D"});
    let created = client.post("/segments", body.clone());
    assert_eq!((created.status, created.header("location")), (201, Some("/api/v1/segments/VIP")));
    let segment = created.json();
    for (field, value) in [
        ("slug", json!("VIP")),
        ("name", json!("Лучшие")),
        ("description", json!("Those who pay")),
        ("kind", json!("manual")),
        ("percent", Value::Null),
        ("default_ttl", json!("P30D")),
        ("version", json!(1)),
    ] {
        assert_eq!(segment[field], value, "{field}");
    }
    let first = created.header("etag").unwrap().to_owned();
    assert_eq!(client.post("/segments", body).problem(), "slug_taken");
    client.has_segment("vip");
    assert_eq!(ok(client.get("/segments/vip"))["name"], "vip", "a segment is named after its slug");

    let read = client.get("/segments/VIP");
    assert_eq!((read.header("etag"), read.json()), (Some(first.as_str()), segment));
    let same = client.send("GET", "/segments/VIP", &[("if-none-match", &first)], b"");
    assert_eq!((same.status, same.text.as_str(), same.header("etag")), (304, "", Some(first.as_str())));

    let patch = |tag: &str, body: Value| {
        client.send("PATCH", "/segments/VIP", &[JSON, ("if-match", tag)], body.to_string().as_bytes())
    };
    let unnamed = client.send("PATCH", "/segments/VIP", &[JSON], br#"{"name":"x"}"#);
    assert_eq!((unnamed.status, unnamed.problem().as_str()), (428, "if_match_required"));
    let changed = patch(&first, json!({"name": "Best", "default_ttl": null}));
    let second = changed.header("etag").unwrap().to_owned();
    let segment = ok(changed);
    assert_eq!(
        (&segment["name"], &segment["default_ttl"], &segment["version"]),
        (&json!("Best"), &Value::Null, &json!(2))
    );
    assert_eq!(segment["description"], "Those who pay", "what is left out stays");
    assert_ne!(first, second);
    let stale = patch(&first, json!({"name": "Lost"}));
    assert_eq!((stale.status, stale.problem().as_str()), (412, "version_mismatch"));
    assert_eq!(client.send("GET", "/segments/VIP", &[("if-none-match", &first)], b"").status, 200);
    assert_eq!(client.send("DELETE", "/segments/VIP", &[("if-match", &first)], b"").status, 412);
    assert_eq!(ok(patch(&second, json!({"name": null})))["name"], "VIP");
    let described = ok(client.put("/segments/VIP/description", json!({"description": "short"})));
    assert_eq!((&described["description"], &described["version"]), (&json!("short"), &json!(4)));

    // Members come, and go along with the name and the copy.
    assert_eq!(client.put("/segments/VIP/users/1", json!({"ttl": "P1D", "reason": "asked"})).status, 200);
    assert_eq!(client.put("/segments/VIP/users/2", json!({})).status, 200);
    let deadline = items(client, "/segments/VIP/users")[0]["expires_at"].clone();
    let renamed = client.post("/segments/VIP/rename", json!({"slug": "GOLD"}));
    assert_eq!(renamed.header("content-location"), Some("/api/v1/segments/GOLD"));
    let gold = ok(renamed);
    assert_eq!((&gold["slug"], &gold["name"], &gold["seed"]), (&json!("GOLD"), &json!("GOLD"), &segment["seed"]));
    assert_eq!(client.get("/segments/VIP").problem(), "segment_not_found");
    assert_eq!(client.segments_of("1"), ["GOLD"]);
    assert_eq!(each(client, "/history?segment=VIP", "segment"), ["VIP", "VIP"]);
    assert_eq!(each(client, "/history?segment=GOLD", "segment"), ["VIP", "VIP"]);
    assert_eq!(client.post("/segments/GOLD/rename", json!({"slug": "vip"})).problem(), "slug_taken");

    let same = client.post("/segments/GOLD/rename", json!({"slug": "GOLD"}));
    assert_eq!(ok(same), gold, "the same slug again changes nothing");

    let rehearsed = ok(client.post("/segments/GOLD/copy?dry_run=true", json!({"slug": "GOLD2"})));
    assert_eq!(rehearsed, json!({"segment": "GOLD2", "user_count": 2}));
    let rehearsed = ok(client.delete("/segments/GOLD?dry_run=true"));
    assert_eq!(rehearsed, json!({"segment": "GOLD", "user_count": 2}));
    assert_eq!(each(client, "/segments", "slug"), ["GOLD", "vip"], "a rehearsal changes nothing");
    let copy = client.post("/segments/GOLD/copy", json!({"slug": "GOLD2"}));
    assert_eq!((copy.status, copy.header("location")), (201, Some("/api/v1/segments/GOLD2")));
    let copied = items(client, "/segments/GOLD2/users");
    assert_eq!((copied.len(), &copied[0]["user_id"], &copied[0]["expires_at"]), (2, &json!("1"), &deadline));
    assert_eq!(client.post("/segments/GOLD/copy", json!({"slug": "EMPTY", "members": false})).status, 201);
    assert!(items(client, "/segments/EMPTY/users").is_empty());
    let stats: Vec<(String, u64)> = items(client, "/segments/stats")
        .iter()
        .map(|one| (one["slug"].as_str().unwrap().to_owned(), one["user_count"].as_u64().unwrap()))
        .collect();
    let expected = [("EMPTY", 0), ("GOLD", 2), ("GOLD2", 2), ("vip", 0)];
    assert_eq!(stats, expected.map(|(slug, count)| (slug.to_owned(), count)));

    // Afterwards the history remains, and the slug is free for another.
    assert_eq!(client.delete("/segments/GOLD").status, 204);
    assert_eq!(client.delete("/segments/GOLD").problem(), "segment_not_found");
    assert_eq!(client.segments_of("1"), ["GOLD2"]);
    let rows = items(client, "/history?segment=GOLD&user_id=2");
    assert_eq!((rows.len(), &rows[0]["operation"], &rows[0]["segment"]), (1, &json!("remove"), &json!("GOLD")));
    client.has_segment("GOLD");
    assert!(items(client, "/segments/GOLD/users").is_empty());
    assert_eq!(
        ok(client.get("/users/1/segments/GOLD")),
        json!({"user_id": "1", "segment": "GOLD", "is_member": false})
    );
    place.is_sound();
}

fn a_user_has_a_profile_with_versions(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("VIP");
    // Asking creates nobody.
    assert_eq!(ok(client.get("/users/7/segments")), json!({"user_id": "7", "segments": []}));
    assert_eq!(ok(client.get("/users/7/memberships")), json!({"user_id": "7", "items": []}));
    assert_eq!(ok(client.get("/users/7/segments/VIP"))["is_member"], false);
    assert!(items(client, "/history?user_id=7").is_empty());
    assert_eq!(ok(client.delete("/users/7/segments/VIP"))["unchanged"], json!(["VIP"]));
    assert_eq!(client.get("/users/7").problem(), "user_not_found");
    assert_eq!(ok(client.get("/users?count=exact"))["total"], 0);

    let body = json!({"user_id": 7, "name": "Анна", "email": "anna@example.com", "attributes": {"country": "UK", "tags": ["a"], "deep": {"x": 1, "y": 2}}});
    let created = client.post("/users", body.clone());
    assert_eq!((created.status, created.header("location")), (201, Some("/api/v1/users/7")));
    assert_eq!(client.post("/users", body).problem(), "user_id_taken");
    let first = created.header("etag").unwrap().to_owned();
    let read = client.get("/users/7");
    assert_eq!((read.header("etag"), read.json()), (Some(first.as_str()), created.json()));
    assert_eq!(client.send("GET", "/users/7", &[("if-none-match", &format!("W/{first}"))], b"").status, 304);
    assert_eq!(client.send("GET", "/users/7", &[("if-none-match", "\"other\"")], b"").status, 200);
    assert_eq!(client.send("PATCH", "/users/7", &[JSON], b"{}").status, 428);

    let patch = |tag: &str, body: Value| {
        client.send("PATCH", "/users/7", &[JSON, ("if-match", tag)], body.to_string().as_bytes())
    };
    let body = json!({"email": null, "attributes": {"country": null, "tags": ["b", "c"], "deep": {"y": null, "z": 3}, "new": {"gone": null}}});
    let changed = patch(&first, body);
    let second = changed.header("etag").unwrap().to_owned();
    let user = ok(changed);
    assert_eq!(user["attributes"], json!({"tags": ["b", "c"], "deep": {"x": 1, "z": 3}, "new": {}}));
    assert_eq!((&user["name"], &user["email"], &user["version"]), (&json!("Анна"), &Value::Null, &json!(2)));
    assert_eq!(patch(&first, json!({"name": "Lost"})).problem(), "version_mismatch");
    // What changes nothing makes no version.
    assert_eq!(patch(&second, json!({"name": "Анна"})).header("etag"), Some(second.as_str()));
    assert_eq!(ok(patch(&format!("\"x\", {second}"), json!({"name": null})))["name"], Value::Null);
    assert_eq!(client.patch("/users/nobody", json!({})).problem(), "user_not_found");

    assert_eq!(client.put("/segments/VIP/users/7", json!({})).status, 200);
    assert_eq!(client.send("DELETE", "/users/7", &[("if-match", &first)], b"").status, 412);
    assert_eq!(client.delete("/users/7").status, 204);
    assert_eq!(client.delete("/users/7").problem(), "user_not_found");
    assert!(client.segments_of("7").is_empty());
    assert_eq!(each(client, "/history?user_id=7", "operation"), ["add", "remove"]);
    // Who comes again is another: the old version does not fit.
    assert_eq!(client.post("/users", json!({"user_id": "7"})).status, 201);
    assert_eq!(patch(&first, json!({"name": "x"})).problem(), "version_mismatch");
    assert!(client.segments_of("7").is_empty());
    let drawn = client.post("/users", json!({}));
    assert_eq!(client.get(drawn.header("location").unwrap().strip_prefix("/api/v1").unwrap()).json(), drawn.json());
    place.is_sound();
}

fn lists_are_searched_sorted_and_paged(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    let segments = [
        ("B", "Zebra"),
        ("a", "apple"),
        ("C_1", "100%"),
        ("C-1", "Скидка"),
        ("c", "СКИДКА большая"),
        ("D", "x"),
        ("C1", "50 \\ 2"),
    ];
    for (slug, name) in segments {
        assert_eq!(client.post("/segments", json!({"slug": slug, "name": name})).status, 201);
    }
    for number in 0..4 {
        client.put(&format!("/segments/B/users/{number}"), json!({}));
    }
    assert_eq!(client.post("/segments/D/distribute", json!({"percent": 50})).status, 200);
    let slugs = |query: &str| each(client, &format!("/segments?{query}"), "slug");
    assert_eq!(slugs(""), ["B", "C-1", "C1", "C_1", "D", "a", "c"]);
    assert_eq!(slugs("sort=-slug"), ["c", "a", "D", "C_1", "C1", "C-1", "B"]);
    assert_eq!(slugs("sort=name"), ["C_1", "C1", "B", "a", "D", "c", "C-1"]);
    assert_eq!(slugs("sort=created_at"), segments.map(|(slug, _)| slug));
    assert_eq!(slugs("sort=-updated_at")[0], "D");
    for (query, found) in [
        ("c", vec!["C-1", "C1", "C_1", "c"]),
        ("скид", vec!["C-1", "c"]),
        ("СКИД", vec!["C-1", "c"]),
        ("%", vec!["C_1"]),
        ("_", vec!["C_1"]),
        ("\\", vec!["C1"]),
        ("APP", vec!["a"]),
        ("nothing", vec![]),
        ("", vec!["B", "C-1", "C1", "C_1", "D", "a", "c"]),
    ] {
        assert_eq!(slugs(&format!("query={}", encoded(query))), found, "{query}");
        assert_eq!(each(client, &format!("/segments/stats?query={}", encoded(query)), "slug"), found, "{query}");
        let counted = ok(client.get(&format!("/segments?count=exact&limit=1&query={}", encoded(query))));
        assert_eq!(counted["total"], found.len());
    }
    assert_eq!((slugs("kind=percent"), slugs("kind=rule")), (vec!["D".to_owned()], vec![]));
    assert_eq!(slugs("kind=manual&query=c&sort=-slug"), ["c", "C_1", "C1", "C-1"]);
    assert!(ok(client.get("/segments")).get("total").is_none());
    for sort in ["slug", "-slug", "name", "-name", "created_at", "-created_at", "updated_at", "-updated_at"] {
        let whole = slugs(&format!("sort={sort}"));
        for list in ["/segments", "/segments/stats"] {
            let paged: Vec<Value> =
                pages(client, &format!("{list}?sort={sort}"), 2).iter().map(|one| one["slug"].clone()).collect();
            assert_eq!(paged, whole, "{list} by {sort}");
        }
    }

    let users = [
        ("u1", "Анна Петрова", "anna@example.com"),
        ("u2", "БОРИС", "50%@example.com"),
        ("U3", "a_b", "x@y"),
        ("u_4", "ab", "z@y"),
        ("u%5", "", "O'Neil@y"),
    ];
    for (id, name, email) in users {
        assert_eq!(client.post("/users", json!({"user_id": id, "name": name, "email": email})).status, 201);
    }
    let ids = |query: &str| each(client, &format!("/users?query={}", encoded(query)), "user_id");
    for (query, found) in [
        ("анна", vec!["u1"]),
        ("АННА", vec!["u1"]),
        ("петров", vec!["u1"]),
        ("борис", vec!["u2"]),
        ("50%", vec!["u2"]),
        ("a_b", vec!["U3"]),
        ("u_", vec!["u_4"]),
        ("u%", vec!["u%5"]),
        ("u", vec!["u%5", "u1", "u2", "u_4"]),
        ("U", vec!["U3"]),
        ("o'neil", vec!["u%5"]),
        ("EXAMPLE.COM", vec!["u1", "u2"]),
        ("nobody", vec![]),
        ("%%", vec![]),
        ("__", vec![]),
    ] {
        assert_eq!(ids(query), found, "{query}");
        assert_eq!(ok(client.get(&format!("/users?count=exact&query={}", encoded(query))))["total"], found.len());
    }
    let all: Vec<Value> = pages(client, "/users", 2).iter().map(|user| user["user_id"].clone()).collect();
    assert_eq!(all, ["0", "1", "2", "3", "U3", "u%5", "u1", "u2", "u_4"]);
    let members: Vec<Value> = pages(client, "/segments/B/users", 1).iter().map(|one| one["user_id"].clone()).collect();
    assert_eq!(members, ["0", "1", "2", "3"]);
    assert_eq!(ok(client.get("/segments/B/users?count=exact&limit=2"))["total"], 4);
}

fn members_leave_when_their_time_is_up(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve_with(&[("STRATA_WORKER", "false")]);
    let client = &server.client;
    for slug in ["A", "B", "C", "D", "E"] {
        client.has_segment(slug);
    }
    assert_eq!(client.post("/segments", json!({"slug": "F", "default_ttl": "PT2H"})).status, 201);
    // Far enough away for a slow machine, and written three hours further east.
    let near = Utc::now() + TimeDelta::seconds(4);
    let east =
        near.with_timezone(&FixedOffset::east_opt(3 * 3600).unwrap()).to_rfc3339_opts(SecondsFormat::Micros, true);
    assert!(east.ends_with("+03:00"));
    let change = json!({"add": [{"slug": "A", "ttl": 3, "reason": "trial"}, {"slug": "B", "ttl": "PT3S"}, {"slug": "C", "expires_at": east}, "D", {"slug": "E", "ttl": 3}, "F"], "ttl": "P1D", "reason": "all"});
    ok(client.post("/users/1/segments", change));
    ok(client.put("/segments/F/users/2", json!({})));
    assert_eq!(
        ok(client.delete("/users/1/segments/E"))["removed"],
        json!(["E"]),
        "leaving by hand cancels the deadline"
    );
    let entered = now();
    let held = items(client, "/users/1/memberships");
    let held: Vec<(&str, TimeDelta)> = held
        .iter()
        .map(|one| (one["slug"].as_str().unwrap(), instant(&one["expires_at"]) - instant(&one["since"])))
        .collect();
    assert_eq!(held[0], ("A", TimeDelta::seconds(3)));
    assert_eq!(held[1], ("B", TimeDelta::seconds(3)));
    assert_eq!(held[3], ("D", TimeDelta::days(1)));
    assert_eq!(held[4], ("F", TimeDelta::days(1)), "the call's deadline goes before the segment's own");
    let other = &items(client, "/users/2/memberships")[0];
    assert_eq!(instant(&other["expires_at"]) - instant(&other["since"]), TimeDelta::hours(2));
    let in_c = items(client, "/users/1/memberships")[2].clone();
    assert_eq!(instant(&in_c["expires_at"]), DateTime::from_timestamp_micros(near.timestamp_micros()).unwrap());

    within(20, "the deadlines have come", || (client.segments_of("1") == ["D", "F"]).then_some(()));
    assert_eq!(each(client, "/users/1/memberships", "slug"), ["D", "F"]);
    assert_eq!(ok(client.get("/users/1/segments/A"))["is_member"], false);
    assert_eq!(ok(client.get("/segments/A/users?count=exact")), json!({"items": [], "next_cursor": null, "total": 0}));
    assert_eq!(ok(client.get("/segments/A/distribute"))["user_count"], 0);
    assert_eq!(items(client, "/segments/stats?query=A")[0]["user_count"], 0);
    assert_eq!(
        ok(client.post("/users/segments/lookup", json!({"user_ids": ["1"]})))["items"][0]["segments"],
        json!(["D", "F"])
    );
    assert_eq!(each(client, "/history?segment=A", "operation"), ["add"], "nobody wrote the end down yet");
    assert_eq!(ok(client.delete("/users/1/segments/C"))["unchanged"], json!(["C"]), "who is out cannot leave");

    // History alone knows it already, to the microsecond.
    let deadline = instant(&items(client, "/history?segment=A")[0]["expires_at"]);
    let members_at = |at: &str| each(client, &format!("/segments/A/users?as_of={at}"), "user_id");
    assert_eq!(members_at(&entered), ["1"]);
    assert_eq!(members_at(&stamp(deadline - TimeDelta::microseconds(1))), ["1"]);
    assert!(members_at(&stamp(deadline)).is_empty(), "at its deadline a member is out");
    assert!(members_at(&now()).is_empty());
    assert_eq!(each(client, &format!("/users/1/memberships?as_of={entered}"), "slug"), ["A", "B", "C", "D", "F"]);
    assert_eq!(each(client, &format!("/users/1/memberships?as_of={}", now()), "slug"), ["D", "F"]);
    let diff = ok(client.get(&format!("/segments/A/users/diff?from={entered}")));
    assert_eq!((&diff["entered"], &diff["left"]), (&json!([]), &json!(["1"])));

    // Coming again is a new membership, and the old one's end is written first.
    let again = ok(client.post("/users/1/segments", json!({"add": ["A"]})));
    assert_eq!((&again["added"], &again["unchanged"]), (&json!(["A"]), &json!([])));
    let rows = items(client, "/history?segment=A");
    let told: Vec<(&str, &str)> =
        rows.iter().map(|row| (row["operation"].as_str().unwrap(), row["source"].as_str().unwrap())).collect();
    assert_eq!(told, [("add", "manual"), ("remove", "expiry"), ("add", "manual")]);
    assert_eq!(instant(&rows[1]["timestamp"]), deadline);
    assert!(instant(&rows[2]["timestamp"]) > deadline && rows[2]["expires_at"].is_null());

    // The worker writes each end once, however often it runs.
    for _ in 0..2 {
        let output = place.run(&["work", "--once"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        for (slug, operations) in [
            ("A", vec!["add", "remove", "add"]),
            ("B", vec!["add", "remove"]),
            ("C", vec!["add", "remove"]),
            ("D", vec!["add"]),
            ("E", vec!["add", "remove"]),
        ] {
            assert_eq!(each(client, &format!("/history?segment={slug}"), "operation"), operations, "{slug}");
        }
    }
    let end = &items(client, "/history?segment=C")[1];
    assert_eq!((&end["source"], &end["timestamp"]), (&json!("expiry"), &in_c["expires_at"]));
    assert_eq!(items(client, "/history?segment=E")[1]["source"], "manual");

    // A deadline moves with another add, and an add without one changes nothing.
    let since = items(client, "/users/1/memberships")[1]["since"].clone();
    let later = "2099-01-01T00:00:00.000000Z";
    let moved = ok(client.post("/users/1/segments", json!({"add": [{"slug": "D", "expires_at": later}]})));
    assert_eq!((&moved["extended"], &moved["added"], &moved["unchanged"]), (&json!(["D"]), &json!([]), &json!([])));
    assert_eq!(ok(client.post("/users/1/segments", json!({"add": ["D"]})))["unchanged"], json!(["D"]));
    let held = items(client, "/users/1/memberships")[1].clone();
    assert_eq!((&held["slug"], &held["since"], &held["expires_at"]), (&json!("D"), &since, &json!(later)));
    assert_eq!(each(client, "/history?segment=D", "operation"), ["add", "extend"]);
    assert_eq!(items(client, "/history?segment=D")[1]["expires_at"], later);
    place.is_sound();
}

fn the_past_can_be_asked(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    let before_all = now();
    client.has_segment("GONE");
    client.has_segment("OLD");
    ok(client.post("/users/1/segments", json!({"add": ["GONE", "OLD"]})));
    ok(client.post("/users/2/segments", json!({"add": ["OLD"]})));
    let early = now();
    assert_eq!(client.delete("/segments/GONE").status, 204);
    ok(client.post("/segments/OLD/rename", json!({"slug": "NEW"})));
    let renamed = now();
    ok(client.post("/users/3/segments", json!({"add": ["NEW"]})));
    ok(client.delete("/users/2/segments/NEW"));
    client.has_segment("GONE");
    client.has_segment("OLD");
    ok(client.post("/users/4/segments", json!({"add": ["GONE", "OLD"]})));
    let late = now();
    let members = |slug: &str, at: &str| each(client, &format!("/segments/{slug}/users?as_of={at}"), "user_id");
    for (slug, at, expected) in [
        ("GONE", &before_all, vec![]),
        ("GONE", &early, vec!["1"]),
        ("GONE", &late, vec!["4"]),
        ("OLD", &early, vec!["1", "2"]),
        ("OLD", &late, vec!["4"]),
        ("NEW", &renamed, vec!["1", "2"]),
        ("NEW", &late, vec!["1", "3"]),
    ] {
        assert_eq!(members(slug, at), expected, "{slug} at {at}");
        let counted = ok(client.get(&format!("/segments/{slug}/users?as_of={at}&count=exact&limit=1")));
        assert_eq!(counted["total"], expected.len(), "{slug} at {at}");
    }
    let held = |user: &str, at: &str| each(client, &format!("/users/{user}/memberships?as_of={at}"), "slug");
    assert!(held("1", &before_all).is_empty());
    assert_eq!(held("1", &early), ["GONE", "OLD"]);
    assert_eq!(held("2", &early), ["OLD"]);
    assert!(held("2", &late).is_empty());
    assert_eq!(held("4", &late), ["GONE", "OLD"]);
    // By then the segment that user 1 is in was called NEW, and OLD was another one.
    assert_eq!(held("1", &late), ["NEW"]);
    assert_eq!(client.segments_of("1"), ["NEW"]);
    let diff = ok(client.get(&format!("/segments/NEW/users/diff?from={renamed}&to={late}")));
    assert_eq!((&diff["entered"], &diff["left"], &diff["next_cursor"]), (&json!(["3"]), &json!(["2"]), &Value::Null));
    let diff = ok(client.get(&format!("/segments/NEW/users/diff?from={renamed}&to={renamed}")));
    assert_eq!((&diff["entered"], &diff["left"]), (&json!([]), &json!([])));
    // The slug passed from one segment to another meanwhile.
    let diff = ok(client.get(&format!("/segments/GONE/users/diff?from={early}&to={late}")));
    assert_eq!((&diff["entered"], &diff["left"]), (&json!(["4"]), &json!(["1"])));
    let mut found = (BTreeSet::new(), BTreeSet::new());
    let mut cursor = String::new();
    loop {
        let page = ok(client.get(&format!("/segments/NEW/users/diff?from={before_all}&limit=1{cursor}")));
        found.0.extend(page["entered"].as_array().unwrap().iter().map(ToString::to_string));
        found.1.extend(page["left"].as_array().unwrap().iter().map(ToString::to_string));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, (["\"1\"", "\"3\""].map(str::to_owned).into(), BTreeSet::new()));
    place.is_sound();
}

fn history_is_filtered_and_paged(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    for number in 0..50 {
        client.has_segment(&format!("S{number}"));
    }
    let slugs: Vec<String> = (0..50).map(|number| format!("S{number}")).collect();
    // Fifty rows of one call share their instant: pages must not lose or repeat any of them.
    for user in 0..4 {
        ok(client.post(&format!("/users/{user}/segments"), json!({"add": slugs})));
    }
    let middle = now();
    ok(client.post("/users/0/segments", json!({"remove": slugs})));
    let whole = items(client, "/history?limit=1000");
    assert_eq!((whole.len(), &ok(client.get("/history?count=exact&limit=1"))["total"]), (250, &json!(250)));
    let paged = pages(client, "/history", 7);
    assert_eq!(paged, whole, "every row once, and in order");
    let ids: BTreeSet<i64> = paged.iter().map(|row| row["id"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), 250);
    assert!(whole.is_sorted_by_key(|row| row["timestamp"].as_str().unwrap().to_owned()));

    let month = Utc::now().format("%Y-%m").to_string();
    let (from, to) = (format!("from={middle}"), format!("to={middle}"));
    for (query, count) in [
        ("user_id=0", 100),
        ("user_id=3", 50),
        ("user_id=nobody", 0),
        ("segment=S7", 5),
        ("segment=NOSUCH", 0),
        ("segment=S7&user_id=0", 2),
        ("segment=S7&user_id=1", 1),
        (&format!("month={month}"), 250),
        ("month=2001-01", 0),
        (from.as_str(), 50),
        (to.as_str(), 200),
        (&format!("user_id=0&{to}"), 50),
        (&format!("{to}&from=2001-01-01T00:00:00Z"), 200),
        (&format!("segment=S7&month={month}&user_id=0"), 2),
        ("from=2999-01-01T00:00:00Z", 0),
        ("to=2001-01-01T00:00:00Z", 0),
    ] {
        assert_eq!(pages(client, &format!("/history?{query}"), 9).len(), count, "{query}");
        assert_eq!(ok(client.get(&format!("/history?count=exact&limit=1&{query}")))["total"], count, "{query}");
    }
    // A period takes its beginning, and not its end.
    let at = whole[249]["timestamp"].as_str().unwrap();
    assert_eq!(items(client, &format!("/history?from={at}")).len(), 50);
    assert_eq!(pages(client, &format!("/history?to={at}"), 1000).len(), 200);
    let row = &whole[0];
    for (field, value) in [("user_id", "0"), ("operation", "add"), ("source", "manual"), ("actor", "api")] {
        assert_eq!(row[field], value);
    }
    assert!(row["expires_at"].is_null() && row["reason"].is_null());
}

fn the_file_tells_what_the_list_tells(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    let empty = client.get("/history.csv");
    assert_eq!(empty.text, "user_id;segment;operation;timestamp\n", "an empty file has its header");
    assert_eq!(client.get("/history.csv?header=false").text, "");
    for slug in ["A", "B"] {
        client.has_segment(slug);
    }
    let ids = ["1", "=1+1", "-5", "+7", "@x", "a;b", "a\"b", "\"", "a,b", "'", "юзер", "a=b", "=\"x\";y", "a/b"];
    for id in ids {
        let change = json!({"add": [{"slug": "A", "ttl": "P1D"}, "B"]});
        ok(client.post(&format!("/users/{}/segments", encoded(id)), change));
    }
    ok(client.post("/users/1/segments", json!({"add": [{"slug": "A", "ttl": "P2D"}], "remove": ["B"]})));
    for query in [
        "",
        "segment=A",
        "user_id=1",
        "user_id=%3D1%2B1",
        "month=2001-01",
        "segment=B&user_id=-5",
        "from=2020-01-01T00:00:00Z",
    ] {
        let file = client.get(&format!("/history.csv?{query}"));
        assert_eq!(file.status, 200, "{}", file.text);
        assert!(file.header("content-type").unwrap().starts_with("text/csv"));
        assert!(file.header("content-disposition").unwrap().contains("history.csv"));
        let (header, rows) = file.text.split_once('\n').unwrap();
        assert_eq!(header.trim_end(), "user_id;segment;operation;timestamp");
        assert_eq!(client.get(&format!("/history.csv?header=false&{query}")).text, rows);
        assert_eq!(client.get(&format!("/history.csv?header=true&{query}")).text, file.text);
        let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(file.text.as_bytes());
        let told: Vec<Vec<String>> =
            reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        let guarded = |text: &str| match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            true => format!("'{text}"),
            false => text.to_owned(),
        };
        let listed: Vec<Vec<String>> = items(client, &format!("/history?limit=1000&{query}"))
            .iter()
            .map(|row| {
                let cell = |field: &str| row[field].as_str().unwrap().to_owned();
                vec![guarded(&cell("user_id")), cell("segment"), cell("operation"), cell("timestamp")]
            })
            .collect();
        assert_eq!(told, listed, "{query}");
        for line in rows.lines() {
            assert!(!line.trim_start_matches('"').starts_with(['=', '+', '-', '@']), "{line} is a formula");
        }
    }
    assert!(client.get("/history.csv?user_id=a%3Bb").text.contains("\n\"a;b\";A;add;"));
    assert!(client.get("/history.csv?user_id=a%22b").text.contains("\n\"a\"\"b\";A;add;"));
    assert!(client.get("/history.csv?user_id=-5").text.contains("\n'-5;A;add;"));
}

/// Where a user stands in a segment, as the documentation says.
fn position(seed: &str, user: &str) -> u64 {
    let digest = Sha256::digest(format!("{seed}:{user}"));
    u64::from_be_bytes(digest[..8].try_into().unwrap())
}

fn a_segment_is_given_to_a_share_of_all_users(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("ALL_OF_THEM");
    let users: Vec<String> = (0..100).map(|number| format!("u{number}")).collect();
    for user in &users {
        assert_eq!(client.post("/users", json!({"user_id": user})).status, 201);
    }
    let created = client.post("/segments", json!({"slug": "SHARE", "percent": 30}));
    assert_eq!(created.status, 201, "{}", created.text);
    let segment = created.json();
    assert_eq!((&segment["kind"], &segment["percent"]), (&json!("percent"), &json!(30)));
    let seed = segment["seed"].as_str().unwrap().to_owned();
    let mut ranked = users.clone();
    ranked.sort_by_key(|user| position(&seed, user));
    let lowest = |count: usize| ranked[..count].iter().cloned().collect::<BTreeSet<String>>();
    let members =
        || each(client, "/segments/SHARE/users?limit=1000", "user_id").into_iter().collect::<BTreeSet<String>>();
    let rows = || ok(client.get("/history?segment=SHARE&count=exact&limit=1"))["total"].as_u64().unwrap();
    let give = |percent: Value| ok(client.post("/segments/SHARE/distribute", json!({"percent": percent})));
    assert_eq!(members(), lowest(30));
    assert_eq!(
        ok(client.get("/segments/SHARE/distribute")),
        json!({"segment": "SHARE", "user_count": 30, "total_users": 100, "percent": 30})
    );
    assert_eq!(items(client, "/segments/SHARE/users")[0]["source"], "percent");

    // A rehearsal tells the same as the act, and changes nothing.
    let before = (members(), rows(), client.get("/segments/SHARE").text);
    let rehearsed = ok(client.post("/segments/SHARE/distribute?dry_run=true", json!({"percent": 55.5})));
    assert_eq!((members(), rows(), client.get("/segments/SHARE").text), before);
    // 55.5 % of 100 is 55.5, rounded half up.
    let expected =
        json!({"segment": "SHARE", "user_count": 56, "total_users": 100, "percent": 56, "added": 26, "removed": 0});
    assert_eq!(rehearsed, expected);
    assert_eq!(give(json!(55.5)), expected);
    assert_eq!(members(), lowest(56), "a larger share keeps everyone");
    let before = (rows(), client.get("/segments/SHARE").text);
    let same = give(json!(55.5));
    assert_eq!((&same["added"], &same["removed"]), (&json!(0), &json!(0)));
    assert_eq!((rows(), client.get("/segments/SHARE").text), before, "the same share writes nothing");
    assert_eq!(give(json!(20.4))["removed"], 36);
    assert_eq!(members(), lowest(20), "the last in are out");

    // Members by hand stay, and count.
    let last = ranked[99].clone();
    ok(client.put(&format!("/segments/SHARE/users/{last}"), json!({})));
    let raised = give(json!(25));
    assert_eq!((&raised["added"], &raised["user_count"]), (&json!(4), &json!(25)));
    let mut expected = lowest(24);
    expected.insert(last.clone());
    assert_eq!(members(), expected);
    assert_eq!(give(json!(0))["user_count"], 1);
    assert_eq!(members(), BTreeSet::from([last]));
    assert_eq!(give(json!(100))["user_count"], 100);
    assert_eq!(members(), lowest(100));
    let lowered = ok(client.patch("/segments/SHARE", json!({"percent": 50})));
    assert_eq!((&lowered["percent"], members().len()), (&json!(50), 50));

    // Newcomers join when their position is below the share, however they come.
    let inside = |user: &str| position(&seed, user) < 1 << 63;
    for number in 0..20 {
        let user = format!("n{number}");
        match number % 2 {
            0 => assert_eq!(client.post("/users", json!({"user_id": user})).status, 201),
            _ => {
                assert_eq!(client.post(&format!("/users/{user}/segments"), json!({"add": ["ALL_OF_THEM"]})).status, 200)
            }
        }
        assert_eq!(client.segments_of(&user).contains(&"SHARE".to_owned()), inside(&user), "{user}");
    }
    let copy = client.post("/segments/SHARE/copy", json!({"slug": "COPY"})).json();
    assert_eq!((&copy["seed"], &copy["percent"]), (&json!(seed), &json!(50)));
    assert_eq!(
        each(client, "/segments/COPY/users?limit=1000", "user_id").into_iter().collect::<BTreeSet<_>>(),
        members()
    );
    place.is_sound();
}

fn everybody_moves_with_the_later_deadline(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("FROM");
    client.has_segment("TO");
    let (soon, late) = ("2098-01-01T00:00:00.000000Z", "2099-01-01T00:00:00.000000Z");
    // For each user: the deadline in the first, the one in the second if any, and the one afterwards; null is open.
    let cases = [
        ("both-later-there", json!(soon), Some(json!(late)), json!(late)),
        ("both-later-here", json!(late), Some(json!(soon)), json!(late)),
        ("open-here", Value::Null, Some(json!(soon)), Value::Null),
        ("open-there", json!(soon), Some(Value::Null), Value::Null),
        ("only-here", json!(soon), None, json!(soon)),
        ("only-here-open", Value::Null, None, Value::Null),
    ];
    let enter = |user: &str, slug: &str, deadline: &Value| {
        let body = if deadline.is_null() { json!({}) } else { json!({"expires_at": deadline}) };
        ok(client.put(&format!("/segments/{slug}/users/{user}"), body));
    };
    for (user, here, there, _) in &cases {
        enter(user, "FROM", here);
        if let Some(there) = there {
            enter(user, "TO", there);
        }
    }
    enter("only-there", "TO", &json!(soon));
    let state =
        || ["/segments/FROM/users", "/segments/TO/users", "/history?limit=1000"].map(|list| items(client, list));
    let before = state();
    let body = json!({"from_segment": "FROM", "to_segment": "TO"});
    let rehearsed = ok(client.post("/segments/move_users?dry_run=true", body.clone()));
    assert_eq!(state(), before, "a rehearsal changes nothing");
    let moved = ok(client.post("/segments/move_users", body.clone()));
    assert_eq!(moved, json!({"from_segment": "FROM", "to_segment": "TO", "moved": 6, "added": 2, "extended": 2}));
    assert_eq!(rehearsed, moved);
    assert!(items(client, "/segments/FROM/users").is_empty());
    let there = items(client, "/segments/TO/users");
    assert_eq!(there.len(), 7);
    for (user, _, _, deadline) in cases {
        let member = there.iter().find(|member| member["user_id"] == user).unwrap();
        assert_eq!(member["expires_at"], deadline, "{user}");
    }
    assert_eq!(each(client, "/history?segment=FROM&user_id=only-here", "source"), ["manual", "move"]);
    assert_eq!(ok(client.post("/segments/move_users", body))["moved"], 0);
    let same = client.post("/segments/move_users", json!({"from_segment": "TO", "to_segment": "TO"}));
    assert_eq!((same.status, same.problem().as_str()), (400, "invalid"));
    place.is_sound();
}

fn many_users_are_looked_up_in_order(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    for slug in ["A", "B"] {
        client.has_segment(slug);
    }
    for number in (0..1000).step_by(20) {
        let add = if number % 40 == 0 { json!(["B", "A"]) } else { json!(["B"]) };
        ok(client.post(&format!("/users/{number}/segments"), json!({"add": add})));
    }
    // Backwards, every other one as a number, and one of them twice.
    let mut asked: Vec<u64> = (0..999).rev().collect();
    asked.push(40);
    let ids: Vec<Value> =
        asked.iter().map(|number| if number % 2 == 0 { json!(number) } else { json!(number.to_string()) }).collect();
    let answer = ok(client.post("/users/segments/lookup", json!({"user_ids": ids})));
    let expected: Vec<Value> = asked
        .iter()
        .map(|number| {
            let segments = if number % 40 == 0 {
                json!(["A", "B"])
            } else if number % 20 == 0 {
                json!(["B"])
            } else {
                json!([])
            };
            json!({"user_id": number.to_string(), "segments": segments})
        })
        .collect();
    assert_eq!(answer["items"].as_array().unwrap(), &expected);
    assert_eq!(ok(client.get("/users?count=exact&limit=1"))["total"], 50, "asking creates nobody");
}

fn a_request_with_a_key_acts_once(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("VIP");
    let send = |method: &str, path: &str, key: &str, body: &Value| {
        let headers = [JSON, ("idempotency-key", key), ("if-match", "*")];
        client.send(method, path, &headers, body.to_string().as_bytes())
    };
    let users = || ok(client.get("/users?count=exact&limit=1"))["total"].as_u64().unwrap();
    // Without an id each call would make another user.
    let body = json!({"name": "Anna"});
    let first = send("POST", "/users", "k1", &body);
    assert_eq!((first.status, first.header("idempotent-replayed")), (201, None));
    let again = send("POST", "/users", "k1", &body);
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")));
    for name in ["location", "etag", "content-type"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    assert_eq!((again.text, users()), (first.text, 1));
    let other = send("POST", "/users", "k1", &json!({"name": "Boris"}));
    assert_eq!((other.status, other.problem().as_str(), users()), (422, "idempotency_key_reused", 1));
    let elsewhere = send("POST", "/segments", "k1", &json!({"slug": "X"}));
    assert_eq!((elsewhere.status, elsewhere.problem().as_str()), (422, "idempotency_key_reused"));
    assert_eq!(send("POST", "/users", "k2", &body).header("idempotent-replayed"), None);
    assert_eq!(users(), 2);

    // A refusal is not kept: what was missing may come.
    let add = json!({"add": ["LATER"]});
    assert_eq!(send("POST", "/users/1/segments", "k3", &add).status, 404);
    client.has_segment("LATER");
    assert_eq!(ok(send("POST", "/users/1/segments", "k3", &add))["added"], json!(["LATER"]));
    let replayed = send("POST", "/users/1/segments", "k3", &add);
    assert_eq!((replayed.header("idempotent-replayed"), &replayed.json()["added"]), (Some("true"), &json!(["LATER"])));
    let renamed = send("POST", "/segments/LATER/rename", "k4", &json!({"slug": "NOW"}));
    let replayed = send("POST", "/segments/LATER/rename", "k4", &json!({"slug": "NOW"}));
    assert_eq!((renamed.status, replayed.status, replayed.text), (200, 200, renamed.text));
    let patched = ok(send("PATCH", "/segments/VIP", "k5", &json!({"name": "Best"})));
    let replayed = send("PATCH", "/segments/VIP", "k5", &json!({"name": "Best"}));
    assert_eq!((replayed.header("idempotent-replayed"), replayed.json()), (Some("true"), patched));

    // Eight at once act once, and all of them hear of it.
    for round in 0..5 {
        let key = format!("together-{round}");
        let before = users();
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let send = &send;
            let (key, body) = (&key, &body);
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(move || send("POST", "/users", key, body))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(users(), before + 1);
        let told: BTreeSet<(u16, String)> = answers.iter().map(|answer| (answer.status, answer.text.clone())).collect();
        assert_eq!((told.len(), told.first().unwrap().0), (1, 201), "{told:?}");
        assert_eq!(answers.iter().filter(|answer| answer.header("idempotent-replayed").is_none()).count(), 1);
    }
    place.is_sound();
}

fn every_answer_keeps_the_manners(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("VIP");
    ok(client.put("/segments/VIP/users/1/", json!({})));
    for address in [
        "/segments",
        "/segments/VIP",
        "/segments/stats",
        "/segments/VIP/users",
        "/users",
        "/users/1",
        "/users/1/segments",
        "/users/1/memberships",
        "/history",
        "/history.csv",
        "//healthz",
        "//readyz",
    ] {
        let plain = client.get(address);
        let slashed = client.get(&format!("{address}/"));
        assert_eq!((slashed.status, &slashed.text), (200, &plain.text), "{address}");
        let head = client.send("HEAD", address, &[], b"");
        assert_eq!((head.status, head.text.as_str()), (200, ""), "{address}");
        assert_eq!(
            (head.header("content-type"), head.header("etag")),
            (plain.header("content-type"), plain.header("etag")),
            "{address}"
        );
    }
    assert_eq!(client.post("/segments/", json!({"slug": "SLASH"})).status, 201);
    assert_eq!(client.delete("/segments/SLASH/").status, 204);
    assert_eq!(client.send("HEAD", "/segments/nosuch", &[], b"").status, 404);
    assert_eq!(ok(client.get("//healthz")), json!({"status": "ok"}));

    let known = client.send("GET", "/users/1", &[("x-request-id", "my-id_1.2")], b"");
    assert_eq!(known.header("x-request-id"), Some("my-id_1.2"));
    let problem = client.send("GET", "/users/nobody", &[("x-request-id", "my-id")], b"");
    assert_eq!((problem.header("x-request-id"), &problem.json()["request_id"]), (Some("my-id"), &json!("my-id")));
    assert_eq!(problem.json()["instance"], "/api/v1/users/nobody");
    let ids: BTreeSet<String> =
        (0..5).map(|_| client.get("/users").header("x-request-id").unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 5, "each request has an id of its own");
    let unknown = client.get("//nowhere");
    assert_eq!(
        (unknown.problem().as_str(), unknown.header("x-request-id").map(str::to_owned)),
        ("route_not_found", unknown.json()["request_id"].as_str().map(str::to_owned))
    );
    // Lists too are sent once to whoever has them.
    let list = client.get("/segments");
    assert_eq!(client.send("GET", "/segments", &[("if-none-match", list.header("etag").unwrap())], b"").status, 304);

    let origin = ("origin", "https://console.example.com");
    let asking = [
        origin,
        ("access-control-request-method", "PATCH"),
        ("access-control-request-headers", "content-type,if-match,idempotency-key"),
    ];
    for answer in
        [client.send("GET", "/segments", &[origin], b""), client.send("OPTIONS", "/segments/VIP", &asking, b"")]
    {
        assert!(answer.header("access-control-allow-origin").is_none(), "no other page may call by default");
    }
    let open = place.serve_with(&[("STRATA_CORS_ORIGINS", "https://console.example.com")]);
    let read = open.client.send("GET", "/segments", &[origin], b"");
    assert_eq!(read.header("access-control-allow-origin"), Some(origin.1));
    let exposed = read.header("access-control-expose-headers").unwrap_or_default().to_lowercase();
    for name in ["etag", "location", "x-request-id", "idempotent-replayed"] {
        assert!(exposed.contains(name), "{name} is not in {exposed}");
    }
    let allowed = open.client.send("OPTIONS", "/segments/VIP", &asking, b"");
    assert_eq!(
        (allowed.status, allowed.header("access-control-allow-origin")),
        (200, Some(origin.1)),
        "{}",
        allowed.text
    );
    assert!(allowed.header("access-control-allow-methods").unwrap().contains("PATCH"));
    // A page sees the refusals too.
    let refused = open.client.send("GET", "/segments/nosuch", &[origin], b"");
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (404, Some(origin.1)));
    let stranger = open.client.send("GET", "/segments", &[("origin", "https://evil.example.com")], b"");
    assert!(stranger.header("access-control-allow-origin").is_none());
    let refused = open.client.send(
        "OPTIONS",
        "/segments",
        &[("origin", "https://evil.example.com"), ("access-control-request-method", "GET")],
        b"",
    );
    assert!((400..500).contains(&refused.status), "{}", refused.status);
}

fn a_restart_keeps_everything(engine: Engine) {
    let place = Place::new(engine);
    let lists = [
        "/segments",
        "/users",
        "/history?limit=1000",
        "/segments/VIP/users",
        "/segments/SHARE/users",
        "/users/1/memberships",
        "/segments/VIP",
    ];
    let server = place.serve_with(&[("STRATA_WORKER", "false")]);
    let client = &server.client;
    client.has_segment("VIP");
    ok(client.post("/users/1/segments", json!({"add": [{"slug": "VIP", "ttl": "P1D", "reason": "why"}]})));
    ok(client.post("/users/2/segments", json!({"add": [{"slug": "VIP", "ttl": 1}]})));
    ok(client.post("/users/3/segments", json!({"add": ["VIP"]})));
    assert_eq!(client.post("/segments", json!({"slug": "SHARE", "percent": 66.6667})).status, 201);
    let body = json!({"user_id": "4", "attributes": {"ключ": [1, {"a": null}]}}).to_string();
    let created = client.send("POST", "/users", &[JSON, ("idempotency-key", "k")], body.as_bytes());
    assert_eq!(created.status, 201);
    within(20, "one has left", || (items(client, "/segments/VIP/users").len() == 2).then_some(()));
    let before: Vec<(String, Option<String>)> = lists
        .iter()
        .map(|list| client.get(list))
        .map(|one| (one.text.clone(), one.header("etag").map(str::to_owned)))
        .collect();
    assert!(server.stop().success());

    let server = place.serve_with(&[("STRATA_WORKER", "false")]);
    let client = &server.client;
    for (list, before) in lists.iter().zip(before) {
        let after = client.get(list);
        assert_eq!((after.text.clone(), after.header("etag").map(str::to_owned)), before, "{list}");
    }
    let replayed = client.send("POST", "/users", &[JSON, ("idempotency-key", "k")], body.as_bytes());
    assert_eq!((replayed.header("idempotent-replayed"), &replayed.text), (Some("true"), &created.text));
    assert!(server.stop().success());
    // And a worker that starts later still ends what was due before.
    let server = place.serve();
    within(20, "the worker has written the end", || {
        (items(&server.client, "/history?user_id=2&segment=VIP").len() == 2).then_some(())
    });
    let rows = items(&server.client, "/history?user_id=2&segment=VIP");
    assert_eq!((&rows[1]["timestamp"], &rows[1]["source"]), (&rows[0]["expires_at"], &json!("expiry")));
    assert!(server.stop().success());
    place.is_sound();
}

fn a_shutdown_lets_requests_end(engine: Engine) {
    let place = Place::new(engine);
    // Long names, so that the file is larger than whatever the network holds on its way.
    let (rows, slug) = (40_000, "S".repeat(250));
    let path = place.dir.path().join("memberships.csv");
    let mut text = String::from("user_id,segment\n");
    (0..rows).for_each(|number| text += &format!("{number:0>100},{slug}\n"));
    std::fs::write(&path, text).unwrap();
    let imported = place.run(&["import", "memberships", path.to_str().unwrap()]);
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    // With one thread, a connection was taken up as soon as a later one is answered.
    let server = place.serve_with(&[("STRATA_HTTP_THREADS", "1")]);
    server.client.has_segment("BIG");
    let ask = |request: &str| {
        let mut stream = TcpStream::connect(server.base.strip_prefix("http://").unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };

    // One request reads a large file slowly, and another writes a lot.
    let mut reader =
        ask("GET /api/v1/history.csv?header=false HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut received = vec![0; 1000];
    reader.read_exact(&mut received).unwrap();
    assert!(received.starts_with(b"HTTP/1.1 200"));
    let mut writer = ask("POST /api/v1/segments/BIG/distribute HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"percent\":100}");
    for _ in 0..3 {
        assert_eq!(Client::new(server.base.clone()).get("//healthz").status, 200);
    }
    let base = server.base.clone();
    let stopping = std::thread::spawn(move || server.stop());
    within(20, "it takes no more connections", || TcpStream::connect(base.strip_prefix("http://").unwrap()).err());
    assert!(!stopping.is_finished(), "it waits for the reader");
    let mut given = String::new();
    writer.read_to_string(&mut given).unwrap();
    assert!(given.starts_with("HTTP/1.1 200") && given.contains(&format!(r#""added":{rows}"#)), "{given}");
    reader.read_to_end(&mut received).unwrap();
    let text = String::from_utf8_lossy(&received);
    assert!(text.ends_with("\r\n0\r\n\r\n"), "the file is cut off: …{:?}", &text[text.len() - 100..]);
    assert_eq!(text.matches(";add;").count(), rows);
    assert!(stopping.join().unwrap().success());
    place.is_sound();
}

fn a_person_is_told_everything_and_erased(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.post("/segments", json!({"slug": "A"}));
    let attributes = json!({"city": "Berlin \"Mitte\""});
    client.post("/users", json!({"user_id": "a/b", "name": "Anna", "attributes": attributes}));
    client.post("/users/a%2Fb/segments", json!({"add": ["A"], "reason": "asked for it"}));
    client.post("/users/other/segments", json!({"add": ["A"]}));
    let answer = client.get("/users/a%2Fb/export");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let person = ok(answer);
    assert_eq!((&person["user_id"], &person["user"]["attributes"]), (&json!("a/b"), &attributes));
    assert_eq!(
        (&person["memberships"][0]["slug"], &person["memberships"][0]["reason"]),
        (&json!("A"), &json!("asked for it"))
    );
    assert_eq!(person["history"].as_array().unwrap().len(), 1);
    assert_eq!(client.get("/users/nobody/export").problem(), "user_not_found");
    let refused = client.delete("/users/a%2Fb?erase=perhaps");
    assert_eq!((refused.status, refused.problem().as_str()), (400, "invalid"));
    assert_eq!(client.delete("/users/a%2Fb?erase=true").status, 204);
    assert_eq!(client.delete("/users/a%2Fb?erase=true").problem(), "user_not_found");
    assert_eq!(client.get("/users/a%2Fb/export").problem(), "user_not_found");
    assert_eq!(each(client, "/segments/A/users", "user_id"), ["other"]);
    let history = client.get("/history.csv").text;
    assert!(!history.contains("a/b") && history.matches("erased-").count() == 2, "{history}");
    let told = place.run(&["audit", "verify"]);
    assert!(String::from_utf8_lossy(&told.stdout).contains(" rows: 0 flaws"), "{told:?}");
    let rows = client.get("/audit").text;
    assert!(rows.contains("user.erased") && !rows.contains("a/b"), "{rows}");
    place.is_sound();
}
