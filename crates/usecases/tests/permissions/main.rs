//! Permissions: every use case asks for its own, and tells only what the caller sees.

#![allow(clippy::unwrap_used)]

mod confined;
mod needed;
mod own_things;
mod seen_of_persons;

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;
use domain::{
    Account, AccountId, Attributes, Caller, Forbidden, Identity, Instant, Job, JobId, JobKind, JobState, Login,
    PasswordHash, Percent, Permission, Role, Scope, SegmentPrefix, Slug, TokenId, TokenName, Ttl, UserId,
    algebra::Expression,
};
use proptest::prelude::*;
use tables::{Format, Header, Limits, Packing};
use testkit::{FailingStore, World, importing, slug, user};
use usecases::{
    Act, Error, Expected, Look, Subject,
    accounts::{self, ChangeAccount, CreateAccount},
    algebra::{self, AlgebraQuery, Exactly, Overlap, SharedMembers, SharedPairs, Wanted},
    answers::{self, Answered, Once},
    audit,
    changes::Seen,
    demo, distributions,
    endings::{self, EndingFilter},
    exports::{self, Export, Form},
    history::{self, CountsQuery, DiffQuery, HistoryQuery},
    imports::{self, Import, What},
    jobs,
    memberships::{self, Addition, ChangeMemberships},
    moves::{self, MoveUsers},
    persons,
    ports::{AccountQuery, AuditQuery, Index, JobQuery, Remembered, SegmentQuery, Totals, UserQuery, UserSet},
    reports, retention,
    segments::{self, ChangeSegment, CopiedMembers, CopySegment, CreateSegment, StatsQuery},
    sign_ins,
    sizes::{self, SizeQuery, SizesQuery},
    stale, summaries,
    tokens::{self, CreateToken},
    users::{self, ChangeUser, CreateUser},
};

use Permission::{
    Assign, Export as TakeOut, FulfilRights, Manage, ManageAccounts, ManageTokens, Operate, ReadAudit, ReadPersons,
    ReadSegments,
};

// Who asks.

fn create_account(world: &World, login: &str, role: Role, sees_persons: bool) -> Account {
    let command = CreateAccount { login: Login::parse(login).unwrap(), role, sees_persons, password: None };
    world.act(|act| accounts::create(act, command)).unwrap()
}

fn account(world: &World, login: &str, role: Role) -> Caller {
    Caller::account(&create_account(world, login, role, false))
}

fn token(world: &World, name: &str, scopes: &[Scope], prefix: Option<&str>) -> Caller {
    let prefix = prefix.map(|prefix| SegmentPrefix::parse(prefix).unwrap());
    let command =
        CreateToken { name: TokenName::parse(name).unwrap(), scopes: scopes.to_vec(), prefix, deadline: None };
    Caller::token(&world.act(|act| tokens::create(act, command)).unwrap().0)
}

/// Each role, each scope by itself, and some that add up.
fn callers(world: &World) -> Vec<Caller> {
    let mut callers = Role::ALL.map(|role| account(world, role.as_str(), role)).to_vec();
    callers.push(Caller::account(&create_account(world, "granted", Role::Viewer, true)));
    callers.extend(Scope::ALL.map(|scope| token(world, scope.as_str(), &[scope], None)));
    callers.push(token(world, "none", &[], None));
    callers.push(token(world, "reads-and-manages", &[Scope::Read, Scope::Manage], None));
    callers.push(token(world, "all", &Scope::ALL, None));
    callers
}

// What there is: `VIP` and two segments of a promotion; anna is in `VIP` and `promo_1`, ivan in `VIP`.

fn prepare(world: &World) {
    for text in ["VIP", "promo_1", "promo_2"] {
        world.has_segment(text);
    }
    let anna = CreateUser {
        id: Some(user("anna")),
        name: Some("Anna Karenina".to_owned()),
        email: Some("anna@example.com".to_owned()),
        attributes: serde_json::from_str(r#"{"city": "Moscow"}"#).unwrap(),
    };
    world.act(|act| users::create(act, anna)).unwrap();
    world.change("anna", &["VIP", "promo_1"], &[]).unwrap();
    world.change("ivan", &["VIP"], &[]).unwrap();
    create_account(world, "other", Role::Viewer, false);
    world.clock.advance(TimeDelta::minutes(1));
}

const OTHER: AccountId = AccountId(1);

fn world() -> World {
    let world = World::in_memory();
    prepare(&world);
    world
}

/// A copy of a world, of which nothing reaches the first.
fn copy(store: &FailingStore, now: Instant) -> World {
    let world = World::on(Box::new(store.copy()));
    world.clock.set(now);
    // What was drawn before is not drawn again.
    (0..1_000).for_each(|_| _ = world.app.chance.draw());
    world
}

// What is asked for.

type Attempt = fn(&World, &Caller) -> Result<(), Error>;
type Attempts = &'static [(&'static str, Attempt)];

fn act<T>(world: &World, caller: &Caller, work: impl FnOnce(&mut Act) -> Result<T, Error>) -> Result<(), Error> {
    world.app.act(caller, work).map(drop)
}

fn look<T>(world: &World, caller: &Caller, work: impl FnOnce(&mut Look) -> Result<T, Error>) -> Result<(), Error> {
    world.app.look(caller, work).map(drop)
}

fn new_segment(text: &str) -> CreateSegment {
    CreateSegment { slug: slug(text), name: None, description: Default::default(), percent: None, default_ttl: None }
}

fn new_user(text: &str) -> CreateUser {
    CreateUser { id: Some(user(text)), name: None, email: None, attributes: Attributes::new() }
}

fn new_token(text: &str) -> CreateToken {
    let name = TokenName::parse(text).unwrap();
    CreateToken { name, scopes: vec![Scope::Read], prefix: None, deadline: None }
}

fn changing(id: &str, add: &[&str], remove: &[&str]) -> ChangeMemberships {
    let addition = |text: &&str| Addition { slug: slug(text), deadline: None, reason: None, pointer: String::new() };
    let (add, remove) = (add.iter().map(addition).collect(), remove.iter().map(|text| slug(text)).collect());
    ChangeMemberships { user: user(id), add, remove, deadline: None, reason: None }
}

fn change(world: &World, caller: &Caller, id: &str, add: &[&str], remove: &[&str]) -> Result<(), Error> {
    act(world, caller, |act| memberships::change(act, changing(id, add, remove)))
}

fn renaming(text: &str) -> ChangeSegment {
    ChangeSegment { slug: Some(slug(text)), ..ChangeSegment::default() }
}

fn copying(text: &str) -> CopySegment {
    CopySegment { slug: slug(text), members: CopiedMembers::All }
}

fn moving(from: &str, to: &str) -> MoveUsers {
    MoveUsers { from: slug(from), to: slug(to) }
}

fn set(text: &str) -> AlgebraQuery {
    AlgebraQuery { expression: Expression::parse(text).unwrap(), as_of: None }
}

fn percent() -> Percent {
    Percent::parse("50").unwrap()
}

fn since(text: &str, world: &World) -> DiffQuery {
    DiffQuery { slug: slug(text), from: world.now() - TimeDelta::minutes(1), to: world.now(), after: None }
}

fn sizes_of(slugs: &[&str]) -> SizesQuery {
    let slugs = slugs.iter().map(|text| slug(text)).collect();
    SizesQuery { slugs, from: None, to: None, step: Ttl::DAY }
}

fn counts(segment: Option<&str>) -> CountsQuery {
    CountsQuery { user: None, segment: segment.map(slug), from: None, to: None, step: Ttl::DAY }
}

fn searching(text: &str) -> UserQuery {
    UserQuery { text: Some(text.to_owned()), ..UserQuery::default() }
}

fn ending_in(segment: &str) -> EndingFilter {
    EndingFilter { segment: Some(slug(segment)), ..EndingFilter::default() }
}

fn size(text: &str) -> SizeQuery {
    SizeQuery { slug: slug(text), from: None, to: None, step: Ttl::parse("P1D").unwrap() }
}

fn happened(text: Option<&str>) -> HistoryQuery {
    HistoryQuery { segment: text.map(slug), ..HistoryQuery::default() }
}

fn evaluate(world: &World, caller: &Caller, text: &str) -> Result<(), Error> {
    let wanted = Wanted { users: Some((None, 10)), count: Some(Exactly) };
    algebra::evaluate(&world.app, caller, &set(text), &wanted).map(drop)
}

fn import(world: &World, caller: &Caller, what: What, file: &str) -> Result<(), Error> {
    let import = Import { create_segments: true, ..importing(what) };
    let accepted = imports::accept(&world.app, caller, &import, None, &Limits::default(), &mut file.as_bytes());
    world.finish(accepted?.0).map(drop)
}

fn members_of(text: &str) -> Export {
    Export::Members { slug: slug(text), as_of: None, users: UserQuery::default() }
}

fn write(world: &World, caller: &Caller, export: &Export) -> Result<(), Error> {
    let form = Form { format: Format::Csv, packing: Packing::Plain, header: Header::Written };
    look(world, caller, |look| exports::write(look, export, form, Vec::new(), &mut |_| Ok(())))
}

fn begin(world: &World, caller: &Caller, export: &Export) -> Result<(), Error> {
    act(world, caller, |act| exports::begin(act, export, Format::Csv))
}

fn report(world: &World, caller: &Caller, export: Export) -> Result<Job, Error> {
    let request = reports::Request { export, format: Format::Csv, packing: Packing::Plain, link_seconds: 60 };
    world.app.act(caller, |act| reports::request(act, &request))
}

/// A job that this one began and that has ended.
fn job_of(world: &World, caller: &Caller, kind: JobKind, state: JobState) -> JobId {
    let now = world.now();
    let finished_at = state.is_final().then_some(now);
    let job = Job { state, finished_at, ..Job::queued(kind, caller.actor().clone(), String::new(), now) };
    world.act(|act| Ok(act.unit.jobs().insert(&job)?)).unwrap()
}

// What comes of it.

fn is_forbidden<T>(ended: &Result<T, Error>) -> bool {
    matches!(ended, Err(Error::Forbidden(_)))
}

fn is_confined<T>(ended: &Result<T, Error>) -> bool {
    matches!(ended, Err(Error::Forbidden(Forbidden::Confined(prefix, _))) if prefix == "promo_")
}

/// How much was written so far.
fn written(world: &World) -> (u64, u64, u64, u64) {
    world.look(|look| {
        Ok((
            audit::count(look, &AuditQuery::default())?,
            history::count(look, &Default::default())?,
            jobs::count(look, &JobQuery::default())?,
            users::count(look, &UserQuery::default())?,
        ))
    })
}

/// Everyone makes each attempt, in a world of their own. Who has all that it needs succeeds, everybody else is forbidden to and
/// leaves no trace.
fn only_who_has(needs: &[Permission], attempts: Attempts) {
    let store = FailingStore::default();
    let original = World::on(Box::new(store.clone()));
    prepare(&original);
    for caller in callers(&original) {
        let has_all = needs.iter().all(|permission| caller.has(*permission));
        for (name, attempt) in attempts {
            for remembers in [false, true] {
                let mut world = copy(&store, original.now());
                if remembers {
                    world.app.index = Arc::new(FullMemory(vec![slug("VIP"), slug("promo_1")]));
                }
                let before = written(&world);
                let ended = attempt(&world, &caller);
                assert_eq!(ended.is_ok(), has_all, "{name} by {}: {ended:?}", caller.actor());
                if !has_all {
                    assert!(is_forbidden(&ended), "{name} by {}: {ended:?}", caller.actor());
                    assert_eq!(written(&world), before, "{name} by {}", caller.actor());
                }
            }
        }
    }
}

/// An index that has an answer to everything: everybody is in these segments.
struct FullMemory(Vec<Slug>);

impl FullMemory {
    fn remembered<T>(found: T) -> Option<Remembered<T>> {
        Some(Remembered { found, seen: Seen::before(1) })
    }
}

impl Index for FullMemory {
    fn active(&self, users: &[UserId], _: Instant, take: &mut dyn FnMut(&UserId, &[&Slug])) -> Option<Seen> {
        let slugs: Vec<&Slug> = self.0.iter().collect();
        users.iter().for_each(|user| take(user, &slugs));
        Some(Seen::before(1))
    }

    fn is_member(&self, _: &UserId, slug: &Slug, _: Instant) -> Option<Remembered<bool>> {
        FullMemory::remembered(self.0.contains(slug))
    }

    fn set(&self, _: &Expression, _: Instant) -> Option<Remembered<Box<dyn UserSet>>> {
        FullMemory::remembered(Box::new(Nobody))
    }

    fn overlap(&self, slugs: &[Slug], _: Instant) -> Option<Remembered<Overlap>> {
        FullMemory::remembered(Overlap::new(slugs.len(), BTreeMap::new()))
    }

    fn shared(&self, _: &Slug, _: Instant) -> Option<Remembered<SharedMembers>> {
        FullMemory::remembered(SharedMembers { user_count: 0, others: Vec::new() })
    }

    fn shared_pairs(&self, _: Instant, _: usize) -> Option<Remembered<SharedPairs>> {
        FullMemory::remembered(SharedPairs { segments: Vec::new(), pairs: Vec::new() })
    }

    fn totals(&self, _: Instant, horizons: &[Instant]) -> Option<Remembered<Totals>> {
        FullMemory::remembered(Totals { ending: vec![0; horizons.len()], ..Totals::default() })
    }

    fn seen(&self) -> Option<Seen> {
        Some(Seen::before(1))
    }

    fn lacks(&self, _: &Seen) -> bool {
        false
    }

    fn is_loaded(&self) -> bool {
        true
    }
}

struct Nobody;

impl UserSet for Nobody {
    fn count(&self) -> u64 {
        0
    }

    fn page(&self, _: Option<&UserId>, _: usize) -> Vec<UserId> {
        Vec::new()
    }
}

const SLUGS: [&str; 6] = ["VIP", "VIP_2", "promo_", "promo_1", "promo_12", "Promo_1"];

fn any_caller() -> impl Strategy<Value = (Vec<Scope>, Option<&'static str>)> {
    let scopes = prop::sample::subsequence(Scope::ALL.to_vec(), 0..=4);
    let prefixes = [None, Some("promo_"), Some("promo_1"), Some("V"), Some("VIP"), Some("P"), Some("zzz")];
    (scopes, prop::sample::select(prefixes.to_vec()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_caller_is_told_of_a_segment_that_it_does_not_see(
        (scopes, prefix) in any_caller(),
        anna in prop::sample::subsequence(SLUGS.to_vec(), 0..=6),
        ivan in prop::sample::subsequence(SLUGS.to_vec(), 0..=6),
    ) {
        let mut world = World::in_memory();
        SLUGS.iter().for_each(|text| drop(world.has_segment(text)));
        for (id, slugs) in [("anna", &anna), ("ivan", &ivan)] {
            if !slugs.is_empty() {
                world.change(id, slugs, &[]).unwrap();
            }
        }
        let caller = token(&world, "any", &scopes, prefix);
        let expected = [anna, ivan].map(|mut slugs| {
            slugs.retain(|text| prefix.is_none_or(|prefix| text.starts_with(prefix)));
            slugs.sort();
            slugs.into_iter().map(slug).collect::<Vec<Slug>>()
        });
        let asked = [user("anna"), user("ivan")];
        world.app.index = Arc::new(FullMemory(SLUGS.iter().map(|text| slug(text)).collect()));
        let told = world.app.look(&caller, |look| memberships::active(look, &asked));
        let mut remembered = Vec::new();
        let take = &mut |_: &UserId, slugs: &[&Slug]| remembered.extend(slugs.iter().map(|slug| (*slug).clone()));
        let hit = memberships::remembered_active(&world.app, &caller, &asked, take);
        if caller.has(ReadSegments) {
            let told: Vec<Vec<Slug>> = told.unwrap().into_iter().map(|(_, slugs)| slugs).collect();
            prop_assert_eq!(told, expected);
            prop_assert!(hit.unwrap().is_some());
            prop_assert!(remembered.iter().all(|slug| caller.sees(slug)));
        } else {
            prop_assert!(is_forbidden(&told) && is_forbidden(&hit) && remembered.is_empty());
        }
    }
}
