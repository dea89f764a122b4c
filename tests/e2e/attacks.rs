//! Attacks: what somebody tries who may not, each by its name.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    accounts::PASSWORD,
    client::{Answer, Client},
    jobs::until,
    permissions::{sign_in, signed_in},
    races::at_once,
    server::{Engine, Place, Server, on_both_engines},
};

on_both_engines!(
    without_a_token_nothing_is_told,
    an_api_token_that_ended_is_refused,
    forged_access_tokens_are_refused,
    a_revoked_token_is_refused_at_once,
    a_token_is_revoked_while_it_is_in_use,
    a_token_revoked_by_another_process_is_refused_within_a_second,
    a_refresh_token_that_comes_twice_ends_the_session,
    of_sixteen_who_refresh_at_once_one_gets_tokens_and_the_session_ends,
    what_another_began_is_not_there,
    another_account_is_not_there,
    nobody_raises_their_own_role,
    a_disabled_account_is_out_at_once,
    another_role_holds_from_the_next_request_on,
    of_two_demotions_of_the_last_administrators_one_is_refused,
    a_page_of_another_site_cannot_act_by_the_cookie,
    a_session_that_somebody_else_chose_is_not_gone_on_with,
    no_address_leads_elsewhere,
    unknown_and_known_names_take_as_long,
    guessing_is_slowed_and_tells_nothing,
    a_token_in_an_address_is_not_looked_at,
    headers_cannot_be_made_up,
    idempotency_keys_of_two_callers_do_not_meet,
    a_confined_token_does_not_leave_its_segments,
    a_one_time_link_holds_once,
    secrets_do_not_stand_in_the_log,
);

/// A place, its server, and an administrator's client.
fn guarded(engine: Engine) -> (Place, Server, Client) {
    let place = Place::guarded(engine);
    let server = place.serve();
    let root = signed_in(&place, &server, "root", "administrator");
    (place, server, root)
}

fn is_refused(answer: &Answer) {
    assert_eq!((answer.status, answer.problem().as_str()), (401, "unauthenticated"), "{}", answer.text);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
}

fn password(login: &str, typed: &str) -> Value {
    json!({"login": login, "password": typed})
}

/// The cookie that an answer sets, as a browser sends it back, and what it says of it.
fn cookie_of(answer: &Answer) -> (String, String) {
    let set = answer.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {}", answer.text)).to_owned();
    (set.split(';').next().unwrap().to_owned(), set)
}

/// A browser that is signed in: its client, and the token of its pages.
fn browser(server: &Server, login: &str) -> (Client, String) {
    let answer = server.client.post("/auth/session", password(login, PASSWORD));
    assert_eq!(answer.status, 200, "{}", answer.text);
    let (cookie, _) = cookie_of(&answer);
    (server.client.saying("cookie", &cookie), answer.json()["csrf_token"].as_str().unwrap().to_owned())
}

fn without_a_token_nothing_is_told(engine: Engine) {
    let (_place, server, root) = guarded(engine);
    root.has_segment("VIP");
    for path in
        ["/segments/VIP", "/segments/NADA", "/users/1/segments", "/history.csv", "/jobs/1/events", "/accounts/me"]
    {
        is_refused(&server.client.get(path));
    }
    for value in ["", "Bearer", "Bearer ", "Basic cm9vdDpyb290", "Bearer nonsense", "Bearer \"\"", "strata_00"] {
        is_refused(&server.client.saying("authorization", value).get("/segments"));
    }
    let long = format!("Bearer {}", "a".repeat(3_000));
    is_refused(&server.client.saying("authorization", &long).get("/segments"));
    // Slashes and dots make no other address of it.
    for path in ["//api//v1/segments", "///api/v1//segments/VIP", "//api/v1/./segments", "//api/v1/auth/../segments"] {
        let answer = server.client.get(path);
        assert!(matches!(answer.status, 401 | 404), "{path}: {}", answer.status);
    }
}

fn an_api_token_that_ended_is_refused(engine: Engine) {
    let (_place, server, root) = guarded(engine);
    let made = root.post("/tokens", json!({"name": "short", "scopes": ["read"], "ttl": 2}));
    let client = server.client.bearing(made.json()["token"].as_str().unwrap());
    assert_eq!(client.get("/segments").status, 200);
    until("the token has ended", || (client.get("/segments").status == 401).then_some(()));
    is_refused(&client.get("/segments"));
}

/// The parts of a JWT.
fn parts(token: &str) -> [Vec<u8>; 3] {
    let parts: Vec<Vec<u8>> = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    parts.try_into().unwrap()
}

fn joined(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (header, claims) = (encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
    format!("{header}.{claims}.{}", encode(signature))
}

fn forged_access_tokens_are_refused(engine: Engine) {
    let (_place, server, _root) = guarded(engine);
    let answer = server.client.post("/auth/token", password("root", PASSWORD));
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(server.client.bearing(&token).get("/segments").status, 200);
    let [header, claims, signature] = parts(&token);
    let header: Value = serde_json::from_slice(&header).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    let with = |value: &Value, key: &str, other: Value| {
        let mut changed = value.clone();
        changed[key] = other;
        changed
    };
    let later = json!(claims["exp"].as_i64().unwrap() + 1_000_000);
    let mut flipped = signature.clone();
    flipped[10] ^= 1;
    let hmac = |header: &Value| {
        let key = jsonwebtoken::EncodingKey::from_secret(header["kid"].as_str().unwrap().as_bytes());
        let mut own = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
        own.kid = header["kid"].as_str().map(str::to_owned);
        jsonwebtoken::encode(&own, &claims, &key).unwrap()
    };
    let none = with(&header, "alg", json!("none"));
    for (what, forged) in [
        ("tampered: a later end", joined(&header, &with(&claims, "exp", later), &signature)),
        ("tampered: another account", joined(&header, &with(&claims, "sub", json!("2")), &signature)),
        ("tampered: another session", joined(&header, &with(&claims, "sid", json!(2)), &signature)),
        ("tampered: the signature", joined(&header, &claims, &flipped)),
        ("no signature", joined(&header, &claims, b"")),
        ("alg none", joined(&none, &claims, b"")),
        ("alg none with a signature", joined(&none, &claims, &signature)),
        ("alg NONE", joined(&with(&header, "alg", json!("NONE")), &claims, b"")),
        ("HS256", hmac(&header)),
        ("HS256 by name only", joined(&with(&header, "alg", json!("HS256")), &claims, &signature)),
        ("another key", joined(&with(&header, "kid", json!("0000000000000000")), &claims, &signature)),
        ("no key", joined(&with(&header, "kid", Value::Null), &claims, &signature)),
        ("cut off", token[..token.len() - 4].to_owned()),
        ("two dots", "..".to_owned()),
    ] {
        let answer = server.client.bearing(&forged).get("/segments");
        assert_eq!((answer.status, answer.problem().as_str()), (401, "unauthenticated"), "{what}: {}", answer.text);
    }
    assert_eq!(server.client.bearing(&token).get("/segments").status, 200);
}

fn a_revoked_token_is_refused_at_once(engine: Engine) {
    let (_place, server, root) = guarded(engine);
    let made = root.post("/tokens", json!({"name": "shop", "scopes": ["read"]})).json();
    let client = server.client.bearing(made["token"].as_str().unwrap());
    assert_eq!(client.get("/segments").status, 200);
    assert_eq!(root.delete(&format!("/tokens/{}", made["id"])).status, 204);
    for _ in 0..20 {
        is_refused(&client.get("/segments"));
    }
    let access = server.client.post("/auth/token", password("root", PASSWORD)).json();
    let client = server.client.bearing(access["access_token"].as_str().unwrap());
    assert_eq!(client.get("/segments").status, 200);
    assert_eq!(server.client.post("/auth/revoke", json!({"token": access["refresh_token"]})).status, 204);
    is_refused(&client.get("/segments"));
    is_refused(&server.client.post("/auth/refresh", json!({"refresh_token": access["refresh_token"]})));
    // RFC 7009: what is not known is no failure.
    assert_eq!(server.client.post("/auth/revoke", json!({"token": "nonsense"})).status, 204);
}

fn a_token_is_revoked_while_it_is_in_use(engine: Engine) {
    let (place, server, root) = guarded(engine);
    root.has_segment("VIP");
    let made = root.post("/tokens", json!({"name": "shop", "scopes": ["read", "assign"]})).json();
    let client = server.client.bearing(made["token"].as_str().unwrap());
    let ended = at_once(9, |number| {
        if number == 0 {
            thread::sleep(Duration::from_millis(200));
            assert_eq!(root.delete(&format!("/tokens/{}", made["id"])).status, 204);
            return Instant::now();
        }
        for round in 0.. {
            let answer = client.post(&format!("/users/u{number}-{round}/segments"), json!({"add": ["VIP"]}));
            match answer.status {
                200 => {}
                401 => return Instant::now(),
                other => panic!("{other}: {}", answer.text),
            }
        }
        unreachable!("the token is revoked")
    });
    // Each of them was let in, or not, and nothing else came of it.
    assert!(ended.iter().all(|at| at.duration_since(ended[0].min(*at)) < Duration::from_secs(2)));
    is_refused(&client.get("/segments"));
    place.is_sound();
}

fn a_token_revoked_by_another_process_is_refused_within_a_second(engine: Engine) {
    let (place, server, _root) = guarded(engine);
    let client = server.client.bearing(&place.token("shop", &["--scope", "read"]));
    assert_eq!(client.get("/segments").status, 200);
    assert!(place.run(&["token", "revoke", "shop"]).status.success());
    let revoked = Instant::now();
    until("the token is refused", || (client.get("/segments").status == 401).then_some(()));
    assert!(revoked.elapsed() < Duration::from_millis(1_500), "{:?}", revoked.elapsed());
}

fn a_refresh_token_that_comes_twice_ends_the_session(engine: Engine) {
    let (_place, server, root) = guarded(engine);
    let first = server.client.post("/auth/token", password("root", PASSWORD)).json();
    let refresh =
        |tokens: &Value| server.client.post("/auth/refresh", json!({"refresh_token": tokens["refresh_token"]}));
    let second = refresh(&first);
    assert_eq!(second.status, 200, "{}", second.text);
    let third = refresh(&second.json());
    assert_eq!(third.status, 200, "{}", third.text);
    let client = server.client.bearing(third.json()["access_token"].as_str().unwrap());
    assert_eq!(client.get("/segments").status, 200);
    // Whoever stole the first one uses it.
    is_refused(&refresh(&first));
    is_refused(&client.get("/segments"));
    is_refused(&refresh(&third.json()));
    let rows = root.get("/audit?action=session.refresh_reused").json()["items"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    // An access token is no refresh token, nor the other way round.
    is_refused(&server.client.post("/auth/refresh", json!({"refresh_token": third.json()["access_token"]})));
    is_refused(&server.client.bearing(first["refresh_token"].as_str().unwrap()).get("/segments"));
}

fn of_sixteen_who_refresh_at_once_one_gets_tokens_and_the_session_ends(engine: Engine) {
    let (_place, server, _root) = guarded(engine);
    let first = server.client.post("/auth/token", password("root", PASSWORD)).json();
    let body = json!({"refresh_token": first["refresh_token"]});
    let answers = at_once(16, |_| {
        loop {
            let answer = server.client.post("/auth/refresh", body.clone());
            if answer.status != 503 {
                break answer;
            }
        }
    });
    let good: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(good.len(), 1);
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 401)));
    is_refused(&server.client.bearing(good[0].json()["access_token"].as_str().unwrap()).get("/segments"));
}

fn what_another_began_is_not_there(engine: Engine) {
    let (place, server, root) = guarded(engine);
    let anna = signed_in(&place, &server, "anna", "analyst");
    let ivan = signed_in(&place, &server, "ivan", "analyst");
    let file = b"user_id;segment\n1;A\na b;A\n";
    let begun = anna.send("POST", "/memberships/import?create_segments=true", &[("content-type", "text/csv")], file);
    assert!(begun.status < 300, "{}", begun.text);
    let id = begun.json()["id"].to_string();
    let report = anna.post("/reports/members", json!({"segment": "A"}));
    assert_eq!(report.status, 201, "{}", report.text);
    let job_of_report = report.json()["job_id"].to_string();
    for job in [&id, &job_of_report] {
        assert_eq!(anna.get(&format!("/jobs/{job}")).status, 200);
        for (method, path) in [
            ("GET", format!("/jobs/{job}")),
            ("GET", format!("/jobs/{job}/events")),
            ("GET", format!("/jobs/{job}/errors")),
            ("POST", format!("/jobs/{job}/cancel")),
            ("POST", format!("/jobs/{job}/undo")),
        ] {
            let answer = ivan.send(method, &path, &[], b"");
            assert_eq!((answer.status, answer.problem().as_str()), (404, "job_not_found"), "{method} {path}");
        }
        assert_eq!(root.get(&format!("/jobs/{job}")).status, 200);
    }
    let listed = |client: &Client| client.get("/jobs?count=exact").json()["total"].clone();
    assert_eq!((listed(&anna), listed(&ivan), listed(&root)), (json!(2), json!(0), json!(2)));
    // The link of a report says all, and no part of it can be guessed.
    let link = report.json()["link"].as_str().unwrap().to_owned();
    let path = format!("/{}", &link[link.find("/api/").unwrap()..]);
    assert_eq!(server.client.get(&path).status, 200);
    let other = path.replace(&format!("/reports/{job_of_report}/"), "/reports/1/");
    assert_eq!(server.client.get(&other).problem(), "link_refused");
}

fn another_account_is_not_there(engine: Engine) {
    let (place, server, root) = guarded(engine);
    let anna = signed_in(&place, &server, "anna", "analyst");
    signed_in(&place, &server, "ivan", "analyst");
    let id_of = |login: &str| root.get(&format!("/accounts?query={login}")).json()["items"][0]["id"].to_string();
    let (own, other) = (id_of("anna"), id_of("ivan"));
    assert_eq!(anna.get(&format!("/accounts/{own}")).status, 200);
    for id in [other.as_str(), "999999"] {
        for (method, path, body) in [
            ("GET", format!("/accounts/{id}"), ""),
            ("PATCH", format!("/accounts/{id}"), r#"{"role":"viewer"}"#),
            ("DELETE", format!("/accounts/{id}"), ""),
            ("POST", format!("/accounts/{id}/link"), ""),
            ("POST", format!("/accounts/{id}/sign_out"), ""),
            ("GET", format!("/accounts/{id}/identities"), ""),
            ("DELETE", format!("/accounts/{id}/identities/google/1"), ""),
        ] {
            let answer =
                anna.send(method, &path, &[("content-type", "application/json"), ("if-match", "*")], body.as_bytes());
            assert_eq!((answer.status, answer.problem().as_str()), (404, "account_not_found"), "{method} {path}");
        }
    }
    assert_eq!(anna.get("/accounts").problem(), "forbidden");
    assert_eq!(root.get(&format!("/accounts/{other}")).json()["role"], "analyst");
}

fn nobody_raises_their_own_role(engine: Engine) {
    let (place, server, root) = guarded(engine);
    let anna = signed_in(&place, &server, "anna", "viewer");
    let own = anna.get("/accounts/me").json()["account"]["id"].to_string();
    let raise = anna.patch(&format!("/accounts/{own}"), json!({"role": "administrator"}));
    assert_eq!(raise.problem(), "forbidden");
    // Fields that are not asked for are refused by name, wherever an account may write.
    let body = json!({"password": "another correct horse", "current_password": PASSWORD, "role": "administrator"});
    let answer = anna.put("/accounts/me/password", body);
    assert_eq!(answer.json()["errors"][0]["pointer"], "/role", "{}", answer.text);
    let answer =
        server.client.post("/auth/token", json!({"login": "anna", "password": PASSWORD, "role": "administrator"}));
    assert_eq!(answer.json()["errors"][0]["code"], "unknown_field");
    for body in [json!({"login": "new", "role": "administrator"}), json!({"login": "new", "role": "viewer", "id": 1})] {
        assert!(matches!(anna.post("/accounts", body).status, 400 | 403));
    }
    assert_eq!(anna.get("/accounts/me").json()["account"]["role"], "viewer");
    assert_eq!(root.get("/accounts?query=new").json()["items"], json!([]));
}

fn a_disabled_account_is_out_at_once(engine: Engine) {
    let (place, server, root) = guarded(engine);
    let anna = signed_in(&place, &server, "anna", "analyst");
    let (page, _) = browser(&server, "anna");
    let id = anna.get("/accounts/me").json()["account"]["id"].to_string();
    assert_eq!((anna.get("/segments").status, page.get("/segments").status), (200, 200));
    assert_eq!(root.patch(&format!("/accounts/{id}"), json!({"disabled": true})).status, 200);
    is_refused(&anna.get("/segments"));
    is_refused(&page.get("/segments"));
    is_refused(&server.client.post("/auth/token", password("anna", PASSWORD)));
    assert_eq!(root.patch(&format!("/accounts/{id}"), json!({"disabled": false})).status, 200);
    // Old sessions do not come back to life.
    is_refused(&anna.get("/segments"));
    assert_eq!(sign_in(&server, "anna").get("/segments").status, 200);
}

fn another_role_holds_from_the_next_request_on(engine: Engine) {
    let (place, server, root) = guarded(engine);
    let anna = signed_in(&place, &server, "anna", "analyst");
    let id = anna.get("/accounts/me").json()["account"]["id"].to_string();
    assert_eq!(anna.post("/segments", json!({"slug": "A"})).status, 201);
    assert_eq!(root.patch(&format!("/accounts/{id}"), json!({"role": "viewer"})).status, 200);
    assert_eq!(anna.post("/segments", json!({"slug": "B"})).problem(), "forbidden");
    assert_eq!(anna.get("/segments/A").status, 200);
    assert_eq!(root.patch(&format!("/accounts/{id}"), json!({"role": "administrator"})).status, 200);
    assert_eq!(anna.get("/audit").status, 200);
    // Who did it stands where it is asked for.
    let segment = anna.post("/users/1/segments", json!({"add": ["A"]}));
    assert_eq!(segment.status, 200, "{}", segment.text);
    assert_eq!(anna.get("/users/1/memberships").json()["items"][0]["actor"], "anna");
}

fn of_two_demotions_of_the_last_administrators_one_is_refused(engine: Engine) {
    let (place, server, root) = guarded(engine);
    let second = signed_in(&place, &server, "second", "administrator");
    // The one that the first start made.
    let first = root.get("/accounts?query=administrator").json()["items"][0]["id"].to_string();
    assert_eq!(root.delete(&format!("/accounts/{first}")).status, 204);
    let ids: Vec<String> =
        [&root, &second].map(|client| client.get("/accounts/me").json()["account"]["id"].to_string()).into();
    let answers = at_once(2, |number| {
        loop {
            let client = [&root, &second][number];
            let answer = client.patch(&format!("/accounts/{}", ids[1 - number]), json!({"role": "viewer"}));
            if answer.status != 503 {
                break answer;
            }
        }
    });
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    // The one who was demoted first may not do it any more, or is the last one and stays.
    assert!(statuses[0] == 200 && matches!(statuses[1], 404 | 409), "{statuses:?}");
    let left = [&root, &second].iter().filter(|client| client.get("/accounts").status == 200).count();
    assert_eq!(left, 1);
}

fn a_page_of_another_site_cannot_act_by_the_cookie(engine: Engine) {
    let (_place, server, _root) = guarded(engine);
    let (page, csrf) = browser(&server, "root");
    assert_eq!(page.get("/segments").status, 200);
    let create = |client: &Client, slug: &str| client.post("/segments", json!({"slug": slug}));
    let refused = create(&page, "A");
    assert_eq!((refused.status, refused.problem().as_str()), (403, "csrf_refused"));
    for wrong in ["", "0", &csrf[1..], &csrf.to_uppercase(), &"0".repeat(64)] {
        assert_eq!(create(&page.saying("x-csrf-token", wrong), "A").problem(), "csrf_refused", "{wrong}");
    }
    // Another session's does not do.
    let (_, other) = browser(&server, "root");
    assert_eq!(create(&page.saying("x-csrf-token", &other), "A").problem(), "csrf_refused");
    for (method, path) in [("DELETE", "/auth/session"), ("POST", "/jobs/1/cancel"), ("PUT", "/accounts/me/password")] {
        assert_eq!(page.send(method, path, &[], b"").problem(), "csrf_refused", "{method} {path}");
    }
    assert_eq!(create(&page.saying("x-csrf-token", &csrf), "A").status, 201);
    // A bearer needs none: no page of another site can send it.
    let answer = server.client.post("/auth/session", password("root", PASSWORD));
    let (_, said) = cookie_of(&answer);
    for word in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"] {
        assert!(said.contains(word), "{said}");
    }
    let (name, secret) = said.split(';').next().unwrap().split_once('=').unwrap();
    assert_eq!(name, "strata");
    // A cookie is no bearer.
    is_refused(&server.client.bearing(secret).get("/segments"));
}

fn a_session_that_somebody_else_chose_is_not_gone_on_with(engine: Engine) {
    let (_place, server, _root) = guarded(engine);
    let chosen = "strata=stratas_0000000000000000000000000000000000000000deadbeef";
    let answer = server.client.saying("cookie", chosen).post("/auth/session", password("root", PASSWORD));
    assert_eq!(answer.status, 200, "{}", answer.text);
    let (given, _) = cookie_of(&answer);
    assert_ne!(given, chosen);
    is_refused(&server.client.saying("cookie", chosen).get("/segments"));
    // Signing in again begins another session, and signing out ends it for good.
    let again = server.client.saying("cookie", &given).post("/auth/session", password("root", PASSWORD));
    let (second, _) = cookie_of(&again);
    assert_ne!(given, second);
    let csrf = again.json()["csrf_token"].as_str().unwrap().to_owned();
    let page = server.client.saying("cookie", &second).saying("x-csrf-token", &csrf);
    let out = page.delete("/auth/session");
    assert!(out.status == 204 && cookie_of(&out).1.contains("Max-Age=0"), "{:?}", out.headers);
    is_refused(&page.get("/segments"));
    assert_eq!(server.client.saying("cookie", &given).get("/segments").status, 200);
}

fn no_address_leads_elsewhere(engine: Engine) {
    let (_place, server, _root) = guarded(engine);
    for path in [
        "//sign-in?next=https://evil.example",
        "//?next=//evil.example",
        "///evil.example",
        "///evil.example/..",
        "//api/docs?url=https://evil.example/openapi.json",
        "/auth/providers/oidc?return_to=https://evil.example",
        "/auth/providers/oidc/callback?code=1&state=2&return_to=https://evil.example",
    ] {
        let answer = server.client.get(path);
        let location = answer.header("location").unwrap_or("/");
        assert!(location.starts_with('/') && !location.starts_with("//"), "{path} leads to {location}");
        assert!(!location.contains("evil"), "{path} leads to {location}");
    }
}

/// The middle of what it takes, in milliseconds.
fn median_ms(mut act: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..9)
        .map(|_| {
            let begun = Instant::now();
            act();
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[4]
}

fn unknown_and_known_names_take_as_long(engine: Engine) {
    let place = Place::guarded(engine);
    let server = place.serve_with(&[("STRATA_TRUSTED_PROXIES", "127.0.0.0/8")]);
    let root = signed_in(&place, &server, "root", "administrator");
    assert_eq!(root.post("/accounts", json!({"login": "without-password", "role": "viewer"})).status, 201);
    let mut number = 0;
    let mut attempt = |login: &str| {
        number += 1;
        // From another address each time, and no login so often that it has to wait.
        let client = server.client.saying("x-forwarded-for", &format!("192.0.2.{}", number % 250));
        let login = login.replace('#', &number.to_string());
        let answer = client.post("/auth/token", password(&login, "a wrong long password"));
        if answer.status == 401 {
            return answer.text.split("\"request_id\"").next().unwrap().to_owned();
        }
        assert_eq!(answer.status, 429, "{}", answer.text);
        String::new()
    };
    for name in 0..9 {
        assert_eq!(root.post("/accounts", json!({"login": format!("known-{name}"), "role": "viewer"})).status, 201);
    }
    assert_eq!(attempt("root"), attempt("nobody"));
    assert_eq!(attempt("without-password"), attempt("nobody"));
    let mut of_known = -1;
    let known = median_ms(|| {
        of_known += 1;
        attempt(&format!("known-{of_known}"));
    });
    let unknown = median_ms(|| {
        attempt("unknown-#");
    });
    let ratio = known / unknown;
    // Hashing takes tens of milliseconds; without it the one would be a tenth of the other.
    assert!((0.4..2.5).contains(&ratio), "{known} ms of those there are, {unknown} ms of those there are not");
}

fn guessing_is_slowed_and_tells_nothing(engine: Engine) {
    let (_place, server, root) = guarded(engine);
    let attempt = |login: &str, typed: &str| server.client.post("/auth/token", password(login, typed));
    for login in ["root", "nobody"] {
        // The first five are free; after eight there are eight seconds to wait.
        for number in 0..8 {
            let failed = until("it is tried", || {
                let answer = attempt(login, &format!("wrong password {number}"));
                (answer.status != 429 || number < 5).then_some(answer)
            });
            assert_eq!(failed.status, 401, "{login} {number}: {}", failed.text);
        }
        assert_eq!(attempt(login, "wrong password 9").status, 429, "{login}");
    }
    let waiting = attempt("ROOT", PASSWORD);
    // It may be over by now for the first of them; for the other it is not.
    let waiting = if waiting.status == 200 { attempt("NOBODY", PASSWORD) } else { waiting };
    assert_eq!((waiting.status, waiting.problem().as_str()), (429, "too_many_requests"));
    let seconds: u64 = waiting.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds));
    // Whoever is signed in is not shut out, and the owner gets in after the wait.
    assert_eq!(root.get("/segments").status, 200);
    until("the wait is over", || {
        (server.client.post("/auth/token", password("root", PASSWORD)).status == 200).then_some(())
    });
    let rows = root.get("/audit?action=session.refused&count=exact").json();
    assert!(rows["total"].as_u64().unwrap() >= 10, "{rows}");
    assert!(!rows.to_string().contains("wrong password"), "{rows}");
}

fn a_token_in_an_address_is_not_looked_at(engine: Engine) {
    let (place, server, root) = guarded(engine);
    let token = place.token("shop", &["--scope", "read"]);
    for name in ["access_token", "token", "authorization", "api_key"] {
        is_refused(&server.client.get(&format!("/segments?{name}={token}")));
        let known = root.get(&format!("/segments?{name}={token}"));
        assert_eq!((known.status, &known.json()["errors"][0]["code"]), (400, &json!("unknown_parameter")));
    }
    is_refused(&server.client.get(&format!("//api/v1/segments/{token}")));
}

fn raw(server: &Server, request: &[u8]) -> String {
    let address = server.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    // The other side may cut the connection, which is an answer too.
    let _cut = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn headers_cannot_be_made_up(engine: Engine) {
    let (place, server, _root) = guarded(engine);
    let token = place.token("shop", &["--scope", "read"]);
    // What a client sends comes back in no header of ours.
    let answer = raw(
        &server,
        b"GET /api/v1/segments HTTP/1.1\r\nhost: localhost\r\nx-request-id: a\rset-cookie: b=c\r\nconnection: close\r\n\r\n",
    );
    assert!(answer.starts_with("HTTP/1.1 400") && !answer.contains("b=c"), "{answer}");
    let answer = server.client.get("/auth/providers/oidc%0d%0aset-cookie:%20a=b");
    assert!(answer.header("set-cookie").is_none() && matches!(answer.status, 400 | 404), "{}", answer.status);
    let two = format!(
        "GET /api/v1/segments HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\nauthorization: Bearer x\r\nconnection: close\r\n\r\n"
    );
    assert!(raw(&server, two.as_bytes()).starts_with("HTTP/1.1 401"));
    // A header of megabytes is not read to its end.
    let huge = format!(
        "GET /api/v1/segments HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n",
        "a".repeat(1 << 20)
    );
    let answer = raw(&server, huge.as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{}", &answer[..answer.len().min(100)]);
    // One request cannot hide in another.
    let smuggled = b"POST /api/v1/auth/token HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /api/v1/segments HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let answer = raw(&server, smuggled);
    assert!(answer.starts_with("HTTP/1.1 4") && answer.matches("HTTP/1.1").count() == 1, "{answer}");
    assert_eq!(server.client.bearing(&token).get("/segments").status, 200);
}

fn idempotency_keys_of_two_callers_do_not_meet(engine: Engine) {
    let (place, server, root) = guarded(engine);
    let anna = signed_in(&place, &server, "anna", "analyst");
    let create = |client: &Client, slug: &str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", "the same")];
        client.send("POST", "/segments", &headers, json!({"slug": slug}).to_string().as_bytes())
    };
    assert_eq!((create(&root, "A").status, create(&anna, "B").status), (201, 201));
    let again = create(&root, "A");
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")));
    assert_eq!(create(&anna, "A").problem(), "idempotency_key_reused");
    // A secret is told once, and kept nowhere.
    let token = |client: &Client| {
        let headers = [("content-type", "application/json"), ("idempotency-key", "a token")];
        let body = json!({"name": "shop", "scopes": ["read"]}).to_string();
        client.send("POST", "/tokens", &headers, body.as_bytes())
    };
    let (first, second) = (token(&root), token(&root));
    assert!(first.json()["token"].as_str().is_some_and(|token| token.starts_with("strata_")), "{}", first.text);
    assert_eq!((second.status, second.header("idempotent-replayed")), (201, Some("true")));
    assert_eq!(second.json()["token"], Value::Null, "{}", second.text);
}

fn a_confined_token_does_not_leave_its_segments(engine: Engine) {
    let (place, server, root) = guarded(engine);
    for slug in ["promo_a", "promo_b", "VIP"] {
        root.has_segment(slug);
    }
    assert_eq!(root.post("/users/1/segments", json!({"add": ["promo_a", "VIP"]})).status, 200);
    let scopes = ["--scope", "read", "--scope", "assign", "--scope", "manage", "--segment-prefix", "promo_"];
    let shop = server.client.bearing(&place.token("shop", &scopes));
    assert_eq!(shop.segments_of("1"), ["promo_a"]);
    let found = shop.post("/users/segments/lookup", json!({"user_ids": ["1"]})).json();
    assert_eq!(found["items"][0]["segments"], json!(["promo_a"]));
    assert_eq!(shop.get("/users/1/memberships").json()["items"].as_array().unwrap().len(), 1);
    let changed = shop.post("/users/1/segments", json!({"add": ["promo_b"]}));
    assert_eq!(changed.json()["segments"], json!(["promo_a", "promo_b"]), "{}", changed.text);
    for (method, path, body) in [
        ("POST", "/users/1/segments", json!({"add": ["promo_a", "VIP"]})),
        ("POST", "/users/1/segments", json!({"remove": ["VIP"]})),
        ("PUT", "/segments/VIP/users/2", json!({})),
        ("GET", "/segments/VIP/users", Value::Null),
        ("GET", "/users/1/segments/VIP", Value::Null),
        ("GET", "/segments", Value::Null),
        ("GET", "/history", Value::Null),
        ("GET", "/history.csv?segment=VIP", Value::Null),
        ("GET", "/users/1", Value::Null),
        ("POST", "/segments", json!({"slug": "mine"})),
        ("POST", "/segments/promo_a/rename", json!({"slug": "mine"})),
        ("POST", "/segments/promo_a/copy", json!({"slug": "mine", "members": true})),
        ("POST", "/segments/move_users", json!({"from_segment": "promo_a", "to_segment": "VIP"})),
        ("POST", "/segments/algebra", json!({"expr": "promo_a | VIP"})),
        ("POST", "/segments/algebra", json!({"expr": "ALL - promo_a"})),
        ("POST", "/segments/overlap", json!({"slugs": ["promo_a", "VIP"]})),
        ("GET", "/segments/promo_a/similar", Value::Null),
        ("POST", "/reports/history", json!({})),
    ] {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let answer = shop.send(method, path, &[("content-type", "application/json")], text.as_bytes());
        assert_eq!((answer.status, answer.problem().as_str()), (403, "forbidden"), "{method} {path} {body}");
    }
    for (path, body) in [
        ("/segments", json!({"slug": "promo_c", "expr": "promo_a & promo_b"})),
        ("/segments/promo_a/rename", json!({"slug": "promo_z"})),
        ("/segments/overlap", json!({"slugs": ["promo_b", "promo_c"]})),
    ] {
        assert!(shop.post(path, body).status < 300, "{path}");
    }
    assert_eq!(root.segments_of("1"), ["VIP", "promo_b", "promo_c", "promo_z"]);
}

fn a_one_time_link_holds_once(engine: Engine) {
    let place = Place::guarded(engine);
    let mut server = place.serve();
    let link = server.link();
    let (page, code) = link.split_once('#').unwrap();
    assert_eq!(page, format!("{}/sign-in", server.base));
    let follow = || server.client.post("/auth/link", json!({"code": code}));
    let first = follow();
    assert_eq!((first.status, &first.json()["account"]["role"]), (200, &json!("administrator")));
    is_refused(&follow());
    let (cookie, _) = cookie_of(&first);
    let csrf = first.json()["csrf_token"].as_str().unwrap().to_owned();
    let root = server.client.saying("cookie", &cookie).saying("x-csrf-token", &csrf);
    // Whoever came by it sets a password, without one so far.
    assert_eq!(root.put("/accounts/me/password", json!({"password": "too short"})).problem(), "invalid");
    assert_eq!(root.put("/accounts/me/password", json!({"password": PASSWORD})).status, 200);
    let again = root.put("/accounts/me/password", json!({"password": "another correct horse"}));
    assert_eq!(again.json()["errors"][0]["code"], "wrong_password");
    assert_eq!(sign_in(&server, "administrator").get("/accounts").status, 200);
    // The store has an account now: nobody is made again.
    assert!(server.stop().success());
    let server = place.serve();
    assert_eq!(sign_in(&server, "ADMINISTRATOR").get("/accounts?count=exact").json()["total"], 1);
    // An administrator makes one for somebody else.
    let root = sign_in(&server, "administrator");
    let made = root.post("/accounts", json!({"login": "anna", "role": "viewer"})).json();
    let link = root.post(&format!("/accounts/{}/link", made["id"]), json!({}));
    assert_eq!(link.status, 201, "{}", link.text);
    let link = link.json()["link"].as_str().unwrap().to_owned();
    let by_link = server.client.post("/auth/link", json!({"code": link.split_once('#').unwrap().1}));
    assert_eq!(by_link.json()["account"]["login"], "anna", "{}", by_link.text);
}

fn secrets_do_not_stand_in_the_log(engine: Engine) {
    let place = Place::guarded(engine);
    let log = place.dir.path().join("log");
    let server = place.serve_logging(&log, &[("STRATA_LOG", "trace")]);
    let root = signed_in(&place, &server, "root", "administrator");
    let token = root.post("/tokens", json!({"name": "shop", "scopes": ["read"]})).json()["token"].clone();
    let token = token.as_str().unwrap().to_owned();
    let shop = server.client.bearing(&token);
    assert_eq!(shop.get("/segments").status, 200);
    assert_eq!(shop.get(&format!("/segments?query=a&token={token}")).status, 400);
    let (page, csrf) = browser(&server, "root");
    assert_eq!(page.saying("x-csrf-token", &csrf).post("/segments", json!({"slug": "A"})).status, 201);
    let access = server.client.post("/auth/token", password("root", PASSWORD)).json();
    let secrets = [
        token,
        PASSWORD.to_owned(),
        csrf,
        access["access_token"].as_str().unwrap().to_owned(),
        access["refresh_token"].as_str().unwrap().to_owned(),
    ];
    assert!(server.stop().success());
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(said.contains("/api/v1/segments") && said.len() > 1_000, "{said}");
    for secret in secrets {
        assert!(!said.contains(&secret), "a secret stands in the log: {}…", &secret[..12]);
    }
}
