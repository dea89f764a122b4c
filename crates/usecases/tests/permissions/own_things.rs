//! What is one's own: accounts, jobs and idempotency keys; of others nobody hears.

use super::*;

type OfAccount = fn(&World, &Caller, AccountId) -> Result<(), Error>;

fn identity() -> Identity {
    Identity::new("idp", "s1").unwrap()
}

fn changing_role() -> ChangeAccount {
    ChangeAccount { role: Some(Role::Analyst), ..ChangeAccount::default() }
}

/// What everybody may do with the own account.
const OF_ALL: &[(&str, OfAccount)] = &[
    ("get", |w, c, id| look(w, c, |look| accounts::get(look, id))),
    ("identities", |w, c, id| look(w, c, |look| accounts::identities(look, id))),
    ("sign_out", |w, c, id| act(w, c, |act| accounts::sign_out(act, id))),
    ("unlink", |w, c, id| {
        // Whether it is there or not is told only to who may know.
        let _ = w.act(|act| accounts::link(act, id, &identity()));
        act(w, c, |act| accounts::unlink(act, id, &identity()))
    }),
];

/// What somebody else has to do.
const OF_MANAGERS: &[(&str, OfAccount)] = &[
    ("change", |w, c, id| act(w, c, |act| accounts::change(act, id, &Expected::Any, changing_role()))),
    ("set_password", |w, c, id| act(w, c, |act| accounts::set_password(act, id, PasswordHash::new("$x$")))),
    ("make_link", |w, c, id| act(w, c, |act| accounts::make_link(act, id))),
    ("link", |w, c, id| act(w, c, |act| accounts::link(act, id, &identity()))),
    ("delete", |w, c, id| act(w, c, |act| accounts::delete(act, id, &Expected::Any))),
];

fn is_unknown(ended: &Result<(), Error>, id: AccountId) -> bool {
    matches!(ended, Err(Error::NotFound(Subject::Account, ids)) if *ids == [id.to_string()])
}

/// Nobody asks for two things in one world.
fn each(attempts: &[(&str, OfAccount)], expect: impl Fn(&World, &Caller, &str, OfAccount)) {
    let store = FailingStore::default();
    let original = World::on(Box::new(store.clone()));
    prepare(&original);
    // So that nobody is the last one.
    account(&original, "root", Role::Administrator);
    for caller in callers(&original) {
        for (name, attempt) in attempts {
            expect(&copy(&store, original.now()), &caller, name, *attempt);
        }
    }
}

#[test]
fn who_manages_no_accounts_cannot_tell_another_from_one_that_there_is_not() {
    let expect = |world: &World, caller: &Caller, name: &str, attempt: OfAccount| {
        if caller.has(ManageAccounts) {
            let ended = attempt(world, caller, OTHER);
            assert!(ended.is_ok(), "{name}: {ended:?}");
            return;
        }
        for id in [OTHER, AccountId(999)] {
            let ended = attempt(world, caller, id);
            assert!(is_unknown(&ended, id), "{name} by {}: {ended:?}", caller.actor());
        }
    };
    each(OF_ALL, expect);
    each(OF_MANAGERS, expect);
}

#[test]
fn everybody_sees_the_own_account_and_signs_it_out() {
    each(OF_ALL, |world, caller, name, attempt| {
        let Some(id) = caller.account_id() else { return };
        let ended = attempt(world, caller, id);
        assert!(ended.is_ok(), "{name} by {}: {ended:?}", caller.actor());
    });
}

#[test]
fn nobody_without_the_permission_changes_the_own_account() {
    each(OF_MANAGERS, |world, caller, name, attempt| {
        let Some(id) = caller.account_id() else { return };
        let ended = attempt(world, caller, id);
        match caller.has(ManageAccounts) {
            true => assert!(ended.is_ok(), "{name}: {ended:?}"),
            false => assert!(is_forbidden(&ended), "{name} by {}: {ended:?}", caller.actor()),
        }
    });
}

#[test]
fn a_token_has_no_account_of_its_own() {
    let world = world();
    let caller = token(&world, "all", &Scope::ALL, None);
    let own = world.app.look(&caller, accounts::own);
    assert!(matches!(own, Err(Error::NotFound(Subject::Account, names)) if names == ["token:all"]));
}

fn is_no_job<T>(ended: &Result<T, Error>) -> bool {
    matches!(ended, Err(Error::NotFound(Subject::Job, _)))
}

fn listed(world: &World, caller: &Caller) -> Vec<JobId> {
    let (list, count) = world
        .app
        .look(caller, |look| {
            Ok((jobs::list(look, &JobQuery::default(), 100)?, jobs::count(look, &JobQuery::default())?))
        })
        .unwrap();
    assert_eq!(list.len() as u64, count);
    list.into_iter().map(|job| job.id).collect()
}

#[test]
fn another_ones_job_is_not_found() {
    let world = world();
    let [anna, ivan] = ["anna", "ivan"].map(|login| account(&world, login, Role::Analyst));
    let shop = token(&world, "shop", &Scope::ALL, None);
    for owner in [&anna, &ivan, &shop] {
        let done = job_of(&world, owner, JobKind::ImportMemberships, JobState::Done);
        let queued = job_of(&world, owner, JobKind::ImportMemberships, JobState::Queued);
        for other in [&anna, &ivan, &shop].into_iter().filter(|other| *other != owner) {
            assert!(is_no_job(&look(&world, other, |look| jobs::get(look, done))));
            assert!(is_no_job(&act(&world, other, |act| jobs::undo(act, done))));
            assert!(is_no_job(&act(&world, other, |act| jobs::cancel(act, queued))));
        }
    }
}

#[test]
fn whoever_began_a_job_sees_it_cancels_it_and_takes_it_back() {
    let world = world();
    for caller in [account(&world, "anna", Role::Analyst), token(&world, "shop", &[Scope::Manage], None)] {
        let done = job_of(&world, &caller, JobKind::ImportMemberships, JobState::Done);
        let queued = job_of(&world, &caller, JobKind::ImportMemberships, JobState::Queued);
        look(&world, &caller, |look| jobs::get(look, done)).unwrap();
        act(&world, &caller, |act| jobs::cancel(act, queued)).unwrap();
        act(&world, &caller, |act| jobs::undo(act, done)).unwrap();
    }
}

#[test]
fn only_own_jobs_are_listed_but_for_who_operates() {
    let world = world();
    let [anna, ivan] = ["anna", "ivan"].map(|login| account(&world, login, Role::Analyst));
    let root = account(&world, "root", Role::Administrator);
    let jobs =
        [&anna, &ivan, &anna, &root].map(|owner| job_of(&world, owner, JobKind::ImportMemberships, JobState::Done));
    assert_eq!(listed(&world, &anna), [jobs[2], jobs[0]]);
    assert_eq!(listed(&world, &ivan), [jobs[1]]);
    assert_eq!(listed(&world, &root), [jobs[3], jobs[2], jobs[1], jobs[0]]);
    assert_eq!(listed(&world, &account(&world, "viewer", Role::Viewer)), []);
}

#[test]
fn who_operates_sees_cancels_and_takes_back_what_others_began() {
    let world = world();
    let anna = account(&world, "anna", Role::Analyst);
    let root = account(&world, "root", Role::Administrator);
    let done = job_of(&world, &anna, JobKind::ImportMemberships, JobState::Done);
    let queued = job_of(&world, &anna, JobKind::ImportMemberships, JobState::Queued);
    look(&world, &root, |look| jobs::get(look, done)).unwrap();
    act(&world, &root, |act| jobs::cancel(act, queued)).unwrap();
    act(&world, &root, |act| jobs::undo(act, done)).unwrap();
}

#[test]
fn a_namesake_who_came_later_has_none_of_the_jobs() {
    let world = world();
    let first = create_account(&world, "anna", Role::Analyst, false);
    let job = job_of(&world, &Caller::account(&first), JobKind::ImportMemberships, JobState::Queued);
    world.act(|act| accounts::delete(act, first.id, &Expected::Any)).unwrap();
    world.clock.advance(TimeDelta::microseconds(1));
    let namesake = account(&world, "anna", Role::Analyst);
    assert!(is_no_job(&look(&world, &namesake, |look| jobs::get(look, job))));
    assert!(is_no_job(&act(&world, &namesake, |act| jobs::cancel(act, job))));
    assert_eq!(listed(&world, &namesake), []);
}

/// A login is any text, and so may be what a token, or a part of the service, goes by.
#[test]
fn an_account_is_not_taken_for_a_token_or_a_part_of_the_service_of_its_name() {
    let world = world();
    // What is whose is told by names, so no account has one of theirs.
    for owner in [token(&world, "shop", &Scope::ALL, None), Caller::service("worker"), Caller::anybody()] {
        let name = owner.actor().as_str();
        assert!(domain::Login::parse(name).is_err() && domain::Login::parse(&name.to_uppercase()).is_err(), "{name}");
    }
}

fn once(world: &World, caller: &Caller, text: &str) -> Result<Answered, Error> {
    let once = Once { key: "key".to_owned(), fingerprint: "same".to_owned() };
    answers::once(&world.app, caller, &once, |act| {
        segments::create(act, new_segment(text)).map(|segment| segment.slug.to_string())
    })
}

#[test]
fn the_same_key_of_two_callers_is_two_keys() {
    let world = world();
    let callers = [
        account(&world, "anna", Role::Analyst),
        account(&world, "ivan", Role::Analyst),
        token(&world, "shop", &[Scope::Manage], None),
        token(&world, "till", &[Scope::Manage], None),
        Caller::service("tester"),
    ];
    for (number, caller) in callers.iter().enumerate() {
        assert_eq!(once(&world, caller, &format!("s{number}")).unwrap(), Answered::Now(format!("s{number}")));
    }
    for (number, caller) in callers.iter().enumerate() {
        assert_eq!(once(&world, caller, "other").unwrap(), Answered::Before(format!("s{number}")));
    }
}

#[test]
fn the_same_key_of_two_callers_begins_two_imports() {
    let world = world();
    let once = Some(Once { key: "key".to_owned(), fingerprint: "same".to_owned() });
    let what = importing(What::Memberships { segment: Some(slug("VIP")) });
    let [first, second] = ["anna", "ivan"].map(|login| {
        let caller = account(&world, login, Role::Analyst);
        let accepted =
            imports::accept(&world.app, &caller, &what, once.clone(), &Limits::default(), &mut &b"user_id\n1\n"[..]);
        accepted.unwrap()
    });
    assert_eq!((first.1, second.1), (jobs::Begun::Now, jobs::Begun::Now));
    assert_ne!(first.0.id, second.0.id);
}
