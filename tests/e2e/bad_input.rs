//! What the service refuses: with the right code and place, without changing anything, and never as its own fault.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    server::{Engine, Place, Server, on_both_engines},
};

on_both_engines!(
    bodies_are_read_strictly,
    slugs_are_plain_words_everywhere,
    user_ids_have_no_blanks_and_an_end,
    percents_are_numbers_from_0_to_100,
    deadlines_lie_ahead_and_are_given_once,
    periods_and_instants_are_read_strictly,
    lists_take_their_own_parameters_only,
    headers_are_checked,
    changes_of_a_user_are_whole_or_nothing,
    strange_texts_survive_unchanged,
    what_is_hardly_http_is_refused,
);

const JSON: (&str, &str) = ("content-type", "application/json");

/// A service that holds a little of everything.
struct Room {
    _place: Place,
    server: Server,
}

impl Room {
    fn new(engine: Engine) -> Room {
        let place = Place::new(engine);
        let server = place.serve();
        for slug in ["A", "B"] {
            server.client.has_segment(slug);
        }
        assert_eq!(server.client.post("/users/1/segments", json!({"add": ["A"]})).status, 200);
        assert_eq!(server.client.post("/users", json!({"user_id": "2", "name": "Anna"})).status, 201);
        Room { _place: place, server }
    }

    fn client(&self) -> &Client {
        &self.server.client
    }

    /// Everything that can be seen.
    fn state(&self) -> Vec<Value> {
        let lists = ["/segments", "/segments/stats", "/users", "/history"];
        let whole = |list: &str| self.client().get(&format!("{list}?limit=1000&count=exact")).json();
        lists.into_iter().map(whole).collect()
    }

    /// Sends each request, as `METHOD /path`, and compares the refusal with what `told` would say of it.
    fn refuses<'a>(&self, cases: impl IntoIterator<Item = (&'a str, Vec<u8>, String)>) {
        self.refuses_with(cases.into_iter().map(|(request, body, expected)| (request, vec![JSON], body, expected)));
    }

    fn refuses_with<'a>(&self, cases: impl IntoIterator<Item = (&'a str, Vec<(&'a str, &'a str)>, Vec<u8>, String)>) {
        let before = self.state();
        let mut wrong = Vec::new();
        for (request, headers, body, expected) in cases {
            let (method, path) = request.split_once(' ').unwrap();
            let answer = match self.client().try_send(method, path, &headers, &body) {
                Ok(answer) => told(&answer),
                Err(error) => error.0,
            };
            if answer != expected {
                let body = String::from_utf8_lossy(&body).chars().take(200).collect::<String>();
                wrong.push(format!("{request} {headers:?} {body}\n    gives    {answer}\n    and not  {expected}"));
            }
        }
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
        assert_eq!(self.state(), before, "something changed");
    }
}

/// `400 invalid /percent:out_of_range` for a problem; the status and the body for anything else.
fn told(answer: &Answer) -> String {
    if answer.status < 400 {
        return format!("{} {}", answer.status, answer.text);
    }
    let problem = answer.problem();
    let mut text = format!("{} {problem}", answer.status);
    for fault in answer.json()["errors"].as_array().into_iter().flatten() {
        assert!(fault["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{fault}");
        text += &format!(" {}:{}", fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap());
    }
    text
}

/// A text as one segment of an address.
pub fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn bodies_are_read_strictly(engine: Engine) {
    let room = Room::new(engine);
    let malformed = "400 malformed_json";
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_attributes = format!(r#"{{"attributes":{}1{}}}"#, r#"{"a":"#.repeat(500), "}".repeat(500));
    // Each entrance with a body refuses what is no JSON object of its own.
    let entrances = [
        ("POST /segments", "/slug"),
        ("POST /segments/A/rename", "/slug"),
        ("POST /segments/A/copy", "/slug"),
        ("PUT /segments/A/description", "/description"),
        ("POST /segments/A/distribute", "/percent"),
        ("POST /segments/move_users", "/from_segment"),
        ("POST /users/segments/lookup", "/user_ids"),
        ("POST /segments/algebra", "/expr"),
        ("POST /segments/algebra.csv", "/expr"),
        ("POST /reports/algebra", "/expr"),
        ("POST /segments/overlap", "/slugs"),
        ("POST /users", ""),
        ("POST /users/1/segments", ""),
        ("POST /users/1/segments/B", ""),
        ("PUT /segments/B/users/1", ""),
        ("PATCH /segments/A", ""),
        ("PATCH /users/1", ""),
    ];
    let mut cases = Vec::new();
    for (request, required) in entrances {
        for text in [
            "{",
            "}",
            "{]",
            r#"{"slug":"#,
            "nonsense",
            r#"{"a":NaN}"#,
            r#"{"a":Infinity}"#,
            "{'a':1}",
            r#"{"a":1,}"#,
            "{} {}",
            "\u{feff}{}",
            deep.as_str(),
            " ",
        ] {
            cases.push((request, text.as_bytes().to_vec(), malformed.to_owned()));
        }
        for bytes in [&b"{\"a\":\"\xff\"}"[..], b"\xff\xfe{\0}\0", b"{\"a\":\"\xc3\"}", b"\0", br#"{"a":"\ud800"}"#] {
            cases.push((request, bytes.to_vec(), malformed.to_owned()));
        }
        for text in
            ["null", "5", r#""text""#, "true", "[]", "[1]", r#"["C"]"#, r#" ["C", "D", null]"#, "[{}]", "[[], []]"]
        {
            cases.push((request, text.into(), "400 invalid :invalid_type".to_owned()));
        }
        let optional = request.contains("/segments/B");
        if !optional {
            cases.push((request, Vec::new(), malformed.to_owned()));
        }
        cases.push((request, br#"{"colour":1}"#.to_vec(), "400 invalid /colour:unknown_field".to_owned()));
        cases.push((request, br#"{"a~/b":1}"#.to_vec(), "400 invalid /a~0~1b:unknown_field".to_owned()));
        cases.push((request, br#"{"x":1,"x":1}"#.to_vec(), "400 invalid /x:duplicate_key".to_owned()));
        if !required.is_empty() {
            cases.push((request, b"{}".to_vec(), format!("400 invalid {required}:missing_field")));
        }
    }
    let invalid = |text: &str| format!("400 invalid {text}");
    for (request, body, faults) in [
        ("POST /segments", r#"{"slug":5}"#, "/slug:invalid_type"),
        ("POST /segments", r#"{"slug":null}"#, "/slug:invalid_type"),
        ("POST /segments", r#"{"slug":["C"]}"#, "/slug:invalid_type"),
        ("POST /segments", r#"{"slug":"C","name":5}"#, "/name:invalid_type"),
        ("POST /segments", r#"{"slug":"C","name":{}}"#, "/name:invalid_type"),
        ("POST /segments", r#"{"slug":"C","description":[]}"#, "/description:invalid_type"),
        ("POST /segments", r#"{"slug":"C","default_ttl":[]}"#, "/default_ttl:invalid_type"),
        ("POST /segments", r#"{"slug":"C","default_ttl":true}"#, "/default_ttl:invalid_type"),
        ("POST /segments", r#"{"slug":"C","slug":"D"}"#, "/slug:duplicate_key"),
        ("POST /segments", r#"{"slug":"C","sl\u0075g":"D"}"#, "/slug:duplicate_key"),
        ("POST /segments", r#"{"slug":"C","kind":"rule"}"#, "/kind:unknown_field"),
        ("POST /segments", r#"{"slug":"C","Name":"x"}"#, "/Name:unknown_field"),
        ("POST /segments", r#"{"slug":"C","name":""}"#, "/name:wrong_length"),
        ("POST /segments", r#"{"slug":"C","name":"a\u0000b"}"#, "/name:invalid_name"),
        ("PATCH /segments/A", r#"{"slug":"C"}"#, "/slug:unknown_field"),
        ("PATCH /segments/A", r#"{"percent":null}"#, "/percent:invalid_type"),
        ("POST /segments/A/copy", r#"{"slug":"C","members":"yes"}"#, "/members:invalid_type"),
        ("POST /segments/A/copy", r#"{"slug":"C","members":1}"#, "/members:invalid_type"),
        ("PUT /segments/A/description", r#"{"description":null}"#, "/description:invalid_type"),
        ("POST /users", r#"{"user_id":{}}"#, "/user_id:invalid_type"),
        ("POST /users", r#"{"user_id":true}"#, "/user_id:invalid_type"),
        ("POST /users", r#"{"user_id":["1"]}"#, "/user_id:invalid_type"),
        ("POST /users", r#"{"name":5}"#, "/name:invalid_type"),
        ("POST /users", r#"{"email":{}}"#, "/email:invalid_type"),
        ("POST /users", r#"{"attributes":[]}"#, "/attributes:invalid_type"),
        ("POST /users", r#"{"attributes":"x"}"#, "/attributes:invalid_type"),
        ("POST /users", r#"{"attributes":5}"#, "/attributes:invalid_type"),
        ("POST /users", r#"{"attributes":null}"#, "/attributes:invalid_type"),
        ("POST /users", r#"{"attributes":{"a":1,"a":2}}"#, "/attributes/a:duplicate_key"),
        ("POST /users", r#"{"attributes":{"a":[{"b":{"c":1,"c":1}}]}}"#, "/attributes/a/0/b/c:duplicate_key"),
        ("POST /users", r#"{"attributes":{"a":"\u0000"}}"#, "/attributes:invalid_value"),
        ("POST /users", r#"{"attributes":{"a\u0000":[]}}"#, "/attributes:invalid_value"),
        ("POST /users", r#"{"name":"a\u0000b"}"#, "/name:invalid_value"),
        ("POST /users", r#"{"email":"a\nb"}"#, "/email:invalid_value"),
        ("PATCH /users/1", r#"{"user_id":"3"}"#, "/user_id:unknown_field"),
        ("PATCH /users/1", r#"{"name":"\u0000"}"#, "/name:invalid_value"),
        ("PATCH /users/1", r#"{"attributes":{"x":{"y":"\u0000"}}}"#, "/attributes:invalid_value"),
        ("PATCH /users/1", r#"{"attributes":{"x":{"y":1,"y":2}}}"#, "/attributes/x/y:duplicate_key"),
        ("POST /users/segments/lookup", r#"{"user_ids":"1"}"#, "/user_ids:invalid_type"),
        ("POST /segments/algebra", r#"{"expr":5}"#, "/expr:invalid_type"),
        ("POST /segments/algebra", r#"{"expr":""}"#, "/expr:invalid_expression"),
        ("POST /segments/algebra", r#"{"expr":"A & "}"#, "/expr:invalid_expression"),
        ("POST /segments/algebra", r#"{"expr":"A","as_of":"now"}"#, "/as_of:invalid_instant"),
        ("POST /segments/algebra.csv", r#"{"expr":["A"]}"#, "/expr:invalid_type"),
        ("POST /segments/algebra.xlsx", r#"{"expr":"A | | B"}"#, "/expr:invalid_expression"),
        (
            "POST /segments/algebra.csv.gz",
            r#"{"expr":"(","as_of":"now"}"#,
            "/as_of:invalid_instant /expr:invalid_expression",
        ),
        ("POST /segments/algebra.csv", r#"{"expr":"A","return":"users"}"#, "/return:unknown_field"),
        ("POST /segments/algebra.csv", r#"{"expr":"A","format":"xlsx"}"#, "/format:unknown_field"),
        ("POST /segments/algebra.csv?header=perhaps", r#"{"expr":"A"}"#, "header:invalid_value"),
        ("POST /segments/algebra.csv?limit=1", r#"{"expr":"A"}"#, "limit:unknown_parameter"),
        ("POST /segments/algebra.csv?expr=A", r#"{"expr":"A"}"#, "expr:unknown_parameter"),
        ("POST /reports/algebra", r#"{"expr":"A &","as_of":"now"}"#, "/as_of:invalid_instant /expr:invalid_expression"),
        ("POST /reports/algebra", r#"{"expr":"A","format":"pdf"}"#, "/format:invalid_value"),
        ("POST /segments", r#"{"slug":"C","expr":"A &"}"#, "/expr:invalid_expression"),
        ("POST /segments", r#"{"slug":"C","expr":"A","percent":5}"#, "/expr:both_given"),
        ("POST /segments/overlap", r#"{"slugs":"A"}"#, "/slugs:invalid_type"),
        ("POST /segments/overlap", r#"{"slugs":[]}"#, "/slugs:wrong_length"),
        ("POST /segments/overlap", r#"{"slugs":["A","a b"]}"#, "/slugs/1:invalid_slug"),
        ("POST /segments/overlap", r#"{"slugs":["A","A"]}"#, "/slugs/1:named_twice"),
        ("POST /segments/overlap", r#"{"slugs":["A"],"as_of":"x"}"#, "/as_of:invalid_instant"),
        ("POST /users/segments/lookup", r#"{"user_ids":[]}"#, "/user_ids:wrong_length"),
        ("POST /users/segments/lookup", r#"{"user_ids":["1",null]}"#, "/user_ids/1:invalid_type"),
        ("POST /users/segments/lookup", r#"{"user_ids":["1","a b"]}"#, "/user_ids/1:invalid_user_id"),
        ("POST /users/1/segments", r#"{"add":"B"}"#, "/add:invalid_type"),
        ("POST /users/1/segments", r#"{"add":[5]}"#, "/add/0:invalid_type"),
        ("POST /users/1/segments", r#"{"add":[null]}"#, "/add/0:invalid_type"),
        ("POST /users/1/segments", r#"{"add":[{}]}"#, "/add/0/slug:missing_field"),
        ("POST /users/1/segments", r#"{"add":["B",{"slug":"B","until":1}]}"#, "/add/1/until:unknown_field"),
        ("POST /users/1/segments", r#"{"add":[{"slug":"B","slug":"A"}]}"#, "/add/0/slug:duplicate_key"),
        ("POST /users/1/segments", r#"{"remove":[{"slug":"A"}]}"#, "/remove/0:invalid_type"),
        ("POST /users/1/segments", r#"{"add":["B"],"reason":5}"#, "/reason:invalid_type"),
        ("POST /users/1/segments", r#"{"add":["B"],"reason":""}"#, "/reason:invalid_reason"),
        ("POST /users/1/segments", r#"{"add":["B"],"reason":"a\u0000b"}"#, "/reason:invalid_reason"),
        ("POST /users/1/segments", r#"{"add":[{"slug":"B","reason":"\u0007"}]}"#, "/add/0/reason:invalid_reason"),
        ("POST /segments/move_users", r#"{"from_segment":"A"}"#, "/to_segment:missing_field"),
    ] {
        cases.push((request, body.into(), invalid(faults)));
    }
    let long = |length: usize| "я".repeat(length);
    for (request, body, faults) in [
        ("POST /segments", json!({"slug": "C", "name": long(51)}), "/name:wrong_length"),
        ("PATCH /segments/A", json!({"name": long(51)}), "/name:wrong_length"),
        ("POST /segments", json!({"slug": "C", "description": long(2001)}), "/description:wrong_length"),
        ("PUT /segments/A/description", json!({"description": long(2001)}), "/description:wrong_length"),
        ("POST /users", json!({"name": long(321)}), "/name:wrong_length"),
        ("PATCH /users/1", json!({"email": long(321)}), "/email:wrong_length"),
        ("POST /users/1/segments", json!({"add": ["B"], "reason": long(501)}), "/reason:invalid_reason"),
        ("POST /users/segments/lookup", json!({"user_ids": vec!["1"; 1001]}), "/user_ids:wrong_length"),
    ] {
        cases.push((request, body.to_string().into_bytes(), invalid(faults)));
    }
    cases.push(("POST /users", deep_attributes.into_bytes(), malformed.to_owned()));
    // A PATCH says which version it means.
    room.refuses_with(cases.into_iter().map(|(request, body, expected)| {
        let headers = if request.starts_with("PATCH") { vec![JSON, ("if-match", "*")] } else { vec![JSON] };
        (request, headers, body, expected)
    }));

    let big = json!({"name": "x".repeat(2 << 20)}).to_string().into_bytes();
    room.refuses([
        ("POST /users", big.clone(), "413 body_too_large".to_owned()),
        ("POST /segments", big, "413 body_too_large".to_owned()),
    ]);
    let body = json!({"slug": "C"}).to_string().into_bytes();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "json",
        "application/jsonx",
        "",
    ] {
        room.refuses_with([
            ("POST /segments", vec![("content-type", kind)], body.clone(), "415 unsupported_media_type".to_owned()),
            (
                "PUT /segments/B/users/1",
                vec![("content-type", kind)],
                body.clone(),
                "415 unsupported_media_type".to_owned(),
            ),
        ]);
    }
    room.refuses_with([("POST /segments", vec![], body.clone(), "415 unsupported_media_type".to_owned())]);
    let kind = [("content-type", "Application/JSON; charset=UTF-8")];
    assert_eq!(room.client().send("POST", "/segments", &kind, &body).status, 201);
}

const NO_SLUGS: [&str; 24] = [
    "a b",
    " a",
    "a ",
    "a/b",
    "a\\b",
    "a'b",
    "a\"b",
    "a;b",
    "'; DROP TABLE segments; --",
    "x' OR '1'='1",
    "../A",
    "a.b",
    "%41",
    "a%00",
    "-a",
    "_a",
    "скидка",
    "Ａ",
    "a\u{301}",
    "a\tb",
    "a\nb",
    "a\u{0}b",
    "a+b",
    "😀",
];

fn slugs_are_plain_words_everywhere(engine: Engine) {
    let room = Room::new(engine);
    let (long, longest) = ("a".repeat(256), "a".repeat(255));
    let reserved = ["algebra", "ALL", "export", "import", "lookup", "move_users", "overlap", "similar", "stats"];
    let bad: Vec<&str> = NO_SLUGS.into_iter().chain([long.as_str()]).chain(reserved).collect();
    let mut cases: Vec<(String, Value, String)> = Vec::new();
    let mut case = |request: &str, body: Value, faults: &str| {
        cases.push((request.to_owned(), body, format!("400 invalid {faults}")));
    };
    for slug in bad.iter().copied().chain([""]) {
        case("POST /segments", json!({"slug": slug}), "/slug:invalid_slug");
        case("POST /segments/A/rename", json!({"slug": slug}), "/slug:invalid_slug");
        case("POST /segments/A/copy", json!({"slug": slug}), "/slug:invalid_slug");
        case(
            "POST /segments/move_users",
            json!({"from_segment": slug, "to_segment": "A"}),
            "/from_segment:invalid_slug",
        );
        case("POST /segments/move_users", json!({"from_segment": "A", "to_segment": slug}), "/to_segment:invalid_slug");
        case("POST /users/1/segments", json!({"add": ["B", slug]}), "/add/1:invalid_slug");
        case("POST /users/1/segments", json!({"add": [{"slug": slug}]}), "/add/0:invalid_slug");
        case("POST /users/1/segments", json!({"add": ["B"], "remove": [slug]}), "/remove/0:invalid_slug");
        case(&format!("GET /history?segment={}", encoded(slug)), Value::Null, "segment:invalid_slug");
        case(&format!("GET /history.csv?segment={}", encoded(slug)), Value::Null, "segment:invalid_slug");
    }
    for slug in bad {
        let name = encoded(slug);
        for request in [
            "GET /users/1/segments/{}",
            "DELETE /users/1/segments/{}",
            "GET /segments/{}/users",
            "GET /segments/{}/distribute",
            "DELETE /segments/{}/users/1",
            "GET /segments/{}/users/diff?from=2026-01-01T00:00:00Z",
        ] {
            case(&request.replace("{}", &name), Value::Null, "slug:invalid_slug");
        }
        // A lonely reserved word is another address.
        if !reserved.contains(&slug) {
            case(&format!("GET /segments/{name}"), Value::Null, "slug:invalid_slug");
            case(&format!("DELETE /segments/{name}"), Value::Null, "slug:invalid_slug");
        }
        case(&format!("POST /users/1/segments/{name}"), json!({}), "slug:invalid_slug");
        case(&format!("PUT /segments/{name}/users/1"), json!({}), "slug:invalid_slug");
        case(&format!("POST /segments/{name}/distribute"), json!({"percent": 5}), "slug:invalid_slug");
        case(&format!("POST /segments/{name}/rename"), json!({"slug": "C"}), "slug:invalid_slug");
    }
    let bytes = |body: &Value| if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    room.refuses(cases.iter().map(|(request, body, expected)| (request.as_str(), bytes(body), expected.clone())));

    // All faults are told at once.
    let body = json!({"slug": "a b", "percent": 101, "default_ttl": 0, "description": "x".repeat(2001)});
    let answer = room.client().post("/segments", body);
    assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 4, "{}", answer.text);
    // The longest is fine, case counts, and words that are no one's address are free.
    for slug in [longest.as_str(), "a", "b", "Stats", "users", "segments", "null", "0"] {
        room.client().has_segment(slug);
        assert_eq!(room.client().get(&format!("/segments/{slug}")).json()["slug"], slug);
    }
    assert_eq!(room.client().post("/segments", json!({"slug": "A"})).problem(), "slug_taken");
}

fn user_ids_have_no_blanks_and_an_end(engine: Engine) {
    let room = Room::new(engine);
    let (long, longest) = ("я".repeat(129), "я".repeat(128));
    let bad = [
        "a b",
        " ",
        " a",
        "a ",
        "\t",
        "a\nb",
        "a\u{0}",
        "\u{0}",
        "a\u{7f}",
        "a\u{85}",
        "a\u{a0}b",
        "a\u{2028}b",
        "\u{3000}",
        long.as_str(),
    ];
    let mut cases: Vec<(String, String, String)> = Vec::new();
    for id in bad.into_iter().chain([""]) {
        let in_body = |pointer: &str| format!("400 invalid {pointer}:invalid_user_id");
        cases.push(("POST /users".into(), json!({"user_id": id}).to_string(), in_body("/user_id")));
        let ids = json!({"user_ids": ["1", id]}).to_string();
        cases.push(("POST /users/segments/lookup".into(), ids, in_body("/user_ids/1")));
        cases.push((format!("GET /history?user_id={}", encoded(id)), String::new(), in_body("user_id")));
        if id.is_empty() {
            continue;
        }
        let name = encoded(id);
        for (request, body) in [
            ("GET /users/{}", ""),
            ("PATCH /users/{}", "{}"),
            ("DELETE /users/{}", ""),
            ("GET /users/{}/segments", ""),
            ("GET /users/{}/memberships", ""),
            ("GET /users/{}/segments/A", ""),
            ("POST /users/{}/segments/A", ""),
            ("DELETE /users/{}/segments/A", ""),
            ("PUT /segments/A/users/{}", ""),
            ("DELETE /segments/A/users/{}", ""),
            ("POST /users/{}/segments", r#"{"add":["A"]}"#),
        ] {
            cases.push((request.replace("{}", &name), body.into(), in_body("user_id")));
        }
    }
    for number in ["1e3", "1.0", "1E0", "0.5", "-1.5", "1e400"] {
        let expected = |pointer: &str| format!("400 invalid {pointer}:invalid_type");
        cases.push(("POST /users".into(), format!(r#"{{"user_id":{number}}}"#), expected("/user_id")));
        cases.push((
            "POST /users/segments/lookup".into(),
            format!(r#"{{"user_ids":[{number}]}}"#),
            expected("/user_ids/0"),
        ));
    }
    for text in ["01", "+1", "0x10", "1_000"] {
        cases.push(("POST /users".into(), format!(r#"{{"user_id":{text}}}"#), "400 malformed_json".into()));
    }
    cases.push(("GET /users/%FF".into(), String::new(), "400 refused".into()));
    cases.push(("GET /users/%C3%28/segments".into(), String::new(), "400 refused".into()));
    room.refuses(
        cases.iter().map(|(request, body, expected)| (request.as_str(), body.clone().into_bytes(), expected.clone())),
    );

    // A whole number is its decimal text, however large.
    let client = room.client();
    for number in [
        "0",
        "-1",
        "1000",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "123456789012345678901234567890",
    ] {
        let body = format!(r#"{{"user_id":{number}}}"#);
        let created = client.send("POST", "/users", &[JSON], body.as_bytes());
        assert_eq!((created.status, &created.json()["user_id"]), (201, &json!(number)), "{}", created.text);
        assert_eq!(client.get(&format!("/users/{number}")).json()["user_id"], number);
        assert_eq!(client.send("POST", "/users", &[JSON], body.as_bytes()).problem(), "user_id_taken");
    }
    // Any other text names a user, also what looks like an address or a command.
    for id in [
        longest.as_str(),
        "a/b",
        "a/",
        "/",
        "100%",
        "a%2Fb",
        "%41",
        "a+b",
        "a?b#c",
        "a;b=c",
        "'",
        "\"",
        "\\",
        "'; DROP TABLE users; --".replace(' ', "_").as_str(),
        "юзер",
        "😀",
        "segments",
        "stats",
        "lookup",
        "*",
        "=1+1",
        "null",
        "{user_id}",
        "a:b@c",
        "...",
    ] {
        let name = encoded(id);
        let entered = client.post(&format!("/users/{name}/segments"), json!({"add": ["A"]}));
        assert_eq!((entered.status, &entered.json()["user_id"]), (200, &json!(id)), "{}", entered.text);
        assert_eq!(client.segments_of(&name), ["A"], "{id}");
        assert_eq!(client.get(&format!("/users/{name}")).json()["user_id"], id);
        let rows = client.get(&format!("/history?user_id={name}")).json();
        assert_eq!(rows["items"][0]["user_id"], id);
        assert_eq!(client.delete(&format!("/segments/A/users/{name}")).json()["removed"], json!(["A"]), "{id}");
        assert_eq!(client.delete(&format!("/users/{name}")).status, 204, "{id}");
        let created = client.post("/users", json!({"user_id": id}));
        let location = created.header("location").unwrap().strip_prefix("/api/v1").unwrap().to_owned();
        assert_eq!(client.get(&location).json()["user_id"], id, "{location}");
    }
}

fn percents_are_numbers_from_0_to_100(engine: Engine) {
    let room = Room::new(engine);
    let mut cases = Vec::new();
    for (text, code) in [
        ("-5", "out_of_range"),
        ("-0.0001", "out_of_range"),
        ("101", "out_of_range"),
        ("100.0001", "out_of_range"),
        ("1e308", "out_of_range"),
        ("1e999999999999", "out_of_range"),
        ("-1e308", "out_of_range"),
        ("33.33333", "too_many_decimals"),
        ("1e-5", "too_many_decimals"),
        ("0.00001", "too_many_decimals"),
        ("\"10\"", "invalid_type"),
        ("\"\"", "invalid_type"),
        ("null", "invalid_type"),
        ("true", "invalid_type"),
        ("[10]", "invalid_type"),
        ("{}", "invalid_type"),
        ("\"NaN\"", "invalid_type"),
    ] {
        let expected = format!("400 invalid /percent:{code}");
        cases.push(("POST /segments", format!(r#"{{"slug":"C","percent":{text}}}"#), expected.clone()));
        cases.push(("PATCH /segments/A", format!(r#"{{"percent":{text}}}"#), expected.clone()));
        cases.push(("POST /segments/A/distribute", format!(r#"{{"percent":{text}}}"#), expected.clone()));
        cases.push(("POST /segments/A/distribute?dry_run=true", format!(r#"{{"percent":{text}}}"#), expected));
    }
    for text in ["NaN", "Infinity", "-Infinity", "1.", ".5", "010", "+5", "0x10", "10%", "1e"] {
        cases.push(("POST /segments", format!(r#"{{"slug":"C","percent":{text}}}"#), "400 malformed_json".into()));
        cases.push(("POST /segments/A/distribute", format!(r#"{{"percent":{text}}}"#), "400 malformed_json".into()));
    }
    room.refuses_with(cases.into_iter().map(|(request, body, expected)| {
        let headers = if request.starts_with("PATCH") { vec![JSON, ("if-match", "*")] } else { vec![JSON] };
        (request, headers, body.into_bytes(), expected)
    }));
    room.refuses([
        ("POST /segments/nosuch/distribute", br#"{"percent":10}"#.to_vec(), "404 segment_not_found".to_owned()),
        (
            "POST /segments/A/distribute?dry_run=yes",
            br#"{"percent":10}"#.to_vec(),
            "400 invalid dry_run:invalid_value".to_owned(),
        ),
        (
            "POST /segments/A/distribute?dryrun=true",
            br#"{"percent":10}"#.to_vec(),
            "400 invalid dryrun:unknown_parameter".to_owned(),
        ),
    ]);
    for text in ["0", "100", "33.3333", "1e1", "0.0001", "-0", "100.0000"] {
        let body = format!(r#"{{"percent":{text}}}"#);
        let answer = room.client().send("POST", "/segments/A/distribute", &[JSON], body.as_bytes());
        assert_eq!(answer.status, 200, "{text}: {}", answer.text);
    }
}

fn deadlines_lie_ahead_and_are_given_once(engine: Engine) {
    let room = Room::new(engine);
    let hour_ago = chrono::Utc::now() - chrono::TimeDelta::hours(1);
    let offset = |hours| hour_ago.with_timezone(&chrono::FixedOffset::east_opt(hours * 3600).unwrap()).to_rfc3339();
    // Three hours further east the clock reads later than ours, and still it is the past.
    let (east, west) = (offset(3), offset(-3));
    let mut cases: Vec<(String, String, String)> = Vec::new();
    let ttls = [
        ("0", "out_of_range"),
        ("-1", "out_of_range"),
        ("\"P0D\"", "out_of_range"),
        ("\"PT0S\"", "out_of_range"),
        ("\"-P1D\"", "out_of_range"),
        ("\"P1001Y\"", "out_of_range"),
        ("9223372036854775807", "out_of_range"),
        ("99999999999999999999", "out_of_range"),
        ("-99999999999999999999", "out_of_range"),
        ("1.5", "invalid_duration"),
        ("1e3", "invalid_duration"),
        ("\"PT1.5S\"", "invalid_duration"),
        ("\"\"", "invalid_duration"),
        ("\"P\"", "invalid_duration"),
        ("\"PT\"", "invalid_duration"),
        ("\"2 days\"", "invalid_duration"),
        ("\"1h\"", "invalid_duration"),
        ("\"60\"", "invalid_duration"),
        ("\"tomorrow\"", "invalid_duration"),
        ("\"P1D\\u0000\"", "invalid_duration"),
        ("\"P99999999999999999999D\"", "invalid_duration"),
        ("true", "invalid_type"),
        ("[]", "invalid_type"),
        ("{}", "invalid_type"),
    ];
    for (ttl, code) in ttls {
        cases.push((
            "POST /users/1/segments".into(),
            format!(r#"{{"add":["B"],"ttl":{ttl}}}"#),
            format!("/ttl:{code}"),
        ));
        cases.push((
            "POST /users/1/segments".into(),
            format!(r#"{{"add":["A",{{"slug":"B","ttl":{ttl}}}]}}"#),
            format!("/add/1/ttl:{code}"),
        ));
        cases.push(("POST /users/1/segments/B".into(), format!(r#"{{"ttl":{ttl}}}"#), format!("/ttl:{code}")));
        cases.push(("PUT /segments/B/users/1".into(), format!(r#"{{"ttl":{ttl}}}"#), format!("/ttl:{code}")));
        cases.push((
            "POST /segments".into(),
            format!(r#"{{"slug":"C","default_ttl":{ttl}}}"#),
            format!("/default_ttl:{code}"),
        ));
    }
    let instants = [
        ("2020-01-01T00:00:00Z", "in_the_past"),
        ("0000-01-01T00:00:00Z", "in_the_past"),
        (east.as_str(), "in_the_past"),
        (west.as_str(), "in_the_past"),
        ("2020-01-01", "invalid_instant"),
        ("2099-01-01", "invalid_instant"),
        ("2099-01-01T00:00:00", "invalid_instant"),
        ("2099-13-01T00:00:00Z", "invalid_instant"),
        ("2099-02-30T00:00:00Z", "invalid_instant"),
        ("2099-01-01T25:00:00Z", "invalid_instant"),
        ("2099-01-01T00:00:00+99:00", "invalid_instant"),
        ("12099-01-01T00:00:00Z", "invalid_instant"),
        ("9999-12-31T23:59:59-12:00", "invalid_instant"),
        ("1800000000", "invalid_instant"),
        ("tomorrow", "invalid_instant"),
        ("", "invalid_instant"),
        ("2099-01-01T00:00:00Z\\u0000", "invalid_instant"),
    ];
    for (instant, code) in instants {
        cases.push((
            "POST /users/1/segments".into(),
            format!(r#"{{"add":["B"],"expires_at":"{instant}"}}"#),
            format!("/expires_at:{code}"),
        ));
        cases.push((
            "POST /users/1/segments".into(),
            format!(r#"{{"add":["A",{{"slug":"B","expires_at":"{instant}"}}]}}"#),
            format!("/add/1/expires_at:{code}"),
        ));
        cases.push((
            "POST /users/1/segments/B".into(),
            format!(r#"{{"expires_at":"{instant}"}}"#),
            format!("/expires_at:{code}"),
        ));
        cases.push((
            "PUT /segments/B/users/1".into(),
            format!(r#"{{"expires_at":"{instant}"}}"#),
            format!("/expires_at:{code}"),
        ));
        // Whoever is in already stays in.
        cases.push((
            "PUT /segments/A/users/1".into(),
            format!(r#"{{"expires_at":"{instant}"}}"#),
            format!("/expires_at:{code}"),
        ));
    }
    let both = r#""ttl":60,"expires_at":"2099-01-01T00:00:00Z""#;
    cases.push(("POST /users/1/segments".into(), format!(r#"{{"add":["B"],{both}}}"#), "/ttl:both_given".into()));
    cases.push((
        "POST /users/1/segments".into(),
        format!(r#"{{"add":["A",{{"slug":"B",{both}}}]}}"#),
        "/add/1/ttl:both_given".into(),
    ));
    cases.push(("POST /users/1/segments/B".into(), format!("{{{both}}}"), "/ttl:both_given".into()));
    cases.push(("PUT /segments/B/users/1".into(), format!("{{{both}}}"), "/ttl:both_given".into()));
    cases.push((
        "POST /users/1/segments".into(),
        r#"{"add":["B"],"expires_at":5}"#.into(),
        "/expires_at:invalid_type".into(),
    ));
    room.refuses(
        cases.iter().map(|(request, body, faults)| {
            (request.as_str(), body.clone().into_bytes(), format!("400 invalid {faults}"))
        }),
    );

    // An item's own deadline goes before the common one, and an offset is only another way to write an instant.
    let body = json!({"add": ["A", {"slug": "B", "expires_at": "2099-01-01T03:00:00+03:00"}], "ttl": "P1D"});
    assert_eq!(room.client().post("/users/1/segments", body).status, 200);
    let items = room.client().get("/users/1/memberships").json()["items"].clone();
    assert_eq!(items[1]["expires_at"], "2099-01-01T00:00:00.000000Z");
}

fn periods_and_instants_are_read_strictly(engine: Engine) {
    let room = Room::new(engine);
    let mut cases: Vec<(String, String)> = Vec::new();
    for list in ["/history", "/history.csv"] {
        let mut case =
            |query: &str, faults: &str| cases.push((format!("GET {list}?{query}"), format!("400 invalid {faults}")));
        for month in [
            "2023-13",
            "2023-00",
            "2023-8",
            "1899-01",
            "2023-08-21",
            "",
            "2023",
            "08-2023",
            "2023-08%20",
            "%2B023-08",
            "99999-01",
            "9999-12",
            "now",
        ] {
            case(&format!("month={month}"), "month:invalid_month");
        }
        case("month=2023-08&from=2023-08-01T00:00:00Z", "month:both_given");
        case("month=2023-08&to=2023-08-01T00:00:00Z", "month:both_given");
        case("from=2024-01-01T00:00:00Z&to=2023-01-01T00:00:00Z", "to:out_of_order");
        case("from=2024-01-01T00:00:00%2B01:00&to=2023-12-31T22:59:59.999999Z", "to:out_of_order");
        for (name, value) in [
            ("from", "yesterday"),
            ("to", "2023-08"),
            ("from", "2023-08-21"),
            ("to", ""),
            ("from", "1690000000"),
            ("to", "2023-02-30T00:00:00Z"),
        ] {
            case(&format!("{name}={value}"), &format!("{name}:invalid_instant"));
        }
    }
    for address in ["/users/1/memberships", "/segments/A/users"] {
        for value in ["now", "", "2023-08-21", "2023-08-21T00:00:00", "2023-08-21T00:00:00+03:00", "-1"] {
            cases.push((format!("GET {address}?as_of={value}"), "400 invalid as_of:invalid_instant".into()));
        }
    }
    let size = "GET /segments/A/size";
    for (query, expected) in [
        ("step=x", "step:invalid_duration"),
        ("step=0", "step:invalid_duration"),
        ("step=-1", "step:invalid_duration"),
        ("from=x", "from:invalid_instant"),
        ("from=2024-01-01T00:00:00Z&to=2023-01-01T00:00:00Z", "to:out_of_order"),
        ("from=2999-01-01T00:00:00Z", "to:out_of_order"),
        ("from=2000-01-01T00:00:00Z&step=1", "step:too_small"),
        ("colour=red", "colour:unknown_parameter"),
    ] {
        cases.push((format!("{size}?{query}"), format!("400 invalid {expected}")));
    }
    let diff = "GET /segments/A/users/diff";
    cases.push((diff.into(), "400 invalid from:missing_parameter".into()));
    cases.push((format!("{diff}?to=2024-01-01T00:00:00Z"), "400 invalid from:missing_parameter".into()));
    cases.push((format!("{diff}?from=x"), "400 invalid from:invalid_instant".into()));
    cases.push((
        format!("{diff}?from=2024-01-01T00:00:00Z&to=2023-01-01T00:00:00Z"),
        "400 invalid to:out_of_order".into(),
    ));
    // The future is not yet after now.
    cases.push((format!("{diff}?from=2999-01-01T00:00:00Z"), "400 invalid to:out_of_order".into()));
    room.refuses(cases.iter().map(|(request, expected)| (request.as_str(), Vec::new(), expected.clone())));

    for query in [
        "month=2023-08",
        "month=1970-01",
        "month=9998-12",
        "from=0000-01-01T00:00:00Z&to=9999-12-31T23:59:59Z",
        "from=2024-01-01T00:00:00Z&to=2024-01-01T00:00:00Z",
        "from=2024-01-01T03:00:00%2B03:00",
        "to=2024-01-01T00:00:00-12:00",
    ] {
        assert_eq!(room.client().get(&format!("/history?{query}")).status, 200, "{query}");
    }
    for at in [
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2016-12-31T23:59:60Z",
        "2024-01-01t00:00:00z",
        "2024-01-01T00:00:00.123456789Z",
    ] {
        for address in ["/users/1/memberships?as_of", "/segments/A/users?count=exact&as_of", "/history?from"] {
            assert_eq!(room.client().get(&format!("{address}={at}")).status, 200, "{address}={at}");
        }
    }
}

fn lists_take_their_own_parameters_only(engine: Engine) {
    let room = Room::new(engine);
    for number in 3..6 {
        assert_eq!(room.client().post(&format!("/users/{number}/segments"), json!({"add": ["A", "B"]})).status, 200);
    }
    let lists = ["/segments", "/segments/stats", "/users", "/segments/A/users", "/history"];
    let cursor_of = |address: &str| {
        let separator = if address.contains('?') { '&' } else { '?' };
        let page = room.client().get(&format!("{address}{separator}limit=1")).json();
        page["next_cursor"].as_str().unwrap_or_else(|| panic!("{address} has one page")).to_owned()
    };
    let cursors: Vec<String> = lists.into_iter().map(cursor_of).collect();
    let mut cases: Vec<(String, String)> = Vec::new();
    let mut case = |request: String, faults: &str| cases.push((request, format!("400 invalid {faults}")));
    for (list, own) in lists.into_iter().zip(&cursors) {
        for limit in ["0", "1001", "x", "-1", "", "1.5", "1e2", "99999999999999999999", "%D9%A3"] {
            case(format!("GET {list}?limit={limit}"), "limit:out_of_range");
        }
        for cursor in [
            "x",
            "",
            "!!!",
            "bnVsbA",
            "W10",
            "e30",
            "InggeSI",
            "%00",
            "W251bGwsbnVsbF0",
            "WzksOV0x",
            "Ilx1MDAwMCI",
            &"A".repeat(5000),
            &format!("{own}x"),
            &own[..own.len() - 2],
        ] {
            case(format!("GET {list}?cursor={cursor}"), "cursor:invalid_cursor");
        }
        for (other, cursor) in lists.into_iter().zip(&cursors) {
            // The definitions and their numbers are one list, seen twice.
            let same = list == other
                || (list.starts_with("/segments")
                    && other.starts_with("/segments")
                    && !list.ends_with("users")
                    && !other.ends_with("users"));
            if !same {
                case(format!("GET {list}?cursor={cursor}"), "cursor:invalid_cursor");
            }
        }
        for count in ["1", "true", "", "Exact", "exact%20"] {
            case(format!("GET {list}?count={count}"), "count:invalid_value");
        }
        case(format!("GET {list}?page=2"), "page:unknown_parameter");
        case(format!("GET {list}?Limit=2"), "Limit:unknown_parameter");
        case(format!("GET {list}?limit=2&limit=2"), "limit:duplicate_key");
        case(format!("GET {list}?=1"), ":unknown_parameter");
        case(format!("GET {list}?a%00b=1"), "a\\0b:unknown_parameter");
    }
    for list in ["/segments", "/segments/stats"] {
        for sort in
            ["", "id", "slug,name", "--slug", "+slug", "SLUG", "slug%20desc", "slug;DROP%20TABLE%20segments", "members"]
        {
            case(format!("GET {list}?sort={sort}"), "sort:invalid_value");
        }
        for kind in ["", "Manual", "other", "manual,percent"] {
            case(format!("GET {list}?kind={kind}"), "kind:invalid_value");
        }
        for sort in ["-slug", "name", "created_at", "updated_at"] {
            case(format!("GET {list}?cursor={}", cursor_of(&format!("{list}?sort={sort}"))), "cursor:invalid_cursor");
            case(format!("GET {list}?cursor={}&sort={sort}", cursors[0]), "cursor:invalid_cursor");
        }
    }
    for list in ["/segments", "/users"] {
        case(format!("GET {list}?query={}", "x".repeat(201)), "query:invalid_value");
        case(format!("GET {list}?query=a%00"), "query:invalid_value");
        case(format!("GET {list}?query=a&query=b"), "query:duplicate_key");
    }
    let from = "from=2020-01-01T00:00:00Z";
    let diff = format!("/segments/A/users/diff?{from}");
    case(format!("GET {diff}&limit=0"), "limit:out_of_range");
    case(format!("GET {diff}&cursor={}", cursors[2]), "cursor:invalid_cursor");
    case(format!("GET {diff}&cursor={}", cursors[3]), "cursor:invalid_cursor");
    case(format!("GET {diff}&{from}"), "from:duplicate_key");
    case("GET /history.csv?header=no".into(), "header:invalid_value");
    case("GET /history.csv?limit=5".into(), "limit:unknown_parameter");
    case("GET /history?header=false".into(), "header:unknown_parameter");
    for address in [
        "/segments/A",
        "/segments/A/distribute",
        "/users/1",
        "/users/1/segments",
        "/users/1/segments/A",
        "/users/1/memberships",
    ] {
        case(format!("GET {address}?colour=red"), "colour:unknown_parameter");
    }
    for address in ["/segments/A", "/users/1", "/users/1/segments/A", "/segments/A/users/1"] {
        case(format!("DELETE {address}?dryrun=true"), "dryrun:unknown_parameter");
    }
    case("DELETE /segments/A/users/1?reason=".into(), "reason:invalid_reason");
    case("DELETE /segments/A/users/1?reason=a%00b".into(), "reason:invalid_reason");
    room.refuses(cases.iter().map(|(request, expected)| (request.as_str(), Vec::new(), expected.clone())));

    // Who asks for a rehearsal with a slip of the pen must not have acted.
    let writes = [
        ("POST /segments", r#"{"slug":"C"}"#),
        ("PATCH /segments/A", r#"{"name":"x"}"#),
        ("POST /segments/A/rename", r#"{"slug":"C"}"#),
        ("POST /segments/A/copy", r#"{"slug":"C"}"#),
        ("PUT /segments/A/description", r#"{"description":"x"}"#),
        ("POST /users", "{}"),
        ("PATCH /users/1", r#"{"name":"x"}"#),
        ("POST /users/1/segments", r#"{"remove":["A"]}"#),
        ("POST /users/1/segments/B", ""),
        ("PUT /segments/B/users/1", ""),
        ("POST /users/segments/lookup", r#"{"user_ids":["1"]}"#),
    ];
    let asked: Vec<(String, &str)> =
        writes.into_iter().map(|(request, body)| (format!("{request}?dryrun=true"), body)).collect();
    room.refuses_with(asked.iter().map(|(request, body)| {
        let expected = "400 invalid dryrun:unknown_parameter".to_owned();
        (request.as_str(), vec![JSON, ("if-match", "*")], body.as_bytes().to_vec(), expected)
    }));
}

fn headers_are_checked(engine: Engine) {
    let room = Room::new(engine);
    let long = "k".repeat(256);
    let mut cases = Vec::new();
    for key in ["", long.as_str()] {
        for (request, body) in [
            ("POST /users", r#"{"user_id":"3"}"#),
            ("POST /segments", r#"{"slug":"C"}"#),
            ("POST /users/1/segments", r#"{"add":["B"]}"#),
            ("POST /users/1/segments/B", ""),
            ("PATCH /users/1", r#"{"name":"x"}"#),
            ("POST /segments/A/distribute", r#"{"percent":100}"#),
        ] {
            let headers = vec![JSON, ("if-match", "*"), ("idempotency-key", key)];
            cases.push((request, headers, body.into(), "400 invalid Idempotency-Key:invalid_value".to_owned()));
        }
    }
    for tag in ["", "abc", "\"", "\"abc", "W/", "\"0-1\"", "\"nonsense\"", ",", "\"a\" \"b\"", "W/\"1\"", "**"] {
        for (request, body) in [
            ("PATCH /segments/A", r#"{"name":"x"}"#),
            ("PATCH /users/1", r#"{"name":"x"}"#),
            ("DELETE /segments/A", ""),
            ("DELETE /users/1", ""),
            ("POST /segments/A/rename", r#"{"slug":"C"}"#),
            ("PUT /segments/A/description", r#"{"description":"x"}"#),
        ] {
            cases.push((request, vec![JSON, ("if-match", tag)], body.into(), "412 version_mismatch".to_owned()));
        }
    }
    for (request, body) in [("PATCH /segments/A", r#"{"name":"x"}"#), ("PATCH /users/1", r#"{"name":"x"}"#)] {
        cases.push((request, vec![JSON], body.into(), "428 if_match_required".to_owned()));
    }
    room.refuses_with(cases);
    // An odd If-None-Match is none that fits, and an odd request id is not repeated.
    for tag in ["", "abc", "\"", "W/", ","] {
        assert_eq!(room.client().send("GET", "/segments/A", &[("if-none-match", tag)], b"").status, 200, "{tag}");
    }
    for id in ["", "a b", "x\"y", &"r".repeat(129), "<script>"] {
        let answer = room.client().send("GET", "/segments/A", &[("x-request-id", id)], b"");
        assert_ne!(answer.header("x-request-id").unwrap(), id);
    }
    let nowhere = [
        ("GET //nowhere", "404 route_not_found"),
        ("GET /nowhere", "404 route_not_found"),
        ("GET //api", "404 route_not_found"),
        ("GET //api/v2/users", "404 route_not_found"),
        ("GET /users/1/nowhere", "404 route_not_found"),
        ("GET /users/a/b/c/d", "404 route_not_found"),
        ("GET //api/docs/nowhere.js", "404 route_not_found"),
        ("GET //api/docs/..%2f..%2fetc%2fpasswd", "404 route_not_found"),
        ("GET //api/problems/nowhere", "404 route_not_found"),
        ("DELETE /users", "405 method_not_allowed"),
        ("PUT /segments", "405 method_not_allowed"),
        ("BREW /segments", "405 method_not_allowed"),
        ("TRACE /segments", "405 method_not_allowed"),
        ("GET /segments/nosuch", "404 segment_not_found"),
        ("GET /users/nosuch", "404 user_not_found"),
        ("DELETE /segments/nosuch", "404 segment_not_found"),
        ("DELETE /users/nosuch", "404 user_not_found"),
        ("GET /segments/nosuch/users", "404 segment_not_found"),
        ("GET /users/1/segments/nosuch", "404 segment_not_found"),
        ("GET /segments/nosuch/users?as_of=2026-01-01T00:00:00Z", "404 segment_not_found"),
        ("GET /segments/nosuch/users/diff?from=2026-01-01T00:00:00Z", "404 segment_not_found"),
        ("GET /segments/nosuch/size", "404 segment_not_found"),
        ("GET /segments/nosuch/similar", "404 segment_not_found"),
        ("DELETE /users/1/segments/nosuch", "404 segment_not_found"),
        ("POST /users/7/segments/nosuch", "404 segment_not_found"),
    ];
    room.refuses(nowhere.map(|(request, expected)| (request, Vec::new(), expected.to_owned())));
    room.refuses([
        ("POST /segments/nosuch/rename", br#"{"slug":"C"}"#.to_vec(), "404 segment_not_found".to_owned()),
        ("POST /segments/A/rename", br#"{"slug":"B"}"#.to_vec(), "409 slug_taken".to_owned()),
        ("POST /segments/A/copy", br#"{"slug":"B"}"#.to_vec(), "409 slug_taken".to_owned()),
        ("POST /segments/A/copy", br#"{"slug":"A"}"#.to_vec(), "409 slug_taken".to_owned()),
        ("POST /segments/nosuch/copy", br#"{"slug":"C"}"#.to_vec(), "404 segment_not_found".to_owned()),
        ("POST /segments", br#"{"slug":"A","percent":100}"#.to_vec(), "409 slug_taken".to_owned()),
        ("POST /users", br#"{"user_id":1}"#.to_vec(), "409 user_id_taken".to_owned()),
        (
            "POST /segments/move_users",
            br#"{"from_segment":"A","to_segment":"A"}"#.to_vec(),
            "400 invalid /to_segment:same_segment".to_owned(),
        ),
        (
            "POST /segments/move_users",
            br#"{"from_segment":"A","to_segment":"nosuch"}"#.to_vec(),
            "404 segment_not_found".to_owned(),
        ),
        (
            "POST /segments/move_users?dry_run=1",
            br#"{"from_segment":"A","to_segment":"B"}"#.to_vec(),
            "400 invalid dry_run:invalid_value".to_owned(),
        ),
    ]);
}

fn changes_of_a_user_are_whole_or_nothing(engine: Engine) {
    let room = Room::new(engine);
    let many: Vec<String> = (0..1001).map(|number| format!("S{number}")).collect();
    let half = &many[..501];
    let others: Vec<String> = (0..500).map(|number| format!("T{number}")).collect();
    let cases = [
        (json!({"add": ["B"], "remove": ["B"]}), "400 invalid /remove:added_and_removed"),
        (
            json!({"add": ["A", "B"], "remove": ["B", "A"]}),
            "400 invalid /remove:added_and_removed /remove:added_and_removed",
        ),
        (json!({"add": [{"slug": "B", "ttl": 5}], "remove": ["B"]}), "400 invalid /remove:added_and_removed"),
        (json!({}), "400 invalid :nothing_to_do"),
        (json!({"add": []}), "400 invalid :nothing_to_do"),
        (json!({"add": [], "remove": []}), "400 invalid :nothing_to_do"),
        (json!({"reason": "why not"}), "400 invalid :nothing_to_do"),
        (json!({"add": many}), "400 invalid /add:wrong_length"),
        (json!({"add": ["B"], "remove": many}), "400 invalid /remove:wrong_length"),
        (json!({"add": half, "remove": others}), "400 invalid :too_many"),
        (json!({"add": ["B", "nosuch"]}), "404 segment_not_found"),
        (json!({"add": ["B"], "remove": ["A", "nosuch"]}), "404 segment_not_found"),
        (json!({"remove": ["nosuch"]}), "404 segment_not_found"),
        (
            json!({"add": ["B", {"slug": "A", "expires_at": "2020-01-01T00:00:00Z"}]}),
            "400 invalid /add/1/expires_at:in_the_past",
        ),
    ];
    // An unknown user is not born by what is refused.
    for user in ["1", "7"] {
        let request = format!("POST /users/{user}/segments");
        room.refuses(
            cases
                .iter()
                .map(|(body, expected)| (request.as_str(), body.to_string().into_bytes(), (*expected).to_owned())),
        );
    }
    let answer =
        room.client().post("/users/1/segments", json!({"add": ["B", "X2", "X1"], "remove": ["A", "X3", "X1_"]}));
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    for slug in ["X1", "X2", "X3", "X1_"] {
        assert!(detail.contains(&format!("`{slug}`")), "{slug} is not named: {detail}");
    }
    assert!(!detail.contains("`A`") && !detail.contains("`B`"), "{detail}");
    assert_eq!(room.client().segments_of("1"), ["A"]);
    assert_eq!(room.client().get("/users/7").problem(), "user_not_found");
    // What counts once is not refused.
    let answer = room.client().post("/users/1/segments", json!({"add": ["A", "B", "B"], "remove": []})).json();
    assert_eq!(
        answer,
        json!({"user_id": "1", "segments": ["A", "B"], "added": ["B"], "removed": [], "unchanged": ["A"]})
    );
}

fn strange_texts_survive_unchanged(engine: Engine) {
    let room = Room::new(engine);
    let client = room.client();
    let texts = [
        "'; DROP TABLE users; --",
        "x' OR '1'='1",
        "\"quoted\"",
        "back\\slash",
        "\\u0000",
        "\\\\",
        "%_%",
        "$1",
        "?",
        ":name",
        "{}",
        "<script>alert(1)</script>",
        "Скидка ½ 😀",
        "e\u{301}",
        "\u{202e}abc",
        "\u{feff}bom",
        "a;b,c",
        "=1+1",
        "NULL",
        "null",
    ];
    for (number, text) in texts.into_iter().enumerate() {
        let slug = format!("S{number}");
        let created = client
            .post("/segments", json!({"slug": slug, "name": text, "description": format!("{text}\n\t{text}\r\n")}));
        assert_eq!(created.status, 201, "{}", created.text);
        let read = client.get(&format!("/segments/{slug}")).json();
        assert_eq!((&read["name"], &read["description"]), (&json!(text), &json!(format!("{text}\n\t{text}\r\n"))));
        let attributes =
            json!({text: text, "list": [text, {text: [text]}], "none": null, "number": 1.5, "empty": {"": ""}});
        let user = client.post("/users", json!({"name": text, "email": text, "attributes": attributes}));
        assert_eq!(user.status, 201, "{text}: {}", user.text);
        let id = user.json()["user_id"].as_str().unwrap().to_owned();
        let read = client.get(&format!("/users/{id}")).json();
        assert_eq!((&read["name"], &read["email"], &read["attributes"]), (&json!(text), &json!(text), &attributes));
        assert_eq!(
            client.patch(&format!("/users/{id}"), json!({"attributes": {"more": text}})).json()["attributes"]["more"],
            text
        );
        let change = json!({"add": [{"slug": slug, "reason": text}], "reason": "another"});
        assert_eq!(client.post(&format!("/users/{id}/segments"), change).status, 200, "{text}");
        assert_eq!(client.get(&format!("/users/{id}/memberships")).json()["items"][0]["reason"], text);
        assert_eq!(client.delete(&format!("/users/{id}/segments/{slug}?reason={}", encoded(text))).status, 200);
        let rows = client.get(&format!("/history?user_id={id}")).json();
        assert_eq!((&rows["items"][0]["reason"], &rows["items"][1]["reason"]), (&json!(text), &json!(text)));
        let found = client.get(&format!("/users?query={}&limit=1000", encoded(text))).json();
        assert!(
            found["items"].as_array().unwrap().iter().any(|user| user["user_id"] == id.as_str()),
            "{text} is not found"
        );
    }
    // Numbers keep every digit, whatever an engine would make of them.
    for number in
        ["123456789012345678901234567890", "0.1000000000000000055511151231257827", "1e400", "-0.0", "1E-999999"]
    {
        let body = format!(r#"{{"attributes":{{"n":{number}}}}}"#);
        let created = client.send("POST", "/users", &[JSON], body.as_bytes());
        assert_eq!(created.status, 201, "{}", created.text);
        let read = client.get(created.header("location").unwrap().strip_prefix("/api/v1").unwrap()).text;
        assert!(
            read.to_lowercase().replace("e+", "e").contains(&format!(r#""n":{number}"#).to_lowercase()),
            "{number}: {read}"
        );
    }
}

/// Sends bytes as they are and tells the status that comes back, if any.
fn raw_status(base: &str, bytes: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The server may have refused, and gone, before it has heard all.
    if stream.write_all(bytes).is_ok() {
        stream.shutdown(std::net::Shutdown::Write).ok();
    }
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head).ok()?.strip_prefix("HTTP/1.1 ")?.parse().ok()
}

fn what_is_hardly_http_is_refused(engine: Engine) {
    let room = Room::new(engine);
    let before = room.state();
    let packed = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let post = |headers: &str, body: &[u8]| {
        let head = format!(
            "POST /api/v1/users HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n{headers}\r\n"
        );
        [head.as_bytes(), body].concat()
    };
    let sized = |headers: &str, body: &[u8]| post(&format!("{headers}Content-Length: {}\r\n", body.len()), body);
    let get = |target: &str, headers: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n").into_bytes()
    };
    let long = "a".repeat(200_000);
    let large = format!("{:x}\r\n{}\r\n0\r\n\r\n", 2 << 20, " ".repeat(2 << 20));
    let bomb = packed(&vec![b' '; 100 << 20]);
    for (what, bytes, statuses) in [
        ("a large body in pieces", post("Transfer-Encoding: chunked\r\n", large.as_bytes()), vec![413]),
        ("a body that says it is huge", post("Content-Length: 99999999999\r\n", b"{}"), vec![413]),
        ("a body that is no gzip", sized("Content-Encoding: gzip\r\n", b"{\"name\":\"x\"}"), vec![415]),
        ("a gzip bomb", sized("Content-Encoding: gzip\r\n", &bomb), vec![415]),
        ("an unknown encoding", sized("Content-Encoding: nonsense\r\n", b"{\"name\":"), vec![415]),
        ("a body cut off", post("Content-Length: 100\r\n", b"{\"name\":\"x\"}"), vec![400]),
        ("pieces of no length", post("Transfer-Encoding: chunked\r\n", b"zz\r\n{}\r\n0\r\n\r\n"), vec![400]),
        ("a length of letters", post("Content-Length: many\r\n", b"{}"), vec![400]),
        ("two lengths", post("Content-Length: 2\r\nContent-Length: 3\r\n", b"{} "), vec![400]),
        ("length and pieces", post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", b"{} "), vec![400]),
        ("a long address", get(&format!("/api/v1/users/{long}"), ""), vec![400, 414, 431]),
        ("a long query", get(&format!("/api/v1/users?query={long}"), ""), vec![400, 414, 431]),
        ("a long header", get("/api/v1/users", &format!("X-Long: {long}\r\n")), vec![400, 431]),
        ("many headers", get("/api/v1/users", &"X-Many: 1\r\n".repeat(500)), vec![400, 431]),
        ("no words", b"\r\n\r\nnonsense\r\n\r\n".to_vec(), vec![400]),
        ("an address of bytes", b"GET /api/v1/users/\xff\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), vec![400]),
        ("half an escape", get("/api/v1/users/a%2", ""), vec![400, 404]),
        ("another protocol", b"GET / HTTP/9.9\r\n\r\n".to_vec(), vec![400, 505]),
        ("a key of bytes", post("Idempotency-Key: \u{e9}\u{e9}\r\nContent-Length: 2\r\n", b"{}"), vec![400]),
        ("an odd version", [&get("/api/v1/users/1", "If-None-Match: \u{e9}\r\n")[..]].concat(), vec![200]),
    ] {
        let status = raw_status(&room.server.base, &bytes);
        // Hanging up without a word is an answer to what cannot be read.
        assert!(status.is_none_or(|status| statuses.contains(&status)), "{what} gives {status:?}");
    }
    assert_eq!(room.state(), before, "something changed");
}
