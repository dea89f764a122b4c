//! Signing in with a password.

use super::*;

/// Each with a login and a password that let nobody in.
fn attempts(world: &World) -> Vec<(String, &'static str)> {
    let password = hash(world, PASSWORD);
    let disabled = create(world, "disabled", Some(password));
    set_disabled(world, &disabled, true);
    create(world, "without", None);
    let long = "a".repeat(Login::CHARS_MAX + 1);
    let attempts = [
        ("anna", "Correct horse battery"),
        ("anna", ""),
        ("nobody-here", PASSWORD),
        ("disabled", PASSWORD),
        ("without", PASSWORD),
        ("without", ""),
        ("no login", PASSWORD),
        ("", PASSWORD),
        (&long, PASSWORD),
    ];
    attempts.map(|(login, password)| (login.to_owned(), password)).to_vec()
}

#[test]
fn whoever_knows_the_password_is_signed_in() {
    let (world, anna) = world();
    for (kind, lasts) in
        [(SessionKind::Browser, TimeDelta::hours(BROWSER_HOURS)), (SessionKind::Tokens, TimeDelta::days(REFRESH_DAYS))]
    {
        let begun = sessions::sign_in(&world.app, "ANNA", PASSWORD, kind).unwrap();
        assert_eq!((begun.account, begun.session.account), (anna.clone(), anna.id));
        assert_eq!((begun.session.kind, begun.session.means.as_str()), (kind, "password"));
        assert_eq!(begun.session.expires_at, world.now() + lasts);
    }
}

#[test]
fn a_sign_in_is_noted_without_what_carries_it_on() {
    let (world, anna) = world();
    let begun = sign_in(&world, SessionKind::Browser);
    let rows = noted(&world, Action::SessionBegun);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].entry.actor.as_str(), "anna");
    assert_eq!(rows[0].entry.subject, format!("account/{}", anna.id));
    let expected = json!({"session": begun.session.id.0, "kind": "browser", "means": "password"});
    assert_eq!(rows[0].entry.detail, expected.to_string());
}

#[test]
fn every_refusal_says_the_same() {
    let (world, _) = world();
    for (login, password) in attempts(&world) {
        for kind in SessionKind::ALL {
            let ended = sessions::sign_in(&world.app, &login, password, kind);
            assert_eq!(refusal(ended), "the login or the password is wrong", "`{login}` and `{password}`");
        }
    }
}

#[test]
fn each_refusal_is_noted_once() {
    let (world, anna) = world();
    for (before, (login, password)) in attempts(&world).into_iter().enumerate() {
        refusal(sessions::sign_in(&world.app, &login, password, SessionKind::Browser));
        assert_eq!(noted(&world, Action::SessionRefused).len(), before + 1, "`{login}` and `{password}`");
    }
    let rows = noted(&world, Action::SessionRefused);
    assert_eq!(rows[0].entry.subject, format!("account/{}", anna.id));
    assert_eq!(rows[2].entry.subject, "sign_in");
}

/// People type passwords where the login belongs.
#[test]
fn nothing_that_was_typed_is_noted() {
    let (world, _) = world();
    for (login, password) in
        [("anna", "typed-password"), ("typed-password", "typed-password"), ("a b", "typed-password")]
    {
        refusal(sessions::sign_in(&world.app, login, password, SessionKind::Browser));
    }
    let rows = world.look(|look| audit::list(look, &AuditQuery::default(), 100));
    assert!(rows.iter().all(|row| !format!("{:?}", row.entry).contains("typed-password")));
    assert!(noted(&world, Action::SessionRefused).iter().all(|row| row.entry.detail == r#"{"means":"password"}"#));
}

#[test]
fn a_refusal_begins_no_session() {
    let (world, anna) = world();
    refusal(sessions::sign_in(&world.app, "anna", "wrong", SessionKind::Browser));
    let own = world.app.look(&Caller::account(&anna), |look| sessions::own(look, 10)).unwrap();
    assert_eq!((own.len(), noted(&world, Action::SessionBegun).len()), (0, 0));
}

#[test]
fn whoever_signs_in_without_end_goes_on_with_the_latest() {
    let (world, anna) = world();
    let mut cookies = Vec::new();
    for _ in 0..=SESSIONS_MAX {
        let link = link(&world, &anna);
        cookies.push(follow(&world, &link).unwrap().secret);
        world.clock.advance(TICK);
    }
    let is_known: Vec<bool> = cookies.iter().map(|cookie| by_cookie(&world, cookie.reveal()).is_some()).collect();
    assert!(!is_known[0] && is_known[1..].iter().all(|known| *known), "{is_known:?}");
}
