//! Accounts: made, changed, disabled, deleted, and all of it noted.

#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use domain::{Account, AccountId, AuditRow, Caller, Identity, Login, Password, PasswordHash, Role};
use testkit::{World, actor};
use usecases::{
    Error, Expected, Revision, Subject,
    accounts::{self, ChangeAccount, CreateAccount},
    audit, passwords,
    ports::AccountQuery,
};

fn login(text: &str) -> Login {
    Login::parse(text).unwrap()
}

fn create(world: &World, text: &str, role: Role) -> Result<Account, Error> {
    world.act(|act| {
        accounts::create(act, CreateAccount { login: login(text), role, sees_persons: false, password: None })
    })
}

fn change(world: &World, id: AccountId, command: ChangeAccount) -> Result<Account, Error> {
    world.act(|act| accounts::change(act, id, &Expected::Any, command))
}

fn role(role: Role) -> ChangeAccount {
    ChangeAccount { role: Some(role), ..ChangeAccount::default() }
}

fn disabled(disabled: bool) -> ChangeAccount {
    ChangeAccount { disabled: Some(disabled), ..ChangeAccount::default() }
}

/// What is noted of an account: actions and details.
fn told(world: &World, id: AccountId) -> Vec<(String, String)> {
    let rows = world.look(|look| accounts::history(look, id, None, 100));
    rows.iter().map(|AuditRow { entry, .. }| (entry.action.to_string(), entry.detail.clone())).collect()
}

#[test]
fn a_login_is_taken_whatever_its_letter_case() {
    let world = World::in_memory();
    let anna = create(&world, "Anna@example.com", Role::Viewer).unwrap();
    let taken = create(&world, "anna@EXAMPLE.com", Role::Administrator);
    assert!(matches!(taken, Err(Error::Taken(Subject::Account, name)) if name == "anna@EXAMPLE.com"));
    assert_eq!(world.look(|look| accounts::find(look, &login("ANNA@example.com"))), anna);
    assert_eq!(world.look(|look| accounts::count(look, &AccountQuery::default())), 1);
}

#[test]
fn every_change_is_noted_and_nothing_that_changes_nothing() {
    let world = World::in_memory();
    create(&world, "root", Role::Administrator).unwrap();
    let id = create(&world, "anna", Role::Viewer).unwrap().id;
    change(&world, id, role(Role::Analyst)).unwrap();
    change(&world, id, role(Role::Analyst)).unwrap();
    world.clock.advance(TimeDelta::minutes(1));
    let since = change(&world, id, disabled(true)).unwrap().disabled_at;
    assert_eq!(since, Some(world.now()));
    world.clock.advance(TimeDelta::minutes(1));
    assert_eq!(change(&world, id, disabled(true)).unwrap().disabled_at, since);
    let both = ChangeAccount { role: Some(Role::Viewer), disabled: Some(false), ..ChangeAccount::default() };
    assert_eq!(change(&world, id, both).unwrap().version, 4);
    world.act(|act| accounts::set_password(act, id, PasswordHash::new("$secret$"))).unwrap();
    world.act(|act| accounts::delete(act, id, &Expected::Any)).unwrap();
    let expected = [
        ("account.created", r#"{"login":"anna","role":"viewer"}"#),
        ("account.changed", r#"{"role":{"from":"viewer","to":"analyst"}}"#),
        ("account.disabled", "{}"),
        ("account.changed", r#"{"role":{"from":"analyst","to":"viewer"}}"#),
        ("account.enabled", "{}"),
        ("account.password_changed", r#"{"sessions_ended":0}"#),
        ("account.deleted", r#"{"login":"anna","role":"viewer"}"#),
    ];
    assert_eq!(told(&world, id), expected.map(|(action, detail)| (action.to_owned(), detail.to_owned())));
    let rows = world.look(|look| accounts::history(look, id, None, 100));
    assert!(rows.iter().all(|row| row.entry.actor == actor()));
    let verified = world.look(|look| audit::verify(look, None, &mut |flaw| panic!("{flaw}")));
    assert_eq!((verified.rows, verified.flaws), (8, 0));
}

#[test]
fn the_last_administrator_who_may_sign_in_stays() {
    let world = World::in_memory();
    let first = create(&world, "first", Role::Administrator).unwrap().id;
    let refused = |ended: Result<(), Error>| matches!(ended, Err(Error::Conflict(why)) if why.contains("`first`"));
    let all_are_refused = || {
        refused(change(&world, first, role(Role::Analyst)).map(drop))
            && refused(change(&world, first, disabled(true)).map(drop))
            && refused(world.act(|act| accounts::delete(act, first, &Expected::Any)))
    };
    assert!(all_are_refused());
    // One who may not sign in does not count.
    let second = create(&world, "second", Role::Administrator).unwrap().id;
    change(&world, second, disabled(true)).unwrap();
    assert!(all_are_refused());
    assert_eq!(told(&world, first).len(), 1);
    change(&world, second, disabled(false)).unwrap();
    world.act(|act| accounts::delete(act, first, &Expected::Any)).unwrap();
    assert!(matches!(change(&world, second, role(Role::Viewer)), Err(Error::Conflict(_))));
}

#[test]
fn a_change_of_another_version_is_refused() {
    let world = World::in_memory();
    let before = create(&world, "anna", Role::Viewer).unwrap();
    let seen = Expected::OneOf(vec![Revision::from(&before).to_string()]);
    world.act(|act| accounts::change(act, before.id, &seen, role(Role::Analyst))).unwrap();
    let stale = world.act(|act| accounts::delete(act, before.id, &seen));
    assert!(matches!(stale, Err(Error::Stale(Subject::Account, _))));
    let unknown = change(&world, AccountId(99), role(Role::Viewer));
    assert!(matches!(unknown, Err(Error::NotFound(Subject::Account, names)) if names == ["99"]));
}

#[test]
fn a_password_is_recognized_and_not_kept() {
    let world = World::in_memory();
    let password = Password::choose("correct horse battery", &login("anna")).unwrap();
    let hash = |_| passwords::hash(&*world.app.chance, &password);
    let [first, second] = [0, 1].map(hash);
    assert_ne!(first, second);
    assert!(first.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", first.as_str());
    assert!(
        passwords::is_right(&first, "correct horse battery") && passwords::is_right(&second, "correct horse battery")
    );
    assert!(!passwords::is_right(&first, "correct horse batterY") && !passwords::is_right(&first, ""));
    assert!(!passwords::is_right(&PasswordHash::new("nonsense"), "correct horse battery"));
}

#[test]
fn a_grant_to_see_persons_is_noted_with_the_role_that_changed() {
    let world = World::in_memory();
    let id = create(&world, "anna", Role::Viewer).unwrap().id;
    let sees_persons = Some(true);
    change(&world, id, ChangeAccount { sees_persons, ..ChangeAccount::default() }).unwrap();
    change(&world, id, ChangeAccount { sees_persons: Some(false), ..role(Role::Analyst) }).unwrap();
    let details: Vec<String> = told(&world, id).into_iter().skip(1).map(|(_, detail)| detail).collect();
    let expected = [
        r#"{"sees_persons":{"from":false,"to":true}}"#,
        r#"{"role":{"from":"viewer","to":"analyst"},"sees_persons":{"from":true,"to":false}}"#,
    ];
    assert_eq!(details, expected);
}

fn set_own(world: &World, account: &Account, current: Option<&str>, new: &str) -> Result<Account, Error> {
    let new = Password::choose(new, &account.login).unwrap();
    accounts::set_own_password(&world.app, &Caller::account(account), None, current, &new)
}

#[test]
fn whoever_changes_the_own_password_shows_the_one_before() {
    let world = World::in_memory();
    let anna = create(&world, "anna", Role::Viewer).unwrap();
    // There is none to be shown.
    set_own(&world, &anna, None, "correct horse battery").unwrap();
    for wrong in [None, Some(""), Some("another horse battery")] {
        let refused = set_own(&world, &anna, wrong, "another horse battery");
        let Err(Error::Invalid(faults)) = refused else { panic!("{wrong:?}") };
        assert_eq!((faults[0].pointer.as_str(), faults[0].code), ("/current_password", "wrong_password"));
    }
    let changed = set_own(&world, &anna, Some("correct horse battery"), "another horse battery").unwrap();
    assert!(passwords::is_right(&changed.password.unwrap(), "another horse battery"));
    // Made, set, thrice refused, changed.
    assert_eq!(told(&world, anna.id).len(), 6);
}

#[test]
fn the_password_of_a_disabled_account_stays() {
    let world = World::in_memory();
    let anna = create(&world, "anna", Role::Viewer).unwrap();
    change(&world, anna.id, disabled(true)).unwrap();
    let refused = set_own(&world, &anna, None, "correct horse battery");
    assert!(matches!(refused, Err(Error::Conflict(_))));
    assert_eq!(world.look(|look| accounts::get(look, anna.id)).password, None);
}

#[test]
fn only_an_account_has_an_own_password() {
    let world = World::in_memory();
    let new = Password::choose("correct horse battery", &login("anna")).unwrap();
    let refused = accounts::set_own_password(&world.app, &testkit::caller(), None, None, &new);
    assert!(matches!(refused, Err(Error::NotFound(Subject::Account, _))));
}

#[test]
fn an_identity_is_one_accounts() {
    let world = World::in_memory();
    let [anna, ivan] = ["anna", "ivan"].map(|login| create(&world, login, Role::Viewer).unwrap().id);
    let identity = Identity::new("idp", "s1").unwrap();
    let link = |id| world.act(|act| accounts::link(act, id, &identity));
    let unlink = |id| world.act(|act| accounts::unlink(act, id, &identity));
    let is_unknown = |ended| matches!(ended, Err(Error::NotFound(Subject::Provider, names)) if names == ["idp"]);
    link(anna).unwrap();
    assert!(matches!(link(anna), Err(Error::Conflict(_))) && matches!(link(ivan), Err(Error::Conflict(_))));
    assert!(is_unknown(unlink(ivan)));
    unlink(anna).unwrap();
    assert!(is_unknown(unlink(anna)));
    link(ivan).unwrap();
    assert_eq!(world.look(|look| accounts::identities(look, ivan)), std::slice::from_ref(&identity));
    let actions: Vec<String> = told(&world, anna).into_iter().map(|(action, _)| action).collect();
    assert_eq!(actions, ["account.created", "account.identity_linked", "account.identity_unlinked"]);
}
