//! What becomes of sessions when their account changes.

use super::*;

#[test]
fn a_changed_role_holds_from_the_next_request_on() {
    let (world, anna) = world();
    let (cookie, tokens) = (cookie(&world), tokens(&world));
    // Somebody has to be administrator when anna is none any more.
    let root = create(&world, "root", None);
    change(&world, &root, ChangeAccount { role: Some(Role::Administrator), ..ChangeAccount::default() });
    for role in [Role::Administrator, Role::Analyst, Role::Viewer] {
        change(&world, &anna, ChangeAccount { role: Some(role), ..ChangeAccount::default() });
        let expected = Caller::account(&world.look(|look| accounts::get(look, anna.id)));
        assert_eq!(by_cookie(&world, &cookie).unwrap().caller, expected);
        assert_eq!(by_bearer(&world, &tokens.access).unwrap().caller, expected);
    }
}

#[test]
fn a_grant_to_see_persons_holds_from_the_next_request_on() {
    let (world, anna) = world();
    let cookie = cookie(&world);
    let sees = |world: &World| by_cookie(world, &cookie).unwrap().caller.has(domain::Permission::ReadPersons);
    assert!(!sees(&world));
    change(&world, &anna, ChangeAccount { sees_persons: Some(true), ..ChangeAccount::default() });
    assert!(sees(&world));
}

#[test]
fn whoever_changes_the_own_password_stays_signed_in_here_and_nowhere_else() {
    let (world, anna) = world();
    let (here, elsewhere, tokens) = (cookie(&world), cookie(&world), tokens(&world));
    let session = by_cookie(&world, &here).unwrap().session;
    let new = Password::choose("another horse battery", &anna.login).unwrap();
    accounts::set_own_password(&world.app, &Caller::account(&anna), session, Some(PASSWORD), &new).unwrap();
    assert!(by_cookie(&world, &here).is_some());
    assert_eq!((by_cookie(&world, &elsewhere), by_bearer(&world, &tokens.access)), (None, None));
    refusal(refresh(&world, &tokens));
    assert_eq!(noted(&world, Action::PasswordChanged)[0].entry.detail, r#"{"sessions_ended":2}"#);
    refusal(sessions::sign_in(&world.app, "anna", PASSWORD, SessionKind::Browser));
    sessions::sign_in(&world.app, "anna", "another horse battery", SessionKind::Browser).unwrap();
}

#[test]
fn a_password_that_somebody_else_set_ends_every_session() {
    let (world, anna) = world();
    let cookie = cookie(&world);
    let new = hash(&world, "another horse battery");
    world.act(|act| accounts::set_password(act, anna.id, new)).unwrap();
    assert_eq!(by_cookie(&world, &cookie), None);
}

#[test]
fn whoever_signs_out_everywhere_is_signed_in_nowhere() {
    let (world, anna) = world();
    let (cookie, tokens) = (cookie(&world), tokens(&world));
    let password = hash(&world, PASSWORD);
    create(&world, "ivan", Some(password));
    let ivan = sessions::sign_in(&world.app, "ivan", PASSWORD, SessionKind::Browser).unwrap();
    let ended = world.app.act(&Caller::account(&anna), |act| accounts::sign_out(act, anna.id)).unwrap();
    assert_eq!(ended, 2);
    assert_eq!((by_cookie(&world, &cookie), by_bearer(&world, &tokens.access)), (None, None));
    assert!(by_cookie(&world, ivan.secret.reveal()).is_some());
}

#[test]
fn the_own_sessions_that_are_good_are_told_the_newest_first() {
    let (world, anna) = world();
    cookie(&world);
    world.clock.advance(TimeDelta::hours(BROWSER_HOURS - 1));
    let [second, third] = [(), ()].map(|()| sign_in(&world, SessionKind::Tokens).session);
    let own = |limit| world.app.look(&Caller::account(&anna), |look| sessions::own(look, limit)).unwrap();
    assert_eq!(own(10).len(), 3);
    world.clock.advance(TimeDelta::hours(1));
    assert_eq!(own(10), [third.clone(), second]);
    assert_eq!(own(1), [third]);
    assert!(matches!(world.app.look(&testkit::caller(), |look| sessions::own(look, 1)), Err(Error::Conflict(_))));
}
