//! What the use cases ask of the outside world.

use std::{io, ops::ControlFlow, time::Duration};

use domain::{
    Account, AccountId, Action, Actor, ApiToken, AuditRow, ChainHash, Entry, HistoryRow, Identity, Instant, Job, JobId,
    JobKind, JobState, Kind, Login, Membership, Operation, Period, Reason, Role, SecretHash, Segment, SegmentId,
    SegmentRef, Session, SessionId, Slug, Source, TokenId, User, UserId, algebra::Expression,
};
use thiserror::Error;

use crate::{
    algebra::{Overlap, SharedMembers, SharedPairs},
    changes::{Commit, Seen, Told},
};

/// Where the facts are kept.
pub trait Store: Send + Sync {
    /// Runs `work` in one transaction and ends it as the verdict says.
    ///
    /// Use cases call `read`, `write` and `rehearse` instead, which carry a result out. Whatever a committed transaction
    /// changed of users, segments and memberships is told, and kept for those who follow: see [`Changes`].
    fn run(&self, access: Access, work: &mut dyn FnMut(&mut dyn Unit) -> Verdict)
    -> Result<Option<Commit>, StoreError>;

    /// How many units that change something do well side by side.
    fn writers(&self) -> usize;

    /// Fails unless the store answers and has the schema that this program knows.
    fn ready(&self) -> Result<(), StoreError>;
}

impl dyn Store + '_ {
    /// Looks at one consistent state; whatever `work` writes is forgotten.
    pub fn read<T, E: From<StoreError>>(&self, work: impl FnOnce(&mut dyn Unit) -> Result<T, E>) -> Result<T, E> {
        self.carry(Access::Read, Verdict::Rollback, work)
    }

    /// Changes everything or nothing: `Ok` commits, `Err` rolls back.
    pub fn write<T, E: From<StoreError>>(&self, work: impl FnOnce(&mut dyn Unit) -> Result<T, E>) -> Result<T, E> {
        self.carry(Access::Write, Verdict::Commit, work)
    }

    /// May write, and sees what it wrote, but nothing of it stays.
    pub fn rehearse<T, E: From<StoreError>>(&self, work: impl FnOnce(&mut dyn Unit) -> Result<T, E>) -> Result<T, E> {
        self.carry(Access::Write, Verdict::Rollback, work)
    }

    fn carry<T, E: From<StoreError>>(
        &self,
        access: Access,
        on_success: Verdict,
        work: impl FnOnce(&mut dyn Unit) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut work = Some(work);
        let mut outcome = None;
        let ended = self.run(access, &mut |unit| {
            let work = work.take().expect("a store runs its work once");
            let result = work(unit);
            let verdict = if result.is_ok() { on_success } else { Verdict::Rollback };
            outcome = Some(result);
            verdict
        });
        match (ended, outcome) {
            // The work's own failure says more than what came of it.
            (_, Some(Err(error))) => Err(error),
            (Err(error), _) => Err(error.into()),
            (Ok(_), outcome) => outcome.expect("a store runs its work"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Commit,
    Rollback,
}

/// The repositories, inside one transaction.
///
/// A read sees one state throughout. A write sees its own changes, and, after [`Unit::lock`], whatever others committed
/// before the locks were had. After any failure of a repository the unit no longer commits.
pub trait Unit {
    /// Waits for the right to change what the locks name, and keeps it until the unit ends.
    /// Call it at most once, before anything else that must not change meanwhile is read.
    fn lock(&mut self, locks: &Locks) -> Result<(), StoreError>;
    fn segments(&mut self) -> &mut dyn Segments;
    fn users(&mut self) -> &mut dyn Users;
    fn memberships(&mut self) -> &mut dyn Memberships;
    fn history(&mut self) -> &mut dyn History;
    fn answers(&mut self) -> &mut dyn Answers;
    fn jobs(&mut self) -> &mut dyn Jobs;
    fn secrets(&mut self) -> &mut dyn Secrets;
    fn accounts(&mut self) -> &mut dyn Accounts;
    fn sessions(&mut self) -> &mut dyn Sessions;
    fn tokens(&mut self) -> &mut dyn Tokens;
    fn audit(&mut self) -> &mut dyn Audit;
    fn changes(&mut self) -> &mut dyn Changes;
}

/// What a unit is about to change. Units that share nothing run side by side.
///
/// | act | population | segments | users |
/// |---|---|---|---|
/// | change a user's memberships | shared, when users may be born | shared | alone |
/// | import or take back memberships | shared | alone | |
/// | create or import users | shared | | alone |
/// | delete a user | alone | | alone |
/// | create, change or rename a segment | alone, when a percent comes with it | alone | |
/// | distribute, move, copy, delete a segment | alone | alone | |
///
/// A change of accounts has all accounts alone: some rules are of all of them.
#[derive(Debug, Clone, Default)]
pub struct Locks {
    /// Shared by those who need everybody to stay, alone for those who need nobody to come or go.
    pub population: Option<Hold>,
    pub every_segment: Option<Hold>,
    pub segments: Vec<(Slug, Hold)>,
    pub users: Vec<UserId>,
    pub accounts: Option<Hold>,
    /// How long the unit waits for what others have, here and later on; without it as long as the store does.
    pub patience: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    Shared,
    Alone,
}

impl Locks {
    pub fn new() -> Locks {
        Locks::default()
    }

    pub fn population(self, hold: Hold) -> Locks {
        Locks { population: Some(hold), ..self }
    }

    pub fn every_segment(self, hold: Hold) -> Locks {
        Locks { every_segment: Some(hold), ..self }
    }

    pub fn accounts(self, hold: Hold) -> Locks {
        Locks { accounts: Some(hold), ..self }
    }

    pub fn patience(self, patience: Option<Duration>) -> Locks {
        Locks { patience, ..self }
    }

    pub fn segment(mut self, slug: &Slug, hold: Hold) -> Locks {
        self.segments.push((slug.clone(), hold));
        self
    }

    pub fn user(mut self, user: &UserId) -> Locks {
        self.users.push(user.clone());
        self
    }
}

pub trait Segments {
    /// Keeps a new segment and gives it its identity; the id in `segment` does not count.
    /// Fails with [`StoreError::Duplicate`] when the slug is taken.
    fn insert(&mut self, segment: &Segment) -> Result<SegmentId, StoreError>;
    fn find(&mut self, slug: &Slug) -> Result<Option<Segment>, StoreError>;
    /// Those of `slugs` that exist, in the order of slugs.
    fn find_all(&mut self, slugs: &[Slug]) -> Result<Vec<Segment>, StoreError>;
    /// Replaces the definition of the segment with this id. A changed slug is a rename at `updated_at`.
    /// Fails with [`StoreError::Duplicate`] when the new slug is taken.
    fn update(&mut self, segment: &Segment) -> Result<(), StoreError>;
    /// Forgets the definition. Its name and its history stay.
    fn delete(&mut self, id: SegmentId, at: Instant) -> Result<(), StoreError>;
    /// At most `limit`, in the order of the query, after its cursor.
    fn list(&mut self, query: &SegmentQuery, limit: usize) -> Result<Vec<Segment>, StoreError>;
    /// How many the query's filters leave, wherever its cursor stands.
    fn count(&mut self, query: &SegmentQuery) -> Result<u64, StoreError>;
    /// How many segments were made or changed later than `after`.
    fn count_changed(&mut self, after: Instant) -> Result<u64, StoreError>;
    /// Every segment of kind percent.
    fn distributed(&mut self) -> Result<Vec<Segment>, StoreError>;
    /// At most `limit` segments, by slug, after `after`, that nobody changed, entered or left, and no job wrote of, since
    /// `before`.
    fn stale(&mut self, before: Instant, after: Option<&Slug>, limit: usize) -> Result<Vec<Segment>, StoreError>;
    /// Whether the segment with this slug is one of those.
    fn is_stale(&mut self, slug: &Slug, before: Instant) -> Result<bool, StoreError>;
    /// Which segments ever had this slug, and when, oldest first.
    fn bearers(&mut self, slug: &Slug) -> Result<Vec<Bearer>, StoreError>;
    /// Which slugs these segments ever had, and when, by segment and oldest first.
    fn names(&mut self, segments: &[SegmentId]) -> Result<Vec<Bearer>, StoreError>;
}

/// A segment had a slug throughout a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    pub segment: SegmentId,
    pub slug: Slug,
    pub period: Period,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SegmentQuery {
    /// A part of the slug or the name; letter case does not count.
    pub text: Option<String>,
    pub kind: Option<Kind>,
    pub sort: SegmentSort,
    /// Begin behind this segment: the value that is sorted by, and the slug.
    pub after: Option<(String, Slug)>,
}

/// Equal values are sorted by slug, in the same direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SegmentSort {
    pub by: SegmentOrder,
    pub direction: Direction,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SegmentOrder {
    /// Byte by byte, as all text is sorted.
    #[default]
    Slug,
    Name,
    CreatedAt,
    UpdatedAt,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    #[default]
    Ascending,
    Descending,
}

impl SegmentOrder {
    /// The value by which a segment is sorted, as a cursor carries it: an instant as microseconds since 1970.
    pub fn value(self, segment: &Segment) -> String {
        match self {
            SegmentOrder::Slug => segment.slug.to_string(),
            SegmentOrder::Name => segment.name.as_str().to_owned(),
            SegmentOrder::CreatedAt => segment.created_at.timestamp_micros().to_string(),
            SegmentOrder::UpdatedAt => segment.updated_at.timestamp_micros().to_string(),
        }
    }
}

pub trait Users {
    /// Keeps those who are not there yet, and returns their ids.
    fn insert_missing(&mut self, users: &[User]) -> Result<Vec<UserId>, StoreError>;
    fn find(&mut self, id: &UserId) -> Result<Option<User>, StoreError>;
    /// Those of `ids` who exist, in the order of ids.
    fn find_all(&mut self, ids: &[UserId]) -> Result<Vec<User>, StoreError>;
    /// As `find_all`, and they stay as they are until the unit ends, which is one that writes.
    fn hold(&mut self, ids: &[UserId]) -> Result<Vec<User>, StoreError>;
    /// Replaces the profile of a user who exists.
    fn update(&mut self, user: &User) -> Result<(), StoreError>;
    /// Forgets the profile; memberships are ended by the caller before.
    fn delete(&mut self, id: &UserId) -> Result<(), StoreError>;
    /// At most `limit`, by id, after the query's cursor.
    fn list(&mut self, query: &UserQuery, limit: usize) -> Result<Vec<User>, StoreError>;
    fn count(&mut self, query: &UserQuery) -> Result<u64, StoreError>;
    /// At most `limit` ids, in their order, after `after`.
    fn ids(&mut self, after: Option<&UserId>, limit: usize) -> Result<Vec<UserId>, StoreError>;
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserQuery {
    /// The beginning of the id, or a part of the name or e-mail, where letter case does not count.
    pub text: Option<String>,
    /// Names and e-mail addresses are not looked at.
    pub by_id_only: bool,
    pub after: Option<UserId>,
}

/// The live state. "Stored" includes memberships whose deadline came and which nobody removed yet.
pub trait Memberships {
    /// Those of these pairs that are stored, by user and segment. A pair that is named twice counts once.
    /// In a writing unit they stay as they are until it ends.
    fn of_pairs(&mut self, pairs: &[(UserId, SegmentId)]) -> Result<Vec<Membership>, StoreError>;
    /// The stored memberships of these users, by user and slug; stay as `of_pairs` does.
    fn of_users(&mut self, users: &[UserId]) -> Result<Vec<Membership>, StoreError>;
    /// At most `limit` stored memberships of a segment, by user, after `after`; stay as `of_pairs` does.
    /// The last page is the empty one: a page may be short when a membership ends meanwhile.
    fn of_segment(
        &mut self,
        segment: SegmentId,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<Membership>, StoreError>;
    /// Which segments each of these users is in at `at`, by user and slug.
    fn active(&mut self, users: &[UserId], at: Instant) -> Result<Vec<(UserId, Slug)>, StoreError>;
    /// At most `limit` members of a segment who are live at `at`, by user, after `after`.
    fn members(
        &mut self,
        segment: SegmentId,
        at: Instant,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<Membership>, StoreError>;
    /// At most `limit` of a segment's live members whom the query finds among users, by user, after its cursor.
    fn found(&mut self, query: &MemberQuery, limit: usize) -> Result<Vec<Membership>, StoreError>;
    /// How many the query finds, wherever its cursor stands.
    fn count_found(&mut self, query: &MemberQuery) -> Result<u64, StoreError>;
    /// At most `limit` live memberships that have a deadline, the soonest first, then by user and segment, after the
    /// query's cursor.
    fn ending(&mut self, query: &EndingQuery, limit: usize) -> Result<Vec<Membership>, StoreError>;
    /// How many the query's filters leave, wherever its cursor stands.
    fn count_ending(&mut self, query: &EndingQuery) -> Result<u64, StoreError>;
    /// How many live memberships each source brought about, in one segment or in all; one that brought none may be absent.
    fn sources(&mut self, segment: Option<SegmentId>, at: Instant) -> Result<Vec<(Source, u64)>, StoreError>;
    /// Everybody who is stored in a segment, by id. When a membership began is told if that was after `recent`.
    fn each(&mut self, segment: SegmentId, recent: Instant, take: TakeMember) -> Result<(), StoreError>;
    /// How many of a segment's members are in each other segment at `at`; those with nobody in common may be absent.
    fn shared(&mut self, segment: SegmentId, at: Instant) -> Result<Vec<(SegmentId, u64)>, StoreError>;
    /// How many members two of these segments have in common at `at`, for each two of them that have any, the lower id first.
    fn shared_among(
        &mut self,
        segments: &[SegmentId],
        at: Instant,
    ) -> Result<Vec<(SegmentId, SegmentId, u64)>, StoreError>;
    /// How many members each of these segments has at `at`. One without members may be absent.
    fn counts(&mut self, segments: &[SegmentId], at: Instant) -> Result<Vec<(SegmentId, u64)>, StoreError>;
    /// How many memberships are live at `at`, and how many of them have a deadline.
    fn totals(&mut self, at: Instant) -> Result<MembershipTotals, StoreError>;
    /// Ends at most `limit` stored memberships whose deadline is not after `at`, the longest due first, each as
    /// [`Entry::expiry`] says, and tells how many; those that others are just ending are left out.
    fn expire(&mut self, at: Instant, limit: usize) -> Result<usize, StoreError>;
    /// As `expire`, all those of one segment; those that others are just ending are waited for.
    fn expire_in(&mut self, segment: SegmentId, at: Instant) -> Result<(), StoreError>;
    /// Ends every stored membership of a segment, and tells how many.
    fn end_all(&mut self, leaving: &Leaving) -> Result<usize, StoreError>;
    /// Memberships of a segment that have a deadline stay as they are until the unit ends, which is one that writes.
    fn hold_passing(&mut self, segment: SegmentId) -> Result<(), StoreError>;
    /// Appends the entries to history in this order, and carries each out on the live state.
    ///
    /// Of one user in one segment a call holds at most a remove, then an add, or else one extend. An add of a stored
    /// membership is [`StoreError::Duplicate`], a remove or extend of one that is not stored [`StoreError::Contended`].
    fn record(&mut self, entries: &[Entry]) -> Result<(), StoreError>;
}

/// Which members of a segment are told, as of an instant, and from where on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberQuery {
    pub segment: SegmentId,
    pub at: Instant,
    /// Only those whom this finds among the users there are now.
    pub users: UserQuery,
}

/// Which of the memberships that are live at an instant and have a deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndingQuery {
    pub at: Instant,
    /// Their deadline comes before this.
    pub before: Option<Instant>,
    pub segment: Option<SegmentId>,
    pub user: Option<UserId>,
    pub source: Option<Source>,
    /// Begin behind the membership with this deadline, user and segment.
    pub after: Option<(Instant, UserId, SegmentId)>,
}

impl EndingQuery {
    pub fn of_all(at: Instant) -> EndingQuery {
        EndingQuery { at, before: None, segment: None, user: None, source: None, after: None }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MembershipTotals {
    pub memberships: u64,
    pub with_deadline: u64,
}

/// Is told a user's id, and beginning and deadline in microseconds since 1970.
pub type TakeMember<'t> = &'t mut dyn FnMut(&str, Option<i64>, Option<i64>);

/// How all members leave a segment at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    pub segment: SegmentRef,
    /// Who begins later than this leaves when beginning.
    pub at: Instant,
    pub source: Source,
    pub actor: Actor,
    pub reason: Option<Reason>,
    pub job: Option<JobId>,
}

/// The log. Rows are never changed and never leave, but for its beginning when that is to be forgotten, and for the name of a
/// user who is.
pub trait History {
    /// At most `limit` rows, by instant and then by id, in the filter's direction, after its cursor.
    fn page(&mut self, filter: &HistoryFilter, limit: usize) -> Result<Vec<HistoryRow>, StoreError>;
    /// Page after page of at most `size` rows, the oldest first, `pages` at most: only what a file of history tells of each row, for those
    /// that are written out by the million. A page that is not full is the last. A break from `take` ends it.
    fn lines(
        &mut self,
        filter: &HistoryFilter,
        size: usize,
        pages: usize,
        take: &mut dyn FnMut(HistoryLines) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;
    fn count(&mut self, filter: &HistoryFilter) -> Result<u64, StoreError>;
    /// How many of the rows that the filter leaves are later than one of these ascending instants and not later than the
    /// next, by place of the next, source and operation. Places where there are none are absent.
    fn tally(&mut self, filter: &HistoryFilter, points: &[Instant]) -> Result<Vec<HistoryTally>, StoreError>;
    /// How many rows of each operation are later than `after` and not later than `to`.
    fn moves(&mut self, after: Instant, to: Instant) -> Result<Moves, StoreError>;
    /// The last row of each of these segments that has any, by instant and then by id, whatever the segment was called then.
    fn last_of(&mut self, segments: &[SegmentId]) -> Result<Vec<HistoryRow>, StoreError>;
    /// All rows of these users, by id; only those in `segment` when it is given.
    fn of_users(&mut self, users: &[UserId], segment: Option<SegmentId>) -> Result<Vec<HistoryRow>, StoreError>;
    /// All rows of these pairs, by id. A pair that is named twice counts once.
    fn of_pairs(&mut self, pairs: &[(UserId, SegmentId)]) -> Result<Vec<HistoryRow>, StoreError>;
    /// At most `limit` rows that a job wrote, by id, after the row with the id `after`.
    fn of_job(&mut self, job: JobId, after: i64, limit: usize) -> Result<Vec<HistoryRow>, StoreError>;
    /// How many rows a job wrote.
    fn count_of_job(&mut self, job: JobId) -> Result<u64, StoreError>;
    /// All entries in a segment up to `at` of at most `limit` users who have any, by user, after `after`, and then in the
    /// order they were written.
    fn told_up_to(
        &mut self,
        segment: SegmentId,
        at: Instant,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError>;
    /// At most `limit` of those who were live in a segment at `at`, by user, after `after`.
    fn members_at(
        &mut self,
        segment: SegmentId,
        at: Instant,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<Membership>, StoreError>;
    fn count_at(&mut self, segment: SegmentId, at: Instant) -> Result<u64, StoreError>;
    /// As [`Memberships::found`], of those who were live at the query's instant.
    fn found_at(&mut self, query: &MemberQuery, limit: usize) -> Result<Vec<Membership>, StoreError>;
    /// As [`Memberships::count_found`], of those who were live at the query's instant.
    fn count_found_at(&mut self, query: &MemberQuery) -> Result<u64, StoreError>;
    /// At most `limit` users, by id, after `after`, whose membership may differ between two instants: someone wrote of
    /// it after `from` and not after `to`, or a deadline of it fell then.
    fn touched(
        &mut self,
        segment: SegmentId,
        from: Instant,
        to: Instant,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<UserId>, StoreError>;
    /// At most `limit` users, by id, after `after`, of whom anything at all is stored.
    fn everyone(&mut self, after: Option<&UserId>, limit: usize) -> Result<Vec<UserId>, StoreError>;
    /// Puts another name in place of a user's, in every row, and takes the rows' reasons away. Tells how many rows that were.
    fn rename(&mut self, user: &UserId, name: &UserId) -> Result<u64, StoreError>;
    /// Where history begins, when its beginning was forgotten.
    fn begins_at(&mut self) -> Result<Option<Instant>, StoreError>;
    /// Notes that history begins at `at`, unless it begins later already.
    fn begin_at(&mut self, at: Instant) -> Result<(), StoreError>;
    /// At most `limit` users, by id, after `after`, of whom a row tells that is older than `before`.
    fn known_before(
        &mut self,
        before: Instant,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<UserId>, StoreError>;
    /// Forgets the rows that stand at these places: each row's instant and id.
    fn forget(&mut self, places: &[(Instant, i64)]) -> Result<(), StoreError>;
    /// Replaces the deadline of a row.
    fn rewrite(&mut self, row: &HistoryRow) -> Result<(), StoreError>;
    /// Where history is kept in parts by time, makes those that rows are to come into, and tells how many it made.
    fn make_parts(&mut self, now: Instant) -> Result<usize, StoreError>;
    /// Where history is kept in parts by time, forgets the oldest one if it is older than `before`, and tells how many rows
    /// went; nothing when there is no such part. Of each membership that was there by the end of the part, the last add
    /// stays, with the deadline that it had by then.
    fn forget_part(&mut self, before: Instant) -> Result<Option<u64>, StoreError>;
}

/// A row of history, as it is written out; the texts are as they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryLine<'a> {
    pub user: &'a str,
    pub slug: &'a str,
    pub operation: &'a str,
    pub at: Instant,
}

/// Lines of history, column by column, as a store puts them together: each a text with a blank between any two words. No
/// word has blanks itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryLines {
    pub count: usize,
    pub users: String,
    pub slugs: String,
    pub operations: String,
    /// Microseconds since 1970.
    pub instants: String,
    /// Where the last one stands.
    pub last: Option<(Instant, i64)>,
}

impl HistoryLines {
    pub fn iter(&self) -> impl Iterator<Item = Result<HistoryLine<'_>, StoreError>> {
        let [mut users, mut slugs, mut operations, mut instants] =
            [&self.users, &self.slugs, &self.operations, &self.instants].map(|column| column.split(' '));
        (0..self.count).map(move |_| {
            let (user, slug, operation) = (word(users.next())?, word(slugs.next())?, word(operations.next())?);
            Ok(HistoryLine { user, slug, operation, at: instant(instants.next())? })
        })
    }
}

fn word(word: Option<&str>) -> Result<&str, StoreError> {
    word.ok_or_else(|| corrupt_line("a column ends early"))
}

fn instant(word: Option<&str>) -> Result<Instant, StoreError> {
    let word = word.unwrap_or_default();
    let instant = word.parse().ok().and_then(Instant::from_timestamp_micros);
    instant.ok_or_else(|| corrupt_line(format!("`{word}` is not an instant")))
}

fn corrupt_line(detail: impl Into<String>) -> StoreError {
    StoreError::Corrupt { table: "history", detail: detail.into() }
}

/// How many rows of history there are of each operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moves {
    pub added: u64,
    pub removed: u64,
    pub extended: u64,
}

impl Moves {
    pub(crate) fn take(&mut self, tally: &HistoryTally) {
        let count = match tally.operation {
            Operation::Add => &mut self.added,
            Operation::Remove => &mut self.removed,
            Operation::Extend => &mut self.extended,
        };
        *count += tally.count;
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    pub user: Option<UserId>,
    pub segment: Option<HistorySegment>,
    pub period: Period,
    /// How pages go.
    pub direction: Direction,
    /// Begin behind the row with this instant and id.
    pub after: Option<(Instant, i64)>,
}

/// How many rows of one kind there are up to the instant at this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryTally {
    pub place: usize,
    pub source: Source,
    pub operation: Operation,
    pub count: u64,
}

/// Rows that were written under a slug, and those of the segment that has it now, whatever it was called then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistorySegment {
    pub slug: Slug,
    pub id: Option<SegmentId>,
}

/// Answers to requests that carried an idempotency key.
pub trait Answers {
    /// The answer under this key, and no other unit is told of its absence until this one ends.
    fn find(&mut self, key: &str) -> Result<Option<StoredAnswer>, StoreError>;
    /// Keeps an answer, in place of an older one under its key.
    fn keep(&mut self, answer: &StoredAnswer) -> Result<(), StoreError>;
    /// Forgets at most `limit` answers made before `before`, and tells how many.
    fn forget(&mut self, before: Instant, limit: usize) -> Result<usize, StoreError>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    pub key: String,
    /// Tells one request from another: a digest of method, address and body.
    pub fingerprint: String,
    /// Whatever the entrance needs to give the same answer again.
    pub answer: String,
    pub created_at: Instant,
}

/// Long acts, and how far they came.
pub trait Jobs {
    /// Keeps a new job and gives it its identity; the id in `job` does not count.
    fn insert(&mut self, job: &Job) -> Result<JobId, StoreError>;
    /// In a writing unit the job stays as it is until the unit ends.
    fn find(&mut self, id: JobId) -> Result<Option<Job>, StoreError>;
    /// Replaces what is kept of the job with this id.
    fn update(&mut self, job: &Job) -> Result<(), StoreError>;
    /// At most `limit`, the newest first, after the query's cursor.
    fn list(&mut self, query: &JobQuery, limit: usize) -> Result<Vec<Job>, StoreError>;
    /// How many the query's filters leave, wherever its cursor stands.
    fn count(&mut self, query: &JobQuery) -> Result<u64, StoreError>;
    /// The oldest job that is free at `at`. In a writing unit nobody else is given it until that ends; one that somebody
    /// else was given is left out.
    fn next_free(&mut self, at: Instant) -> Result<Option<Job>, StoreError>;
    /// At most `limit` jobs that ended before `before`, the first that ended first.
    fn ended_before(&mut self, kind: Option<JobKind>, before: Instant, limit: usize) -> Result<Vec<Job>, StoreError>;
    /// Forgets the jobs; history still names them.
    fn delete(&mut self, ids: &[JobId]) -> Result<(), StoreError>;
    /// Notes that a file comes into this folder since `at`, so that it is found again when its job is never made.
    fn begin_upload(&mut self, folder: &str, at: Instant) -> Result<(), StoreError>;
    /// Takes the note away, and tells whether it was there.
    fn end_upload(&mut self, folder: &str) -> Result<bool, StoreError>;
    /// At most `limit` of the folders into which a file comes since before `before`, by name.
    fn uploads_before(&mut self, before: Instant, limit: usize) -> Result<Vec<String>, StoreError>;
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobQuery {
    pub kind: Option<JobKind>,
    pub state: Option<JobState>,
    pub undoes: Option<JobId>,
    /// Only what this actor began, since then.
    pub owner: Option<(Actor, Instant)>,
    /// Only what ended later than this.
    pub ended_after: Option<Instant>,
    /// Begin behind this job.
    pub after: Option<JobId>,
}

/// What transactions told that they changed. They tell by themselves, whatever changes.
pub trait Changes {
    /// Which transactions the unit's state has.
    fn seen(&mut self) -> Result<Seen, StoreError>;
    /// What the unit's state has and `seen` has not, in the order of numbers.
    fn since(&mut self, seen: &Seen, take: &mut dyn FnMut(Told)) -> Result<(), StoreError>;
    /// Which transactions nothing is kept of any more, if any.
    fn forgotten(&mut self) -> Result<Option<Seen>, StoreError>;
    /// Notes that this had been seen at `at`.
    fn note(&mut self, at: Instant, seen: &Seen) -> Result<(), StoreError>;
    /// Whether something was noted at exactly this instant, and the note is kept.
    fn is_noted(&mut self, at: Instant) -> Result<bool, StoreError>;
    /// When that was last noted.
    fn noted_at(&mut self) -> Result<Option<Instant>, StoreError>;
    /// Forgets at most `limit` portions that had been seen by `before`, as the notes say, and tells how many.
    fn forget(&mut self, before: Instant, limit: usize) -> Result<usize, StoreError>;
}

/// What the service proves its own words with. Never told to anybody.
pub trait Secrets {
    fn find(&mut self, name: &str) -> Result<Option<String>, StoreError>;
    /// The secret of this name, which is `fresh` when there was none.
    /// In a writing unit nobody else changes it until that ends.
    fn find_or_keep(&mut self, name: &str, fresh: &str) -> Result<String, StoreError>;
    /// Puts another in place of the one there is.
    fn replace(&mut self, name: &str, value: &str) -> Result<(), StoreError>;
}

/// Those who sign in.
pub trait Accounts {
    /// Keeps a new account and gives it its identity; the id in `account` does not count.
    /// Fails with [`StoreError::Duplicate`] when the login is taken.
    fn insert(&mut self, account: &Account) -> Result<AccountId, StoreError>;
    fn find(&mut self, id: AccountId) -> Result<Option<Account>, StoreError>;
    fn find_login(&mut self, login: &Login) -> Result<Option<Account>, StoreError>;
    /// Replaces what is kept of the account with this id. Its login stays.
    fn update(&mut self, account: &Account) -> Result<(), StoreError>;
    /// Forgets the account and its identities.
    fn delete(&mut self, id: AccountId) -> Result<(), StoreError>;
    /// Notes that this is who the account is there. Fails with [`StoreError::Duplicate`] when it is another's, or its own.
    fn link(&mut self, identity: &Identity, account: AccountId, at: Instant) -> Result<(), StoreError>;
    /// Tells whether it was the account's.
    fn unlink(&mut self, identity: &Identity, account: AccountId) -> Result<bool, StoreError>;
    /// By provider and subject.
    fn identities(&mut self, account: AccountId) -> Result<Vec<Identity>, StoreError>;
    fn find_identity(&mut self, identity: &Identity) -> Result<Option<AccountId>, StoreError>;
    /// At most `limit`, by id, after the query's cursor.
    fn list(&mut self, query: &AccountQuery, limit: usize) -> Result<Vec<Account>, StoreError>;
    /// How many the query's filters leave, wherever its cursor stands.
    fn count(&mut self, query: &AccountQuery) -> Result<u64, StoreError>;
    /// How many administrators may sign in.
    fn active_administrators(&mut self) -> Result<u64, StoreError>;
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountQuery {
    /// A part of the login; letter case does not count.
    pub text: Option<String>,
    pub role: Option<Role>,
    /// Begin behind this account.
    pub after: Option<AccountId>,
}

/// Who signed in, and what they prove it with.
pub trait Sessions {
    /// Keeps a new session and gives it its identity; the id in `session` does not count.
    fn insert(&mut self, session: &Session) -> Result<SessionId, StoreError>;
    fn find(&mut self, id: SessionId) -> Result<Option<Session>, StoreError>;
    /// At most `limit` of an account's that are good at `at`, the newest first.
    fn of_account(&mut self, account: AccountId, at: Instant, limit: usize) -> Result<Vec<Session>, StoreError>;
    /// Moves the end of a session that did not end.
    fn prolong(&mut self, id: SessionId, expires_at: Instant) -> Result<(), StoreError>;
    /// Tells whether it ended by this.
    fn end(&mut self, id: SessionId, at: Instant) -> Result<bool, StoreError>;
    /// Ends all of an account's but one, and tells how many; links to sign in with it hold no longer.
    fn end_all(&mut self, account: AccountId, but: Option<SessionId>, at: Instant) -> Result<u64, StoreError>;
    /// Notes that whoever has this secret carries the session on.
    fn keep_secret(&mut self, hash: &SecretHash, session: SessionId) -> Result<(), StoreError>;
    fn find_secret(&mut self, hash: &SecretHash) -> Result<Option<KeptSecret>, StoreError>;
    /// Tells whether it was spent by this: of two at once only one is told so.
    fn spend(&mut self, hash: &SecretHash, at: Instant) -> Result<bool, StoreError>;
    /// Notes that whoever has this secret may sign in with the account, once.
    fn keep_link(&mut self, hash: &SecretHash, account: AccountId, expires_at: Instant) -> Result<(), StoreError>;
    /// Takes the note away, and tells what it said. Of two at once only one is told.
    fn take_link(&mut self, hash: &SecretHash) -> Result<Option<(AccountId, Instant)>, StoreError>;
    /// Notes that somebody went to a provider.
    fn keep_sign_in(&mut self, sign_in: &SignIn) -> Result<(), StoreError>;
    /// As [`Sessions::take_link`].
    fn take_sign_in(&mut self, state: &SecretHash) -> Result<Option<SignIn>, StoreError>;
    /// Forgets at most `limit` of each: sessions that were over before `before`, with their secrets; links and sign-ins that
    /// ended before `now`. Tells how many in all.
    fn forget(&mut self, before: Instant, now: Instant, limit: usize) -> Result<usize, StoreError>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptSecret {
    pub session: SessionId,
    pub spent_at: Option<Instant>,
}

/// Somebody went to a provider to prove who it is, and is to come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    pub state: SecretHash,
    pub provider: String,
    pub nonce: String,
    pub verifier: String,
    /// Who wants to be known by that identity from now on, and by which session that was said; nobody, when it is to sign in.
    pub link: Option<(AccountId, SessionId)>,
    pub expires_at: Instant,
}

pub trait Tokens {
    /// Keeps a new token and gives it its identity; the id in `token` does not count.
    /// Fails with [`StoreError::Duplicate`] when the name is taken, also by one that is good no more.
    fn insert(&mut self, token: &ApiToken) -> Result<TokenId, StoreError>;
    fn find(&mut self, id: TokenId) -> Result<Option<ApiToken>, StoreError>;
    fn find_hash(&mut self, hash: &SecretHash) -> Result<Option<ApiToken>, StoreError>;
    /// At most `limit`, by id, after `after`.
    fn list(&mut self, after: Option<TokenId>, limit: usize) -> Result<Vec<ApiToken>, StoreError>;
    fn count(&mut self) -> Result<u64, StoreError>;
    /// Tells whether it was revoked by this.
    fn revoke(&mut self, id: TokenId, at: Instant) -> Result<bool, StoreError>;
    /// Notes that it was used.
    fn note_use(&mut self, id: TokenId, at: Instant) -> Result<(), StoreError>;
}

/// Those who vouch for who somebody is: Yandex ID, and any provider of OpenID Connect.
pub trait Providers: Send + Sync {
    /// Each one's name in addresses, and what people call it.
    fn list(&self) -> Vec<(String, String)>;
    /// Where a browser is to go, to come back to the redirect address with a code.
    fn address(&self, provider: &str, journey: &Journey) -> Result<String, ProviderError>;
    /// Who it is that came back with this code.
    fn redeem(&self, provider: &str, code: &str, journey: &Journey, now: Instant) -> Result<Proven, ProviderError>;
}

/// What is sent along to a provider, and has to come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    pub redirect_uri: String,
    pub state: String,
    pub nonce: String,
    /// Of PKCE (RFC 7636).
    pub verifier: String,
}

/// What a provider says of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    pub subject: String,
    /// Only when the provider made sure that it is theirs.
    pub email: Option<String>,
}

#[derive(Debug, Error)]
pub enum ProviderError {
    #[error("there is no provider `{0}`")]
    Unknown(String),
    /// It did not vouch, or what it said does not hold.
    #[error("{0}")]
    Refused(String),
    #[error("the provider cannot be reached: {0}")]
    Unavailable(String),
}

/// Nobody vouches for anybody.
pub struct NoProviders;

impl Providers for NoProviders {
    fn list(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    fn address(&self, provider: &str, _: &Journey) -> Result<String, ProviderError> {
        Err(ProviderError::Unknown(provider.to_owned()))
    }

    fn redeem(&self, provider: &str, _: &str, _: &Journey, _: Instant) -> Result<Proven, ProviderError> {
        Err(ProviderError::Unknown(provider.to_owned()))
    }
}

/// The audit log. Its rows are never changed and never leave.
pub trait Audit {
    /// The row that came last. In a writing unit nobody else appends one until the unit ends: this is the last thing that a
    /// unit waits for.
    fn last(&mut self) -> Result<Option<(i64, ChainHash)>, StoreError>;
    /// Fails with [`StoreError::Duplicate`] when there is a row with this id.
    fn append(&mut self, row: &AuditRow) -> Result<(), StoreError>;
    /// At most `limit`, by id in the query's direction, after its cursor.
    fn list(&mut self, query: &AuditQuery, limit: usize) -> Result<Vec<AuditRow>, StoreError>;
    /// How many the query's filters leave, wherever its cursor stands.
    fn count(&mut self, query: &AuditQuery) -> Result<u64, StoreError>;
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    pub actor: Option<Actor>,
    pub action: Option<Action>,
    pub subject: Option<String>,
    pub period: Period,
    pub direction: Direction,
    /// Begin behind the row with this id.
    pub after: Option<i64>,
}

/// Where the inputs of imports, the rows that were refused, and reports are kept: bytes under keys such as
/// `jobs/17/input`. What is written on one node can be read on every other.
pub trait Files: Send + Sync {
    /// Begins a file. Nobody sees it before it is finished; then it stands in place of an older one.
    fn create(&self, key: &str) -> io::Result<Box<dyn NewFile>>;
    /// The bytes of a file; nothing when there is none.
    fn open(&self, key: &str) -> io::Result<Option<Box<dyn StoredFile>>>;
    /// Forgets all files whose keys begin with `prefix`. That there are none is no failure.
    fn delete(&self, prefix: &str) -> io::Result<()>;
    /// Room to work in on this machine, gone when it is dropped.
    fn scratch(&self) -> io::Result<std::fs::File>;
}

/// A file that is being written. Dropped before it is finished, it never was.
pub trait NewFile: io::Write + Send {
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// A file that is read, from any place in it.
pub trait StoredFile: io::Read + io::Seek + Send {}

impl<T: io::Read + io::Seek + Send> StoredFile for T {}

/// The service's own clock. It never goes back, and counts whole microseconds.
pub trait Clock: Send + Sync {
    fn now(&self) -> Instant;
}

/// Where chance comes from.
pub trait Chance: Send + Sync {
    fn draw(&self) -> u64;

    /// So many draws as hexadecimal digits, 16 of each.
    fn digits(&self, draws: usize) -> String {
        (0..draws).map(|_| format!("{:016x}", self.draw())).collect()
    }
}

#[derive(Debug, Error)]
pub enum StoreError {
    /// An earlier operation of this unit failed and was overlooked, so nothing was committed.
    #[error("an overlooked failure undid the transaction")]
    Aborted,
    /// The row would break a uniqueness rule.
    #[error("already stored")]
    Duplicate,
    /// Others were at the same rows; the same call may well succeed now.
    #[error("others were changing the same at once: {0}")]
    Contended(String),
    /// Every connection is taken, and none came free in time.
    #[error("the store is busy: {0}")]
    Busy(String),
    /// The store could not be reached, or gave up.
    #[error("the store is unavailable: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store holds something the domain calls impossible.
    #[error("corrupt row in {table}: {detail}")]
    Corrupt { table: &'static str, detail: String },
}

/// Who is in what, in memory. It answers as the store would have at some moment since it was asked, with everything that this
/// process committed before; or not at all, where only the store is sure.
pub trait Index: Send + Sync {
    /// Tells the segments that each of these users is in at `at`, sorted, in the order of the users, and returns which
    /// transactions it had. What was told does not count when it then turns out that only the store is sure.
    fn active(&self, users: &[UserId], at: Instant, take: &mut dyn FnMut(&UserId, &[&Slug])) -> Option<Seen>;
    /// Of a segment that was not heard of only the store is sure, here and below.
    fn is_member(&self, user: &UserId, slug: &Slug, at: Instant) -> Option<Remembered<bool>>;
    /// The users of whom the expression holds at `at`.
    fn set(&self, expression: &Expression, at: Instant) -> Option<Remembered<Box<dyn UserSet>>>;
    fn overlap(&self, slugs: &[Slug], at: Instant) -> Option<Remembered<Overlap>>;
    /// How a segment's members share the other segments.
    fn shared(&self, slug: &Slug, at: Instant) -> Option<Remembered<SharedMembers>>;
    /// How the largest segments that have members, at most `segments_max` of them, share these with each other.
    fn shared_pairs(&self, at: Instant, segments_max: usize) -> Option<Remembered<SharedPairs>>;
    /// How many users and live memberships there are, and how many of these end before each of the horizons.
    fn totals(&self, at: Instant, horizons: &[Instant]) -> Option<Remembered<Totals>>;
    /// Which transactions it knows to be committed: those that its answers have, and all of this process.
    fn seen(&self) -> Option<Seen>;
    /// Whether an answer that it gave now would miss something of this.
    fn lacks(&self, wanted: &Seen) -> bool;
    /// Whether it answers, or knows that it never will: while it loads it does neither.
    fn is_loaded(&self) -> bool;
}

/// How many there are of all, at an instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    pub users: u64,
    pub memberships: MembershipTotals,
    /// How many memberships end before each horizon, in their order.
    pub ending: Vec<u64>,
}

/// What an index found, and which transactions it had.
pub struct Remembered<T> {
    pub found: T,
    pub seen: Seen,
}

/// A set of users, as it was when it was asked for.
pub trait UserSet: Send {
    fn count(&self) -> u64;
    /// At most `limit`, by id, after `after`.
    fn page(&self, after: Option<&UserId>, limit: usize) -> Vec<UserId>;
}

/// No index at all: the store answers everything.
pub struct NoIndex;

impl Index for NoIndex {
    fn active(&self, _: &[UserId], _: Instant, _: &mut dyn FnMut(&UserId, &[&Slug])) -> Option<Seen> {
        None
    }

    fn is_member(&self, _: &UserId, _: &Slug, _: Instant) -> Option<Remembered<bool>> {
        None
    }

    fn set(&self, _: &Expression, _: Instant) -> Option<Remembered<Box<dyn UserSet>>> {
        None
    }

    fn overlap(&self, _: &[Slug], _: Instant) -> Option<Remembered<Overlap>> {
        None
    }

    fn shared(&self, _: &Slug, _: Instant) -> Option<Remembered<SharedMembers>> {
        None
    }

    fn shared_pairs(&self, _: Instant, _: usize) -> Option<Remembered<SharedPairs>> {
        None
    }

    fn totals(&self, _: Instant, _: &[Instant]) -> Option<Remembered<Totals>> {
        None
    }

    fn seen(&self) -> Option<Seen> {
        None
    }

    fn lacks(&self, _: &Seen) -> bool {
        false
    }

    fn is_loaded(&self) -> bool {
        true
    }
}
