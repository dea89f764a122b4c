//! Set algebra, overlaps and sizes over time, asked of the real binary.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::{
    bulk::joined,
    client::{Answer, Client},
    jobs::{FORMS, import, rows, until},
    server::{Engine, Place, Server, on_both_engines},
};

on_both_engines!(
    sets_are_counted_and_told_page_by_page,
    an_error_in_an_expression_names_its_column,
    the_past_is_asked_as_it_was,
    an_overlap_counts_everybody_once,
    a_size_is_told_over_time,
    a_segment_is_made_of_others_and_is_like_them,
    a_set_goes_out_as_a_file_and_comes_in_again,
    a_file_of_a_set_has_ids_alone_as_of_any_instant,
    a_file_that_is_not_possible_is_refused,
    a_file_of_a_set_tells_of_one_state_however_slowly_it_is_read,
);

/// Users 0 to 2,999: those whose number can be divided by two are in `TWO`, and so on.
fn with_multiples(client: &Client) {
    for (slug, divisor) in [("TWO", 2), ("THREE", 3), ("FIVE", 5)] {
        client.has_segment(slug);
        let ids: Vec<String> = (0..3_000).step_by(divisor).map(|number| format!("{number:04}")).collect();
        import(client, &format!("/segments/{slug}/users/import"), format!("user_id\n{}\n", ids.join("\n")));
    }
}

fn count(client: &Client, expr: &str) -> Value {
    let answer = client.post("/segments/algebra", json!({"expr": expr}));
    assert_eq!(answer.status, 200, "{expr}: {}", answer.text);
    answer.json()["user_count"].clone()
}

fn sets_are_counted_and_told_page_by_page(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    with_multiples(client);
    assert_eq!(client.post("/users", json!({"user_id": "alone"})).status, 201);
    for (expr, expected) in [
        ("TWO", 1_500),
        ("TWO & THREE", 500),
        ("(TWO & THREE) - FIVE", 400),
        ("TWO | THREE", 2_000),
        ("TWO ^ THREE", 1_500),
        ("ALL - (TWO | THREE | FIVE)", 1),
        ("TWO - TWO", 0),
    ] {
        assert_eq!(count(client, expr), json!(expected), "{expr}");
    }
    let mut ids: Vec<String> = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/segments/algebra?limit=150&count=exact{cursor}");
        let page = client.post(&path, json!({"expr": "(TWO & THREE) - FIVE", "return": "users"})).json();
        assert_eq!(page["total"], 400);
        ids.extend(page["items"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let divides = |number: &usize| number.is_multiple_of(6) && !number.is_multiple_of(5);
    let expected: Vec<String> = (0..3_000).filter(divides).map(|number| format!("{number:04}")).collect();
    assert_eq!(ids, expected);
    let unknown = client.post("/segments/algebra", json!({"expr": "TWO & NOSUCH | NEITHER"}));
    assert_eq!((unknown.status, unknown.problem().as_str()), (404, "segment_not_found"));
    assert!(unknown.text.contains("NOSUCH") && unknown.text.contains("NEITHER"), "{}", unknown.text);
}

fn an_error_in_an_expression_names_its_column(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let deep = format!("{}A", "(".repeat(1_000));
    for (expr, detail) in [
        ("(A & B", "column 1: this ( is never closed"),
        ("A & & B", "column 5: a segment, ALL or ( is expected here, not `&`"),
        ("A B", "column 3: an operator (&, |, -, ^) is expected here, not a segment"),
        ("я", "column 1: a segment, ALL or ( is expected here, not `я`"),
        (deep.as_str(), "column 33: parentheses stand at most 32 deep"),
    ] {
        let refused = server.client.post("/segments/algebra", json!({"expr": expr}));
        assert_eq!((refused.status, refused.problem().as_str()), (400, "invalid"), "{expr}");
        let fault = refused.json()["errors"][0].clone();
        assert_eq!((&fault["pointer"], &fault["detail"]), (&json!("/expr"), &json!(detail)));
    }
}

fn the_past_is_asked_as_it_was(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    with_multiples(client);
    let then = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
    import(client, "/segments/THREE/users/import?mode=remove", "user_id\n0006\n0012\n");
    assert_eq!(client.delete("/segments/FIVE").status, 204);
    let ask = |expr: &str| {
        let answer = client.post("/segments/algebra", json!({"expr": expr, "as_of": then}));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["user_count"].clone()
    };
    assert_eq!((count(client, "TWO & THREE"), ask("TWO & THREE")), (json!(498), json!(500)));
    assert_eq!(ask("(TWO & THREE) - FIVE"), 400);
    let before = client.post("/segments/overlap", json!({"slugs": ["TWO", "FIVE"], "as_of": then})).json();
    assert_eq!(before["segments"][1], json!({"segment": "FIVE", "user_count": 600}));
}

fn an_overlap_counts_everybody_once(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    with_multiples(client);
    let overlap = client.post("/segments/overlap", json!({"slugs": ["TWO", "THREE", "FIVE"]})).json();
    let segments = [("TWO", 1_500), ("THREE", 1_000), ("FIVE", 600)];
    let counts = segments.map(|(segment, count)| json!({"segment": segment, "user_count": count}));
    assert_eq!(overlap["segments"], json!(counts));
    let intersections = [
        (json!(["TWO"]), 800),
        (json!(["TWO", "THREE"]), 400),
        (json!(["TWO", "THREE", "FIVE"]), 100),
        (json!(["TWO", "FIVE"]), 200),
        (json!(["THREE"]), 400),
        (json!(["THREE", "FIVE"]), 100),
        (json!(["FIVE"]), 200),
    ];
    let intersections = intersections.map(|(segments, count)| json!({"segments": segments, "user_count": count}));
    assert_eq!(overlap["intersections"], json!(intersections));
    assert_eq!((&overlap["jaccard"][0][1], &overlap["jaccard"][2][2]), (&json!(0.25), &json!(1.0)));
}

fn a_segment_is_made_of_others_and_is_like_them(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    with_multiples(client);
    let made = client.post("/segments", json!({"slug": "SIX", "expr": "TWO & THREE"}));
    assert_eq!((made.status, &made.json()["kind"]), (201, &json!("manual")), "{}", made.text);
    assert_eq!((count(client, "SIX"), count(client, "SIX ^ (TWO & THREE)")), (json!(500), json!(0)));
    assert_eq!(client.post("/segments", json!({"slug": "TWIN", "expr": "SIX"})).status, 201);
    let similar = client.get("/segments/SIX/similar?limit=2").json();
    let expected = json!([
        {"segment": "TWIN", "user_count": 500, "shared": 500, "jaccard": 1.0},
        {"segment": "THREE", "user_count": 1_000, "shared": 500, "jaccard": 0.5},
    ]);
    assert_eq!((&similar["user_count"], &similar["items"]), (&json!(500), &expected));
    let unknown = client.post("/segments", json!({"slug": "NEW", "expr": "TWO - NOSUCH"}));
    assert_eq!((unknown.status, unknown.problem().as_str()), (404, "segment_not_found"));
    assert_eq!(client.get("/segments/NEW").status, 404);
    place.is_sound();
}

fn a_size_is_told_over_time(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("A");
    let log = "user_id;segment;operation;timestamp\n\
        1;A;add;2020-01-01T10:00:00Z\n2;A;add;2020-01-02T10:00:00Z\n1;A;remove;2020-01-03T00:00:00Z\n3;A;add;2020-01-03T00:00:00.000001Z\n";
    import(client, "/memberships/import", log);
    let query = "from=2020-01-01T00:00:00Z&to=2020-01-04T12:00:00Z&step=P1D";
    let told = client.get(&format!("/segments/A/size?{query}")).json();
    assert_eq!((&told["segment"], &told["step"]), (&json!("A"), &json!("P1D")));
    let points: Vec<(&str, u64, u64, u64)> = told["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| {
            let number = |name: &str| point[name].as_u64().unwrap();
            (&point["at"].as_str().unwrap()[..13], number("user_count"), number("entered"), number("left"))
        })
        .collect();
    let expected = [
        ("2020-01-01T00", 0, 0, 0),
        ("2020-01-02T00", 1, 1, 0),
        ("2020-01-03T00", 1, 1, 1),
        ("2020-01-04T00", 2, 1, 0),
        ("2020-01-04T12", 2, 0, 0),
    ];
    assert_eq!(points, expected);
    let bare = client.get("/segments/A/size").json();
    assert_eq!(bare["points"].as_array().unwrap().len(), 31);
}

fn export(client: &Client, form: &str, body: Value) -> Answer {
    let answer = client.post(&format!("/segments/algebra.{form}"), body);
    assert_eq!(answer.status, 200, "{form}: {}", answer.text);
    answer
}

/// The users of a file that has no other column.
fn ids(file: &[u8]) -> Vec<String> {
    let id = |row: std::collections::BTreeMap<String, String>| {
        assert_eq!(row.len(), 1, "{row:?}");
        row["user_id"].clone()
    };
    rows(file).into_iter().map(id).collect()
}

fn a_set_goes_out_as_a_file_and_comes_in_again(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    with_multiples(client);
    let expr = "(TWO & THREE) - FIVE";
    let divides = |number: &usize| number.is_multiple_of(6) && !number.is_multiple_of(5);
    let expected: Vec<String> = (0..3_000).filter(divides).map(|number| format!("{number:04}")).collect();
    for (number, form) in FORMS.into_iter().enumerate() {
        let file = export(client, form, json!({"expr": expr}));
        let name = format!("attachment; filename=\"algebra.{form}\"");
        assert_eq!(file.header("content-disposition"), Some(name.as_str()));
        assert_eq!(ids(&file.bytes), expected, "{form}");
        let slug = format!("AGAIN_{number}");
        client.has_segment(&slug);
        let taken = import(client, &format!("/segments/{slug}/users/import"), &file.bytes);
        assert_eq!((&taken["counts"]["added"], &taken["refused"]), (&json!(400), &json!(0)), "{form}: {taken}");
        assert_eq!(count(client, &format!("{slug} ^ ({expr})")), 0, "{form}");
        // A report of it is the same file behind a link.
        let (format, gzip) = (form.trim_end_matches(".gz"), form.ends_with(".gz"));
        let report = client.post("/reports/algebra", json!({"expr": expr, "format": format, "gzip": gzip}));
        assert_eq!((report.status, &report.json()["rows"]), (201, &json!(400)), "{}", report.text);
        let link = report.json()["link"].as_str().unwrap().replace(&server.base, "");
        let fetched = client.get(&format!("/{link}"));
        assert_eq!(fetched.header("content-disposition"), Some(name.as_str()));
        assert_eq!(ids(&fetched.bytes), expected, "{form}");
    }
    place.is_sound();
}

fn a_file_of_a_set_has_ids_alone_as_of_any_instant(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    for slug in ["A", "B"] {
        client.has_segment(slug);
    }
    let strange = ["-5", "007", "=1+1", "@x", "a;b,c\"d", "юзер😀"];
    for id in strange {
        import(client, "/segments/A/users/import", json!({"user_id": id}).to_string());
    }
    let then = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
    assert_eq!(client.post("/users/007/segments", json!({"add": ["B"]})).status, 200);
    let body = json!({"expr": "A - B"});
    let whole = export(client, "csv", body.clone());
    assert_eq!(whole.text, "user_id\n'-5\n'=1+1\n'@x\n\"a;b,c\"\"d\"\nюзер😀\n");
    assert_eq!(whole.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let bare = export(client, "csv?header=false", body);
    assert_eq!(whole.text, format!("user_id\n{}", bare.text));
    assert_eq!(bare.header("content-type"), Some("text/csv; charset=utf-8; header=absent"));
    for form in FORMS {
        let told = |as_of: &str| ids(&export(client, form, json!({"expr": "A - B", "as_of": as_of})).bytes);
        assert_eq!(told(&then), strange, "{form}");
        assert_eq!(told("2001-01-01T00:00:00Z"), [""; 0], "{form}");
    }
    assert_eq!(client.delete("/segments/A").status, 204);
    assert_eq!(ids(&export(client, "ndjson", json!({"expr": "A - B", "as_of": then})).bytes), strange);
}

fn a_file_that_is_not_possible_is_refused(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("A");
    for body in
        [json!({"expr": "A & NOSUCH | NEITHER"}), json!({"expr": "NOSUCH - NEITHER", "as_of": Utc::now().to_rfc3339()})]
    {
        for path in ["/segments/algebra.csv", "/segments/algebra.xlsx.gz", "/reports/algebra"] {
            let unknown = client.post(path, body.clone());
            assert_eq!((unknown.status, unknown.problem().as_str()), (404, "segment_not_found"), "{path}");
            assert!(unknown.text.contains("`NEITHER`, `NOSUCH`"), "{}", unknown.text);
        }
    }
    for form in ["xml", "csv.zip", "CSV", "json", "gz"] {
        let nowhere = client.post(&format!("/segments/algebra.{form}"), json!({"expr": "A"}));
        assert_eq!((nowhere.status, nowhere.problem().as_str()), (404, "route_not_found"), "{form}");
    }
    let asked = client.get("/segments/algebra.csv?expr=A");
    assert_eq!((asked.status, asked.problem().as_str()), (405, "method_not_allowed"));
}

/// Asks for a set as a file, and reads no more of it than that it comes.
fn begin(server: &Server, body: &Value) -> TcpStream {
    let (address, body) = (server.base.strip_prefix("http://").unwrap(), body.to_string());
    let mut reader = TcpStream::connect(address).unwrap();
    let head = "POST /api/v1/segments/algebra.ndjson HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json";
    write!(reader, "{head}\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut told = [0; 12];
    reader.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 200");
    reader
}

fn a_file_of_a_set_tells_of_one_state_however_slowly_it_is_read(engine: Engine) {
    let place = Place::new(engine);
    // A pool of four has one place for exports.
    let server = place.serve_with(&[("STRATA_POOL_SIZE", "4")]);
    let client = &server.client;
    for slug in ["A", "B"] {
        client.has_segment(slug);
    }
    // More bytes than wait on the way.
    let tail = "😀".repeat(120);
    let file: String = (0..30_000).map(|number| format!("{number:05}{tail}\n")).collect();
    import(client, "/segments/A/users/import", format!("user_id\n{file}"));
    let body = json!({"expr": "(A | B) - (A & B)"});
    let slow = |body: &Value| {
        let reader = begin(&server, body);
        let second = client.post("/segments/algebra.csv", json!({"expr": "B"}));
        assert_eq!((second.status, second.problem().as_str(), second.header("retry-after")), (503, "busy", Some("1")));
        reader
    };
    let gone = slow(&body);
    drop(gone);
    until("the place of a reader who has gone is free", || {
        (client.post("/segments/algebra.csv", json!({"expr": "B"})).status == 200).then_some(())
    });
    let mut asleep = slow(&body);
    assert_eq!(client.post("/segments/A/copy", json!({"slug": "C"})).status, 201);
    assert_eq!(client.delete("/segments/A").status, 204);
    let mut told = Vec::new();
    asleep.read_to_end(&mut told).unwrap();
    let end = told.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let found = ids(&joined(&told[end + 4..]));
    assert!(found.len() == 30_000 && found[29_999] == format!("29999{tail}"), "{} users", found.len());
    assert_eq!(client.post("/segments/algebra.csv", body).problem(), "segment_not_found");
    place.is_sound();
}
