//! Links to sign in with, which hold once.

use super::*;

#[test]
fn a_link_signs_in_once() {
    let (world, anna) = world();
    let link = link(&world, &anna);
    let begun = follow(&world, &link).unwrap();
    assert_eq!((begun.account.id, begun.session.means.as_str()), (anna.id, "link"));
    assert!(by_cookie(&world, begun.secret.reveal()).is_some());
    refusal(follow(&world, &link));
}

#[test]
fn a_link_holds_for_its_hours() {
    let (world, anna) = world();
    let [first, second] = [(), ()].map(|()| link(&world, &anna));
    world.clock.advance(TimeDelta::hours(LINK_HOURS) - TICK);
    follow(&world, &first).unwrap();
    world.clock.advance(TICK);
    refusal(follow(&world, &second));
}

#[test]
fn a_link_of_an_account_that_was_disabled_or_deleted_does_not_sign_in() {
    let (world, anna) = world();
    let link = link(&world, &anna);
    set_disabled(&world, &anna, true);
    refusal(follow(&world, &link));
    let made = world.act(|act| accounts::make_link(act, anna.id));
    assert!(matches!(made, Err(Error::Conflict(why)) if why == "`anna` is disabled"));
    delete(&world, &anna);
    create(&world, "anna", None);
    refusal(follow(&world, &link));
}

#[test]
fn a_link_leaves_the_password_as_it_is() {
    let (world, anna) = world();
    follow(&world, &link(&world, &anna)).unwrap();
    sign_in(&world, SessionKind::Browser);
}

#[test]
fn what_is_no_link_signs_nobody_in() {
    let (world, anna) = world();
    let unknown = Secret::new(SecretKind::SignInLink, [9; 20]);
    let cookie = cookie(&world);
    let link = link(&world, &anna);
    for text in ["", &cookie, unknown.reveal(), &link.reveal()[..link.reveal().len() - 1]] {
        refusal(sessions::sign_in_by_link(&world.app, text));
    }
}

#[test]
fn a_store_without_accounts_gets_one_administrator_who_signs_in_by_link() {
    let world = World::in_memory();
    let (first, link) = world.act(accounts::create_first).unwrap().unwrap();
    assert_eq!((first.role, first.login.as_str()), (Role::Administrator, "administrator"));
    assert!(world.act(accounts::create_first).unwrap().is_none());
    assert_eq!(follow(&world, &link).unwrap().account, first);
}

#[test]
fn a_store_with_an_account_gets_no_administrator() {
    let (world, _) = world();
    assert!(world.act(accounts::create_first).unwrap().is_none());
    assert_eq!(world.look(|look| accounts::count(look, &Default::default())), 1);
}
