//! What a console asks: searches, counts, sizes, endings, reasons and the summary, each once well and once not.

use serde_json::{Value, json};

use crate::{
    client::Client,
    jobs::{ended, import},
    server::{Engine, Place, on_both_engines},
};

on_both_engines!(
    history_comes_the_newest_first,
    members_are_searched_as_users_are,
    statistics_tell_of_the_last_change_and_go_by_size,
    sizes_of_several_segments_have_the_same_points,
    memberships_that_end_come_the_soonest_first,
    a_user_is_told_why,
    what_happened_is_counted,
    the_summary_counts_everything,
    the_likest_pairs_come_first,
    the_limits_of_signing_in_are_told,
    an_empty_store_is_filled_and_no_other,
);

/// `A` has a, b and c, of whom c came by an import and b stays a day; `B` has b and c; `NOBODY` has nobody.
fn with_a_few(engine: Engine, work: impl FnOnce(&Client)) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    for slug in ["A", "B", "NOBODY"] {
        client.has_segment(slug);
    }
    assert_eq!(client.post("/users", json!({"user_id": "b", "name": "Anna"})).status, 201);
    let add = |user: &str, slug: &str, body: Value| {
        assert_eq!(client.post(&format!("/users/{user}/segments/{slug}"), body).status, 200);
    };
    add("a", "A", json!({}));
    add("b", "A", json!({"ttl": "PT23H", "reason": "a trial"}));
    import(client, "/segments/A/users/import", "user_id\nc\n");
    add("b", "B", json!({"ttl": "P3D"}));
    add("c", "B", json!({}));
    work(client);
    place.is_sound();
}

fn ok(client: &Client, path: &str) -> Value {
    let answer = client.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    let etag = answer.header("etag").expect("every answer to a look has a version").to_owned();
    assert!(etag.starts_with("W/"), "{path}: {etag}");
    answer.json()
}

fn refused(client: &Client, path: &str) -> String {
    let answer = client.get(path);
    assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid"), "{path}: {}", answer.text);
    let fault = &answer.json()["errors"][0];
    format!("{}:{}", fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap())
}

fn column(list: &Value, name: &str) -> Vec<String> {
    let text = |item: &Value| item[name].as_str().map_or_else(|| item[name].to_string(), str::to_owned);
    list["items"].as_array().unwrap().iter().map(text).collect()
}

fn history_comes_the_newest_first(engine: Engine) {
    with_a_few(engine, |client| {
        let oldest = column(&ok(client, "/history"), "id");
        let mut paged = Vec::new();
        let mut page = ok(client, "/history?sort=-timestamp&limit=2&count=exact");
        assert_eq!(page["total"], 5);
        loop {
            paged.extend(column(&page, "id"));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            // It goes on in its own order only.
            assert_eq!(refused(client, &format!("/history?cursor={cursor}")), "cursor:invalid_cursor");
            page = ok(client, &format!("/history?sort=-timestamp&limit=2&cursor={cursor}"));
        }
        assert_eq!(paged, oldest.into_iter().rev().collect::<Vec<_>>());
        assert_eq!(ok(client, "/history?sort=timestamp"), ok(client, "/history"));
        assert_eq!(refused(client, "/history?sort=id"), "sort:invalid_value");
    });
}

fn members_are_searched_as_users_are(engine: Engine) {
    with_a_few(engine, |client| {
        let found = |query: &str| column(&ok(client, &format!("/segments/A/users?{query}")), "user_id");
        assert_eq!((found("query=a"), found("query=c")), (vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]));
        assert_eq!(found("query=nobody"), [""; 0]);
        let first = ok(client, "/segments/A/users?query=a&limit=1&count=exact");
        assert_eq!((column(&first, "user_id"), &first["total"]), (vec!["a".to_owned()], &json!(2)));
        assert_eq!(found(&format!("query=a&limit=1&cursor={}", first["next_cursor"].as_str().unwrap())), ["b"]);
        let row = ok(client, "/segments/A/users?query=c");
        let then = row["items"][0]["since"].as_str().unwrap().to_owned();
        assert_eq!(found(&format!("query=c&as_of={then}")), ["c"]);
        assert_eq!(found(&format!("query=an&as_of={then}")), ["b"]);
        assert_eq!(refused(client, &format!("/segments/A/users?query={}", "x".repeat(201))), "query:invalid_value");
        assert_eq!(client.get("/segments/NADA/users?query=a").problem(), "segment_not_found");
    });
}

fn statistics_tell_of_the_last_change_and_go_by_size(engine: Engine) {
    with_a_few(engine, |client| {
        let renamed = client.post("/segments/A/rename", json!({"slug": "A2"}));
        assert_eq!(renamed.status, 200, "{}", renamed.text);
        let stats = ok(client, "/segments/stats?sort=-user_count&count=exact");
        assert_eq!(
            (column(&stats, "slug"), &stats["total"]),
            (["A2", "B", "NOBODY"].map(str::to_owned).to_vec(), &json!(3))
        );
        let [a, _, nobody] = [0, 1, 2].map(|place| &stats["items"][place]);
        let last = &a["last_change"];
        assert_eq!(
            (&last["source"], &last["operation"], &last["actor"]),
            (&json!("import"), &json!("add"), &json!("api"))
        );
        assert_eq!((&a["version"], &a["percent"], &nobody["last_change"]), (&json!(2), &Value::Null, &Value::Null));
        let mut paged = Vec::new();
        let mut query = "sort=user_count&limit=1".to_owned();
        loop {
            let page = ok(client, &format!("/segments/stats?{query}"));
            paged.extend(column(&page, "slug"));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            let other = refused(client, &format!("/segments/stats?sort=-user_count&cursor={cursor}"));
            assert_eq!(other, "cursor:invalid_cursor");
            query = format!("sort=user_count&limit=1&cursor={cursor}");
        }
        assert_eq!(paged, ["NOBODY", "B", "A2"]);
        let file = client.get("/segments/stats.csv?sort=-user_count&header=false");
        let slugs: Vec<&str> = file.text.lines().map(|line| line.split(';').next().unwrap()).collect();
        assert_eq!(slugs, ["A2", "B", "NOBODY"]);
        assert_eq!(refused(client, "/segments?sort=user_count"), "sort:invalid_value");
        assert_eq!(refused(client, "/segments/stats?sort=size"), "sort:invalid_value");
    });
}

fn sizes_of_several_segments_have_the_same_points(engine: Engine) {
    with_a_few(engine, |client| {
        let told = ok(client, "/segments/sizes?segment=B&segment=A&segment=B&step=PT12H");
        assert_eq!((column(&told, "segment"), &told["step"]), (vec!["B".to_owned(), "A".to_owned()], &json!("PT12H")));
        let last = |place: usize| told["items"][place]["points"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last(0)["user_count"], &last(1)["user_count"]), (&json!(2), &json!(3)));
        assert_eq!(last(0)["at"], last(1)["at"]);
        let unknown = client.get("/segments/sizes?segment=NADA&segment=A&segment=NIX");
        assert_eq!((unknown.status, unknown.problem().as_str()), (404, "segment_not_found"));
        assert!(unknown.text.contains("NADA") && unknown.text.contains("NIX"), "{}", unknown.text);
        assert_eq!(refused(client, "/segments/sizes"), "segment:wrong_length");
        assert_eq!(
            refused(client, &format!("/segments/sizes?{}", ["segment=A"; 51].join("&"))),
            "segment:wrong_length"
        );
        assert_eq!(refused(client, "/segments/sizes?segment=A&step=P1D&step=P2D"), "step:duplicate_key");
    });
}

fn memberships_that_end_come_the_soonest_first(engine: Engine) {
    with_a_few(engine, |client| {
        let all = ok(client, "/memberships?count=exact");
        assert_eq!((column(&all, "segment"), &all["total"]), (vec!["A".to_owned(), "B".to_owned()], &json!(2)));
        assert_eq!((&all["items"][0]["reason"], &all["items"][0]["user_id"]), (&json!("a trial"), &json!("b")));
        let first = ok(client, "/memberships?limit=1");
        let next = ok(client, &format!("/memberships?cursor={}", first["next_cursor"].as_str().unwrap()));
        assert_eq!(column(&next, "segment"), ["B"]);
        let soon = all["items"][1]["expires_at"].as_str().unwrap();
        for (query, left) in [
            (format!("expires_before={soon}"), vec!["A"]),
            ("segment=B".to_owned(), vec!["B"]),
            ("user_id=b".to_owned(), vec!["A", "B"]),
            ("user_id=a".to_owned(), vec![]),
            ("source=manual".to_owned(), vec!["A", "B"]),
            ("source=percent".to_owned(), vec![]),
        ] {
            assert_eq!(column(&ok(client, &format!("/memberships?{query}")), "segment"), left, "{query}");
        }
        assert_eq!(client.get("/memberships?segment=NADA").problem(), "segment_not_found");
        assert_eq!(refused(client, "/memberships?source=magic"), "source:invalid_value");
        let sources = |query: &str| {
            let told = ok(client, &format!("/memberships/sources{query}"));
            column(&told, "source").into_iter().zip(column(&told, "memberships")).collect::<Vec<_>>()
        };
        let pair = |source: &str, count: &str| (source.to_owned(), count.to_owned());
        assert_eq!(sources(""), [pair("import", "1"), pair("manual", "4")]);
        assert_eq!(sources("?segment=B"), [pair("manual", "2")]);
        assert_eq!(client.get("/memberships/sources?segment=NADA").problem(), "segment_not_found");
    });
}

fn a_user_is_told_why(engine: Engine) {
    with_a_few(engine, |client| {
        let why = ok(client, "/users/b/segments/A/why");
        assert_eq!((&why["is_member"], &why["membership"]["reason"]), (&json!(true), &json!("a trial")));
        assert_eq!((&why["position"], &why["percent"], &why["is_below"]), (&Value::Null, &Value::Null, &Value::Null));
        assert_eq!((&why["history"][0]["operation"], &why["kind"]), (&json!("add"), &json!("manual")));
        assert_eq!(client.post("/segments/A/distribute", json!({"percent": 100})).status, 200);
        let why = ok(client, "/users/nobody/segments/A/why");
        let position = why["position"].as_f64().unwrap();
        assert!((0.0..100.0).contains(&position), "{position}");
        assert_eq!((&why["is_member"], &why["membership"], &why["history"]), (&json!(false), &Value::Null, &json!([])));
        assert_eq!((&why["percent"], &why["is_below"]), (&json!(100), &json!(true)));
        assert_eq!(client.get("/users/b/segments/NADA/why").problem(), "segment_not_found");
        assert_eq!(refused(client, "/users/b/segments/A/why?limit=3"), "limit:unknown_parameter");
    });
}

fn what_happened_is_counted(engine: Engine) {
    with_a_few(engine, |client| {
        assert_eq!(client.delete("/users/a/segments/A").status, 200);
        let told = ok(client, "/history/counts");
        assert_eq!((told["points"].as_array().unwrap().len(), &told["step"]), (31, &json!("P1D")));
        assert_eq!((&told["from"], &told["to"]), (&told["points"][0]["at"], &told["points"][30]["at"]));
        let sum = |told: &Value, name: &str| {
            told["points"].as_array().unwrap().iter().map(|point| point[name].as_u64().unwrap()).sum::<u64>()
        };
        assert_eq!((sum(&told, "added"), sum(&told, "removed"), sum(&told, "extended")), (5, 1, 0));
        let imported = json!({"source": "import", "added": 1, "removed": 0, "extended": 0});
        let manual = json!({"source": "manual", "added": 4, "removed": 1, "extended": 0});
        assert_eq!(told["sources"], json!([imported, manual]));
        assert_eq!(sum(&ok(client, "/history/counts?segment=B"), "added"), 2);
        assert_eq!(sum(&ok(client, "/history/counts?segment=B&user_id=c&step=PT1H"), "added"), 1);
        assert_eq!(refused(client, "/history/counts?step=PT1M"), "step:too_small");
        assert_eq!(
            refused(client, "/history/counts?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z"),
            "to:out_of_order"
        );
    });
}

fn the_summary_counts_everything(engine: Engine) {
    with_a_few(engine, |client| {
        let told = ok(client, "/summary");
        let numbers = ["users", "segments", "memberships", "memberships_with_deadline"].map(|name| told[name].as_u64());
        assert_eq!(numbers, [Some(3), Some(3), Some(5), Some(2)]);
        assert_eq!(told["ending"], json!({"within_day": 1, "within_week": 2}));
        assert!(told["since"]["at"].as_str().unwrap().ends_with("T00:00:00.000000Z"), "{told}");
        let service = &told["service"];
        let engine = if engine == Engine::Sqlite { "sqlite" } else { "postgres" };
        assert_eq!((&service["engine"], &service["open"]), (&json!(engine), &json!(true)));
        assert!(["on", "loading"].contains(&service["index"].as_str().unwrap()), "{service}");
        assert_eq!(told["jobs"], json!({"queued": 0, "running": 0, "failed": 0}));
        // Whatever midnight has come meanwhile.
        let since = ok(client, "/summary?since=2020-01-01T00:00:00Z")["since"].clone();
        assert_eq!((&since["added"], &since["removed"], &since["segments_changed"]), (&json!(5), &json!(0), &json!(3)));
        assert_eq!(refused(client, "/summary?since=yesterday"), "since:invalid_instant");
    });
}

fn the_likest_pairs_come_first(engine: Engine) {
    with_a_few(engine, |client| {
        client.has_segment("SAME");
        for user in ["b", "c"] {
            assert_eq!(client.put(&format!("/segments/SAME/users/{user}"), json!({})).status, 200);
        }
        let told = ok(client, "/segments/overlaps");
        assert_eq!(told["considered"], 3);
        let pairs: Vec<(String, String)> = column(&told, "first").into_iter().zip(column(&told, "second")).collect();
        let expected = [("B", "SAME"), ("A", "B"), ("A", "SAME")];
        assert_eq!(pairs, expected.map(|(first, second)| (first.to_owned(), second.to_owned())));
        let second = &told["items"][1];
        assert_eq!(
            (&second["first_count"], &second["second_count"], &second["shared"]),
            (&json!(3), &json!(2), &json!(2))
        );
        assert!((second["jaccard"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9, "{second}");
        assert_eq!(column(&ok(client, "/segments/overlaps?limit=1"), "shared"), ["2"]);
        assert_eq!(refused(client, "/segments/overlaps?limit=0"), "limit:out_of_range");
    });
}

fn the_limits_of_signing_in_are_told(engine: Engine) {
    with_a_few(engine, |client| {
        let told = ok(client, "/settings/sign_in");
        assert_eq!((&told["providers"], &told["open"], &told["public_url"]), (&json!([]), &json!(true), &Value::Null));
        assert_eq!((&told["session_hours"], &told["password_length_min"]), (&json!(12), &json!(15)));
        assert_eq!(refused(client, "/settings/sign_in?secrets=true"), "secrets:unknown_parameter");
    });
}

fn an_empty_store_is_filled_and_no_other(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    let begun = client.post("/jobs/demo", json!({}));
    assert_eq!((begun.status, &begun.json()["kind"]), (202, &json!("demo")), "{}", begun.text);
    let again = client.post("/jobs/demo", json!({}));
    assert_eq!((again.status, again.problem().as_str()), (409, "conflict"), "{}", again.text);
    let done = ended(client, &begun.json());
    assert_eq!((&done["state"], &done["progress"]["done"]), (&json!("done"), &json!(180)), "{done}");
    assert_eq!(done["counts"], json!({"users_created": 10_000, "days": 180}));
    let told = ok(client, "/summary");
    assert_eq!((&told["users"], &told["segments"]), (&json!(10_000), &json!(8)));
    assert_eq!(client.post("/jobs/demo", json!({})).problem(), "conflict");
    place.is_sound();
}
