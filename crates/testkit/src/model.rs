//! A plain model of the product, written from its rules, and random acts that hold the product against it.
//!
//! It knows only what is live, and forgets whoever's deadline came in the moment it comes: whether a worker ran can
//! then make no difference to what anybody is told.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use chrono::TimeDelta;
use domain::{
    Attributes, Description, Instant, JobId, Membership, Operation, Percent, Seed, SegmentId, Slug, Source, Ttl, UserId,
};
use usecases::{
    Act, Error, Expected, distributions,
    history::{self, DiffQuery},
    imports::What,
    memberships::{self, Addition, ChangeMemberships, Changed, Deadline},
    moves::{self, MoveUsers, Moved},
    ports::{HistoryFilter, SegmentQuery},
    segments::{self, ChangeSegment, CopiedMembers, CopySegment, CreateSegment, StatsQuery},
    users::{self, CreateUser},
};

use crate::{World, caller, chances::Draws, importing, slug, user};

mod imported;

use imported::{Came, ImportDeed, Record, came};

const USERS: [&str; 8] = ["1", "10", "9", "Z", "a", "b", "я", "z"];
const SLUGS: [&str; 5] = ["A", "b", "C-1", "d_", "E"];
const PERCENTS: [&str; 9] = ["0", "0.0001", "12.5", "25", "33.3333", "50", "62.5", "75", "100"];

/// Does `steps` random acts, the same for the same seed, and after each compares what the product tells with the model.
///
/// The world must be fresh. A panic tells the seed and all acts so far, the last of which made the difference.
pub fn random_acts(world: &World, seed: u64, steps: usize) {
    let mut done: Vec<String> = Vec::new();
    let compared = catch_unwind(AssertUnwindSafe(|| compare_acts(world, seed, steps, &mut done)));
    if let Err(panic) = compared {
        eprintln!("seed {seed}, step {} of {steps}; the acts:", done.len());
        for (number, act) in done.iter().enumerate() {
            eprintln!("{:4}. {act}", number + 1);
        }
        resume_unwind(panic);
    }
}

fn compare_acts(world: &World, seed: u64, steps: usize, done: &mut Vec<String>) {
    let mut draws = Draws::new(seed);
    let mut model = Model { now: world.now(), ..Model::default() };
    let mut remembered: Vec<Model> = Vec::new();
    let mut jobs: Vec<JobId> = Vec::new();
    for _ in 0..steps {
        match draws.below(12) {
            0..3 => pass_time(world, &mut draws, &mut model, done),
            3 => {
                done.push(format!("remember {}", world.now()));
                remembered.push(model.clone());
                world.clock.advance(TimeDelta::microseconds(1));
                model.pass_to(world.now());
            }
            4 => {
                let deed = Deed::draw(&mut draws, world.now());
                done.push(format!("rehearse {deed:?}"));
                // What it tells is compared when it is done in earnest; here it must leave nothing. An import, which
                // has its own way to be tried, is left out.
                let _ = world.app.rehearse(&caller(), |act| deed.carry_out(act));
            }
            _ => {
                let deed = Deed::draw(&mut draws, world.now());
                done.push(format!("{deed:?}"));
                let told = deed.carry_out_in(world, &mut jobs);
                let expected = model.apply(&deed, &identities(world));
                for (pair, slug, member) in std::mem::take(&mut model.backdated) {
                    for then in remembered.iter_mut().filter(|then| member.since <= then.now) {
                        then.foreign.insert(pair.clone(), slug.clone());
                        then.members.insert(pair.clone(), member.clone());
                    }
                }
                match (told, expected) {
                    (Ok(told), Ok(expected)) => assert_eq!(told, expected, "(left: told, right: expected)"),
                    (Err(Error::Store(error)), _) => panic!("the store failed: {error:?}"),
                    (Err(_), Err(_)) => {}
                    (Ok(told), Err(why)) => panic!("it was to be refused, because {why}, and told {told:?}"),
                    (Err(error), Ok(expected)) => panic!("it was refused: {error:?}, instead of {expected:?}"),
                }
            }
        }
        compare_now(world, &model);
    }
    done.push("the worker, and a look back".to_owned());
    world.expire();
    assert_eq!(world.expire(), 0);
    compare_now(world, &model);
    compare_history(world, &model);
    for then in &remembered {
        compare_then(world, then);
    }
    for pair in remembered.windows(2) {
        compare_difference(world, &pair[0], &pair[1]);
    }
    if let [first, .., last] = &remembered[..] {
        compare_difference(world, first, last);
    }
    assert_eq!(world.differences(), Vec::<String>::new());
}

fn pass_time(world: &World, draws: &mut Draws, model: &mut Model, done: &mut Vec<String>) {
    let now = world.now();
    let next = model.members.values().filter_map(|member| member.deadline).min();
    let to = match draws.below(8) {
        0 => now + TimeDelta::microseconds(1),
        1 => now + TimeDelta::seconds(1),
        2 => now + TimeDelta::seconds(90),
        3 => now + TimeDelta::hours(3),
        4 => now + TimeDelta::days(2),
        5 => next.map_or(now, |deadline| deadline - TimeDelta::microseconds(1)),
        _ => next.unwrap_or(now),
    };
    done.push(format!("the clock goes to {to}"));
    world.clock.set(to);
    model.pass_to(to);
    if draws.below(3) == 0 {
        done.push("the worker ends what is due".to_owned());
        world.expire();
    }
}

/// One act, with all that it is told.
#[derive(Debug)]
enum Deed {
    CreateUser(UserId),
    DeleteUser(UserId),
    ImportUsers(Vec<UserId>),
    CreateSegment {
        slug: Slug,
        percent: Option<Percent>,
        default_ttl: Option<Ttl>,
    },
    SetPercent {
        slug: Slug,
        percent: Percent,
    },
    SetTtl {
        slug: Slug,
        default_ttl: Option<Ttl>,
    },
    Rename {
        slug: Slug,
        new: Slug,
    },
    Copy {
        slug: Slug,
        new: Slug,
        members: CopiedMembers,
    },
    DeleteSegment(Slug),
    Distribute {
        slug: Slug,
        percent: Percent,
    },
    Change {
        user: UserId,
        add: Vec<(Slug, Option<Deadline>)>,
        remove: Vec<Slug>,
    },
    Move {
        from: Slug,
        to: Slug,
    },
    Import(ImportDeed),
    /// Takes back one of the jobs so far, counted round and round.
    Undo(usize),
}

/// What an act tells, as far as it does not depend on the store.
#[derive(Debug, PartialEq)]
enum Told {
    Nothing,
    Defined { slug: Slug, percent: Option<Percent>, default_ttl: Option<Ttl> },
    Given { user_count: u64, total_users: u64, added: u64, removed: u64 },
    Changed(Changed),
    Moved(Moved),
    Came(Came),
}

impl Told {
    fn defined(segment: domain::Segment) -> Told {
        Told::Defined { slug: segment.slug, percent: segment.percent, default_ttl: segment.default_ttl }
    }
}

impl Deed {
    fn draw(draws: &mut Draws, now: Instant) -> Deed {
        let one_user = |draws: &mut Draws| user(draws.one_of(&USERS));
        let one_slug = |draws: &mut Draws| slug(draws.one_of(&SLUGS));
        let percent = |draws: &mut Draws| Percent::parse(draws.one_of(&PERCENTS)).unwrap();
        let ttl = |draws: &mut Draws| match draws.below(3) {
            0 => None,
            _ => Some(Ttl::from_seconds(draws.one_of(&[60, 3_600, 86_400])).unwrap()),
        };
        let deadline = |draws: &mut Draws| match draws.below(7) {
            0..3 => None,
            3 => Some(Deadline::After(Ttl::from_seconds(draws.one_of(&[60, 3_600])).unwrap())),
            4 => Some(Deadline::After(Ttl::parse("P1M").unwrap())),
            5 => Some(Deadline::At(now + TimeDelta::microseconds(draws.one_of(&[1, 60_000_000])))),
            // Now and before is no deadline; the next deeds shall mostly have a good one.
            _ => Some(Deadline::At(now + TimeDelta::microseconds(draws.one_of(&[-1, 0, 60_000_000, 7_200_000_000])))),
        };
        match draws.below(33) {
            0..2 => Deed::CreateUser(one_user(draws)),
            2 => Deed::DeleteUser(one_user(draws)),
            3 => Deed::ImportUsers((0..=draws.below(4)).map(|_| one_user(draws)).collect()),
            4..7 => {
                let percent = (draws.below(2) == 0).then(|| percent(draws));
                Deed::CreateSegment { slug: one_slug(draws), percent, default_ttl: ttl(draws) }
            }
            7..9 => Deed::SetPercent { slug: one_slug(draws), percent: percent(draws) },
            9 => Deed::SetTtl { slug: one_slug(draws), default_ttl: ttl(draws) },
            10 => Deed::Rename { slug: one_slug(draws), new: one_slug(draws) },
            11 => {
                let members = draws.one_of(&[CopiedMembers::All, CopiedMembers::All, CopiedMembers::Nobody]);
                Deed::Copy { slug: one_slug(draws), new: one_slug(draws), members }
            }
            12 => Deed::DeleteSegment(one_slug(draws)),
            13..17 => Deed::Distribute { slug: one_slug(draws), percent: percent(draws) },
            17..19 => Deed::Move { from: one_slug(draws), to: one_slug(draws) },
            19..23 => Deed::Import(ImportDeed::draw(draws, now, deadline)),
            23..25 => Deed::Undo(draws.below(1_000)),
            _ => {
                let add = (0..draws.below(4)).map(|_| (one_slug(draws), deadline(draws))).collect();
                let remove = (0..draws.below(3)).map(|_| one_slug(draws)).collect();
                Deed::Change { user: one_user(draws), add, remove }
            }
        }
    }

    /// Imports are several transactions each, so they stand outside of any other.
    fn carry_out_in(&self, world: &World, jobs: &mut Vec<JobId>) -> Result<Told, Error> {
        let job = match self {
            Deed::ImportUsers(ids) => {
                let lines: Vec<&str> = ids.iter().map(UserId::as_str).collect();
                world.import(&importing(What::Users), &format!("user_id\n{}\n", lines.join("\n")))
            }
            Deed::Import(import) => world.import(&import.command(), &import.file()),
            Deed::Undo(_) if jobs.is_empty() => return Ok(Told::Nothing),
            Deed::Undo(which) => world.undo(jobs[which % jobs.len()]),
            _ => return world.act(|act| self.carry_out(act)),
        }?;
        jobs.push(job.id);
        Ok(Told::Came(came(&job)))
    }

    fn carry_out(&self, act: &mut Act) -> Result<Told, Error> {
        let told = match self {
            Deed::ImportUsers(_) | Deed::Import(_) | Deed::Undo(_) => Told::Nothing,
            Deed::CreateUser(id) => {
                let id = Some(id.clone());
                users::create(act, CreateUser { id, name: None, email: None, attributes: Attributes::new() })?;
                Told::Nothing
            }
            Deed::DeleteUser(id) => {
                users::delete(act, id, &Expected::Any)?;
                Told::Nothing
            }
            Deed::CreateSegment { slug, percent, default_ttl } => {
                let (percent, default_ttl) = (*percent, *default_ttl);
                let description = Description::default();
                let command = CreateSegment { slug: slug.clone(), name: None, description, percent, default_ttl };
                Told::defined(segments::create(act, command)?)
            }
            Deed::SetPercent { slug, percent } => {
                let command = ChangeSegment { percent: Some(*percent), ..ChangeSegment::default() };
                Told::defined(segments::change(act, slug, &Expected::Any, command)?)
            }
            Deed::SetTtl { slug, default_ttl } => {
                let command = ChangeSegment { default_ttl: Some(*default_ttl), ..ChangeSegment::default() };
                Told::defined(segments::change(act, slug, &Expected::Any, command)?)
            }
            Deed::Rename { slug, new } => Told::defined(segments::rename(act, slug, &Expected::Any, new.clone())?),
            Deed::Copy { slug, new, members } => {
                Told::defined(segments::copy(act, slug, CopySegment { slug: new.clone(), members: *members })?.segment)
            }
            Deed::DeleteSegment(slug) => {
                segments::delete(act, slug, &Expected::Any)?;
                Told::Nothing
            }
            Deed::Distribute { slug, percent } => {
                let given = distributions::distribute(act, slug, *percent)?;
                let (user_count, total_users) = (given.user_count, given.total_users);
                Told::Given { user_count, total_users, added: given.added, removed: given.removed }
            }
            Deed::Change { user, add, remove } => {
                let addition = |(slug, deadline): &(Slug, Option<Deadline>)| Addition {
                    slug: slug.clone(),
                    deadline: *deadline,
                    reason: None,
                    pointer: String::new(),
                };
                let (user, remove) = (user.clone(), remove.clone());
                let add = add.iter().map(addition).collect();
                Told::Changed(memberships::change(
                    act,
                    ChangeMemberships { user, add, remove, deadline: None, reason: None },
                )?)
            }
            Deed::Move { from, to } => {
                Told::Moved(moves::move_users(act, MoveUsers { from: from.clone(), to: to.clone() })?)
            }
        };
        Ok(told)
    }
}

/// Who is where now, and all that was ever written.
#[derive(Clone, Default)]
struct Model {
    now: Instant,
    users: BTreeSet<UserId>,
    segments: BTreeMap<Slug, Defined>,
    members: BTreeMap<Pair, Member>,
    log: Vec<Written>,
    /// What each import and each taking back did, in their order.
    records: Vec<Record>,
    /// Who came in with an instant of joining that lies back. Time travel then tells so of instants that were
    /// remembered without.
    backdated: Vec<(Pair, Slug, Member)>,
    /// Under which name those are told of whose segment was not there yet.
    foreign: BTreeMap<Pair, Slug>,
}

type Pair = (UserId, SegmentId);

#[derive(Clone, PartialEq)]
struct Defined {
    id: SegmentId,
    seed: Seed,
    percent: Option<Percent>,
    default_ttl: Option<Ttl>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    since: Instant,
    deadline: Option<Instant>,
    source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Written {
    at: Instant,
    user: UserId,
    segment: SegmentId,
    operation: &'static str,
    deadline: Option<Instant>,
    source: &'static str,
}

/// What only the store and chance decide: which id and seed a new segment got.
type Identities = BTreeMap<Slug, (SegmentId, Seed)>;

fn identities(world: &World) -> Identities {
    let listed = world.look(|look| segments::list(look, &SegmentQuery::default(), 100));
    listed.into_iter().map(|segment| (segment.slug, (segment.id, segment.seed))).collect()
}

impl Model {
    fn pass_to(&mut self, now: Instant) {
        self.now = now;
        for ((user, segment), member) in self.members.clone() {
            if let Some(deadline) = member.deadline.filter(|deadline| *deadline <= now) {
                self.members.remove(&(user.clone(), segment));
                self.write(&user, segment, Operation::Remove, deadline, None, Source::Expiry);
            }
        }
    }

    fn write(
        &mut self,
        user: &UserId,
        segment: SegmentId,
        operation: Operation,
        at: Instant,
        deadline: Option<Instant>,
        source: Source,
    ) {
        let (operation, source) = (operation.as_str(), source.as_str());
        self.log.push(Written { at, user: user.clone(), segment, operation, deadline, source });
    }

    fn enter(&mut self, user: &UserId, segment: SegmentId, deadline: Option<Instant>, source: Source) {
        self.enter_since(user, segment, self.now, deadline, source);
    }

    fn enter_since(
        &mut self,
        user: &UserId,
        segment: SegmentId,
        since: Instant,
        deadline: Option<Instant>,
        source: Source,
    ) {
        let before = self.members.insert((user.clone(), segment), Member { since, deadline, source });
        assert!(before.is_none(), "the model lets somebody in twice");
        self.write(user, segment, Operation::Add, since, deadline, source);
    }

    fn leave(&mut self, user: &UserId, segment: SegmentId, source: Source) {
        self.members.remove(&(user.clone(), segment)).expect("the model lets go only who is in");
        self.write(user, segment, Operation::Remove, self.now, None, source);
    }

    fn postpone(&mut self, user: &UserId, segment: SegmentId, deadline: Option<Instant>, source: Source) {
        self.members.get_mut(&(user.clone(), segment)).expect("only a member has a deadline").deadline = deadline;
        self.write(user, segment, Operation::Extend, self.now, deadline, source);
    }

    fn instant(&self, deadline: Deadline) -> Instant {
        match deadline {
            Deadline::At(at) => at,
            Deadline::After(ttl) => ttl.after(self.now),
        }
    }

    fn segment(&self, slug: &Slug) -> Result<Defined, String> {
        self.segments.get(slug).cloned().ok_or_else(|| format!("there is no {slug}"))
    }

    fn free(&self, slug: &Slug) -> Result<(), String> {
        if self.segments.contains_key(slug) { Err(format!("{slug} is taken")) } else { Ok(()) }
    }

    fn members_of(&self, segment: SegmentId) -> Vec<UserId> {
        self.members.keys().filter(|(_, id)| *id == segment).map(|(user, _)| user.clone()).collect()
    }

    fn slugs_of(&self, user: &UserId) -> Vec<Slug> {
        let is_in = |defined: &Defined| self.members.contains_key(&(user.clone(), defined.id));
        self.segments.iter().filter(|(_, defined)| is_in(defined)).map(|(slug, _)| slug.clone()).collect()
    }

    fn define(
        &mut self,
        slug: &Slug,
        identities: &Identities,
        percent: Option<Percent>,
        default_ttl: Option<Ttl>,
    ) -> Defined {
        let (id, seed) = *identities.get(slug).unwrap_or_else(|| panic!("{slug} was to be created"));
        let is_known =
            self.log.iter().any(|row| row.segment == id) || self.segments.values().any(|other| other.id == id);
        assert!(!is_known, "{slug} was created with the identity of another segment");
        let defined = Defined { id, seed, percent, default_ttl };
        self.segments.insert(slug.clone(), defined.clone());
        defined
    }

    /// Brings a user to life, and into each segment whose percent reaches the user's position.
    fn bear(&mut self, user: &UserId) -> bool {
        if !self.users.insert(user.clone()) {
            return false;
        }
        for defined in self.segments.clone().into_values() {
            if defined.percent.is_some_and(|percent| percent.takes(defined.seed.position(user))) {
                let deadline = defined.default_ttl.map(|ttl| ttl.after(self.now));
                self.enter(user, defined.id, deadline, Source::Percent);
            }
        }
        true
    }

    /// Gives a segment to a share of all: who joined first by position leaves last.
    fn give(&mut self, slug: &Slug, percent: Percent) -> Result<(u64, u64), String> {
        let before = self.segment(slug)?;
        self.segments.get_mut(slug).expect("it was just found").percent = Some(percent);
        let total = self.users.len() as u64;
        // Rounded half up, in whole numbers: (2 × total × parts + whole) / (2 × whole).
        let target = (2 * total * u64::from(percent.parts()) + 1_000_000) / 2_000_000;
        let mut by_position: Vec<UserId> = self.users.iter().cloned().collect();
        by_position.sort_by_key(|user| before.seed.position(user));
        let count = |model: &Model| model.members_of(before.id).len() as u64;
        let (mut added, mut removed) = (0, 0);
        if before.percent == Some(percent) {
            return Ok((0, 0));
        }
        if before.percent.is_some_and(|old| percent < old) {
            for user in by_position.iter().rev() {
                let by_percent = self.members.get(&(user.clone(), before.id)).map(|member| member.source);
                if count(self) > target && by_percent == Some(Source::Percent) {
                    self.leave(user, before.id, Source::Percent);
                    removed += 1;
                }
            }
            return Ok((0, removed));
        }
        for user in &by_position {
            if count(self) < target && !self.members.contains_key(&(user.clone(), before.id)) {
                let deadline = before.default_ttl.map(|ttl| ttl.after(self.now));
                self.enter(user, before.id, deadline, Source::Percent);
                added += 1;
            }
        }
        Ok((added, removed))
    }

    fn defined(&self, slug: &Slug) -> Told {
        let Defined { percent, default_ttl, .. } = self.segments[slug].clone();
        Told::Defined { slug: slug.clone(), percent, default_ttl }
    }

    fn apply(&mut self, deed: &Deed, identities: &Identities) -> Result<Told, String> {
        match deed {
            Deed::CreateUser(id) if self.users.contains(id) => Err(format!("{id} is taken")),
            Deed::CreateUser(id) => {
                self.bear(id);
                Ok(Told::Nothing)
            }
            Deed::DeleteUser(id) => self.delete_user(id),
            Deed::ImportUsers(ids) => Ok(self.import_users(ids)),
            Deed::CreateSegment { slug, percent, default_ttl } => {
                self.free(slug)?;
                self.define(slug, identities, None, *default_ttl);
                if let Some(percent) = percent {
                    self.give(slug, *percent)?;
                }
                Ok(self.defined(slug))
            }
            Deed::SetPercent { slug, percent } => {
                self.give(slug, *percent)?;
                Ok(self.defined(slug))
            }
            Deed::SetTtl { slug, default_ttl } => {
                self.segment(slug)?;
                self.segments.get_mut(slug).expect("it was just found").default_ttl = *default_ttl;
                Ok(self.defined(slug))
            }
            Deed::Rename { slug, new } => {
                let defined = self.segment(slug)?;
                if slug != new {
                    self.free(new)?;
                    self.segments.remove(slug);
                    self.segments.insert(new.clone(), defined);
                }
                Ok(self.defined(new))
            }
            Deed::Copy { slug, new, members } => self.copy(slug, new, *members, identities),
            Deed::DeleteSegment(slug) => {
                let defined = self.segment(slug)?;
                for user in self.members_of(defined.id) {
                    self.leave(&user, defined.id, Source::Manual);
                }
                self.segments.remove(slug);
                Ok(Told::Nothing)
            }
            Deed::Distribute { slug, percent } => {
                let (added, removed) = self.give(slug, *percent)?;
                let user_count = self.members_of(self.segments[slug].id).len() as u64;
                Ok(Told::Given { user_count, total_users: self.users.len() as u64, added, removed })
            }
            Deed::Change { user, add, remove } => self.change(user, add, remove),
            Deed::Move { from, to } => self.move_all(from, to),
            Deed::Import(import) => Ok(self.import(import, identities)),
            Deed::Undo(_) if self.records.is_empty() => Ok(Told::Nothing),
            Deed::Undo(which) => self.undo(which % self.records.len()),
        }
    }

    fn delete_user(&mut self, id: &UserId) -> Result<Told, String> {
        if !self.users.remove(id) {
            return Err(format!("there is no {id}"));
        }
        for defined in self.segments.clone().into_values() {
            if self.members.contains_key(&(id.clone(), defined.id)) {
                self.leave(id, defined.id, Source::Manual);
            }
        }
        Ok(Told::Nothing)
    }

    fn copy(
        &mut self,
        slug: &Slug,
        new: &Slug,
        members: CopiedMembers,
        identities: &Identities,
    ) -> Result<Told, String> {
        let original = self.segment(slug)?;
        self.free(new)?;
        match members {
            CopiedMembers::Nobody => {
                self.define(new, identities, None, original.default_ttl);
            }
            CopiedMembers::All => {
                let copy = self.define(new, identities, original.percent, original.default_ttl);
                assert_eq!(copy.seed, original.seed, "a copy with its members has the seed that chose them");
                for user in self.members_of(original.id) {
                    let member = self.members[&(user.clone(), original.id)].clone();
                    self.enter(&user, copy.id, member.deadline, member.source);
                }
            }
        }
        Ok(self.defined(new))
    }

    fn change(&mut self, user: &UserId, add: &[(Slug, Option<Deadline>)], remove: &[Slug]) -> Result<Told, String> {
        // Named twice counts once, as it was named last.
        let add: BTreeMap<Slug, Option<Deadline>> = add.iter().cloned().collect();
        let remove: BTreeSet<Slug> = remove.iter().cloned().collect();
        if add.is_empty() && remove.is_empty() {
            return Err("there is nothing to do".to_owned());
        }
        for slug in add.keys().chain(&remove) {
            self.segment(slug)?;
        }
        for (slug, deadline) in &add {
            if remove.contains(slug) {
                return Err(format!("{slug} is to be added and removed"));
            }
            if deadline.is_some_and(|deadline| self.instant(deadline) <= self.now) {
                return Err("a deadline came already".to_owned());
            }
        }
        if !add.is_empty() {
            self.bear(user);
        }
        let mut changed = Changed {
            user: user.clone(),
            segments: Vec::new(),
            added: Vec::new(),
            extended: Vec::new(),
            removed: Vec::new(),
            unchanged: Vec::new(),
        };
        for (slug, deadline) in add {
            match self.add(user, &slug, deadline, Source::Manual)? {
                Operation::Add => changed.added.push(slug),
                Operation::Extend => changed.extended.push(slug),
                Operation::Remove => changed.unchanged.push(slug),
            }
        }
        for slug in remove {
            let segment = self.segment(&slug)?.id;
            if self.members.contains_key(&(user.clone(), segment)) {
                self.leave(user, segment, Source::Manual);
                changed.removed.push(slug);
            } else {
                changed.unchanged.push(slug);
            }
        }
        changed.unchanged.sort();
        changed.segments = self.slugs_of(user);
        Ok(Told::Changed(changed))
    }

    /// Adds one user; `Remove` stands for nothing done.
    fn add(
        &mut self,
        user: &UserId,
        slug: &Slug,
        deadline: Option<Deadline>,
        source: Source,
    ) -> Result<Operation, String> {
        let defined = self.segment(slug)?;
        let deadline = deadline.map(|deadline| self.instant(deadline));
        match self.members.get(&(user.clone(), defined.id)) {
            None => {
                let default = defined.default_ttl.map(|ttl| ttl.after(self.now));
                self.enter(user, defined.id, deadline.or(default), source);
                Ok(Operation::Add)
            }
            Some(present) if deadline.is_some() && present.deadline != deadline => {
                self.postpone(user, defined.id, deadline, source);
                Ok(Operation::Extend)
            }
            Some(_) => Ok(Operation::Remove),
        }
    }

    fn move_all(&mut self, from: &Slug, to: &Slug) -> Result<Told, String> {
        if from == to {
            return Err("both are the same".to_owned());
        }
        let (source, target) = (self.segment(from)?.id, self.segment(to)?.id);
        let mut moved = Moved { from: from.clone(), to: to.clone(), moved: 0, added: 0, extended: 0 };
        if let Some(percent) = &mut self.segments.get_mut(from).expect("it was just found").percent {
            *percent = Percent::ZERO;
        }
        for user in self.members_of(source) {
            let deadline = self.members[&(user.clone(), source)].deadline;
            self.leave(&user, source, Source::Move);
            moved.moved += 1;
            let there = self.members.get(&(user.clone(), target)).map(|member| member.deadline);
            match (there, deadline) {
                (None, _) => {
                    self.enter(&user, target, deadline, Source::Move);
                    moved.added += 1;
                }
                // An open end is later than any deadline.
                (Some(Some(_)), None) => {
                    self.postpone(&user, target, None, Source::Move);
                    moved.extended += 1;
                }
                (Some(Some(there)), Some(here)) if here > there => {
                    self.postpone(&user, target, deadline, Source::Move);
                    moved.extended += 1;
                }
                (Some(_), _) => {}
            }
        }
        Ok(Told::Moved(moved))
    }
}

fn compare_now(world: &World, model: &Model) {
    let everybody: Vec<UserId> = USERS.map(user).to_vec();
    world.look(|look| {
        let born = look.unit.users().ids(None, 100)?;
        assert_eq!(born, Vec::from_iter(model.users.iter().cloned()));
        for (id, active) in memberships::active(look, &everybody)? {
            assert_eq!(active, model.slugs_of(&id), "the segments of {id}");
        }
        let stats = segments::stats(look, &StatsQuery::default(), 100)?;
        assert!(stats.iter().map(|(segment, _)| &segment.slug).eq(model.segments.keys()), "the segments: {stats:?}");
        for (segment, count) in stats {
            let expected = &model.segments[&segment.slug];
            let actual = Defined {
                id: segment.id,
                seed: segment.seed,
                percent: segment.percent,
                default_ttl: segment.default_ttl,
            };
            assert!(actual == *expected, "the definition of {}: {segment:?}", segment.slug);
            let members = history::members(look, &segment.slug, None, None, 100)?;
            assert_eq!(count, members.len() as u64);
            compare_members(model, segment.id, members);
        }
        Ok(())
    });
}

fn compare_members(model: &Model, segment: SegmentId, told: Vec<Membership>) {
    let told: Vec<(UserId, Member)> = told.into_iter().map(|found| (found.user.clone(), member(&found))).collect();
    let expected: Vec<(UserId, Member)> = model
        .members_of(segment)
        .into_iter()
        .map(|user| {
            let member = model.members[&(user.clone(), segment)].clone();
            (user, member)
        })
        .collect();
    assert_eq!(told, expected, "the members of {segment:?} at {}", model.now);
}

fn member(found: &Membership) -> Member {
    Member { since: found.since, deadline: found.expires_at, source: found.source }
}

fn compare_history(world: &World, model: &Model) {
    let rows = world.look(|look| history::page(look, &HistoryFilter::default(), 100_000));
    let mut told: Vec<Written> = rows
        .into_iter()
        .map(|row| row.entry)
        .map(|entry| Written {
            at: entry.at,
            user: entry.user,
            segment: entry.segment.id,
            operation: entry.operation.as_str(),
            deadline: entry.expires_at,
            source: entry.source.as_str(),
        })
        .collect();
    let mut expected = model.log.clone();
    told.sort();
    expected.sort();
    for (told, expected) in told.iter().zip(&expected) {
        assert_eq!(told, expected, "history (left: told, right: expected)");
    }
    assert_eq!(told.len(), expected.len(), "history has too few or too many rows");
}

/// What is told today of an instant is what was so then.
fn compare_then(world: &World, then: &Model) {
    world.look(|look| {
        for (slug, defined) in &then.segments {
            let told = history::members(look, slug, Some(then.now), None, 100)?;
            let count = history::count_members(look, slug, Some(then.now))?;
            assert_eq!(count, told.len() as u64);
            compare_members(then, defined.id, told);
        }
        for id in USERS.map(user) {
            let told: BTreeMap<Slug, Member> = memberships::of_user(look, &id, Some(then.now))?
                .iter()
                .map(|found| (found.segment.slug.clone(), member(found)))
                .collect();
            // Segments go by the names that they had then.
            let expected: BTreeMap<Slug, Member> = then
                .members
                .iter()
                .filter(|((user, _), _)| *user == id)
                .map(|(pair, member)| {
                    let named = then.segments.iter().find(|(_, defined)| defined.id == pair.1);
                    (named.map_or_else(|| then.foreign[pair].clone(), |(slug, _)| slug.clone()), member.clone())
                })
                .collect();
            assert_eq!(told, expected, "the memberships of {id} at {}", then.now);
        }
        Ok(())
    });
}

fn compare_difference(world: &World, then: &Model, later: &Model) {
    for (slug, before) in &then.segments {
        let Some(after) = later.segments.get(slug) else { continue };
        let (before, after) = (then.members_of(before.id), later.members_of(after.id));
        let mut told = (Vec::new(), Vec::new());
        let mut query = DiffQuery { slug: slug.clone(), from: then.now, to: later.now, after: None };
        loop {
            let page = world.look(|look| history::diff(look, &query, 2));
            told.0.extend(page.entered);
            told.1.extend(page.left);
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        let but = |of: &[UserId], others: &[UserId]| {
            of.iter().filter(|user| !others.contains(user)).cloned().collect::<Vec<UserId>>()
        };
        let expected = (but(&after, &before), but(&before, &after));
        assert_eq!(told, expected, "who entered and left {slug} from {} to {}", then.now, later.now);
    }
}
