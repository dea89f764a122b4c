//! Who may do what: every operation of the document, asked by every role, by every scope and by nobody.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    accounts::PASSWORD,
    client::Client,
    contract::{address, body, document, operations},
    server::{Engine, Place, Server, on_both_engines},
};

on_both_engines!(every_operation_asks_for_the_permission_that_the_document_names);

/// What the documents promise of each role and scope. The service's own table is held against it.
const PROMISED: [(&str, &[&str]); 7] = [
    ("viewer", &["segments.read"]),
    ("analyst", &["segments.read", "persons.read", "memberships.assign", "segments.manage", "data.export"]),
    (
        "administrator",
        &[
            "segments.read",
            "persons.read",
            "memberships.assign",
            "segments.manage",
            "data.export",
            "persons.rights",
            "service.operate",
            "accounts.manage",
            "tokens.manage",
            "audit.read",
        ],
    ),
    ("read", &["segments.read"]),
    ("assign", &["memberships.assign"]),
    ("manage", &["segments.read", "segments.manage", "data.export"]),
    ("persons", &["persons.read"]),
];

/// A client of an account with this role, made by the operator.
pub fn signed_in(place: &Place, server: &Server, login: &str, role: &str) -> Client {
    place.account(login, role, PASSWORD);
    sign_in(server, login)
}

/// A client with an access token of an account that there is.
pub fn sign_in(server: &Server, login: &str) -> Client {
    let answer = server.client.post("/auth/token", json!({"login": login, "password": PASSWORD}));
    assert_eq!(answer.status, 200, "{}", answer.text);
    server.client.bearing(answer.json()["access_token"].as_str().unwrap())
}

fn every_operation_asks_for_the_permission_that_the_document_names(engine: Engine) {
    let place = Place::guarded(engine);
    let server = place.serve_with(&[("STRATA_WORKER", "false")]);
    let document = document(&server);
    let root = signed_in(&place, &server, "root", "administrator");
    let mut callers: BTreeMap<&str, Client> = BTreeMap::new();
    for role in ["viewer", "analyst", "administrator"] {
        callers.insert(role, signed_in(&place, &server, &format!("the-{role}"), role));
    }
    for scope in ["read", "assign", "manage", "persons"] {
        let token = place.token(scope, &["--scope", scope]);
        callers.insert(scope, server.client.bearing(&token));
    }
    for (name, promised) in PROMISED {
        let said = callers[name].get("/accounts/me").json()["permissions"].clone();
        assert_eq!(said, json!(promised), "{name}");
    }
    for slug in ["TARGET", "DISCOUNT_30"] {
        root.has_segment(slug);
    }
    let mut counts = (0, 0, 0);
    for (number, (path, method, operation)) in operations(&document).into_iter().enumerate() {
        let needed = operation["x-permissions"].as_array().cloned().unwrap_or_default();
        let is_public = operation["security"].as_array().is_none_or(|schemes| schemes.is_empty());
        for (caller, (name, promised)) in PROMISED.iter().enumerate() {
            let number = number * 100 + caller;
            let (slug, user) = (format!("S{number}"), format!("u{number}"));
            root.has_segment(&slug);
            assert_eq!(root.post(&format!("/users/{user}/segments"), json!({"add": [slug]})).status, 200);
            let at = format!("/{}", address(&root, path, method, &slug, &user));
            let body = body(path, method, operation, number);
            let ask = |client: &Client| {
                let mut headers = vec![("if-match", "*")];
                headers.extend(body.as_ref().map(|(kind, _)| ("content-type", *kind)));
                let text = body.as_ref().map_or("", |(_, text)| text.as_str());
                client.send(&method.to_uppercase(), &at, &headers, text.as_bytes())
            };
            let what = format!("{method} {path} by {name}");
            if caller == 0 {
                let nobody = ask(&server.client);
                assert!(is_public || (nobody.status, nobody.problem().as_str()) == (401, "unauthenticated"), "{what}");
                counts.0 += 1;
            }
            if is_public {
                break;
            }
            // Signing out would end what the others need.
            if path == "/api/v1/auth/session" || path == "/api/v1/accounts/me/password" {
                continue;
            }
            let answer = ask(&callers[name]);
            let may = needed.iter().all(|needed| promised.contains(&needed.as_str().unwrap()));
            if may {
                assert!(!is_denial(&answer.text), "{what}: {} {}", answer.status, answer.text);
                counts.1 += 1;
            } else {
                // Of accounts of others it is not told that they are there.
                let hidden = path.contains("/accounts/{id}") && answer.status == 404;
                assert!(
                    hidden || (answer.status, answer.problem().as_str()) == (403, "forbidden"),
                    "{what}: {}",
                    answer.text
                );
                counts.2 += 1;
            }
        }
    }
    println!("{engine:?}: {} operations; {} asked by who may, {} by who may not", counts.0, counts.1, counts.2);
    assert!(counts.0 > 80 && counts.2 > 150, "{counts:?}");
    every_refusal_is_in_the_audit_log(&root, counts.2);
    place.is_sound();
}

fn is_denial(text: &str) -> bool {
    let code = serde_json::from_str::<Value>(text).map(|problem| problem["code"].clone()).unwrap_or_default();
    code == "forbidden" || code == "unauthenticated" || code == "csrf_refused"
}

/// But for those of accounts that were hidden.
fn every_refusal_is_in_the_audit_log(root: &Client, refusals: usize) {
    let answer = root.get("/audit?action=access.refused&count=exact&limit=1000");
    let total = answer.json()["total"].as_u64().unwrap() as usize;
    assert!(total > 100 && total <= refusals, "{total} of {refusals}");
    let subjects: BTreeSet<String> = answer.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["subject"].as_str().unwrap().to_owned())
        .collect();
    assert!(subjects.contains("GET /api/v1/audit") && subjects.contains("POST /api/v1/segments"), "{subjects:?}");
    // It names addresses, and no user.
    assert!(subjects.contains("GET /api/v1/users/{user_id}/export"), "{subjects:?}");
    assert!(!subjects.iter().any(|subject| subject.contains("/u") && subject.contains("u10")), "{subjects:?}");
}
