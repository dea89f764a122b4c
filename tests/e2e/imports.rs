//! `strata import`: files as people have them, and a real shop's customers and purchases.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::Output,
};

use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use serde_json::json;

use crate::server::{Engine, Place, on_both_engines};

on_both_engines!(
    files_of_every_form_are_read,
    one_bad_row_keeps_the_whole_file_out,
    a_file_that_cannot_be_used_says_why,
    importing_again_changes_nothing,
    a_real_shop_is_imported_whole,
);

fn import(place: &Place, what: &str, name: &str, content: &[u8]) -> Output {
    let path = place.dir.path().join(name);
    fs::write(&path, content).unwrap();
    place.run(&["import", what, path.to_str().unwrap()])
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn files_of_every_form_are_read(engine: Engine) {
    let place = Place::new(engine);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(b"user_id\tsegment\n5\tA\n").unwrap();
    for (name, content) in [
        ("comma.csv", b"user_id,segment\n1,A\n\"2\",B\n".to_vec()),
        ("semicolon.csv", b"\xef\xbb\xbfuser_id;segment\r\n3;A\r\n".to_vec()),
        ("tab.csv", b"segment\tuser_id\nA\t4".to_vec()),
        ("packed.csv.gz", packed.finish().unwrap()),
        (
            "whole.csv",
            b"user_id,segment,since,ttl,reason\n6,A,2020-01-02T03:04:05+03:00,P2D,\"moved, from elsewhere\"\n".to_vec(),
        ),
    ] {
        let output = import(&place, "memberships", name, &content);
        assert!(output.status.success(), "{name}: {}", told(&output));
    }
    let server = place.serve();
    let members = server.client.get("/segments/A/users?count=exact").json();
    assert_eq!(members["total"], 5, "{members}");
    let moved = server.client.get("/users/6/memberships").json()["items"][0].clone();
    assert_eq!(moved["since"], "2020-01-02T00:04:05.000000Z");
    assert_eq!((moved["source"].as_str(), moved["reason"].as_str()), (Some("import"), Some("moved, from elsewhere")));
    assert!(moved["expires_at"].is_string());
    let then = server.client.get("/segments/A/users?as_of=2021-01-01T00:00:00Z").json();
    assert_eq!(then["items"][0]["user_id"], "6");

    let users = b"user_id;name;email;age;vip;phone\n6;Anna;anna@example.com;33;true;007\n7;;;;;\n";
    assert!(import(&place, "users", "users.csv", users).status.success());
    let anna = server.client.get("/users/6").json();
    assert_eq!((anna["name"].as_str(), anna["email"].as_str()), (Some("Anna"), Some("anna@example.com")));
    assert_eq!(anna["attributes"], json!({"age": 33, "vip": true, "phone": "007"}));
    assert_eq!(server.client.get("/users/7").json()["attributes"], json!({}));
    place.is_sound();
}

fn one_bad_row_keeps_the_whole_file_out(engine: Engine) {
    let place = Place::new(engine);
    let content = "user_id,segment,since,expires_at,ttl\n\
                   1,A,,,\n\
                   a b,A,,,\n\
                   2,a/b,,,\n\
                   3,A,2999-01-01,,\n\
                   4,A,,2001-01-01T00:00:00Z,\n\
                   5,A,,2999-01-01T00:00:00Z,P1D\n\
                   6,A,,,P0D\n\
                   7,A\n\
                   8,stats,,,\n";
    let output = import(&place, "memberships", "bad.csv", content.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    let told = told(&output);
    for line in [
        "8 bad rows, so nothing was imported",
        "line 3: user_id:",
        "line 4: segment:",
        "line 5: since: is in the future",
        "line 6: expires_at: is not in the future",
        "line 7: ttl: give ttl or expires_at, not both",
        "line 8: ttl: a ttl must be longer than nothing",
        "line 9: has 2 cells where the header has 5",
        "line 10: segment: `stats` is a reserved word",
    ] {
        assert!(told.contains(line), "{line} in:\n{told}");
    }
    let server = place.serve();
    assert_eq!(server.client.get("/users?count=exact").json()["total"], 0);
    assert_eq!(server.client.get("/segments?count=exact").json()["total"], 0);
}

fn a_file_that_cannot_be_used_says_why(engine: Engine) {
    let place = Place::new(engine);
    for (content, reason) in [
        (&b""[..], "a header line is needed"),
        (b"user_id,colour\n1,red\n", "unknown column `colour`"),
        (b"user_id\n1\n", "there is no column `segment`"),
        (b"user_id,segment,user_id\n1,A,1\n", "column `user_id` stands twice"),
        (b"user_id,segment\n\xff,A\n", "line 2: is not UTF-8"),
        (b"\x1f\x8b\x08broken", "bad.csv"),
    ] {
        let output = import(&place, "memberships", "bad.csv", content);
        assert_eq!(output.status.code(), Some(1));
        assert!(told(&output).contains(reason), "{reason} in:\n{}", told(&output));
    }
    let missing = place.run(&["import", "users", "no-such-file.csv"]);
    assert!(!missing.status.success() && told(&missing).contains("no-such-file.csv"));

    let path = place.dir.path().join("memberships.csv");
    fs::write(&path, "user_id,segment\n1,A\n2,B\n3,B\n").unwrap();
    let refused = place.run(&["import", "memberships", path.to_str().unwrap(), "--no-create-segments"]);
    assert!(told(&refused).contains("line 2: no segment named `A`"), "{}", told(&refused));
    assert!(told(&refused).contains("line 3: no segment named `B`"), "{}", told(&refused));
}

fn importing_again_changes_nothing(engine: Engine) {
    let place = Place::new(engine);
    let rows: String = (0..1_234).map(|n| format!("{},S{}\n", n % 400, n % 7)).collect();
    let content = format!("user_id,segment\n{rows}");
    let first = told(&import(&place, "memberships", "rows.csv", content.as_bytes()));
    let pairs: BTreeSet<(usize, usize)> = (0..1_234).map(|n| (n % 400, n % 7)).collect();
    assert!(first.contains(&format!("{} memberships added", pairs.len())), "{first}");
    assert!(first.contains("7 segments and 400 users created"), "{first}");
    let again = told(&import(&place, "memberships", "rows.csv", content.as_bytes()));
    assert!(
        again.contains("0 memberships added, 0 extended, 1234 unchanged; 0 segments and 0 users created"),
        "{again}"
    );
    place.is_sound();
}

/// Where the shared data lie: customers and purchases of an online retailer (UCI Online Retail II, CC BY 4.0).
fn real_data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("STRATA_TEST_DATA").map_or(beside, PathBuf::from);
    folder.join("bought.csv.gz").exists().then_some(folder)
}

/// Each product's buyers, counted by other means than the import.
fn buyers(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut text = String::new();
    MultiGzDecoder::new(fs::File::open(folder.join("bought.csv.gz")).unwrap()).read_to_string(&mut text).unwrap();
    let mut buyers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().skip(1) {
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
    let buyers = buyers(&folder);
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
