//! Who is recognized by a cookie.

use super::*;

#[test]
fn a_cookie_tells_whose_it_is() {
    let (world, anna) = world();
    let begun = sign_in(&world, SessionKind::Browser);
    let recognized = by_cookie(&world, begun.secret.reveal()).unwrap();
    let (session, ends_at) = (Some(begun.session.id), Some(begun.session.expires_at));
    assert_eq!(recognized, Recognized { caller: Caller::account(&anna), session, ends_at });
}

#[test]
fn a_cookie_holds_until_its_hours_end() {
    let (world, _) = world();
    let cookie = cookie(&world);
    world.clock.advance(TimeDelta::hours(BROWSER_HOURS) - TICK);
    assert!(by_cookie(&world, &cookie).is_some());
    world.clock.advance(TICK);
    assert_eq!(by_cookie(&world, &cookie), None);
}

#[test]
fn a_cookie_of_a_session_that_was_ended_is_not_recognized() {
    let (world, anna) = world();
    let (ended, other) = (cookie(&world), cookie(&world));
    let session = by_cookie(&world, &ended).unwrap().session.unwrap();
    sessions::sign_out(&world.app, &Caller::account(&anna), session).unwrap();
    assert_eq!(by_cookie(&world, &ended), None);
    assert!(by_cookie(&world, &other).is_some());
    sessions::sign_out(&world.app, &Caller::account(&anna), session).unwrap();
    assert_eq!(noted(&world, Action::SessionEnded).len(), 1);
}

#[test]
fn a_disabled_account_is_not_recognized_and_has_to_sign_in_anew_when_enabled() {
    let (world, anna) = world();
    let cookie = cookie(&world);
    set_disabled(&world, &anna, true);
    assert_eq!(by_cookie(&world, &cookie), None);
    set_disabled(&world, &anna, false);
    assert_eq!(by_cookie(&world, &cookie), None);
    sign_in(&world, SessionKind::Browser);
}

#[test]
fn a_deleted_account_is_not_recognized_nor_is_its_namesake() {
    let (world, anna) = world();
    let cookie = cookie(&world);
    delete(&world, &anna);
    assert_eq!(by_cookie(&world, &cookie), None);
    create(&world, "anna", None);
    assert_eq!(by_cookie(&world, &cookie), None);
}

#[test]
fn what_is_no_cookie_is_not_recognized() {
    let (world, _) = world();
    let cookie = cookie(&world);
    let unknown = Secret::new(SecretKind::Session, [9; 20]).reveal().to_owned();
    for text in ["", "x", &cookie[1..], &cookie.to_uppercase(), &format!("{cookie} "), &unknown] {
        assert_eq!(by_cookie(&world, text), None, "{text}");
    }
}

#[test]
fn a_page_proves_itself_by_what_only_the_cookie_tells() {
    let (world, _) = world();
    let (first, second) = (cookie(&world), cookie(&world));
    assert_eq!(sessions::csrf_token(&first), sessions::csrf_token(&first));
    assert_ne!(sessions::csrf_token(&first), sessions::csrf_token(&second));
}
