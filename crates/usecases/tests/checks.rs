//! The check finds whatever is not as history says.

#![allow(clippy::unwrap_used)]

use domain::{Entry, Instant, Membership, Segment, SegmentId, Slug, Source, UserId};
use testkit::{World, actor, slug, user};
use usecases::{
    Look,
    checks::{self, Checked, Difference, Finding},
    ports::{
        Accounts, Answers, Audit, Changes, EndingQuery, History, Jobs, Leaving, Locks, MemberQuery, MembershipTotals,
        Memberships, Secrets, Segments, Sessions, StoreError, TakeMember, Tokens, Unit, Users,
    },
};

fn world() -> (World, Segment) {
    let world = World::in_memory();
    let segment = world.has_segment("A");
    world.change("1", &["A"], &[]).unwrap();
    (world, segment)
}

fn found(world: &World) -> Vec<Difference> {
    found_when(world, |stored| stored)
}

/// What the check finds when the store tells these memberships in place of those it has.
fn found_when(world: &World, tampering: fn(Vec<Membership>) -> Vec<Membership>) -> Vec<Difference> {
    let mut found = Vec::new();
    world.look(|look| {
        let mut unit = Tampered { unit: &mut *look.unit, tampering };
        checks::check(&mut Look { unit: &mut unit, caller: look.caller, now: look.now }, &mut |difference| {
            found.push(difference.clone())
        })
    });
    found
}

fn difference(what: Finding) -> Difference {
    Difference { user: user("1"), segment: slug("A"), what }
}

#[test]
fn a_healthy_store_has_no_differences() {
    let (world, _) = world();
    world.change("2", &["A"], &[]).unwrap();
    world.change("2", &[], &["A"]).unwrap();
    let checked = world.look(|look| checks::check(look, &mut |difference| panic!("{difference}")));
    assert_eq!(checked, Checked { users: 2, memberships: 1, history_rows: 3, differences: 0 });
}

#[test]
fn everybody_is_looked_at_page_after_page() {
    let (world, _) = world();
    world.has_users(1_200);
    let checked = world.look(|look| checks::check(look, &mut |difference| panic!("{difference}")));
    assert_eq!(checked.users, 1_200);
    assert_eq!(found_when(&world, |_| Vec::new()), [difference(Finding::Missing)]);
}

#[test]
fn a_membership_of_a_deleted_segment_is_found() {
    let (world, segment) = world();
    world.act(|act| Ok(act.unit.segments().delete(segment.id, segment.created_at)?)).unwrap();
    assert_eq!(found(&world), [difference(Finding::NoSuchSegment)]);
}

#[test]
fn a_membership_of_a_deleted_user_is_found() {
    let (world, _) = world();
    world.act(|act| Ok(act.unit.users().delete(&user("1"))?)).unwrap();
    assert_eq!(found(&world), [difference(Finding::NoSuchUser)]);
}

#[test]
fn a_membership_that_is_not_stored_is_found() {
    assert_eq!(found_when(&world().0, |_| Vec::new()), [difference(Finding::Missing)]);
}

#[test]
fn a_membership_that_history_does_not_explain_is_found() {
    let (world, segment) = world();
    let tampering = |stored: Vec<Membership>| {
        let of_another = |found: &Membership| Membership { user: user("2"), ..found.clone() };
        stored.iter().flat_map(|found| [found.clone(), of_another(found)]).collect()
    };
    world.has_users(2);
    let unexplained = Difference { user: user("2"), segment: segment.slug, what: Finding::Unexplained };
    assert_eq!(found_when(&world, tampering), [unexplained]);
}

#[test]
fn each_field_that_differs_is_told_with_both_values() {
    let (world, _) = world();
    let tampering = |stored: Vec<Membership>| {
        let changed = |found: Membership| Membership {
            since: Instant::UNIX_EPOCH,
            expires_at: Some(Instant::UNIX_EPOCH),
            source: domain::Source::Rule,
            actor: domain::Actor::new("another"),
            reason: domain::Reason::parse("why").ok(),
            ..found
        };
        stored.into_iter().map(changed).collect()
    };
    let epoch = "1970-01-01T00:00:00+00:00".to_owned();
    let since = world.now().to_rfc3339();
    let differs = |field, stored: &str, history: &str| {
        difference(Finding::Differs { field, stored: stored.to_owned(), history: history.to_owned() })
    };
    let expected = [
        differs("since", &epoch, &since),
        differs("expires_at", &epoch, "open"),
        differs("source", "rule", "manual"),
        differs("actor", "another", actor().as_str()),
        differs("reason", "`why`", "none"),
    ];
    assert_eq!(found_when(&world, tampering), expected);
}

/// A unit that tells other memberships than the store has: no port can write such ones.
struct Tampered<'a> {
    unit: &'a mut dyn Unit,
    tampering: fn(Vec<Membership>) -> Vec<Membership>,
}

impl Unit for Tampered<'_> {
    fn lock(&mut self, locks: &Locks) -> Result<(), StoreError> {
        self.unit.lock(locks)
    }

    fn segments(&mut self) -> &mut dyn Segments {
        self.unit.segments()
    }

    fn users(&mut self) -> &mut dyn Users {
        self.unit.users()
    }

    fn memberships(&mut self) -> &mut dyn Memberships {
        self
    }

    fn history(&mut self) -> &mut dyn History {
        self.unit.history()
    }

    fn answers(&mut self) -> &mut dyn Answers {
        self.unit.answers()
    }

    fn jobs(&mut self) -> &mut dyn Jobs {
        self.unit.jobs()
    }

    fn secrets(&mut self) -> &mut dyn Secrets {
        self.unit.secrets()
    }

    fn accounts(&mut self) -> &mut dyn Accounts {
        self.unit.accounts()
    }

    fn sessions(&mut self) -> &mut dyn Sessions {
        self.unit.sessions()
    }

    fn tokens(&mut self) -> &mut dyn Tokens {
        self.unit.tokens()
    }

    fn audit(&mut self) -> &mut dyn Audit {
        self.unit.audit()
    }

    fn changes(&mut self) -> &mut dyn Changes {
        self.unit.changes()
    }
}

impl Memberships for Tampered<'_> {
    fn of_pairs(&mut self, _: &[(UserId, SegmentId)]) -> Result<Vec<Membership>, StoreError> {
        unreachable!("the check asks for all memberships of its users")
    }

    fn of_users(&mut self, users: &[UserId]) -> Result<Vec<Membership>, StoreError> {
        Ok((self.tampering)(self.unit.memberships().of_users(users)?))
    }

    fn of_segment(&mut self, _: SegmentId, _: Option<&UserId>, _: usize) -> Result<Vec<Membership>, StoreError> {
        unreachable!("the check goes by users")
    }

    fn active(&mut self, _: &[UserId], _: Instant) -> Result<Vec<(UserId, Slug)>, StoreError> {
        unreachable!("the check looks at what is stored")
    }

    fn members(
        &mut self,
        _: SegmentId,
        _: Instant,
        _: Option<&UserId>,
        _: usize,
    ) -> Result<Vec<Membership>, StoreError> {
        unreachable!("the check goes by users")
    }

    fn found(&mut self, _: &MemberQuery, _: usize) -> Result<Vec<Membership>, StoreError> {
        unreachable!("the check goes by users")
    }

    fn count_found(&mut self, _: &MemberQuery) -> Result<u64, StoreError> {
        unreachable!("the check goes by users")
    }

    fn ending(&mut self, _: &EndingQuery, _: usize) -> Result<Vec<Membership>, StoreError> {
        unreachable!("the check goes by users")
    }

    fn count_ending(&mut self, _: &EndingQuery) -> Result<u64, StoreError> {
        unreachable!("the check goes by users")
    }

    fn sources(&mut self, _: Option<SegmentId>, _: Instant) -> Result<Vec<(Source, u64)>, StoreError> {
        unreachable!("the check goes by users")
    }

    fn totals(&mut self, _: Instant) -> Result<MembershipTotals, StoreError> {
        unreachable!("the check goes by users")
    }

    fn each(&mut self, _: SegmentId, _: Instant, _: TakeMember) -> Result<(), StoreError> {
        unreachable!("the check goes by users")
    }

    fn shared(&mut self, _: SegmentId, _: Instant) -> Result<Vec<(SegmentId, u64)>, StoreError> {
        unreachable!("the check goes by users")
    }

    fn shared_among(&mut self, _: &[SegmentId], _: Instant) -> Result<Vec<(SegmentId, SegmentId, u64)>, StoreError> {
        unreachable!("the check goes by users")
    }

    fn counts(&mut self, _: &[SegmentId], _: Instant) -> Result<Vec<(SegmentId, u64)>, StoreError> {
        unreachable!("the check goes by users")
    }

    fn expire(&mut self, _: Instant, _: usize) -> Result<usize, StoreError> {
        unreachable!("the check changes nothing")
    }

    fn expire_in(&mut self, _: SegmentId, _: Instant) -> Result<(), StoreError> {
        unreachable!("the check changes nothing")
    }

    fn end_all(&mut self, _: &Leaving) -> Result<usize, StoreError> {
        unreachable!("the check changes nothing")
    }

    fn hold_passing(&mut self, _: SegmentId) -> Result<(), StoreError> {
        unreachable!("the check changes nothing")
    }

    fn record(&mut self, _: &[Entry]) -> Result<(), StoreError> {
        unreachable!("the check changes nothing")
    }
}
