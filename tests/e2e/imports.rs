//! `strata import`: files as people have them, into the store or into a server, and a real shop's customers and purchases.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Read,
    path::Path,
    process::Output,
};

use flate2::read::MultiGzDecoder;
use serde_json::json;

use crate::{
    jobs::{self, gzip, table, within},
    server::{Engine, Place, on_both_engines, real_data},
};

on_both_engines!(
    files_of_every_form_are_read,
    bad_rows_wait_beside_the_file_to_be_mended,
    one_bad_row_keeps_the_whole_file_out_when_asked,
    a_file_that_cannot_be_used_says_why,
    importing_again_changes_nothing,
    modes_and_defaults_hold_for_all_rows,
    a_file_goes_to_a_server_as_into_the_store,
    a_real_shop_is_imported_whole,
);

fn import(place: &Place, what: &str, name: &str, content: &[u8], flags: &[&str]) -> Output {
    let path = place.dir.path().join(name);
    fs::write(&path, content).unwrap();
    place.run(&[&["import", what, path.to_str().unwrap()], flags].concat())
}

/// The same, with a token to prove who sends the file.
fn import_bearing(place: &Place, token: &str, what: &str, name: &str, content: &[u8], flags: &[&str]) -> Output {
    let path = place.dir.path().join(name);
    fs::write(&path, content).unwrap();
    let mut command = place.command(&[&["import", what, path.to_str().unwrap()], flags].concat());
    command.env("STRATA_TOKEN", token).output().unwrap()
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn files_of_every_form_are_read(engine: Engine) {
    let place = Place::new(engine);
    for (name, content) in [
        ("comma.csv", b"user_id,segment\n1,A\n\"2\",B\n".to_vec()),
        ("semicolon.csv", b"\xef\xbb\xbfuser_id;segment\r\n3;A\r\n".to_vec()),
        ("tab.csv", b"segment\tuser_id\nA\t4".to_vec()),
        ("packed.csv.gz", gzip("user_id\tsegment\n5\tA\n")),
        ("objects.ndjson", b"{\"user_id\":7,\"segment\":\"A\"}\n{\"segment\":\"A\",\"user_id\":\"8\"}".to_vec()),
        ("book.xlsx", table("xlsx", &["user_id", "segment"], [["9", "A"], ["009", "A"]])),
        ("nothing-of-a-name", table("xlsx.gz", &["user_id", "segment"], [["10", "A"]])),
        (
            "whole.csv",
            b"user_id,segment,since,ttl,reason\n6,A,2020-01-02T03:04:05+03:00,P2D,\"moved, from elsewhere\"\n".to_vec(),
        ),
    ] {
        let output = import(&place, "memberships", name, &content, &[]);
        assert!(output.status.success(), "{name}: {}", told(&output));
    }
    let server = place.serve();
    let ids: Vec<String> = server.client.get("/segments/A/users").json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["user_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, ["009", "1", "10", "3", "4", "5", "6", "7", "8", "9"]);
    let moved = server.client.get("/users/6/memberships").json()["items"][0].clone();
    assert_eq!(moved["since"], "2020-01-02T00:04:05.000000Z");
    assert_eq!((moved["source"].as_str(), moved["reason"].as_str()), (Some("import"), Some("moved, from elsewhere")));
    assert!(moved["expires_at"].is_string());
    let then = server.client.get("/segments/A/users?as_of=2021-01-01T00:00:00Z").json();
    assert_eq!(then["items"][0]["user_id"], "6");

    let users = b"user_id;name;email;age;vip;phone\n6;Anna;anna@example.com;33;true;007\n7;;;;;\n";
    assert!(import(&place, "users", "users.csv", users, &[]).status.success());
    let anna = server.client.get("/users/6").json();
    assert_eq!((anna["name"].as_str(), anna["email"].as_str()), (Some("Anna"), Some("anna@example.com")));
    assert_eq!(anna["attributes"], json!({"age": 33, "vip": true, "phone": "007"}));
    assert_eq!(server.client.get("/users/7").json()["attributes"], json!({}));

    let segments = b"segment,name,percent,default_ttl\nA,All of them,,P1D\nHALF,,50,\n";
    assert!(import(&place, "segments", "segments.csv", segments, &[]).status.success());
    let a = server.client.get("/segments/A").json();
    assert_eq!((a["name"].as_str(), a["default_ttl"].as_str()), (Some("All of them"), Some("P1D")));
    assert_eq!(server.client.get("/segments/HALF/distribute").json()["user_count"], 6);
    place.is_sound();
}

/// One good row, and eight that cannot be.
const MIXED: &str = "user_id,segment,since,expires_at,ttl\n\
                     1,A,,,\n\
                     a b,A,,,\n\
                     2,a/b,,,\n\
                     3,A,2999-01-01,,\n\
                     4,A,,2001-01-01T00:00:00Z,\n\
                     5,A,,2999-01-01T00:00:00Z,P1D\n\
                     6,A,,,P0D\n\
                     7,A\n\
                     8,stats,,,\n";
const REFUSALS: [&str; 9] = [
    "8 rows were refused",
    "line 3: user_id: `a b` holds white space",
    "line 4: segment: `a/b` is not a segment slug",
    "line 5: since: `2999-01-01T00:00:00+00:00` is in the future",
    "line 6: expires_at: the deadline is not in the future",
    "line 7: ttl: give ttl or expires_at, not both",
    "line 8: ttl: a ttl must be longer than nothing",
    "line 9: has 2 cells where the header has 5",
    "line 10: segment: `stats` is a reserved word",
];

fn bad_rows_wait_beside_the_file_to_be_mended(engine: Engine) {
    let place = Place::new(engine);
    let output = import(&place, "memberships", "mixed.csv", MIXED.as_bytes(), &[]);
    assert_eq!(output.status.code(), Some(1));
    let told_first = told(&output);
    for line in REFUSALS.into_iter().chain(["9 rows in", "1 added"]) {
        assert!(told_first.contains(line), "{line} in:\n{told_first}");
    }
    let server = place.serve();
    assert_eq!((server.client.segments_of("1"), server.client.segments_of("7")), (vec!["A".to_owned()], vec![]));

    let beside = place.dir.path().join("mixed.csv.refused.csv");
    let refused = fs::read_to_string(&beside).unwrap();
    assert!(refused.starts_with("import_line,import_error,user_id,segment,since,expires_at,ttl\n3,"), "{refused}");
    let mended = [
        ("a b,A", "ab,A"),
        ("2,a/b", "2,B"),
        (",2999-01-01,,", ",2020-01-01,,"),
        ("2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"),
        ("Z,P1D", "Z,"),
        (",P0D", ",P1D"),
        ("7,A\n", "7,A,,,\n"),
        ("8,stats", "8,STATS"),
    ];
    let mended = mended.into_iter().fold(refused, |text, (bad, good)| {
        assert!(text.contains(bad), "{bad} in {text}");
        text.replace(bad, good)
    });
    let output = import(&place, "memberships", "mended.csv", mended.as_bytes(), &[]);
    assert!(output.status.success() && told(&output).contains("8 rows in"), "{}", told(&output));
    for (user, slug) in
        [("ab", "A"), ("2", "B"), ("3", "A"), ("4", "A"), ("5", "A"), ("6", "A"), ("7", "A"), ("8", "STATS")]
    {
        within(20, "the server hears of it", || (server.client.segments_of(user) == [slug]).then_some(()));
    }
    place.is_sound();
}

fn one_bad_row_keeps_the_whole_file_out_when_asked(engine: Engine) {
    let place = Place::new(engine);
    let output = import(&place, "memberships", "mixed.csv", MIXED.as_bytes(), &["--atomic"]);
    assert_eq!(output.status.code(), Some(1));
    let told = told(&output);
    for line in REFUSALS.into_iter().chain(["so nothing was imported"]) {
        assert!(told.contains(line), "{line} in:\n{told}");
    }
    let server = place.serve();
    assert_eq!(server.client.get("/users?count=exact").json()["total"], 0);
    assert_eq!(server.client.get("/segments?count=exact").json()["total"], 0);
}

fn a_file_that_cannot_be_used_says_why(engine: Engine) {
    let place = Place::new(engine);
    for (content, reason) in [
        (&b""[..], "the file is empty: a header is needed"),
        (b"user_id,segment\n", "the file has no rows"),
        (b"user_id,colour\n1,red\n", "there is no column `colour`"),
        (b"user_id\n1\n", "there is no column `segment`"),
        (b"user_id,segment,user_id\n1,A,1\n", "column `user_id` stands twice"),
        (b"user_id,segment\n\xff,A\n", "line 2: is not UTF-8"),
        (b"\x1f\x8b\x08broken", "the packed file is cut short or damaged"),
    ] {
        let output = import(&place, "memberships", "bad.csv", content, &[]);
        assert_eq!(output.status.code(), Some(1));
        assert!(told(&output).contains(reason), "{reason} in:\n{}", told(&output));
    }
    let missing = place.run(&["import", "users", "no-such-file.csv"]);
    assert!(!missing.status.success() && told(&missing).contains("no-such-file.csv"));

    let unknown =
        import(&place, "memberships", "some.csv", b"user_id,segment\n1,A\n2,B\n3,B\n", &["--no-create-segments"]);
    assert!(told(&unknown).contains("line 2: segment: no segment named `A`"), "{}", told(&unknown));
    assert!(told(&unknown).contains("line 3: segment: no segment named `B`"), "{}", told(&unknown));
    for flags in [["--ttl", "soon"], ["--segment", "a/b"], ["--expires-at", "tomorrow"], ["--reason", ""]] {
        let output = import(&place, "memberships", "some.csv", b"user_id,segment\n1,A\n", &flags);
        assert_eq!(output.status.code(), Some(1));
        assert!(told(&output).contains(flags[0]), "{}", told(&output));
    }
}

fn importing_again_changes_nothing(engine: Engine) {
    let place = Place::new(engine);
    let rows: String = (0..1_234).map(|n| format!("{},S{}\n", n % 400, n % 7)).collect();
    let content = format!("user_id,segment\n{rows}");
    let first = told(&import(&place, "memberships", "rows.csv", content.as_bytes(), &[]));
    let pairs: BTreeSet<(usize, usize)> = (0..1_234).map(|n| (n % 400, n % 7)).collect();
    assert!(first.contains("1234 rows in"), "{first}");
    assert!(first.contains(&format!("{} added", pairs.len())), "{first}");
    assert!(first.contains("400 users created, 7 segments created"), "{first}");
    let again = told(&import(&place, "memberships", "rows.csv", content.as_bytes(), &[]));
    assert!(again.contains(&format!("{} unchanged", pairs.len())), "{again}");
    assert!(!again.contains("added") && !again.contains("created"), "{again}");
    place.is_sound();
}

fn modes_and_defaults_hold_for_all_rows(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    server.client.has_segment("A");
    let run = |name, content: &str, flags: &[&str]| {
        let output = import(&place, "memberships", name, content.as_bytes(), flags);
        assert!(output.status.success(), "{}", told(&output));
        told(&output)
    };
    let deadline = "2099-01-01T00:00:00.000000Z";
    let defaults = ["--segment", "A", "--expires-at", deadline, "--reason", "by file", "--progress"];
    let added = run("add.csv", "user_id\n1\n2\n3\n", &defaults);
    assert!(added.contains("3 added, 3 users created"), "{added}");
    let member = server.client.get("/segments/A/users").json()["items"][0].clone();
    assert_eq!((&member["expires_at"], &member["reason"]), (&json!(deadline), &json!("by file")));

    let rehearsed = run("replace.csv", "user_id\n2\n4\n", &["--segment", "A", "--mode", "replace", "--dry-run"]);
    assert!(rehearsed.contains("would be: 1 added, 2 removed, 1 unchanged"), "{rehearsed}");
    assert_eq!(jobs::members(&server.client, "A"), 3);
    let replaced = run("replace.csv", "user_id\n2\n4\n", &["--segment", "A", "--mode", "replace"]);
    assert!(replaced.contains(": 1 added, 2 removed, 1 unchanged"), "{replaced}");
    assert_eq!(jobs::members(&server.client, "A"), 2);
    let removed = run("remove.csv", "user_id\n4\n5\n", &["--segment", "A", "--mode", "remove"]);
    assert!(removed.contains("1 removed, 1 unchanged"), "{removed}");
    assert_eq!(server.client.segments_of("2"), ["A"]);
    assert_eq!(jobs::members(&server.client, "A"), 1);
    place.is_sound();
}

fn a_file_goes_to_a_server_as_into_the_store(engine: Engine) {
    let place = Place::guarded(engine);
    let server = place.serve();
    let token = place.token("files", &["--scope", "manage", "--scope", "persons"]);
    let client = server.client.bearing(&token);
    let import = |place: &Place, what: &str, name: &str, content: &[u8], flags: &[&str]| {
        import_bearing(place, &token, what, name, content, flags)
    };
    let there = ["--server", server.base.as_str()];
    let output = import(&place, "memberships", "mixed.csv", MIXED.as_bytes(), &there);
    assert_eq!(output.status.code(), Some(1));
    for line in REFUSALS.into_iter().chain(["9 rows in", "1 added"]) {
        assert!(told(&output).contains(line), "{line} in:\n{}", told(&output));
    }
    let refused = fs::read_to_string(place.dir.path().join("mixed.csv.refused.csv")).unwrap();
    assert_eq!(refused.lines().count(), 9, "{refused}");
    assert_eq!(client.segments_of("1"), ["A"]);

    // More rows than are done at once are followed to their end.
    let many: String = (0..40_500).map(|number| format!("{{\"user_id\":{number},\"segment\":\"MANY\"}}\n")).collect();
    let output = import(
        &place,
        "memberships",
        "many.ndjson",
        many.as_bytes(),
        &[&there[..], &["--progress", "--ttl", "P1D"]].concat(),
    );
    assert!(output.status.success() && told(&output).contains("40500 added"), "{}", told(&output));
    assert!(told(&output).contains("of 40500 rows"), "{}", told(&output));
    assert_eq!(jobs::members(&client, "MANY"), 40_500);

    let users = table("xlsx", &["user_id", "name"], [["1", "Анна"]]);
    let output = import(&place, "users", "users.xlsx", &users, &there);
    assert!(output.status.success() && told(&output).contains("1 updated"), "{}", told(&output));
    let unknown =
        import(&place, "memberships", "some.csv", b"user_id\n1\n", &[&there[..], &["--segment", "NOSUCH"]].concat());
    assert_eq!(unknown.status.code(), Some(1));
    assert!(told(&unknown).contains("404") && told(&unknown).contains("`NOSUCH`"), "{}", told(&unknown));
    let atomic = import(&place, "memberships", "mixed.csv", MIXED.as_bytes(), &[&there[..], &["--atomic"]].concat());
    assert_eq!(atomic.status.code(), Some(1));
    assert!(told(&atomic).contains("line 3"), "{}", told(&atomic));
    let nobody = import(&place, "users", "users.xlsx", &users, &["--server", "http://127.0.0.1:9"]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(told(&nobody).contains("http://127.0.0.1:9"), "{}", told(&nobody));
    place.is_sound();
}

/// The lines of the file, without its header.
fn purchases(folder: &Path) -> Vec<String> {
    let mut text = String::new();
    MultiGzDecoder::new(fs::File::open(folder.join("bought.csv.gz")).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().skip(1).map(str::to_owned).collect()
}

/// Each product's buyers, counted by other means than the import.
fn buyers(purchases: &[String]) -> BTreeMap<String, BTreeSet<String>> {
    let mut buyers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in purchases {
        let mut cells = line.split(',');
        let (user, segment) = (cells.next().unwrap(), cells.next().unwrap());
        buyers.entry(segment.to_owned()).or_default().insert(user.to_owned());
    }
    buyers
}

fn a_real_shop_is_imported_whole(engine: Engine) {
    let Some(folder) = real_data() else {
        println!(
            "left out: there are no shared data, set STRATA_TEST_DATA to a folder with customers.csv and bought.csv.gz"
        );
        return;
    };
    let mut purchases = purchases(&folder);
    let buyers = buyers(&purchases);
    let pairs: usize = buyers.values().map(BTreeSet::len).sum();
    let place = Place::new(engine);
    for (what, file) in [("users", "customers.csv"), ("memberships", "bought.csv.gz")] {
        let output = place.run(&["import", what, folder.join(file).to_str().unwrap()]);
        assert!(output.status.success(), "{}", told(&output));
        println!("{}", told(&output).lines().last().unwrap_or_default());
    }
    place.is_sound();

    let server = place.serve();
    let client = &server.client;
    let customers = fs::read_to_string(folder.join("customers.csv")).unwrap().lines().count() - 1;
    assert_eq!(client.get("/users?limit=1&count=exact").json()["total"], customers);
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = client.get(&format!("/segments/stats?limit=1000{cursor}")).json();
        for item in page["items"].as_array().unwrap() {
            counted.insert(item["slug"].as_str().unwrap().to_owned(), item["user_count"].as_u64().unwrap());
        }
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let expected: BTreeMap<String, u64> =
        buyers.iter().map(|(slug, users)| (slug.clone(), users.len() as u64)).collect();
    assert_eq!(counted, expected);

    // What comes out is what went in.
    let csv = client.get("/history.csv?header=false");
    let mut exported: Vec<String> =
        csv.text.lines().map(|line| line.replace(";add;", ",").replace(';', ",").replace(".000000Z", "Z")).collect();
    drop(csv);
    exported.sort_unstable();
    purchases.sort_unstable();
    assert!(exported == purchases, "{} rows of {} come out", exported.len(), purchases.len());

    client.has_segment("MAIL_GPT");
    let given = client.post("/segments/MAIL_GPT/distribute", json!({"percent": 30})).json();
    let share = (customers as u64 * 30 + 50) / 100;
    assert_eq!((given["user_count"].as_u64(), given["added"].as_u64()), (Some(share), Some(share)), "{given}");
    let deadline = client.post("/users/12346/segments", json!({"add": [{"slug": "MAIL_GPT", "ttl": "P30D"}]}));
    assert_eq!(deadline.status, 200, "{}", deadline.text);

    let csv = client.get("/history.csv");
    assert_eq!(csv.status, 200);
    let rows = csv.text.lines().count() - 1;
    let extra =
        deadline.json()["added"].as_array().unwrap().len() + deadline.json()["extended"].as_array().map_or(0, Vec::len);
    assert_eq!(rows, pairs + share as usize + extra);
    drop(csv);
    // Purchases keep their dates: the first month of the file is the first month of history.
    let december = client.get("/history?month=2009-12&limit=1&count=exact").json();
    assert!(december["total"].as_u64().unwrap() > 10_000, "{december}");
    drop(server);
    place.is_sound();
}
