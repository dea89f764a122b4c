//! What keeps browsers and those on the way out: headers on every answer, and TLS.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig},
};

use crate::{
    client::Answer,
    jobs::until,
    server::{Engine, Place, Server},
};

fn headers_of(server: &Server, method: &str, path: &str) -> Vec<(String, Option<String>)> {
    let answer = server.client.send(method, path, &[], b"");
    ["content-security-policy", "x-content-type-options", "referrer-policy", "strict-transport-security"]
        .map(|name| (name.to_owned(), answer.header(name).map(str::to_owned)))
        .to_vec()
}

#[test]
fn every_answer_tells_browsers_what_to_refuse() {
    let server = Place::new(Engine::Sqlite).serve();
    for (method, path) in [
        ("GET", "/segments"),
        ("GET", "/segments/NADA"),
        ("POST", "/segments"),
        ("PATCH", "//nowhere"),
        ("HEAD", "//healthz"),
        ("GET", "//api/openapi.json"),
        ("GET", "//%ff"),
        ("GET", "/history.csv"),
    ] {
        let expected = [
            ("content-security-policy", Some("default-src 'none'; frame-ancestors 'none'")),
            ("x-content-type-options", Some("nosniff")),
            ("referrer-policy", Some("no-referrer")),
            // It would be a lie without TLS.
            ("strict-transport-security", None),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
        assert_eq!(headers_of(&server, method, path), expected, "{method} {path}");
    }
}

#[test]
fn the_documentation_runs_scripts_of_its_own_only() {
    let server = Place::new(Engine::Sqlite).serve();
    let page = server.client.get("//api/docs/index.html");
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-eval"), "{policy}");
    // No script stands in the page itself.
    for script in page.text.split("<script").skip(1) {
        let (head, rest) = script.split_once('>').unwrap();
        assert!(head.contains("src=") && rest.trim_start().starts_with("</script>"), "{script}");
    }
}

/// A certificate for localhost, written where the server looks for it.
fn write_certificate(place: &Place) -> (Certificate<'static>, [(&'static str, String); 2]) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| place.dir.path().join(name));
    fs::write(&certificate, cert.pem()).unwrap();
    fs::write(&key, signing_key.serialize_pem()).unwrap();
    let known = Certificate::from_pem(cert.pem().as_bytes()).unwrap();
    let named = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
    (known, [("STRATA_TLS_CERTIFICATE_FILE", named(certificate)), ("STRATA_TLS_KEY_FILE", named(key))])
}

fn agent_that_knows(certificate: &Certificate<'static>) -> Agent {
    let roots = RootCerts::new_with_certs(std::slice::from_ref(certificate));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(provider).build();
    let patience = Some(Duration::from_secs(20));
    Agent::config_builder().tls_config(tls).timeout_global(patience).http_status_as_error(false).build().into()
}

fn as_settings<'a>(settings: &'a [(&'static str, String); 2]) -> Vec<(&'a str, &'a str)> {
    settings.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[test]
fn with_a_certificate_it_speaks_https_only_and_takes_a_renewed_one() {
    let place = Place::new(Engine::Sqlite);
    let (first, settings) = write_certificate(&place);
    let server = place.serve_with(&as_settings(&settings));
    let port = server.base.rsplit_once(':').unwrap().1.to_owned();
    assert!(server.base.starts_with("https://"), "{}", server.base);
    let url = format!("https://localhost:{port}/api/v1/segments");
    let answer = agent_that_knows(&first).get(&url).call().unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    // Who speaks without TLS is told nothing.
    assert!(ureq::get(format!("http://127.0.0.1:{port}/healthz")).call().is_err());
    let stranger = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let stranger = Certificate::from_pem(stranger.cert.pem().as_bytes()).unwrap();
    assert!(agent_that_knows(&stranger).get(&url).call().is_err());
    let (second, _) = write_certificate(&place);
    until("the new certificate is shown", || agent_that_knows(&second).get(&url).call().ok());
    assert!(agent_that_knows(&first).get(&url).call().is_err());
}

#[test]
fn a_certificate_that_cannot_be_used_says_why() {
    let place = Place::new(Engine::Sqlite);
    let (_, settings) = write_certificate(&place);
    let told = |changes: &[(&str, &str)]| {
        let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.envs(as_settings(&settings)).envs(changes.iter().copied());
        let output = command.output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let alone = told(&[("STRATA_TLS_KEY_FILE", "")]);
    assert!(alone.contains("tls_key_file (") && alone.contains("must be given with tls_certificate_file"), "{alone}");
    let absent = told(&[("STRATA_TLS_CERTIFICATE_FILE", "/nowhere.pem")]);
    assert!(absent.contains("`/nowhere.pem`"), "{absent}");
    let swapped = told(&[("STRATA_TLS_CERTIFICATE_FILE", settings[1].1.as_str())]);
    assert!(swapped.contains("there is no certificate in it"), "{swapped}");
    let other = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let path = place.dir.path().join("other.pem");
    fs::write(&path, other.signing_key.serialize_pem()).unwrap();
    let foreign = told(&[("STRATA_TLS_KEY_FILE", path.to_str().unwrap())]);
    assert!(foreign.contains("other.pem"), "{foreign}");
}

#[test]
fn whoever_asks_too_often_waits_and_others_do_not() {
    let place = Place::new(Engine::Sqlite);
    let settings = [("STRATA_REQUESTS_PER_SECOND", "5"), ("STRATA_TRUSTED_PROXIES", "127.0.0.0/8")];
    let server = place.serve_with(&settings);
    let ask = |client: &str| server.client.send("GET", "/segments", &[("x-forwarded-for", client)], b"");
    let first = ask("1.2.3.4");
    assert_eq!(
        (first.status, first.header("ratelimit-limit"), first.header("ratelimit-remaining")),
        (200, Some("5"), Some("4"))
    );
    let refused = (0..100).map(|_| ask("1.2.3.4")).find(|answer| answer.status != 200).unwrap();
    assert_eq!((refused.status, refused.problem().as_str()), (429, "too_many_requests"));
    assert_eq!((refused.header("retry-after"), refused.header("ratelimit-remaining")), (Some("1"), Some("0")));
    assert_eq!(ask("1.2.3.5").status, 200);
    // What a stranger puts in front of the chain changes nothing.
    while ask("1.2.3.4").status == 200 {}
    assert_eq!(ask("9.9.9.9, 1.2.3.4").status, 429);
    for _ in 0..20 {
        assert_eq!(server.client.send("GET", "//healthz", &[("x-forwarded-for", "1.2.3.4")], b"").status, 200);
    }
    until("the bucket fills again", || (ask("1.2.3.4").status == 200).then_some(()));
}

#[test]
fn only_trusted_proxies_say_who_asked_and_where() {
    let forwarded =
        [("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https"), ("content-type", "application/json")];
    let link = |server: &Server| {
        let answer = server.client.send(
            "POST",
            "/reports/history",
            &forwarded,
            br#"{"from":"2026-01-01T00:00:00Z","to":"2026-02-01T00:00:00Z"}"#,
        );
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()["link"].as_str().unwrap().to_owned()
    };
    let place = Place::new(Engine::Sqlite);
    let server = place.serve_with(&[("STRATA_REQUESTS_PER_SECOND", "5")]);
    assert!(link(&server).starts_with(&format!("{}/", server.base)), "{}", link(&server));
    // All of them are one address.
    let ask = |number: u8| {
        server.client.send("GET", "/segments", &[("x-forwarded-for", format!("1.2.3.{number}").as_str())], b"")
    };
    assert!((0..100).any(|number| ask(number).status == 429));
    drop(server);
    let server = place.serve_with(&[("STRATA_TRUSTED_PROXIES", "127.0.0.1")]);
    assert!(link(&server).starts_with("https://evil.example/"), "{}", link(&server));
}

#[test]
fn a_body_that_comes_too_slowly_is_given_up() {
    let server = Place::new(Engine::Sqlite).serve_with(&[("STRATA_BODY_TIMEOUT_MS", "200")]);
    let mut stream = TcpStream::connect(server.base.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = "POST /api/v1/segments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n";
    stream.write_all(format!("{head}{{\"slug\":").as_bytes()).unwrap();
    let mut answer = [0; 4_096];
    let length = stream.read(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("\"code\":\"body_too_slow\""), "{answer}");
    assert_eq!(server.client.get("/segments/A").status, 404);
}

const AS_BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

/// The console's page as a browser gets it, and what its policy says of styles that are no files.
fn page_at(server: &Server, path: &str) -> (Answer, String) {
    let page = server.client.send("GET", &format!("/{path}"), &[AS_BROWSER], b"");
    assert!(!page.text.contains("cargo xtask build"), "the console is not built yet: `cargo xtask build`");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")), "{path}");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let policy = page.header("content-security-policy").unwrap();
    let (before, after) = policy.split_once("'nonce-").unwrap();
    assert_eq!(before, "default-src 'none'; script-src 'self'; style-src 'self' ");
    assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
    let nonce = after.split_once('\'').unwrap().0.to_owned();
    assert!(page.text.contains(&format!("name=\"style-nonce\" content=\"{nonce}\"")), "{}", page.text);
    (page, nonce)
}

#[test]
fn the_console_runs_files_of_its_own_only() {
    let server = Place::guarded(Engine::Sqlite).serve();
    let (page, first) = page_at(&server, "/");
    let (_, second) = page_at(&server, "/");
    assert!(first.len() == 32 && first != second, "{first} {second}");
    assert!(!page.text.contains("style=") && !page.text.contains("onclick") && !page.text.contains("javascript:"));
    for script in page.text.split("<script").skip(1) {
        let (head, rest) = script.split_once('>').unwrap();
        assert!(head.contains("src=\"/assets/") && rest.starts_with("</script>"), "{script}");
    }
    let named: Vec<_> = page.text.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert!(named.len() > 1, "{}", page.text);
    for path in named {
        let asked = |encodings| server.client.send("GET", &format!("/{path}"), &[("accept-encoding", encodings)], b"");
        let plain = asked("identity");
        assert_eq!((plain.status, plain.header("content-encoding")), (200, None), "{path}");
        assert_eq!(plain.header("cache-control"), Some("public, max-age=31536000, immutable"));
        let kind = if path.ends_with(".css") { "text/css; charset=utf-8" } else { "text/javascript; charset=utf-8" };
        assert_eq!(plain.header("content-type"), Some(kind), "{path}");
        if plain.text.len() > 1024 {
            for (encodings, used) in [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip")] {
                let short = asked(encodings);
                let told = (short.header("content-encoding"), short.header("vary"));
                assert_eq!(told, (Some(used), Some("accept-encoding")), "{path}");
            }
        }
    }
    assert_eq!(server.client.get("//icon.svg").header("content-type"), Some("image/svg+xml"));
}

#[test]
fn browsers_get_the_console_at_every_address_but_those_of_the_api() {
    let server = Place::guarded(Engine::Sqlite).serve();
    for path in ["/sign-in", "/segments/VIP", "/users/a%2Fb", "/api-playground", "/nowhere/at/all"] {
        page_at(&server, path);
    }
    let problem = |method, path, headers: &[_]| server.client.send(method, path, headers, b"").problem();
    for path in ["//api/v1/nowhere", "//api/nowhere", "//assets/nowhere.js", "//assets/..%2f..%2findex.html"] {
        assert_eq!(problem("GET", path, &[AS_BROWSER]), "route_not_found", "{path}");
    }
    // Whoever does not show pages is told what is wrong.
    assert_eq!(problem("GET", "//segments", &[]), "route_not_found");
    assert_eq!(problem("POST", "//segments", &[AS_BROWSER]), "route_not_found");
}

#[test]
fn the_files_of_the_console_are_not_counted_as_requests() {
    let place = Place::new(Engine::Sqlite);
    let server = place.serve_with(&[("STRATA_REQUESTS_PER_SECOND", "5")]);
    let (page, _) = page_at(&server, "/");
    let script = page.text.split('"').find(|part| part.starts_with("/assets/")).unwrap();
    assert!((0..50).all(|_| server.client.get(&format!("/{script}")).status == 200));
}

#[test]
fn each_caller_has_a_bucket_of_its_own() {
    let place = Place::guarded(Engine::Sqlite);
    let server = place.serve_with(&[("STRATA_CALLER_REQUESTS_PER_SECOND", "5")]);
    let [first, second] =
        ["first", "second"].map(|name| server.client.bearing(&place.token(name, &["--scope", "read"])));
    let answer = first.get("/segments");
    assert_eq!((answer.header("ratelimit-limit"), answer.header("ratelimit-remaining")), (Some("5"), Some("4")));
    let refused = (0..100).map(|_| first.get("/segments")).find(|answer| answer.status != 200).unwrap();
    assert_eq!((refused.status, refused.problem().as_str()), (429, "too_many_requests"));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(second.get("/segments").status, 200);
    until("the bucket fills again", || (first.get("/segments").status == 200).then_some(()));
}

#[test]
fn by_tls_the_cookie_is_for_this_host_alone() {
    let place = Place::guarded(Engine::Sqlite);
    let (certificate, settings) = write_certificate(&place);
    let mut server = place.serve_with(&as_settings(&settings));
    let link = server.link();
    let (page, code) = link.split_once("/sign-in#").unwrap();
    let port = page.rsplit(':').next().unwrap();
    let answer = agent_that_knows(&certificate)
        .post(format!("https://localhost:{port}/api/v1/auth/link"))
        .header("content-type", "application/json")
        .send(format!(r#"{{"code":"{code}"}}"#))
        .unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-strata=stratas_"), "{cookie}");
    for word in ["; Path=/;", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(cookie.contains(word), "{word} in {cookie}");
    }
}

#[test]
fn without_sign_in_only_this_machine_is_served_and_strangers_pages_are_not() {
    let place = Place::new(Engine::Sqlite);
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let output = place.run(&["serve", "--open", "--listen", listen]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("without sign-in (--open) only this machine may reach the service"), "{told}");
    }
    let server = place.serve();
    let ask = |host: &str, site: &str| {
        let mut stream = TcpStream::connect(server.base.strip_prefix("http://").unwrap()).unwrap();
        let head = format!(
            "POST /api/v1/jobs/1/cancel HTTP/1.1\r\nHost: {host}\r\n{site}Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer[9..12].to_owned()
    };
    assert_eq!(ask("localhost", ""), "404");
    assert_eq!(ask("evil.example", ""), "403");
    assert_eq!(ask("127.0.0.1.evil.example:80", ""), "403");
    assert_eq!(ask("localhost", "Sec-Fetch-Site: cross-site\r\nOrigin: https://evil.example\r\n"), "403");
    assert_eq!(ask("localhost", "Sec-Fetch-Site: same-origin\r\n"), "404");
}
