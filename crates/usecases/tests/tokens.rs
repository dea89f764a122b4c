//! API tokens: shown once, recognized until they end, and made by those who may.

#![allow(clippy::unwrap_used)]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chrono::TimeDelta;
use domain::{
    Action, ApiToken, Caller, Instant, Permission, Scope, Secret, SecretKind, SegmentPrefix, TokenId, TokenName, Ttl,
};
use testkit::{FailingStore, MemoryStore, Outage, World};
use usecases::{
    Error, Subject, audit,
    changes::Commit,
    memberships::Deadline,
    ports::{Access, AuditQuery, Store, StoreError, Unit, Verdict},
    sessions::{self, Recognized},
    tokens::{self, CreateToken},
};

const TICK: TimeDelta = TimeDelta::microseconds(1);

fn command(name: &str, deadline: Option<Deadline>) -> CreateToken {
    CreateToken {
        name: TokenName::parse(name).unwrap(),
        scopes: vec![Scope::Read, Scope::Assign],
        prefix: Some(SegmentPrefix::parse("promo_").unwrap()),
        deadline,
    }
}

fn create(world: &World, deadline: Option<Deadline>) -> Result<(ApiToken, Secret), Error> {
    world.act(|act| tokens::create(act, command("shop", deadline)))
}

fn get(world: &World, id: TokenId) -> ApiToken {
    world.look(|look| tokens::get(look, id))
}

fn revoke(world: &World, id: TokenId) -> Result<(), Error> {
    world.act(|act| tokens::revoke(act, id))
}

fn recognize(world: &World, secret: &Secret) -> Option<Recognized> {
    sessions::recognize_bearer(&world.app, secret.reveal()).unwrap()
}

fn noted(world: &World, action: Action) -> Vec<String> {
    let query = AuditQuery { action: Some(action), ..AuditQuery::default() };
    let rows = world.look(|look| audit::list(look, &query, 100));
    rows.into_iter().map(|row| format!("{} {}", row.entry.subject, row.entry.detail)).collect()
}

/// A memory store that counts how often it is asked.
#[derive(Clone, Default)]
struct CountingStore {
    store: Arc<MemoryStore>,
    asked: Arc<AtomicUsize>,
}

impl Store for CountingStore {
    fn run(
        &self,
        access: Access,
        work: &mut dyn FnMut(&mut dyn Unit) -> Verdict,
    ) -> Result<Option<Commit>, StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.store.run(access, work)
    }

    fn writers(&self) -> usize {
        self.store.writers()
    }

    fn ready(&self) -> Result<(), StoreError> {
        self.store.ready()
    }
}

#[test]
fn a_token_is_recognized_with_its_scopes_and_its_prefix() {
    let world = World::in_memory();
    let (token, secret) = create(&world, None).unwrap();
    let Recognized { caller, session, ends_at } = recognize(&world, &secret).unwrap();
    assert_eq!(caller, Caller::token(&token));
    assert_eq!((session, ends_at), (None, None));
    assert_eq!(caller.permissions().collect::<Vec<_>>(), [Permission::ReadSegments, Permission::Assign]);
    assert_eq!(caller.prefix().unwrap().as_str(), "promo_");
    assert_eq!(caller.actor().as_str(), "token:shop");
}

#[test]
fn of_a_secret_only_the_hash_is_kept() {
    let world = World::in_memory();
    let (token, secret) = create(&world, None).unwrap();
    assert_eq!(token.hash, secret.hash());
    for kept in [get(&world, token.id), world.look(|look| tokens::list(look, None, 10)).remove(0)] {
        assert_eq!(kept, token);
        assert!(!format!("{kept:?}").contains(secret.reveal()));
    }
    assert!(!noted(&world, Action::TokenCreated)[0].contains(secret.reveal()));
}

#[test]
fn no_two_secrets_are_the_same() {
    let world = World::in_memory();
    let secrets = ["a", "b"].map(|name| world.act(|act| tokens::create(act, command(name, None))).unwrap().1);
    assert_ne!(secrets[0].reveal(), secrets[1].reveal());
}

#[test]
fn what_is_made_and_revoked_is_noted() {
    let world = World::in_memory();
    let at = Instant::from_timestamp(1_900_000_000, 0).unwrap();
    let (token, _) = create(&world, Some(Deadline::At(at))).unwrap();
    revoke(&world, token.id).unwrap();
    let detail =
        r#"{"expires_at":"2030-03-17T17:46:40+00:00","name":"shop","prefix":"promo_","scopes":["read","assign"]}"#;
    assert_eq!(noted(&world, Action::TokenCreated), [format!("token/{} {detail}", token.id)]);
    assert_eq!(noted(&world, Action::TokenRevoked), [format!(r#"token/{} {{"name":"shop"}}"#, token.id)]);
}

#[test]
fn a_token_holds_until_its_deadline() {
    let world = World::in_memory();
    let end = world.now() + TimeDelta::days(1);
    let (_, secret) = create(&world, Some(Deadline::At(end))).unwrap();
    world.clock.set(end - TICK);
    assert_eq!(recognize(&world, &secret).unwrap().ends_at, Some(end));
    world.clock.set(end);
    assert_eq!(recognize(&world, &secret), None);
}

#[test]
fn a_deadline_may_be_told_as_a_time_to_live() {
    let world = World::in_memory();
    let (token, _) = create(&world, Some(Deadline::After(Ttl::parse("P1D").unwrap()))).unwrap();
    assert_eq!(token.expires_at, Some(world.now() + TimeDelta::days(1)));
}

#[test]
fn a_token_without_a_deadline_holds_for_years() {
    let world = World::in_memory();
    let (_, secret) = create(&world, None).unwrap();
    world.clock.advance(TimeDelta::days(3_650));
    assert!(recognize(&world, &secret).is_some());
}

#[test]
fn a_deadline_that_is_past_is_refused() {
    let world = World::in_memory();
    for at in [world.now(), world.now() - TICK] {
        let refused = create(&world, Some(Deadline::At(at))).map(drop);
        assert!(matches!(refused, Err(Error::Invalid(faults)) if faults[0].code == "in_the_past"));
    }
    assert_eq!(world.look(tokens::count), 0);
    create(&world, Some(Deadline::At(world.now() + TICK))).unwrap();
}

#[test]
fn a_revoked_token_is_not_recognized() {
    let world = World::in_memory();
    let (token, secret) = create(&world, None).unwrap();
    assert!(recognize(&world, &secret).is_some());
    revoke(&world, token.id).unwrap();
    assert_eq!(recognize(&world, &secret), None);
    assert_eq!(get(&world, token.id).revoked_at, Some(world.now()));
}

#[test]
fn to_revoke_again_is_no_failure_and_changes_nothing() {
    let world = World::in_memory();
    let (token, _) = create(&world, None).unwrap();
    revoke(&world, token.id).unwrap();
    let revoked_at = world.now();
    world.clock.advance(TimeDelta::hours(1));
    revoke(&world, token.id).unwrap();
    assert_eq!(get(&world, token.id).revoked_at, Some(revoked_at));
    assert_eq!(noted(&world, Action::TokenRevoked).len(), 1);
}

#[test]
fn a_token_that_nobody_made_is_not_found() {
    let world = World::in_memory();
    let is_unknown =
        |ended: Result<(), Error>| matches!(ended, Err(Error::NotFound(Subject::Token, ids)) if ids == ["7"]);
    assert!(is_unknown(revoke(&world, TokenId(7))));
    assert!(is_unknown(world.app.look(&testkit::caller(), |look| tokens::get(look, TokenId(7))).map(drop)));
}

#[test]
fn a_use_is_noted_once_a_minute() {
    let world = World::in_memory();
    let (token, secret) = create(&world, None).unwrap();
    assert_eq!(token.used_at, None);
    world.clock.advance(TimeDelta::hours(1));
    let first = world.now();
    let used_at_after = |by: TimeDelta| {
        world.clock.set(first + by);
        assert!(recognize(&world, &secret).is_some());
        tokens::note_use(&world.app, token.id).unwrap();
        get(&world, token.id).used_at
    };
    assert_eq!(used_at_after(TimeDelta::zero()), Some(first));
    assert_eq!(used_at_after(TimeDelta::minutes(1) - TICK), Some(first));
    assert_eq!(used_at_after(TimeDelta::minutes(1)), Some(world.now()));
    assert_eq!(used_at_after(TimeDelta::minutes(1) + TICK), Some(first + TimeDelta::minutes(1)));
}

#[test]
fn whoever_shows_a_token_waits_for_nobody_who_writes() {
    let store = FailingStore::default();
    let world = World::on(Box::new(store.clone()));
    let (token, secret) = create(&world, None).unwrap();
    store.fail(0, 1, Outage::Before);
    assert!(recognize(&world, &secret).is_some());
    assert!(tokens::note_use(&world.app, token.id).is_err());
    assert_eq!(get(&world, token.id).used_at, None);
}

#[test]
fn a_mistyped_token_is_known_as_such_without_asking_the_store() {
    let store = CountingStore::default();
    let world = World::on(Box::new(store.clone()));
    let (_, secret) = create(&world, None).unwrap();
    let text = secret.reveal();
    let asked = store.asked.load(Ordering::Relaxed);
    let last = if text.ends_with('0') { "1" } else { "0" };
    for mistyped in
        [&text[..text.len() - 1], &format!("{text}0"), &format!("{}{last}", &text[..text.len() - 1]), "strata_"]
    {
        assert_eq!(sessions::recognize_bearer(&world.app, mistyped).unwrap(), None);
    }
    assert_eq!(store.asked.load(Ordering::Relaxed), asked);
    recognize(&world, &secret).unwrap();
    assert!(store.asked.load(Ordering::Relaxed) > asked);
}

#[test]
fn a_well_formed_token_that_nobody_made_is_not_recognized() {
    let world = World::in_memory();
    create(&world, None).unwrap();
    assert_eq!(recognize(&world, &Secret::new(SecretKind::ApiToken, [9; 20])), None);
    assert_eq!(recognize(&world, &Secret::new(SecretKind::Session, [9; 20])), None);
}

#[test]
fn a_name_is_taken_for_good() {
    let world = World::in_memory();
    let is_taken = |ended: Result<_, Error>| matches!(ended, Err(Error::Taken(Subject::Token, name)) if name == "shop");
    let (token, _) = create(&world, None).unwrap();
    assert!(is_taken(create(&world, None)));
    // What it did is told under its name.
    revoke(&world, token.id).unwrap();
    assert!(is_taken(create(&world, None)));
    assert_eq!(noted(&world, Action::TokenCreated).len(), 1);
}

#[test]
fn tokens_are_told_page_by_page_and_counted() {
    let world = World::in_memory();
    let ids = ["a", "b", "c"].map(|name| world.act(|act| tokens::create(act, command(name, None))).unwrap().0.id);
    let list = |after, limit| -> Vec<TokenId> {
        world.look(|look| tokens::list(look, after, limit)).into_iter().map(|token| token.id).collect()
    };
    assert_eq!(list(None, 2), ids[..2]);
    assert_eq!(list(Some(ids[1]), 2), ids[2..]);
    assert_eq!(world.look(tokens::count), 3);
}

#[test]
fn a_token_neither_sees_nor_makes_nor_revokes_tokens() {
    let world = World::in_memory();
    let all = CreateToken { scopes: Scope::ALL.to_vec(), prefix: None, ..command("all", None) };
    let (token, _) = world.act(|act| tokens::create(act, all)).unwrap();
    let caller = Caller::token(&token);
    let is_forbidden = |ended: Result<(), Error>| matches!(ended, Err(Error::Forbidden(_)));
    assert!(is_forbidden(world.app.act(&caller, |act| tokens::create(act, command("more", None))).map(drop)));
    assert!(is_forbidden(world.app.act(&caller, |act| tokens::revoke(act, token.id))));
    assert!(is_forbidden(world.app.look(&caller, |look| tokens::get(look, token.id)).map(drop)));
    assert!(is_forbidden(world.app.look(&caller, |look| tokens::list(look, None, 10)).map(drop)));
    assert!(is_forbidden(world.app.look(&caller, tokens::count).map(drop)));
    assert_eq!(world.look(tokens::count), 1);
}
