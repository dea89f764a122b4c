//! What every store must do, whatever it is made of: each promise of the ports as a named case.

mod accounts;
mod amounts;
mod answers;
mod audit;
mod changes;
mod concurrency;
mod history;
mod jobs;
mod memberships;
mod secrets;
mod segments;
mod sessions;
mod tokens;
mod transactions;
mod users;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use domain::{
    Actor, Description, Entry, Instant, Kind, Membership, Name, Operation, Reason, Seed, Segment, SegmentId, Source,
    User, UserId,
};
use usecases::ports::{Store, StoreError, Unit};

use crate::slug;

/// One named promise of the port.
type Case = (&'static str, fn(&dyn Store));

const CASES: [&[Case]; 15] = [
    transactions::CASES,
    segments::CASES,
    users::CASES,
    memberships::CASES,
    history::CASES,
    answers::CASES,
    jobs::CASES,
    secrets::CASES,
    accounts::CASES,
    sessions::CASES,
    tokens::CASES,
    audit::CASES,
    changes::CASES,
    amounts::CASES,
    concurrency::CASES,
];

/// Runs every case, each on a fresh store. All are run, also when one fails; the panic at the end names those that did.
pub fn conformance(fresh: impl Fn() -> Box<dyn Store>) {
    let mut failed = Vec::new();
    for (name, case) in CASES.into_iter().flatten() {
        eprintln!("- {name}");
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| case(&*fresh()))) {
            eprintln!("  FAILED: {name}");
            failed.push((name, panic));
        }
    }
    if failed.len() > 1 {
        panic!("{} cases fail: {:#?}", failed.len(), failed.iter().map(|(name, _)| name).collect::<Vec<_>>());
    }
    if let Some((_, panic)) = failed.pop() {
        resume_unwind(panic);
    }
}

fn attempt<T>(store: &dyn Store, work: impl FnOnce(&mut dyn Unit) -> Result<T, StoreError>) -> Result<T, StoreError> {
    store.write(work)
}

fn must<T>(store: &dyn Store, work: impl FnOnce(&mut dyn Unit) -> Result<T, StoreError>) -> T {
    attempt(store, work).unwrap()
}

fn look<T>(store: &dyn Store, work: impl FnOnce(&mut dyn Unit) -> Result<T, StoreError>) -> T {
    store.read(work).unwrap()
}

/// An instant that needs every digit a store must keep.
fn minute(number: i64) -> Instant {
    Instant::from_timestamp_micros((28_333_333 + number) * 60_000_000 + 123_457).unwrap()
}

fn micros(number: i64) -> chrono::TimeDelta {
    chrono::TimeDelta::microseconds(number)
}

fn id(text: impl ToString) -> UserId {
    UserId::parse(&text.to_string()).unwrap()
}

fn ids<T: ToString>(texts: impl IntoIterator<Item = T>) -> Vec<UserId> {
    texts.into_iter().map(id).collect()
}

fn new_segment(text: &str) -> Segment {
    Segment {
        id: SegmentId(0),
        slug: slug(text),
        name: Name::of(&slug(text)),
        description: Description::default(),
        kind: Kind::Manual,
        percent: None,
        seed: Seed(0xfeed_beef_dead_cafe),
        default_ttl: None,
        created_at: minute(0),
        updated_at: minute(0),
        version: 1,
    }
}

fn has(store: &dyn Store, segment: Segment) -> Segment {
    let id = must(store, |unit| unit.segments().insert(&segment));
    Segment { id, ..segment }
}

fn has_segment(store: &dyn Store, text: &str) -> Segment {
    has(store, new_segment(text))
}

fn has_users(store: &dyn Store, ids: &[UserId]) {
    let users: Vec<User> = ids.iter().map(|id| User::born(id.clone(), minute(0))).collect();
    must(store, |unit| unit.users().insert_missing(&users));
}

fn entry(
    operation: Operation,
    user: impl ToString,
    segment: &Segment,
    at: Instant,
    deadline: Option<Instant>,
) -> Entry {
    Entry {
        user: id(user),
        segment: segment.reference(),
        operation,
        at,
        since: None,
        expires_at: deadline,
        source: Source::Manual,
        actor: Actor::new("conformance"),
        reason: None,
        job: None,
    }
}

fn add(user: impl ToString, segment: &Segment, at: Instant, deadline: Option<Instant>) -> Entry {
    let reason = Reason::parse("потому что; \"why\" % _ \\").unwrap();
    Entry { reason: Some(reason), ..entry(Operation::Add, user, segment, at, deadline) }
}

fn remove(user: impl ToString, segment: &Segment, at: Instant) -> Entry {
    entry(Operation::Remove, user, segment, at, None)
}

fn extend(user: impl ToString, segment: &Segment, at: Instant, deadline: Option<Instant>) -> Entry {
    entry(Operation::Extend, user, segment, at, deadline)
}

fn record(store: &dyn Store, entries: &[Entry]) {
    must(store, |unit| unit.memberships().record(entries));
}

/// What an add leaves stored.
fn member(add: &Entry) -> Membership {
    add.apply(None).unwrap()
}

fn stored(store: &dyn Store, users: &[UserId]) -> Vec<Membership> {
    look(store, |unit| unit.memberships().of_users(users))
}

fn rows_of(store: &dyn Store, users: &[UserId]) -> Vec<Entry> {
    look(store, |unit| unit.history().of_users(users, None)).into_iter().map(|row| row.entry).collect()
}

/// Reads page after page, each of at most `limit`, until an empty one.
fn pages<T: Clone>(limit: usize, mut page: impl FnMut(Option<&T>) -> Vec<T>) -> Vec<T> {
    let mut all: Vec<T> = Vec::new();
    loop {
        let next = page(all.last());
        assert!(next.len() <= limit, "a page of {} when at most {limit} were asked for", next.len());
        if next.is_empty() {
            return all;
        }
        all.extend(next);
        assert!(all.len() <= 100_000, "pages without end");
    }
}
