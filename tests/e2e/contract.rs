//! The published document: what it lists can be reached and is as described, and what it does not list is refused.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    server::{Engine, Place, Server, on_both_engines},
};

on_both_engines!(operations_answer_as_the_document_says);

const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

pub fn document(server: &Server) -> Value {
    let answer = server.client.get("//api/openapi.json");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    answer.json()
}

/// Each operation, as path, method and description.
pub fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        found.extend(METHODS.iter().filter_map(|method| Some((path.as_str(), *method, item.get(*method)?))));
    }
    found
}

/// A body that fits an operation which needs one, with its kind.
pub fn body(path: &str, method: &str, operation: &Value, number: usize) -> Option<(&'static str, String)> {
    let content = &operation.get("requestBody")?["content"];
    if let Some(example) = content["text/csv"]["example"].as_str() {
        return Some(("text/csv", example.to_owned()));
    }
    let word = path.rsplit('/').next().unwrap();
    let body = match (method, word) {
        ("post", "token" | "session") => json!({"login": "nobody", "password": "correct horse battery"}),
        ("post", "refresh") => json!({"refresh_token": "nonsense"}),
        ("post", "revoke") => json!({"token": "nonsense"}),
        ("post", "link") if path.contains("/auth/") => json!({"code": "nonsense"}),
        ("put", "password") => json!({"password": "correct horse battery"}),
        ("post", "accounts") => json!({"login": format!("account-{number}"), "role": "viewer"}),
        ("patch", _) if path.contains("/accounts/") => json!({"role": "analyst", "sees_persons": true}),
        ("post", "identities") => json!({"provider": "yandex", "subject": format!("new-{number}")}),
        ("post", "tokens") => json!({"name": format!("token-{number}"), "scopes": ["read", "assign"], "ttl": "P1D"}),
        ("post", "history") => json!({"month": "2026-08", "format": "ndjson", "gzip": true}),
        ("post", "members") => json!({"segment": format!("S{number}"), "link_ttl": "PT1H"}),
        ("post", "retention") => json!({"months": 24}),
        ("post", "stale_segments") => json!({"older_than": "P180D"}),
        ("post", "stats") => json!({"kind": "manual", "format": "xlsx"}),
        ("post", "users") if path.contains("/reports/") => json!({"query": "u"}),
        ("post", "segments") if path.contains("{user_id}") => json!({"add": [format!("S{number}")]}),
        ("post", "segments") | ("post", "rename" | "copy") => json!({"slug": format!("N{number}")}),
        ("post", "users") => json!({"user_id": format!("n{number}"), "attributes": {"age": 30}}),
        ("post", "distribute") => json!({"percent": 50}),
        ("post", "move_users") => json!({"from_segment": format!("S{number}"), "to_segment": "TARGET"}),
        ("post", "lookup") => json!({"user_ids": ["1", 2]}),
        ("post", "algebra") if path.contains("/reports/") => json!({"expr": format!("S{number}"), "gzip": true}),
        ("post", "algebra.{form}") => json!({"expr": format!("TARGET ^ S{number}"), "as_of": null}),
        ("post", "algebra") => json!({"expr": format!("ALL - (S{number} | TARGET)"), "return": "users"}),
        ("post", "overlap") => json!({"slugs": [format!("S{number}"), "TARGET"]}),
        ("put", "description") => json!({"description": "new"}),
        ("patch", _) => json!({"name": "new"}),
        (_, "{slug}" | "{user_id}" | "diff") => json!({"ttl": "P1D", "reason": "because"}),
        other => panic!("what does {other:?} need?"),
    };
    Some(("application/json", body.to_string()))
}

/// What an operation says where nobody signs in and no provider is set up, if that is no success.
fn without_accounts(path: &str, method: &str) -> Option<&'static str> {
    match (method, path) {
        ("post", "/api/v1/auth/token" | "/api/v1/auth/session") => Some("unauthenticated"),
        ("post", "/api/v1/auth/refresh" | "/api/v1/auth/link") => Some("unauthenticated"),
        ("get", "/api/v1/auth/providers/{provider}") => Some("provider_not_found"),
        ("post", "/api/v1/auth/providers/{provider}") => Some("conflict"),
        ("get", "/api/v1/auth/providers/{provider}/callback") => Some("invalid"),
        ("put", "/api/v1/accounts/me/password") => Some("account_not_found"),
        ("get", "/api/v1/accounts/me/sessions") => Some("conflict"),
        // The store is not empty.
        ("post", "/api/v1/jobs/demo") => Some("conflict"),
        _ => None,
    }
}

/// The address of an operation for one segment and one user, and for a job or a report that fits it.
pub fn address(client: &Client, path: &str, method: &str, slug: &str, user: &str) -> String {
    let mut address = path
        .replace("{slug}", slug)
        .replace("{user_id}", user)
        .replace("{form}", "csv")
        .replace("/auth/providers/{provider}", "/auth/providers/nobody");
    if path.ends_with("/segments/sizes") {
        address += &format!("?segment={slug}");
    }
    if path.ends_with("/diff") && method == "get" {
        address += "?from=2020-01-01T00:00:00Z";
    }
    if path.ends_with("/reports/{id}/{name}") {
        let link = client.post("/reports/stats", json!({})).json()["link"].as_str().unwrap().to_owned();
        return link[link.find("/api/").unwrap()..].to_owned();
    }
    if path.contains("/accounts/{id}") {
        let login = format!("{method}{}", path.replace(['/', '{', '}'], "-"));
        let made = client.post("/accounts", json!({"login": format!("{login}-{user}-{slug}"), "role": "viewer"}));
        // It may have been asked for before.
        let listed = || client.get(&format!("/accounts?query={login}-{user}-{slug}")).json()["items"][0]["id"].clone();
        let id = if made.status == 201 { made.json()["id"].clone() } else { listed() };
        let subject = format!("subject-{id}");
        client.post(&format!("/accounts/{id}/identities"), json!({"provider": "google", "subject": subject}));
        address = address.replace("{id}", &id.to_string()).replace("{subject}", &subject);
        return address.replace("{provider}", "google");
    }
    if path.contains("/tokens/{id}") {
        let name = format!("{method}-{user}-{slug}");
        let made = client.post("/tokens", json!({"name": name, "scopes": ["read"]}));
        let id = if made.status == 201 { made.json()["id"].to_string() } else { "1".to_owned() };
        return address.replace("{id}", &id);
    }
    if path.contains("{id}") {
        let content = match path.rsplit('/').next().unwrap() {
            // Nobody works, so it waits to be carried out.
            "cancel" => (0..=10_000).map(|number| format!("{number}\n")).collect(),
            "errors" => "1\na b\n".to_owned(),
            _ => "1\n2\n".to_owned(),
        };
        let file = format!("user_id\n{content}");
        let begun = client.send("POST", "/segments/TARGET/users/import", &[CSV], file.as_bytes());
        assert!(begun.status < 300, "{}", begun.text);
        address = address.replace("{id}", &begun.json()["id"].to_string());
    }
    address
}

const CSV: (&str, &str) = ("content-type", "text/csv");

fn operations_answer_as_the_document_says(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve_with(&[("STRATA_WORKER", "false")]);
    let document = document(&server);
    for slug in ["TARGET", "DISCOUNT_30"] {
        server.client.has_segment(slug);
    }
    for (number, (path, method, operation)) in operations(&document).into_iter().enumerate() {
        let (slug, user) = (format!("S{number}"), format!("u{number}"));
        server.client.has_segment(&slug);
        assert_eq!(server.client.post(&format!("/users/{user}/segments"), json!({"add": [slug]})).status, 200);
        let call_at = |address: &str, body: Option<&(&str, String)>| {
            let mut headers = vec![("if-match", "*")];
            headers.extend(body.map(|(kind, _)| ("content-type", *kind)));
            let text = body.map_or("", |(_, text)| text.as_str());
            let answer = server.client.send(&method.to_uppercase(), &format!("/{address}"), &headers, text.as_bytes());
            is_described(&document, operation, &answer, &format!("{method} {address}"));
            answer
        };
        let call = |slug: &str, user: &str, body: Option<&(&str, String)>| {
            call_at(&address(&server.client, path, method, slug, user), body)
        };
        let body = body(path, method, operation, number);
        // The document knows the fields of the body that we send.
        if let Some(("application/json", text)) = &body {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            fits(&document, schema, &serde_json::from_str(text).unwrap(), path);
        }
        let well = call(&slug, &user, body.as_ref());
        match without_accounts(path, method) {
            Some(code) => assert_eq!(well.problem(), code, "{method} {path}: {}", well.text),
            None => assert!(well.status < 300, "{method} {path}: {}", well.text),
        }
        if let Some(("text/csv", _)) = &body {
            assert_eq!((&well.json()["state"], &well.json()["refused"]), (&json!("done"), &json!(0)), "{path}");
        }
        if path.contains("{slug}") {
            call("nosuch", &user, body.as_ref());
            assert_eq!(call("no%20slug", &user, body.as_ref()).problem(), "invalid");
        }
        if path.contains("{user_id}") {
            call("TARGET", "nobody", body.as_ref());
            assert_eq!(call(&slug, "no%20user", body.as_ref()).problem(), "invalid");
        }
        if path.contains("{form}") {
            let nowhere = call_at(&path.replace("{slug}", &slug).replace("{form}", "xml"), None);
            assert_eq!(nowhere.problem(), "route_not_found");
        }
        for (noun, code) in [("accounts", "account_not_found"), ("tokens", "token_not_found")] {
            if path.contains(&format!("/{noun}/{{id}}")) && !path.ends_with("/history") {
                let gone = path.replace("{id}", "999999").replace("{provider}", "google").replace("{subject}", "x");
                assert_eq!(call_at(&gone, body.as_ref()).problem(), code);
            }
        }
        if path.contains("/jobs/{id}") {
            for id in ["999999", "0", "x"] {
                assert_eq!(call_at(&path.replace("{id}", id), None).problem(), "job_not_found");
            }
        }
        if path.contains("/reports/{id}") {
            assert_eq!(call_at("/api/v1/reports/1/stats.csv?expires=1&signature=00", None).problem(), "link_refused");
        }
        match &body {
            Some(("text/csv", text)) => {
                let bad = |kind, text: &str| call(&slug, &user, Some(&(kind, text.to_owned()))).problem();
                assert_eq!(bad("application/json", text), "unsupported_media_type");
                assert_eq!(bad("text/csv", ""), "invalid");
            }
            Some(_) => {
                let list = ("application/json", "[]".to_owned());
                assert_eq!(call(&slug, &user, Some(&list)).problem(), "invalid");
            }
            None => {}
        }
    }
    every_other_method_is_refused(&server, &document);
    every_code_is_explained(&server, &document);
    the_document_is_whole(&document);
    the_swagger_ui_needs_nobody_else(&server);
}

/// Whether an answer has a status, a kind, headers and a body that the document names.
fn is_described(document: &Value, operation: &Value, answer: &Answer, what: &str) {
    let listed = &operation["responses"][answer.status.to_string()];
    assert!(listed.is_object(), "{what} gives {}, which is not listed: {}", answer.status, answer.text);
    for (name, _) in listed["headers"].as_object().into_iter().flatten() {
        assert!(answer.header(name).is_some(), "{what} gives no {name}, which is listed");
    }
    if answer.status == 201 {
        assert!(answer.header("location").is_some(), "{what} gives no location");
        // A report is never changed, and its link is no place for a version.
        let is_unversioned = ["/reports/", "/tokens", "/identities", "/link"].iter().any(|part| what.contains(part));
        assert!(answer.header("etag").is_some() || is_unversioned, "{what} gives no etag");
    }
    let Some(content) = listed["content"].as_object() else {
        assert!(answer.text.is_empty(), "{what} gives a body, which is not listed: {}", answer.text);
        return;
    };
    let kind = answer.header("content-type").unwrap().split(';').next().unwrap();
    assert!(content.contains_key(kind), "{what} gives {kind}, which is not listed");
    if kind.ends_with("json") {
        fits(document, &content[kind]["schema"], &answer.json(), what);
    }
    if answer.status >= 400 {
        let code = answer.problem();
        let description = listed["description"].as_str().unwrap();
        assert!(description.contains(&format!("`{code}`")), "{what} gives {code}, which is not listed: {description}");
    }
}

/// Whether a value is as its schema says, with no field that the schema does not know.
fn fits(document: &Value, schema: &Value, value: &Value, what: &str) {
    if let Err(reason) = misfit(document, schema, value) {
        panic!("{what}: {reason} in {value}");
    }
}

fn misfit(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let found = document.pointer(reference.trim_start_matches('#'));
        return misfit(document, found.ok_or_else(|| format!("{reference} is not in the document"))?, value);
    }
    if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        let reasons: Vec<String> = choices.iter().filter_map(|one| misfit(document, one, value).err()).collect();
        return if reasons.len() < choices.len() { Ok(()) } else { Err(reasons.join(", ")) };
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is = kinds.contains(&kind) || (kind == "integer" && kinds.contains(&"number"));
    if !kinds.is_empty() && !is {
        return Err(format!("{kind} where {kinds:?} is promised"));
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        return Err(format!("{value} is none of {values:?}"));
    }
    if schema["format"] == "date-time"
        && let Some(text) = value.as_str()
        && !(text.len() == "2026-11-20T12:00:00.000000Z".len() && text.ends_with('Z'))
    {
        return Err(format!("{text} is not UTC with microseconds"));
    }
    for item in value.as_array().into_iter().flatten() {
        misfit(document, &schema["items"], item)?;
    }
    if let Some(fields) = value.as_object() {
        let (known, required) = properties(document, schema);
        if let Some(name) = required.iter().find(|name| !fields.contains_key(**name)) {
            return Err(format!("no {name}"));
        }
        for (name, field) in fields {
            match known.iter().find(|(known, _)| *known == name) {
                Some((_, schema)) => misfit(document, schema, field).map_err(|reason| format!("{name}: {reason}"))?,
                None if known.is_empty() => {}
                None => return Err(format!("unknown {name}")),
            }
        }
    }
    Ok(())
}

type Properties<'d> = (Vec<(&'d String, &'d Value)>, Vec<&'d str>);

/// The fields of an object and of all that it is made of, and those that must be there.
fn properties<'d>(document: &'d Value, schema: &'d Value) -> Properties<'d> {
    if let Some(reference) = schema["$ref"].as_str() {
        return properties(document, document.pointer(reference.trim_start_matches('#')).unwrap());
    }
    let mut known: Vec<(&String, &Value)> = schema["properties"].as_object().into_iter().flatten().collect();
    let mut required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        let (more, needed) = properties(document, part);
        known.extend(more);
        required.extend(needed);
    }
    (known, required)
}

fn every_other_method_is_refused(server: &Server, document: &Value) {
    let paths = document["paths"].as_object().unwrap();
    for (path, item) in paths {
        let filled =
            [("{slug}", "TARGET"), ("{user_id}", "1"), ("{form}", "csv"), ("{id}", "1"), ("{name}", "stats.csv")];
        let address = filled.iter().fold(path.clone(), |address, (name, value)| address.replace(name, value));
        // A user may be called `import` or `diff`: then the address of that user takes what this one does not.
        let same = paths.iter().filter(|(other, _)| is_another(path, other)).map(|(_, item)| item);
        let here: Vec<&Value> = std::iter::once(item).chain(same).collect();
        let takes = |method: &str| here.iter().any(|item| item.get(method).is_some());
        let listed: BTreeSet<String> =
            METHODS.into_iter().filter(|method| takes(method)).map(str::to_uppercase).collect();
        for method in METHODS.into_iter().filter(|method| !takes(method)) {
            let headers = [("content-type", "application/json"), ("if-match", "*")];
            let answer = server.client.send(&method.to_uppercase(), &format!("/{address}"), &headers, b"{}");
            assert_eq!((answer.status, answer.problem().as_str()), (405, "method_not_allowed"), "{method} {path}");
            let allowed = answer.header("allow").unwrap_or_else(|| panic!("{method} {path} names no method"));
            let allowed: BTreeSet<String> =
                allowed.split(',').map(|one| one.trim().to_owned()).filter(|one| one != "HEAD").collect();
            assert_eq!(allowed, listed, "{path}");
        }
    }
}

/// Whether a path with a fixed last word is also one that takes a user's id there.
fn is_another(path: &str, other: &str) -> bool {
    let (Some((start, _)), Some((other, last))) = (path.rsplit_once('/'), other.rsplit_once('/')) else { return false };
    (path.ends_with("/users/import") || path.ends_with("/users/me")) && start == other && last == "{user_id}"
}

fn every_code_is_explained(server: &Server, document: &Value) {
    let mut codes = BTreeSet::new();
    for (path, method, operation) in operations(document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            if status.as_str() < "400" {
                continue;
            }
            let description = response["description"].as_str().unwrap();
            let named: Vec<&str> = description.split('`').skip(1).step_by(2).collect();
            assert!(!named.is_empty(), "{method} {path} names no code for {status}: {description}");
            codes.extend(named.into_iter().map(|code| (code.to_owned(), status.clone())));
        }
    }
    assert!(codes.len() >= 14, "only {codes:?}");
    for (code, status) in codes {
        let answer = server.client.get(&format!("//api/problems/{code}"));
        assert_eq!(answer.status, 200, "{code} is not explained");
        let told = answer.json();
        assert_eq!((told["code"].as_str(), told["status"].to_string()), (Some(code.as_str()), status));
        for member in ["title", "remedy"] {
            assert!(told[member].as_str().is_some_and(|text| !text.is_empty()), "{code} has no {member}");
        }
    }
    let problem = server.client.get("/segments/nosuch").json();
    let kind = problem["type"].as_str().unwrap();
    assert_eq!(server.client.get(&format!("/{kind}")).json()["code"], "segment_not_found");
}

fn the_document_is_whole(document: &Value) {
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations(document) {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "{name} is used twice");
        let in_path: BTreeSet<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let described: BTreeSet<&str> =
            parameters.filter(|one| one["in"] == "path").filter_map(|one| one["name"].as_str()).collect();
        assert_eq!(described, in_path, "{method} {path}");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{method} {path} has no summary");
    }
    let contract = [
        "post /segments",
        "get /segments",
        "get /segments/stats",
        "get /segments/{slug}",
        "patch /segments/{slug}",
        "delete /segments/{slug}",
        "post /segments/{slug}/rename",
        "post /segments/{slug}/copy",
        "put /segments/{slug}/description",
        "get /segments/{slug}/users",
        "put /segments/{slug}/users/{user_id}",
        "delete /segments/{slug}/users/{user_id}",
        "post /segments/{slug}/distribute",
        "get /segments/{slug}/distribute",
        "post /segments/move_users",
        "post /users",
        "get /users",
        "get /users/{user_id}",
        "patch /users/{user_id}",
        "delete /users/{user_id}",
        "get /users/{user_id}/export",
        "post /users/{user_id}/segments",
        "get /users/{user_id}/segments",
        "post /users/{user_id}/segments/{slug}",
        "delete /users/{user_id}/segments/{slug}",
        "get /users/{user_id}/segments/{slug}",
        "get /users/{user_id}/memberships",
        "post /users/segments/lookup",
        "get /history",
        "get /history.{form}",
        "get /segments/{slug}/users/diff",
        "post /segments/algebra",
        "post /segments/algebra.{form}",
        "post /segments/overlap",
        "get /segments/{slug}/size",
        "get /segments/{slug}/similar",
        "post /memberships/import",
        "post /segments/{slug}/users/import",
        "post /users/import",
        "get /segments/{slug}/users.{form}",
        "get /users.{form}",
        "get /segments/stats.{form}",
        "post /reports/history",
        "post /reports/members",
        "post /reports/algebra",
        "post /reports/users",
        "post /reports/stats",
        "get /reports/{id}/{name}",
        "get /jobs",
        "get /jobs/{id}",
        "post /jobs/retention",
        "post /jobs/stale_segments",
        "post /jobs/demo",
        "get /history/counts",
        "get /memberships",
        "get /memberships/sources",
        "get /segments/overlaps",
        "get /segments/sizes",
        "get /settings/sign_in",
        "get /summary",
        "get /users/{user_id}/segments/{slug}/why",
        "post /jobs/{id}/cancel",
        "post /jobs/{id}/undo",
        "get /jobs/{id}/errors",
        "get /jobs/{id}/events",
    ];
    for line in contract {
        let (method, path) = line.split_once(' ').unwrap();
        assert!(document["paths"][format!("/api/v1{path}")][method].is_object(), "{line} is not in the document");
    }
}

fn the_swagger_ui_needs_nobody_else(server: &Server) {
    let redirect = server.client.get("//api/docs");
    assert!((300..400).contains(&redirect.status));
    let address = redirect.header("location").unwrap();
    let page = server.client.get(&format!("/{address}"));
    assert_eq!(page.status, 200);
    let assets: Vec<&str> = ["src=\"", "href=\""]
        .into_iter()
        .flat_map(|mark| page.text.split(mark).skip(1).map(|rest| rest.split('"').next().unwrap()))
        .collect();
    assert!(assets.len() >= 5, "{assets:?}");
    for asset in assets {
        assert!(!asset.contains("//"), "{asset} comes from elsewhere");
        let address = format!("//api/docs/{}", asset.trim_start_matches("./"));
        if asset.ends_with(".png") {
            assert_eq!(server.client.send("HEAD", &address, &[], b"").status, 200, "{asset}");
            continue;
        }
        let answer = server.client.get(&address);
        assert_eq!(answer.status, 200, "{asset}");
        if asset.ends_with(".css") {
            for elsewhere in ["url(http", "url(//", "url(\"http", "@import"] {
                assert!(!answer.text.contains(elsewhere), "{asset} loads from elsewhere");
            }
        }
        if asset.ends_with("initializer.js") {
            assert!(!answer.text.contains("http"), "{}", answer.text);
            assert!(answer.text.contains("\"/api/openapi.json\""), "{}", answer.text);
            // Left to itself, Swagger UI sends the document's address to validator.swagger.io.
            assert!(answer.text.contains("\"validatorUrl\": \"none\""), "{}", answer.text);
        }
    }
}
