//! Refresh tokens: each is used once, and a session does not go on for ever.

use super::*;

#[test]
fn each_refresh_gives_other_tokens_of_the_same_session() {
    let (world, anna) = world();
    let first = tokens(&world);
    world.clock.advance(TimeDelta::minutes(1));
    let second = refresh(&world, &first).unwrap();
    assert_ne!(first.refresh.reveal(), second.refresh.reveal());
    assert_ne!(first.access, second.access);
    assert_eq!(first.session.id, second.session.id);
    let recognized = by_bearer(&world, &second.access).unwrap();
    assert_eq!((recognized.caller, recognized.session), (Caller::account(&anna), Some(first.session.id)));
    refresh(&world, &second).unwrap();
}

#[test]
fn a_refresh_token_that_comes_twice_ends_the_session() {
    let (world, anna) = world();
    let (first, other) = (tokens(&world), tokens(&world));
    let fresh = refresh(&world, &first).unwrap();
    refusal(refresh(&world, &first));
    refusal(refresh(&world, &fresh));
    assert_eq!((by_bearer(&world, &first.access), by_bearer(&world, &fresh.access)), (None, None));
    refusal(refresh(&world, &first));
    let rows = noted(&world, Action::RefreshReused);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].entry.subject, format!("account/{}", anna.id));
    assert_eq!(rows[0].entry.detail, json!({"session": first.session.id.0}).to_string());
    // Another session is no business of the thief's.
    assert!(by_bearer(&world, &other.access).is_some());
    refresh(&world, &other).unwrap();
}

#[test]
fn a_refresh_token_lasts_for_its_days_since_the_last_use() {
    let (world, _) = world();
    let first = tokens(&world);
    world.clock.advance(TimeDelta::days(REFRESH_DAYS) - TICK);
    let second = refresh(&world, &first).unwrap();
    assert_eq!(second.session.expires_at, world.now() + TimeDelta::days(REFRESH_DAYS));
    world.clock.advance(TimeDelta::days(REFRESH_DAYS));
    refusal(refresh(&world, &second));
}

#[test]
fn a_session_that_is_renewed_again_and_again_ends_after_its_days() {
    let (world, _) = world();
    let end = world.now() + TimeDelta::days(SESSION_DAYS_MAX);
    let last = renewed_until(&world, tokens(&world), end - TICK);
    assert_eq!(last.session.expires_at, end);
    assert!(by_bearer(&world, &last.access).is_some());
    world.clock.advance(TICK);
    assert_eq!(by_bearer(&world, &last.access), None);
    refusal(refresh(&world, &last));
}

#[test]
fn a_revoked_session_is_over() {
    let (world, _) = world();
    let tokens = tokens(&world);
    sessions::revoke(&world.app, tokens.refresh.reveal()).unwrap();
    assert_eq!(by_bearer(&world, &tokens.access), None);
    refusal(refresh(&world, &tokens));
    assert_eq!(noted(&world, Action::SessionEnded).len(), 1);
}

/// RFC 7009 says so.
#[test]
fn to_revoke_what_is_not_known_is_no_failure() {
    let (world, _) = world();
    let unknown = Secret::new(SecretKind::Refresh, [9; 20]);
    for text in ["", "nonsense", unknown.reveal()] {
        sessions::revoke(&world.app, text).unwrap();
    }
    assert_eq!(noted(&world, Action::SessionEnded).len(), 0);
}

#[test]
fn an_account_that_was_disabled_or_deleted_gets_no_tokens() {
    let (world, anna) = world();
    let tokens = tokens(&world);
    set_disabled(&world, &anna, true);
    refusal(refresh(&world, &tokens));
    delete(&world, &anna);
    refusal(refresh(&world, &tokens));
    assert_eq!(noted(&world, Action::RefreshReused).len(), 0);
}

#[test]
fn a_secret_of_one_kind_is_none_of_another() {
    let (world, _) = world();
    let (cookie, tokens) = (cookie(&world), tokens(&world));
    let refresh_token = tokens.refresh.reveal();
    assert_eq!((by_bearer(&world, &cookie), by_bearer(&world, refresh_token)), (None, None));
    assert_eq!((by_cookie(&world, refresh_token), by_cookie(&world, &tokens.access)), (None, None));
    refusal(sessions::refresh(&world.app, &cookie));
    refusal(sessions::refresh(&world.app, &tokens.access));
    sessions::revoke(&world.app, &cookie).unwrap();
    assert!(by_cookie(&world, &cookie).is_some());
}

#[test]
fn sessions_that_were_over_long_ago_are_forgotten_and_no_others() {
    let (world, anna) = world();
    let forget = |limit| world.act(|act| sessions::forget(act, limit)).unwrap();
    let first = tokens(&world);
    refresh(&world, &first).unwrap();
    cookie(&world);
    link(&world, &anna);
    world.clock.advance(TimeDelta::days(30));
    // The token that was spent a month ago is still known for what it is.
    // The link was good for a day.
    assert_eq!(forget(10), 1);
    refusal(refresh(&world, &first));
    assert_eq!(noted(&world, Action::RefreshReused).len(), 1);
    world.clock.advance(TimeDelta::days(2));
    assert_eq!((forget(10), forget(10)), (1, 0));
    world.clock.advance(TimeDelta::days(29));
    assert_eq!((forget(10), forget(10)), (1, 0));
}
