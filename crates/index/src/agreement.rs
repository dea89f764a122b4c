//! The index never answers what the store would not.

use std::{cell::RefCell, sync::Arc};

use chrono::TimeDelta;
use domain::{Instant, Slug, UserId, algebra::Expression};
use proptest::prelude::*;
use testkit::{ManualClock, MemoryStore, World, slug, user};
use usecases::{
    Error, Look, algebra,
    changes::{Seen, Told, since},
    memberships::{self, Deadline},
    ports::{self, Access, Clock, Index as _, Store, StoreError, Unit, Verdict},
    segments, summaries, users,
};

use crate::{
    files,
    following::hear,
    index::{Begun, Index},
    loading::load,
    stores::Indexed,
};

const USERS: [&str; 6] = ["a", "ab", "b", "я", "user-1", "user-2"];
const SLUGS: [&str; 4] = ["A", "B", "C", "D"];
const EXPRESSIONS: [&str; 6] = ["A", "ALL", "(A & B) - C", "A ^ B | C & D", "ALL - (A | B)", "D - D"];

/// What anybody may do, by numbers of users and segments.
#[derive(Debug, Clone)]
enum Step {
    Change {
        user: usize,
        add: Vec<usize>,
        remove: Vec<usize>,
        minutes: Option<i64>,
    },
    Create(usize),
    Percent(usize, u32),
    Rename(usize, usize),
    Delete(usize),
    Forget(usize),
    Expire,
    Wait(i64),
    /// The next steps are done by another process, until the index hears of them.
    Elsewhere,
    /// What was told is read, and taken in when the index hears the next time.
    Listen,
    Hear,
    Pack,
    BeginPacking,
    EndPacking,
    Reload,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (who, which) = (0..USERS.len(), 0..SLUGS.len());
    let some = || prop::collection::vec(0..SLUGS.len(), 0..3);
    // Short ones often, so that some end to the second when another one's wait does.
    let minutes = prop::option::of(prop_oneof![1..4_i64, 1..90_i64]);
    let seconds = prop_oneof![(1..4_i64).prop_map(|minutes| minutes * 60), 1..4_000_i64];
    let step = prop_oneof![
        8 => (who.clone(), some(), some(), minutes)
            .prop_map(|(user, add, remove, minutes)| Step::Change { user, add, remove, minutes }),
        2 => which.clone().prop_map(Step::Create),
        1 => (which.clone(), 0..101_u32).prop_map(|(segment, percent)| Step::Percent(segment, percent)),
        1 => (which.clone(), which.clone()).prop_map(|(from, to)| Step::Rename(from, to)),
        1 => which.prop_map(Step::Delete),
        1 => who.prop_map(Step::Forget),
        1 => Just(Step::Expire),
        3 => seconds.prop_map(Step::Wait),
        2 => Just(Step::Elsewhere),
        2 => Just(Step::Listen),
        3 => Just(Step::Hear),
        1 => Just(Step::Pack),
        2 => Just(Step::BeginPacking),
        2 => Just(Step::EndPacking),
        1 => Just(Step::Reload),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..60)
}

/// A store that several share, as processes share a database.
#[derive(Clone)]
struct Shared(Arc<MemoryStore>);

impl Store for Shared {
    fn run(
        &self,
        access: Access,
        work: &mut dyn FnMut(&mut dyn Unit) -> Verdict,
    ) -> Result<Option<usecases::changes::Commit>, StoreError> {
        self.0.run(access, work)
    }

    fn writers(&self) -> usize {
        self.0.writers()
    }

    fn ready(&self) -> Result<(), StoreError> {
        self.0.ready()
    }
}

/// The clock of another machine.
struct Ahead(ManualClock);

/// By how much it is ahead.
const AHEAD: TimeDelta = TimeDelta::milliseconds(1_500);

impl Clock for Ahead {
    fn now(&self) -> Instant {
        self.0.now() + AHEAD
    }
}

/// A process with an index, another without, and the store itself.
struct Node {
    store: Shared,
    index: Arc<Index>,
    ours: World,
    theirs: World,
    plain: World,
    listened: RefCell<Option<(Vec<Told>, Seen)>>,
    packing: RefCell<Option<Begun>>,
    folder: tempfile::TempDir,
}

impl Node {
    fn new() -> Node {
        let store = Shared(Arc::default());
        let index = Arc::new(Index::new(std::time::Duration::MAX));
        let indexed = Indexed { store: store.clone(), index: Arc::clone(&index) };
        let mut ours = World::on(Box::new(indexed));
        ours.app.index = Arc::clone(&index) as Arc<dyn ports::Index>;
        let [mut theirs, mut plain] = [0, 1].map(|_| World::on(Box::new(store.clone())));
        theirs.app.clock = Box::new(Ahead(ours.clock.clone()));
        plain.app.clock = Box::new(ours.clock.clone());
        [theirs.clock, plain.clock] = [0, 1].map(|_| ours.clock.clone());
        let (listened, packing) = (RefCell::default(), RefCell::default());
        let folder = tempfile::tempdir().unwrap();
        let node = Node { store, index, ours, theirs, plain, listened, packing, folder };
        node.theirs.has_segment("A");
        node.note();
        node.reload();
        node
    }

    fn note(&self) {
        self.theirs.act(|act| usecases::changes::forget(act, 0)).unwrap();
    }

    fn reload(&self) {
        self.listened.take();
        self.index.put(load(&self.store, self.ours.now()).unwrap());
        self.hear();
    }

    fn restart(&self) {
        self.listened.take();
        let file = self.folder.path().join("index");
        files::write(&file, &self.index.state().unwrap(), &self.store).unwrap();
        self.index.put(files::read(&file, &self.store).expect("the file suits the store"));
        self.hear();
    }

    fn listen(&self) {
        let seen = self.index.seen_by_following().unwrap();
        let mut told = Vec::new();
        let heard = self.plain.look(|look| Ok(since(look.unit, &seen, &mut |portion| told.push(portion))?)).unwrap();
        self.listened.replace(Some((told, heard)));
    }

    fn hear(&self) {
        if let Some((told, seen)) = self.listened.take() {
            return self.index.follow(told, seen, std::time::Instant::now());
        }
        let seen = self.index.seen_by_following().unwrap();
        hear(&self.index, &self.store, &seen).unwrap();
    }

    fn take(&self, step: &Step, world: &World) {
        let done: Result<(), Error> = match step {
            Step::Change { user: who, add, remove, minutes } => {
                let [add, remove] = [add, remove].map(|places| places.iter().map(|at| SLUGS[*at]).collect::<Vec<_>>());
                let deadline = minutes.map(|minutes| Deadline::At(world.now() + TimeDelta::minutes(minutes)));
                world.change_until(USERS[*who], &add, &remove, deadline).map(drop)
            }
            Step::Create(segment) => {
                let command = segments::CreateSegment {
                    slug: slug(SLUGS[*segment]),
                    name: None,
                    description: domain::Description::default(),
                    percent: None,
                    default_ttl: None,
                };
                world.act(|act| segments::create(act, command)).map(drop)
            }
            Step::Percent(segment, percent) => {
                let percent = domain::Percent::parse(&percent.to_string()).unwrap();
                world.act(|act| usecases::distributions::distribute(act, &slug(SLUGS[*segment]), percent)).map(drop)
            }
            Step::Rename(from, to) => {
                let [from, to] = [from, to].map(|at| slug(SLUGS[*at]));
                world.act(|act| segments::rename(act, &from, &usecases::Expected::Any, to)).map(drop)
            }
            Step::Delete(segment) => {
                let slug = slug(SLUGS[*segment]);
                world.act(|act| segments::delete(act, &slug, &usecases::Expected::Any)).map(drop)
            }
            Step::Forget(who) => {
                world.act(|act| users::delete(act, &user(USERS[*who]), &usecases::Expected::Any)).map(drop)
            }
            Step::Expire => {
                world.expire();
                // That a deadline came is told to nobody: with a clock behind, one sees it when it comes there too.
                world.clock.advance(world.now() - self.ours.now());
                Ok(())
            }
            Step::Wait(seconds) => {
                world.clock.advance(TimeDelta::seconds(*seconds));
                Ok(())
            }
            Step::Pack => {
                self.index.pack(world.now(), || ());
                Ok(())
            }
            Step::BeginPacking => {
                let begun = self.index.begin().map(|begun| begun.packed_at(world.now(), || ()));
                self.packing.replace(begun);
                Ok(())
            }
            Step::EndPacking => {
                self.packing.take().into_iter().for_each(|begun| self.index.end(begun));
                Ok(())
            }
            Step::Elsewhere | Step::Listen | Step::Hear | Step::Reload | Step::Restart => Ok(()),
        };
        match done {
            Ok(()) | Err(Error::NotFound(..) | Error::Taken(..) | Error::Invalid(_) | Error::Conflict(_)) => {}
            Err(error) => panic!("{step:?}: {error}"),
        }
    }

    /// Everything that the index is asked is as the store says.
    fn agrees(&self) {
        let now = self.ours.now();
        let ids: Vec<UserId> = USERS.iter().map(|one| user(one)).collect();
        let expected = self.plain.look(|look| memberships::active(look, &ids));
        let mut found = Vec::new();
        let mut take = |user: &UserId, slugs: &[&Slug]| {
            found.push((user.clone(), slugs.iter().map(|slug| (*slug).clone()).collect::<Vec<_>>()));
        };
        self.index.active(&ids, now, &mut take).expect("the index is sure");
        assert_eq!(found, expected);
        let known = |slug: &Slug| self.plain.look(|look| Ok(look.unit.segments().find(slug)?.is_some()));
        for one in SLUGS.map(slug) {
            let found = self.index.is_member(&ids[0], &one, now).map(|member| member.found);
            assert_eq!(found, known(&one).then(|| expected[0].1.contains(&one)), "{one}");
        }
        for text in EXPRESSIONS {
            let expression = Expression::parse(text).unwrap();
            let query = algebra::AlgebraQuery { expression, as_of: None };
            let expected =
                self.plain.app.look(&testkit::caller(), |look: &mut Look| algebra::page(look, &query, None, 100));
            match (self.index.set(&query.expression, now), expected) {
                (Some(set), Ok(expected)) => {
                    assert_eq!(set.found.page(None, 100), expected, "{text}");
                    assert_eq!(set.found.count(), expected.len() as u64, "{text}");
                    for after in &ids {
                        let behind: Vec<UserId> = expected.iter().filter(|one| *one > after).take(2).cloned().collect();
                        assert_eq!(set.found.page(Some(after), 2), behind, "{text} after {after}");
                    }
                }
                (None, Err(Error::NotFound(..))) => {}
                (found, expected) => panic!("{text}: {:?} and {expected:?}", found.map(|set| set.found.count())),
            }
        }
        self.sets_agree();
    }

    fn sets_agree(&self) {
        let now = self.ours.now();
        let there: Vec<Slug> =
            SLUGS.map(slug).into_iter().filter(|one| self.index.shared(one, now).is_some()).collect();
        let expected = self.plain.look(|look| algebra::overlap(look, &there, None));
        assert_eq!(self.index.overlap(&there, now).unwrap().found, expected);
        for segments_max in [200, 2] {
            let [mut expected, mut found] = [&self.plain, &self.ours]
                .map(|world| algebra::overlaps_among(&world.app, &testkit::caller(), 9, segments_max).unwrap().found);
            (expected.as_of, found.as_of) = (now, now);
            assert_eq!(found, expected);
        }
        let horizons = [now + TimeDelta::minutes(10), now + TimeDelta::minutes(60)];
        let expected = self.plain.look(|look| summaries::totals(look, &horizons));
        assert_eq!(self.index.totals(now, &horizons).unwrap().found, expected);
        for one in &there {
            let [expected, found] = [&self.plain, &self.ours]
                .map(|world| algebra::similar(&world.app, &testkit::caller(), one, 9).unwrap().found);
            assert_eq!(found, expected, "{one}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn the_index_answers_as_the_store_does(steps in steps()) {
        let node = Node::new();
        // Whether another process acts, and did so since the index heard of it, or since what it will hear next was read.
        let (mut is_elsewhere, mut is_behind, mut will_be_behind) = (false, false, false);
        for step in steps {
            match step {
                Step::Elsewhere => (is_elsewhere, is_behind, will_be_behind) = (true, true, true),
                Step::Listen => {
                    node.listen();
                    (is_elsewhere, will_be_behind) = (false, false);
                }
                Step::Hear => {
                    is_behind = node.listened.borrow().is_some() && will_be_behind;
                    is_elsewhere = false;
                    node.hear();
                }
                Step::Reload => {
                    node.reload();
                    (is_elsewhere, is_behind) = (false, false);
                }
                Step::Restart => {
                    node.hear();
                    node.restart();
                    (is_elsewhere, is_behind) = (false, false);
                }
                ref step => node.take(step, if is_elsewhere { &node.theirs } else { &node.ours }),
            }
            if !is_behind {
                node.agrees();
            }
        }
        node.hear();
        node.hear();
        node.agrees();
        prop_assert!(node.ours.differences().is_empty());
    }
}
