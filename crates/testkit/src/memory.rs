//! The verified fake: every port in memory, by the plainest means.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, ThreadId},
};

use domain::{
    Account, AccountId, ApiToken, AuditRow, ChainHash, Entry, HistoryRow, Identity, Instant, Job, JobId, JobKind, Kind,
    Login, Membership, Operation, Period, SecretHash, Segment, SegmentId, Session, SessionId, Slug, Source, TokenId,
    User, UserId, history::replay,
};
use usecases::{
    changes::{Change, Commit, PORTION, Seen, Told},
    ports::{
        Access, AccountQuery, Accounts, Answers, Audit, AuditQuery, Bearer, Changes, Direction, EndingQuery, History,
        HistoryFilter, HistoryLines, HistoryTally, JobQuery, Jobs, KeptSecret, Leaving, Locks, MemberQuery,
        MembershipTotals, Memberships, Moves, Secrets, SegmentOrder, SegmentQuery, Segments, Sessions, SignIn, Store,
        StoreError, StoredAnswer, TakeMember, Tokens, Unit, UserQuery, Users, Verdict,
    },
};

/// A store that lives in a mutex: a unit works on a copy, and a commit puts the copy in place.
///
/// Writing units come one after the other, so that all locks are had by whoever runs; reading units never wait. One inside
/// another would wait for itself, and hears that the store is busy.
#[derive(Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
    writing: Mutex<()>,
    writer: Mutex<Option<ThreadId>>,
}

impl MemoryStore {
    /// Another store with the same in it.
    pub fn copy(&self) -> MemoryStore {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner).clone();
        MemoryStore { tables: Mutex::new(tables), ..MemoryStore::default() }
    }
}

/// Notes who writes, for as long as it lives.
struct Writing<'a>(&'a Mutex<Option<ThreadId>>);

impl Writing<'_> {
    fn is_by_this_thread(writer: &Mutex<Option<ThreadId>>) -> bool {
        *writer.lock().unwrap_or_else(PoisonError::into_inner) == Some(thread::current().id())
    }

    fn begin(writer: &Mutex<Option<ThreadId>>) -> Writing<'_> {
        *writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current().id());
        Writing(writer)
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Each table is copied when it is first written to, and shared until then.
#[derive(Default, Clone)]
struct Tables {
    segments: Arc<BTreeMap<SegmentId, Segment>>,
    bearers: Arc<BTreeMap<Slug, Vec<Bearer>>>,
    segments_made: i64,
    users: Arc<BTreeMap<UserId, User>>,
    memberships: Arc<BTreeMap<(UserId, SegmentId), Membership>>,
    history: Arc<Vec<HistoryRow>>,
    answers: Arc<BTreeMap<String, StoredAnswer>>,
    uploads: Arc<BTreeMap<String, Instant>>,
    jobs: Arc<BTreeMap<JobId, Job>>,
    jobs_made: i64,
    secrets: Arc<BTreeMap<String, String>>,
    accounts: Arc<BTreeMap<AccountId, Account>>,
    accounts_made: i64,
    identities: Arc<BTreeMap<Identity, AccountId>>,
    sessions: Arc<BTreeMap<SessionId, Session>>,
    sessions_made: i64,
    session_secrets: Arc<BTreeMap<SecretHash, KeptSecret>>,
    sign_in_links: Arc<BTreeMap<SecretHash, (AccountId, Instant)>>,
    sign_ins: Arc<BTreeMap<SecretHash, SignIn>>,
    tokens: Arc<BTreeMap<TokenId, ApiToken>>,
    tokens_made: i64,
    audit: Arc<BTreeMap<i64, AuditRow>>,
    history_made: i64,
    begins_at: Option<Instant>,
    changes: Arc<Vec<Told>>,
    changes_made: i64,
    notes: Arc<Vec<Note>>,
}

/// What had been seen at an instant, and whether that is forgotten.
#[derive(Clone)]
struct Note {
    at: Instant,
    seen: Seen,
    is_forgotten: bool,
}

struct MemoryUnit {
    tables: Tables,
    failed: bool,
    changed: Vec<Change>,
}

impl Store for MemoryStore {
    fn run(
        &self,
        access: Access,
        work: &mut dyn FnMut(&mut dyn Unit) -> Verdict,
    ) -> Result<Option<Commit>, StoreError> {
        if access == Access::Write && Writing::is_by_this_thread(&self.writer) {
            return Err(StoreError::Busy("this thread is writing already".to_owned()));
        }
        // A panic inside the work poisons a mutex, and harms nothing: the work had only a copy.
        let _turn = match access {
            Access::Write => {
                let turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
                Some((Writing::begin(&self.writer), turn))
            }
            Access::Read => None,
        };
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut unit = MemoryUnit { tables, failed: false, changed: Vec::new() };
        match (work(&mut unit), access) {
            (Verdict::Commit, Access::Write) if unit.failed => Err(StoreError::Aborted),
            (Verdict::Commit, Access::Write) => {
                let commit = unit.tell_all();
                *self.tables.lock().unwrap_or_else(PoisonError::into_inner) = unit.tables;
                Ok(commit)
            }
            _ => Ok(None),
        }
    }

    fn writers(&self) -> usize {
        1
    }

    fn ready(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Unit for MemoryUnit {
    fn lock(&mut self, _locks: &Locks) -> Result<(), StoreError> {
        Ok(())
    }

    fn segments(&mut self) -> &mut dyn Segments {
        self
    }

    fn users(&mut self) -> &mut dyn Users {
        self
    }

    fn memberships(&mut self) -> &mut dyn Memberships {
        self
    }

    fn history(&mut self) -> &mut dyn History {
        self
    }

    fn answers(&mut self) -> &mut dyn Answers {
        self
    }

    fn jobs(&mut self) -> &mut dyn Jobs {
        self
    }

    fn secrets(&mut self) -> &mut dyn Secrets {
        self
    }

    fn accounts(&mut self) -> &mut dyn Accounts {
        self
    }

    fn sessions(&mut self) -> &mut dyn Sessions {
        self
    }

    fn tokens(&mut self) -> &mut dyn Tokens {
        self
    }

    fn audit(&mut self) -> &mut dyn Audit {
        self
    }

    fn changes(&mut self) -> &mut dyn Changes {
        self
    }
}

impl MemoryUnit {
    fn tell_all(&mut self) -> Option<Commit> {
        let changed = std::mem::take(&mut self.changed);
        let transaction = (self.tables.changes_made + 1).cast_unsigned();
        let mut portions = Vec::new();
        for changes in changed.chunks(PORTION) {
            self.tables.changes_made += 1;
            portions.push(Told { number: self.tables.changes_made, transaction, changes: changes.to_vec() });
        }
        Arc::make_mut(&mut self.tables.changes).extend(portions.iter().cloned());
        match &portions[..] {
            [] => None,
            [told] => Some(Commit { transaction, told: Some(told.clone()) }),
            _ => Some(Commit { transaction, told: None }),
        }
    }

    fn fail<T>(&mut self, error: StoreError) -> Result<T, StoreError> {
        self.failed = true;
        Err(error)
    }

    fn segment_named(&self, slug: &Slug) -> Option<&Segment> {
        self.tables.segments.values().find(|segment| segment.slug == *slug)
    }

    fn begin_bearing(&mut self, segment: SegmentId, slug: &Slug, at: Instant) {
        self.changed.push(Change::Named { segment, slug: slug.clone() });
        let period = Period { from: Some(at), to: None };
        Arc::make_mut(&mut self.tables.bearers).entry(slug.clone()).or_default().push(Bearer {
            segment,
            slug: slug.clone(),
            period,
        });
    }

    fn end_bearing(&mut self, slug: &Slug, at: Instant) {
        let bearers = Arc::make_mut(&mut self.tables.bearers).get_mut(slug);
        if let Some(last) = bearers.and_then(|bearers| bearers.last_mut()) {
            last.period.to = Some(at);
        }
    }

    /// A membership under the name that its segment has now, or had last.
    fn named(&self, membership: &Membership) -> Membership {
        let mut named = membership.clone();
        if let Some(segment) = self.tables.segments.get(&membership.segment.id) {
            named.segment = segment.reference();
        }
        named
    }

    fn stored(&self, keep: impl Fn(&Membership) -> bool) -> Vec<Membership> {
        self.tables.memberships.values().filter(|found| keep(found)).map(|found| self.named(found)).collect()
    }

    /// Each user's entries in a segment, in the order they were written.
    fn entries_in(&self, segment: SegmentId) -> BTreeMap<&UserId, Vec<&Entry>> {
        let mut by_user: BTreeMap<&UserId, Vec<&Entry>> = BTreeMap::new();
        for row in self.tables.history.iter().filter(|row| row.entry.segment.id == segment) {
            by_user.entry(&row.entry.user).or_default().push(&row.entry);
        }
        by_user
    }

    fn left_by(&self, filter: &HistoryFilter) -> impl Iterator<Item = &HistoryRow> {
        self.tables.history.iter().filter(|row| {
            let HistoryFilter { user, segment, period, direction: _, after: _ } = filter;
            let written_of = &row.entry.segment;
            user.as_ref().is_none_or(|user| *user == row.entry.user)
                && segment
                    .as_ref()
                    .is_none_or(|wanted| wanted.slug == written_of.slug || wanted.id == Some(written_of.id))
                && period.contains(row.entry.at)
        })
    }
}

/// What a segment is sorted by, and a cursor stands at.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum SortValue {
    Text(String),
    Micros(i64),
}

fn sort_value(by: SegmentOrder, value: String) -> SortValue {
    match by {
        SegmentOrder::Slug | SegmentOrder::Name => SortValue::Text(value),
        SegmentOrder::CreatedAt | SegmentOrder::UpdatedAt => SortValue::Micros(value.parse().unwrap()),
    }
}

fn holds(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

fn suits_segment(segment: &Segment, query: &SegmentQuery) -> bool {
    let text = query.text.as_ref();
    text.is_none_or(|part| holds(segment.slug.as_str(), part) || holds(segment.name.as_str(), part))
        && query.kind.is_none_or(|kind| kind == segment.kind)
}

fn suits_user(user: &User, query: &UserQuery) -> bool {
    let Some(text) = &query.text else { return true };
    let named = [&user.name, &user.email].into_iter().flatten().any(|own| holds(own, text));
    (named && !query.by_id_only) || user.id.as_str().starts_with(text)
}

fn is_behind<T: Ord>(cursor: Option<&T>, value: &T) -> bool {
    cursor.is_none_or(|cursor| value > cursor)
}

impl MemoryUnit {
    fn has_news(&self, segment: &Segment, since: Instant) -> bool {
        let written_since = |row: &HistoryRow| {
            let job = row.entry.job.and_then(|id| self.tables.jobs.get(&id));
            row.entry.at >= since || job.is_some_and(|job| job.created_at >= since)
        };
        let mut rows = self.tables.history.iter().filter(|row| row.entry.segment.id == segment.id);
        segment.updated_at >= since || rows.any(written_since)
    }
}

impl Segments for MemoryUnit {
    fn stale(&mut self, before: Instant, after: Option<&Slug>, limit: usize) -> Result<Vec<Segment>, StoreError> {
        let segments = self.tables.segments.values();
        let stale = segments.filter(|segment| is_behind(after, &segment.slug) && !self.has_news(segment, before));
        let mut stale: Vec<Segment> = stale.cloned().collect();
        stale.sort_by(|a, b| a.slug.cmp(&b.slug));
        stale.truncate(limit);
        Ok(stale)
    }

    fn is_stale(&mut self, slug: &Slug, before: Instant) -> Result<bool, StoreError> {
        Ok(self.segment_named(slug).is_some_and(|segment| !self.has_news(segment, before)))
    }

    fn insert(&mut self, segment: &Segment) -> Result<SegmentId, StoreError> {
        if self.segment_named(&segment.slug).is_some() {
            return self.fail(StoreError::Duplicate);
        }
        self.tables.segments_made += 1;
        let id = SegmentId(self.tables.segments_made);
        Arc::make_mut(&mut self.tables.segments).insert(id, Segment { id, ..segment.clone() });
        self.begin_bearing(id, &segment.slug, segment.created_at);
        Ok(id)
    }

    fn find(&mut self, slug: &Slug) -> Result<Option<Segment>, StoreError> {
        Ok(self.segment_named(slug).cloned())
    }

    fn find_all(&mut self, slugs: &[Slug]) -> Result<Vec<Segment>, StoreError> {
        let slugs = BTreeSet::from_iter(slugs);
        let mut found: Vec<Segment> =
            self.tables.segments.values().filter(|segment| slugs.contains(&segment.slug)).cloned().collect();
        found.sort_by(|a, b| a.slug.cmp(&b.slug));
        Ok(found)
    }

    fn update(&mut self, segment: &Segment) -> Result<(), StoreError> {
        let Some(before) = self.tables.segments.get(&segment.id).cloned() else { return Ok(()) };
        if before.slug != segment.slug {
            if self.segment_named(&segment.slug).is_some() {
                return self.fail(StoreError::Duplicate);
            }
            self.end_bearing(&before.slug, segment.updated_at);
            self.begin_bearing(segment.id, &segment.slug, segment.updated_at);
        }
        Arc::make_mut(&mut self.tables.segments).insert(segment.id, segment.clone());
        Ok(())
    }

    fn delete(&mut self, id: SegmentId, at: Instant) -> Result<(), StoreError> {
        if let Some(segment) = Arc::make_mut(&mut self.tables.segments).remove(&id) {
            self.end_bearing(&segment.slug, at);
        }
        self.changed.push(Change::Deleted { segment: id });
        Ok(())
    }

    fn list(&mut self, query: &SegmentQuery, limit: usize) -> Result<Vec<Segment>, StoreError> {
        let key = |segment: &Segment| (sort_value(query.sort.by, query.sort.by.value(segment)), segment.slug.clone());
        let cursor = query.after.clone().map(|(value, slug)| (sort_value(query.sort.by, value), slug));
        let is_behind = |segment: &Segment| match (&cursor, query.sort.direction) {
            (None, _) => true,
            (Some(cursor), Direction::Ascending) => key(segment) > *cursor,
            (Some(cursor), Direction::Descending) => key(segment) < *cursor,
        };
        let suiting = self.tables.segments.values().filter(|segment| suits_segment(segment, query));
        let mut listed: Vec<Segment> = suiting.filter(|segment| is_behind(segment)).cloned().collect();
        listed.sort_by_key(key);
        if query.sort.direction == Direction::Descending {
            listed.reverse();
        }
        listed.truncate(limit);
        Ok(listed)
    }

    fn count(&mut self, query: &SegmentQuery) -> Result<u64, StoreError> {
        Ok(self.tables.segments.values().filter(|segment| suits_segment(segment, query)).count() as u64)
    }

    fn count_changed(&mut self, after: Instant) -> Result<u64, StoreError> {
        Ok(self.tables.segments.values().filter(|segment| segment.updated_at > after).count() as u64)
    }

    fn distributed(&mut self) -> Result<Vec<Segment>, StoreError> {
        Ok(self.tables.segments.values().filter(|segment| segment.kind == Kind::Percent).cloned().collect())
    }

    fn bearers(&mut self, slug: &Slug) -> Result<Vec<Bearer>, StoreError> {
        Ok(self.tables.bearers.get(slug).cloned().unwrap_or_default())
    }

    fn names(&mut self, segments: &[SegmentId]) -> Result<Vec<Bearer>, StoreError> {
        let all = self.tables.bearers.values().flatten();
        let mut names: Vec<Bearer> = all.filter(|bearer| segments.contains(&bearer.segment)).cloned().collect();
        names.sort_by_key(|bearer| (bearer.segment, bearer.period.from));
        Ok(names)
    }
}

impl Users for MemoryUnit {
    fn insert_missing(&mut self, users: &[User]) -> Result<Vec<UserId>, StoreError> {
        let mut born = Vec::new();
        for user in users {
            if !self.tables.users.contains_key(&user.id) {
                Arc::make_mut(&mut self.tables.users).insert(user.id.clone(), user.clone());
                self.changed.push(Change::Born { user: user.id.clone() });
                born.push(user.id.clone());
            }
        }
        Ok(born)
    }

    fn find(&mut self, id: &UserId) -> Result<Option<User>, StoreError> {
        Ok(self.tables.users.get(id).cloned())
    }

    fn find_all(&mut self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        Ok(BTreeSet::from_iter(ids).into_iter().filter_map(|id| self.tables.users.get(id)).cloned().collect())
    }

    fn hold(&mut self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        Users::find_all(self, ids)
    }

    fn update(&mut self, user: &User) -> Result<(), StoreError> {
        if let Some(stored) = Arc::make_mut(&mut self.tables.users).get_mut(&user.id) {
            *stored = user.clone();
        }
        Ok(())
    }

    fn delete(&mut self, id: &UserId) -> Result<(), StoreError> {
        Arc::make_mut(&mut self.tables.users).remove(id);
        self.changed.push(Change::Died { user: id.clone() });
        Ok(())
    }

    fn list(&mut self, query: &UserQuery, limit: usize) -> Result<Vec<User>, StoreError> {
        let behind = self.tables.users.values().filter(|user| is_behind(query.after.as_ref(), &user.id));
        Ok(behind.filter(|user| suits_user(user, query)).take(limit).cloned().collect())
    }

    fn count(&mut self, query: &UserQuery) -> Result<u64, StoreError> {
        Ok(self.tables.users.values().filter(|user| suits_user(user, query)).count() as u64)
    }

    fn ids(&mut self, after: Option<&UserId>, limit: usize) -> Result<Vec<UserId>, StoreError> {
        Ok(self.tables.users.keys().filter(|id| is_behind(after, id)).take(limit).cloned().collect())
    }
}

impl Memberships for MemoryUnit {
    fn of_pairs(&mut self, pairs: &[(UserId, SegmentId)]) -> Result<Vec<Membership>, StoreError> {
        let pairs = BTreeSet::from_iter(pairs);
        Ok(self.stored(|found| pairs.contains(&(found.user.clone(), found.segment.id))))
    }

    fn of_users(&mut self, users: &[UserId]) -> Result<Vec<Membership>, StoreError> {
        let users = BTreeSet::from_iter(users);
        let mut found = self.stored(|found| users.contains(&found.user));
        found.sort_by(|a, b| (&a.user, &a.segment.slug).cmp(&(&b.user, &b.segment.slug)));
        Ok(found)
    }

    fn of_segment(
        &mut self,
        segment: SegmentId,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<Membership>, StoreError> {
        let mut found = self.stored(|found| found.segment.id == segment && is_behind(after, &found.user));
        found.truncate(limit);
        Ok(found)
    }

    fn active(&mut self, users: &[UserId], at: Instant) -> Result<Vec<(UserId, Slug)>, StoreError> {
        let live = Memberships::of_users(self, users)?.into_iter().filter(|found| found.is_live_at(at));
        Ok(live.map(|found| (found.user, found.segment.slug)).collect())
    }

    fn members(
        &mut self,
        segment: SegmentId,
        at: Instant,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<Membership>, StoreError> {
        let is_wanted = |found: &Membership| found.segment.id == segment && is_behind(after, &found.user);
        let mut found = self.stored(|found| is_wanted(found) && found.is_live_at(at));
        found.truncate(limit);
        Ok(found)
    }

    fn found(&mut self, query: &MemberQuery, limit: usize) -> Result<Vec<Membership>, StoreError> {
        let MemberQuery { segment, at, users } = query;
        let members = self.members(*segment, *at, users.after.as_ref(), usize::MAX)?;
        Ok(members.into_iter().filter(|member| self.finds(users, &member.user)).take(limit).collect())
    }

    fn count_found(&mut self, query: &MemberQuery) -> Result<u64, StoreError> {
        Ok(self.found(&without_cursor(query), usize::MAX)?.len() as u64)
    }

    fn ending(&mut self, query: &EndingQuery, limit: usize) -> Result<Vec<Membership>, StoreError> {
        let position = |found: &Membership| (found.expires_at, found.user.clone(), found.segment.id);
        let after = query.after.clone().map(|(at, user, segment)| (Some(at), user, segment));
        let mut found = self.stored(|found| suits_ending(found, query));
        found.retain(|found| is_behind(after.as_ref(), &position(found)));
        found.sort_by_key(position);
        found.truncate(limit);
        Ok(found)
    }

    fn count_ending(&mut self, query: &EndingQuery) -> Result<u64, StoreError> {
        Ok(self.tables.memberships.values().filter(|found| suits_ending(found, query)).count() as u64)
    }

    fn sources(&mut self, segment: Option<SegmentId>, at: Instant) -> Result<Vec<(Source, u64)>, StoreError> {
        let is_wanted =
            |found: &&Membership| found.is_live_at(at) && segment.is_none_or(|segment| segment == found.segment.id);
        let live: Vec<Source> = self.tables.memberships.values().filter(is_wanted).map(|found| found.source).collect();
        let count = |source: Source| live.iter().filter(|one| **one == source).count() as u64;
        Ok(Source::ALL.into_iter().map(|source| (source, count(source))).filter(|(_, count)| *count > 0).collect())
    }

    fn totals(&mut self, at: Instant) -> Result<MembershipTotals, StoreError> {
        let live = || self.tables.memberships.values().filter(|found| found.is_live_at(at));
        let with_deadline = live().filter(|found| found.expires_at.is_some()).count() as u64;
        Ok(MembershipTotals { memberships: live().count() as u64, with_deadline })
    }

    fn each(&mut self, segment: SegmentId, recent: Instant, take: TakeMember) -> Result<(), StoreError> {
        for member in self.tables.memberships.values().filter(|found| found.segment.id == segment) {
            let since = Some(member.since).filter(|since| *since > recent);
            let [since, until] = [since, member.expires_at].map(|at| at.map(|at| at.timestamp_micros()));
            take(member.user.as_str(), since, until);
        }
        Ok(())
    }

    fn shared(&mut self, segment: SegmentId, at: Instant) -> Result<Vec<(SegmentId, u64)>, StoreError> {
        let live = || self.tables.memberships.values().filter(|found| found.is_live_at(at));
        let users: BTreeSet<&UserId> =
            live().filter(|found| found.segment.id == segment).map(|found| &found.user).collect();
        let mut shared: BTreeMap<SegmentId, u64> = BTreeMap::new();
        for found in live().filter(|found| found.segment.id != segment && users.contains(&found.user)) {
            *shared.entry(found.segment.id).or_default() += 1;
        }
        Ok(shared.into_iter().collect())
    }

    fn shared_among(
        &mut self,
        segments: &[SegmentId],
        at: Instant,
    ) -> Result<Vec<(SegmentId, SegmentId, u64)>, StoreError> {
        let mut shared = Vec::new();
        for first in segments.iter().collect::<BTreeSet<_>>() {
            let others = Memberships::shared(self, *first, at)?.into_iter();
            let later = others.filter(|(second, _)| second > first && segments.contains(second));
            shared.extend(later.map(|(second, count)| (*first, second, count)));
        }
        Ok(shared)
    }

    fn counts(&mut self, segments: &[SegmentId], at: Instant) -> Result<Vec<(SegmentId, u64)>, StoreError> {
        let segments = BTreeSet::from_iter(segments);
        let mut counts: BTreeMap<SegmentId, u64> = BTreeMap::new();
        for found in self.tables.memberships.values() {
            if segments.contains(&found.segment.id) && found.is_live_at(at) {
                *counts.entry(found.segment.id).or_default() += 1;
            }
        }
        Ok(counts.into_iter().collect())
    }

    fn expire(&mut self, at: Instant, limit: usize) -> Result<usize, StoreError> {
        self.end_due(limit, |found| found.is_due_at(at))
    }

    fn expire_in(&mut self, segment: SegmentId, at: Instant) -> Result<(), StoreError> {
        self.end_due(usize::MAX, |found| found.segment.id == segment && found.is_due_at(at)).map(drop)
    }

    fn end_all(&mut self, leaving: &Leaving) -> Result<usize, StoreError> {
        let entry = |member: &Membership| Entry {
            user: member.user.clone(),
            segment: leaving.segment.clone(),
            operation: Operation::Remove,
            at: leaving.at.max(member.since),
            since: None,
            expires_at: None,
            source: leaving.source,
            actor: leaving.actor.clone(),
            reason: leaving.reason.clone(),
            job: leaving.job,
        };
        let members = self.stored(|found| found.segment.id == leaving.segment.id);
        let told = self.changed.len();
        self.record(&members.iter().map(entry).collect::<Vec<_>>())?;
        self.changed.truncate(told);
        self.changed.push(Change::Emptied { segment: leaving.segment.id });
        Ok(members.len())
    }

    /// Nobody else writes while a unit does.
    fn hold_passing(&mut self, _: SegmentId) -> Result<(), StoreError> {
        Ok(())
    }

    fn record(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        require_allowed_together(entries);
        for entry in entries {
            let key = (entry.user.clone(), entry.segment.id);
            let memberships = Arc::make_mut(&mut self.tables.memberships);
            let before = memberships.remove(&key);
            match (entry.operation, before.is_some()) {
                (Operation::Add, true) => return self.fail(StoreError::Duplicate),
                (Operation::Remove | Operation::Extend, false) => {
                    let what = format!("user `{}` is not stored in `{}`", entry.user, entry.segment.slug);
                    return self.fail(StoreError::Contended(what));
                }
                (Operation::Add, false) | (Operation::Remove | Operation::Extend, true) => {}
            }
            if let Some(after) = entry.apply(before) {
                memberships.insert(key, after);
            }
            self.tables.history_made += 1;
            let id = self.tables.history_made;
            Arc::make_mut(&mut self.tables.history).push(HistoryRow { id, entry: entry.clone() });
            self.changed.push(Change::from(entry));
        }
        Ok(())
    }
}

impl Changes for MemoryUnit {
    fn seen(&mut self) -> Result<Seen, StoreError> {
        Ok(Seen::before(self.tables.changes_made.cast_unsigned() + 1))
    }

    fn since(&mut self, seen: &Seen, take: &mut dyn FnMut(Told)) -> Result<(), StoreError> {
        self.tables.changes.iter().filter(|told| !seen.has(told.transaction)).cloned().for_each(take);
        Ok(())
    }

    fn forgotten(&mut self) -> Result<Option<Seen>, StoreError> {
        Ok(self.tables.notes.iter().rfind(|note| note.is_forgotten).map(|note| note.seen.clone()))
    }

    fn note(&mut self, at: Instant, seen: &Seen) -> Result<(), StoreError> {
        Arc::make_mut(&mut self.tables.notes).push(Note { at, seen: seen.clone(), is_forgotten: false });
        Ok(())
    }

    fn is_noted(&mut self, at: Instant) -> Result<bool, StoreError> {
        Ok(self.tables.notes.iter().any(|note| note.at == at))
    }

    fn noted_at(&mut self) -> Result<Option<Instant>, StoreError> {
        Ok(self.tables.notes.last().map(|note| note.at))
    }

    fn forget(&mut self, before: Instant, limit: usize) -> Result<usize, StoreError> {
        let notes = Arc::make_mut(&mut self.tables.notes);
        let Some(place) = notes.iter().rposition(|note| note.at <= before) else { return Ok(0) };
        notes.drain(..place);
        notes[0].is_forgotten = true;
        let seen = notes[0].seen.clone();
        let changes = Arc::make_mut(&mut self.tables.changes);
        let is_gone = |told: &&Told| seen.has(told.transaction);
        let gone: BTreeSet<i64> = changes.iter().filter(is_gone).map(|told| told.number).take(limit).collect();
        changes.retain(|told| !gone.contains(&told.number));
        Ok(gone.len())
    }
}

/// What counts is told wherever a page begins.
fn without_cursor(query: &MemberQuery) -> MemberQuery {
    MemberQuery { users: UserQuery { after: None, ..query.users.clone() }, ..query.clone() }
}

fn suits_ending(found: &Membership, query: &EndingQuery) -> bool {
    let EndingQuery { at, before, segment, user, source, after: _ } = query;
    let ends = |deadline: Instant| before.is_none_or(|before| deadline < before);
    found.is_live_at(*at)
        && found.expires_at.is_some_and(ends)
        && segment.is_none_or(|segment| segment == found.segment.id)
        && user.as_ref().is_none_or(|user| *user == found.user)
        && source.is_none_or(|source| source == found.source)
}

impl MemoryUnit {
    /// Whether the query finds somebody of this id, wherever its cursor stands.
    fn finds(&self, query: &UserQuery, id: &UserId) -> bool {
        self.tables.users.get(id).is_some_and(|user| suits_user(user, query))
    }

    fn end_due(&mut self, limit: usize, is_due: impl Fn(&Membership) -> bool) -> Result<usize, StoreError> {
        let mut due = self.stored(is_due);
        due.sort_by_key(|found| found.expires_at);
        due.truncate(limit);
        let told = self.changed.len();
        self.record(&due.iter().filter_map(Entry::expiry).collect::<Vec<_>>())?;
        self.changed.truncate(told);
        Ok(due.len())
    }
}

/// Real stores carry out a call's entries in bulk and rely on this, so the fake tells whoever does not keep it.
fn require_allowed_together(entries: &[Entry]) {
    let mut by_pair: BTreeMap<(&UserId, SegmentId), Vec<Operation>> = BTreeMap::new();
    for entry in entries {
        by_pair.entry((&entry.user, entry.segment.id)).or_default().push(entry.operation);
    }
    for ((user, segment), operations) in by_pair {
        let allowed = match operations[..] {
            [_] => true,
            [first, second] => (first, second) == (Operation::Remove, Operation::Add),
            _ => false,
        };
        assert!(allowed, "one call holds {operations:?} of user `{user}` in {segment:?}");
    }
}

impl History for MemoryUnit {
    fn lines(
        &mut self,
        filter: &HistoryFilter,
        size: usize,
        pages: usize,
        take: &mut dyn FnMut(HistoryLines) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut filter = HistoryFilter { direction: Direction::Ascending, ..filter.clone() };
        for _ in 0..pages {
            let page = self.page(&filter, size)?;
            let column = |word: fn(&HistoryRow) -> String| page.iter().map(word).collect::<Vec<_>>().join(" ");
            filter.after = page.last().map(|last| (last.entry.at, last.id));
            let lines = HistoryLines {
                count: page.len(),
                users: column(|row| row.entry.user.to_string()),
                slugs: column(|row| row.entry.segment.slug.to_string()),
                operations: column(|row| row.entry.operation.to_string()),
                instants: column(|row| row.entry.at.timestamp_micros().to_string()),
                last: filter.after,
            };
            if take(lines).is_break() || page.len() < size {
                break;
            }
        }
        Ok(())
    }

    fn page(&mut self, filter: &HistoryFilter, limit: usize) -> Result<Vec<HistoryRow>, StoreError> {
        let position = |row: &HistoryRow| (row.entry.at, row.id);
        let is_behind = |row: &&HistoryRow| match (&filter.after, filter.direction) {
            (None, _) => true,
            (Some(after), Direction::Ascending) => position(row) > *after,
            (Some(after), Direction::Descending) => position(row) < *after,
        };
        let mut rows: Vec<HistoryRow> = self.left_by(filter).filter(is_behind).cloned().collect();
        rows.sort_by_key(position);
        if filter.direction == Direction::Descending {
            rows.reverse();
        }
        rows.truncate(limit);
        Ok(rows)
    }

    fn count(&mut self, filter: &HistoryFilter) -> Result<u64, StoreError> {
        Ok(self.left_by(filter).count() as u64)
    }

    fn tally(&mut self, filter: &HistoryFilter, points: &[Instant]) -> Result<Vec<HistoryTally>, StoreError> {
        let mut counts: BTreeMap<(usize, &str, &str), HistoryTally> = BTreeMap::new();
        for HistoryRow { entry: Entry { at, source, operation, .. }, .. } in self.left_by(filter) {
            let place = points.partition_point(|point| point < at);
            if place == 0 || place == points.len() {
                continue;
            }
            let none = HistoryTally { place, source: *source, operation: *operation, count: 0 };
            counts.entry((place, source.as_str(), operation.as_str())).or_insert(none).count += 1;
        }
        Ok(counts.into_values().collect())
    }

    fn moves(&mut self, after: Instant, to: Instant) -> Result<Moves, StoreError> {
        let within = |entry: &&Entry| after < entry.at && entry.at <= to;
        let entries: Vec<&Entry> = self.tables.history.iter().map(|row| &row.entry).filter(within).collect();
        let count = |operation| entries.iter().filter(|entry| entry.operation == operation).count() as u64;
        let [added, removed, extended] = [Operation::Add, Operation::Remove, Operation::Extend].map(count);
        Ok(Moves { added, removed, extended })
    }

    fn last_of(&mut self, segments: &[SegmentId]) -> Result<Vec<HistoryRow>, StoreError> {
        let mut last: BTreeMap<SegmentId, &HistoryRow> = BTreeMap::new();
        for row in self.tables.history.iter().filter(|row| segments.contains(&row.entry.segment.id)) {
            let known = last.entry(row.entry.segment.id).or_insert(row);
            *known = std::cmp::max_by_key(*known, row, |row| (row.entry.at, row.id));
        }
        let mut rows: Vec<HistoryRow> = last.into_values().cloned().collect();
        rows.sort_by_key(|row| (row.entry.at, row.id));
        Ok(rows)
    }

    fn of_users(&mut self, users: &[UserId], segment: Option<SegmentId>) -> Result<Vec<HistoryRow>, StoreError> {
        let users = BTreeSet::from_iter(users);
        let of_users = self.tables.history.iter().filter(|row| users.contains(&row.entry.user));
        Ok(of_users.filter(|row| segment.is_none_or(|id| id == row.entry.segment.id)).cloned().collect())
    }

    fn of_pairs(&mut self, pairs: &[(UserId, SegmentId)]) -> Result<Vec<HistoryRow>, StoreError> {
        let pairs: BTreeSet<(&UserId, SegmentId)> = pairs.iter().map(|(user, segment)| (user, *segment)).collect();
        let rows = self.tables.history.iter();
        Ok(rows.filter(|row| pairs.contains(&(&row.entry.user, row.entry.segment.id))).cloned().collect())
    }

    fn of_job(&mut self, job: JobId, after: i64, limit: usize) -> Result<Vec<HistoryRow>, StoreError> {
        let rows = self.tables.history.iter();
        Ok(rows.filter(|row| row.entry.job == Some(job) && row.id > after).take(limit).cloned().collect())
    }

    fn count_of_job(&mut self, job: JobId) -> Result<u64, StoreError> {
        Ok(self.tables.history.iter().filter(|row| row.entry.job == Some(job)).count() as u64)
    }

    fn told_up_to(
        &mut self,
        segment: SegmentId,
        at: Instant,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let of_user = |entries: Vec<&Entry>| entries.into_iter().filter(|entry| entry.at <= at).cloned().collect();
        let behind = self.entries_in(segment).into_iter().filter(|(user, _)| is_behind(after, user));
        let told = behind.map(|(_, entries)| of_user(entries)).filter(|entries: &Vec<Entry>| !entries.is_empty());
        Ok(told.take(limit).flatten().collect())
    }

    fn members_at(
        &mut self,
        segment: SegmentId,
        at: Instant,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<Membership>, StoreError> {
        let behind = self.entries_in(segment).into_iter().filter(|(user, _)| is_behind(after, user));
        Ok(behind.filter_map(|(_, entries)| replay(entries, at)).take(limit).collect())
    }

    fn count_at(&mut self, segment: SegmentId, at: Instant) -> Result<u64, StoreError> {
        Ok(self
            .entries_in(segment)
            .into_values()
            .filter(|entries| replay(entries.iter().copied(), at).is_some())
            .count() as u64)
    }

    fn found_at(&mut self, query: &MemberQuery, limit: usize) -> Result<Vec<Membership>, StoreError> {
        let MemberQuery { segment, at, users } = query;
        let members = self.members_at(*segment, *at, users.after.as_ref(), usize::MAX)?;
        Ok(members.into_iter().filter(|member| self.finds(users, &member.user)).take(limit).collect())
    }

    fn count_found_at(&mut self, query: &MemberQuery) -> Result<u64, StoreError> {
        Ok(self.found_at(&without_cursor(query), usize::MAX)?.len() as u64)
    }

    fn touched(
        &mut self,
        segment: SegmentId,
        from: Instant,
        to: Instant,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<UserId>, StoreError> {
        let within = |at: Instant| from < at && at <= to;
        let is_touched = |entry: &&Entry| within(entry.at) || entry.expires_at.is_some_and(within);
        let touched = self.entries_in(segment).into_iter().filter(|(_, entries)| entries.iter().any(is_touched));
        Ok(touched.map(|(user, _)| user).filter(|user| is_behind(after, user)).take(limit).cloned().collect())
    }

    fn everyone(&mut self, after: Option<&UserId>, limit: usize) -> Result<Vec<UserId>, StoreError> {
        let mut everyone: BTreeSet<&UserId> = self.tables.users.keys().collect();
        everyone.extend(self.tables.memberships.keys().map(|(user, _)| user));
        everyone.extend(self.tables.history.iter().map(|row| &row.entry.user));
        Ok(everyone.into_iter().filter(|user| is_behind(after, user)).take(limit).cloned().collect())
    }

    fn rename(&mut self, user: &UserId, name: &UserId) -> Result<u64, StoreError> {
        let rows = Arc::make_mut(&mut self.tables.history).iter_mut().filter(|row| row.entry.user == *user);
        let renamed = rows.map(|row| (row.entry.user, row.entry.reason) = (name.clone(), None));
        Ok(renamed.count() as u64)
    }

    fn begins_at(&mut self) -> Result<Option<Instant>, StoreError> {
        Ok(self.tables.begins_at)
    }

    fn begin_at(&mut self, at: Instant) -> Result<(), StoreError> {
        self.tables.begins_at = self.tables.begins_at.max(Some(at));
        Ok(())
    }

    fn known_before(
        &mut self,
        before: Instant,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<UserId>, StoreError> {
        let old = self.tables.history.iter().filter(|row| row.entry.at < before);
        let known: BTreeSet<&UserId> = old.map(|row| &row.entry.user).collect();
        Ok(known.into_iter().filter(|user| is_behind(after, user)).take(limit).cloned().collect())
    }

    fn forget(&mut self, places: &[(Instant, i64)]) -> Result<(), StoreError> {
        Arc::make_mut(&mut self.tables.history).retain(|row| !places.contains(&(row.entry.at, row.id)));
        Ok(())
    }

    fn rewrite(&mut self, row: &HistoryRow) -> Result<(), StoreError> {
        let rows = Arc::make_mut(&mut self.tables.history);
        if let Some(stored) = rows.iter_mut().find(|stored| stored.id == row.id) {
            stored.entry.expires_at = row.entry.expires_at;
        }
        Ok(())
    }

    fn make_parts(&mut self, _: Instant) -> Result<usize, StoreError> {
        Ok(0)
    }

    fn forget_part(&mut self, _: Instant) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }
}

impl Answers for MemoryUnit {
    fn find(&mut self, key: &str) -> Result<Option<StoredAnswer>, StoreError> {
        Ok(self.tables.answers.get(key).cloned())
    }

    fn keep(&mut self, answer: &StoredAnswer) -> Result<(), StoreError> {
        Arc::make_mut(&mut self.tables.answers).insert(answer.key.clone(), answer.clone());
        Ok(())
    }

    fn forget(&mut self, before: Instant, limit: usize) -> Result<usize, StoreError> {
        let old = self.tables.answers.values().filter(|answer| answer.created_at < before);
        let keys: Vec<String> = old.take(limit).map(|answer| answer.key.clone()).collect();
        for key in &keys {
            Arc::make_mut(&mut self.tables.answers).remove(key);
        }
        Ok(keys.len())
    }
}

fn suits_job(job: &Job, query: &JobQuery) -> bool {
    query.kind.is_none_or(|kind| kind == job.kind)
        && query.state.is_none_or(|state| state == job.state)
        && query.undoes.is_none_or(|undoes| job.undoes == Some(undoes))
        && query.owner.as_ref().is_none_or(|(actor, since)| job.actor == *actor && job.created_at >= *since)
        && query.ended_after.is_none_or(|after| job.finished_at.is_some_and(|at| at > after))
}

impl Jobs for MemoryUnit {
    fn insert(&mut self, job: &Job) -> Result<JobId, StoreError> {
        self.tables.jobs_made += 1;
        let id = JobId(self.tables.jobs_made);
        Arc::make_mut(&mut self.tables.jobs).insert(id, Job { id, ..job.clone() });
        Ok(id)
    }

    fn find(&mut self, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.tables.jobs.get(&id).cloned())
    }

    fn update(&mut self, job: &Job) -> Result<(), StoreError> {
        match Arc::make_mut(&mut self.tables.jobs).get_mut(&job.id) {
            Some(stored) => {
                *stored = job.clone();
                Ok(())
            }
            None => self.fail(StoreError::Contended(format!("job {} was forgotten", job.id))),
        }
    }

    fn list(&mut self, query: &JobQuery, limit: usize) -> Result<Vec<Job>, StoreError> {
        let jobs = self.tables.jobs.values().rev();
        let left = jobs.filter(|job| suits_job(job, query) && query.after.is_none_or(|after| job.id < after));
        Ok(left.take(limit).cloned().collect())
    }

    fn count(&mut self, query: &JobQuery) -> Result<u64, StoreError> {
        Ok(self.tables.jobs.values().filter(|job| suits_job(job, query)).count() as u64)
    }

    fn next_free(&mut self, at: Instant) -> Result<Option<Job>, StoreError> {
        Ok(self.tables.jobs.values().find(|job| job.is_free_at(at)).cloned())
    }

    fn ended_before(&mut self, kind: Option<JobKind>, before: Instant, limit: usize) -> Result<Vec<Job>, StoreError> {
        let suits =
            |job: &&Job| kind.is_none_or(|kind| kind == job.kind) && job.finished_at.is_some_and(|at| at < before);
        let mut ended: Vec<Job> = self.tables.jobs.values().filter(suits).cloned().collect();
        ended.sort_by_key(|job| (job.finished_at, job.id));
        ended.truncate(limit);
        Ok(ended)
    }

    fn delete(&mut self, ids: &[JobId]) -> Result<(), StoreError> {
        Arc::make_mut(&mut self.tables.jobs).retain(|id, _| !ids.contains(id));
        Ok(())
    }

    fn begin_upload(&mut self, folder: &str, at: Instant) -> Result<(), StoreError> {
        match Arc::make_mut(&mut self.tables.uploads).insert(folder.to_owned(), at) {
            None => Ok(()),
            Some(_) => self.fail(StoreError::Duplicate),
        }
    }

    fn end_upload(&mut self, folder: &str) -> Result<bool, StoreError> {
        Ok(Arc::make_mut(&mut self.tables.uploads).remove(folder).is_some())
    }

    fn uploads_before(&mut self, before: Instant, limit: usize) -> Result<Vec<String>, StoreError> {
        let old = self.tables.uploads.iter().filter(|(_, begun_at)| **begun_at < before);
        Ok(old.map(|(folder, _)| folder.clone()).take(limit).collect())
    }
}

impl Secrets for MemoryUnit {
    fn find(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(self.tables.secrets.get(name).cloned())
    }

    fn find_or_keep(&mut self, name: &str, fresh: &str) -> Result<String, StoreError> {
        let kept = Arc::make_mut(&mut self.tables.secrets).entry(name.to_owned());
        Ok(kept.or_insert_with(|| fresh.to_owned()).clone())
    }

    fn replace(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        if let Some(kept) = Arc::make_mut(&mut self.tables.secrets).get_mut(name) {
            *kept = value.to_owned();
        }
        Ok(())
    }
}

impl Accounts for MemoryUnit {
    fn insert(&mut self, account: &Account) -> Result<AccountId, StoreError> {
        if self.tables.accounts.values().any(|other| other.login == account.login) {
            return self.fail(StoreError::Duplicate);
        }
        self.tables.accounts_made += 1;
        let id = AccountId(self.tables.accounts_made);
        Arc::make_mut(&mut self.tables.accounts).insert(id, Account { id, ..account.clone() });
        Ok(id)
    }

    fn find(&mut self, id: AccountId) -> Result<Option<Account>, StoreError> {
        Ok(self.tables.accounts.get(&id).cloned())
    }

    fn find_login(&mut self, login: &Login) -> Result<Option<Account>, StoreError> {
        Ok(self.tables.accounts.values().find(|account| account.login == *login).cloned())
    }

    fn update(&mut self, account: &Account) -> Result<(), StoreError> {
        match Arc::make_mut(&mut self.tables.accounts).get_mut(&account.id) {
            Some(kept) => {
                *kept = Account { login: kept.login.clone(), created_at: kept.created_at, ..account.clone() };
                Ok(())
            }
            None => self.fail(StoreError::Contended(format!("account {} was deleted", account.id))),
        }
    }

    fn delete(&mut self, id: AccountId) -> Result<(), StoreError> {
        Arc::make_mut(&mut self.tables.accounts).remove(&id);
        Arc::make_mut(&mut self.tables.identities).retain(|_, account| *account != id);
        Ok(())
    }

    fn link(&mut self, identity: &Identity, account: AccountId, _: Instant) -> Result<(), StoreError> {
        match Arc::make_mut(&mut self.tables.identities).insert(identity.clone(), account) {
            None => Ok(()),
            Some(_) => self.fail(StoreError::Duplicate),
        }
    }

    fn unlink(&mut self, identity: &Identity, account: AccountId) -> Result<bool, StoreError> {
        let is_theirs = self.tables.identities.get(identity) == Some(&account);
        if is_theirs {
            Arc::make_mut(&mut self.tables.identities).remove(identity);
        }
        Ok(is_theirs)
    }

    fn identities(&mut self, account: AccountId) -> Result<Vec<Identity>, StoreError> {
        let theirs = self.tables.identities.iter().filter(|(_, id)| **id == account);
        Ok(theirs.map(|(identity, _)| identity.clone()).collect())
    }

    fn find_identity(&mut self, identity: &Identity) -> Result<Option<AccountId>, StoreError> {
        Ok(self.tables.identities.get(identity).copied())
    }

    fn list(&mut self, query: &AccountQuery, limit: usize) -> Result<Vec<Account>, StoreError> {
        let found = self.tables.accounts.values().filter(|account| suits_account(account, query));
        Ok(found.filter(|account| is_behind(query.after.as_ref(), &account.id)).take(limit).cloned().collect())
    }

    fn count(&mut self, query: &AccountQuery) -> Result<u64, StoreError> {
        Ok(self.tables.accounts.values().filter(|account| suits_account(account, query)).count() as u64)
    }

    fn active_administrators(&mut self) -> Result<u64, StoreError> {
        Ok(self.tables.accounts.values().filter(|account| account.is_active_administrator()).count() as u64)
    }
}

fn suits_account(account: &Account, query: &AccountQuery) -> bool {
    query.text.as_ref().is_none_or(|part| holds(account.login.as_str(), part))
        && query.role.is_none_or(|role| role == account.role)
}

impl Sessions for MemoryUnit {
    fn insert(&mut self, session: &Session) -> Result<SessionId, StoreError> {
        self.tables.sessions_made += 1;
        let id = SessionId(self.tables.sessions_made);
        Arc::make_mut(&mut self.tables.sessions).insert(id, Session { id, ..session.clone() });
        Ok(id)
    }

    fn find(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.tables.sessions.get(&id).cloned())
    }

    fn of_account(&mut self, account: AccountId, at: Instant, limit: usize) -> Result<Vec<Session>, StoreError> {
        let newest_first = self.tables.sessions.values().rev();
        let good = newest_first.filter(|session| session.account == account && session.is_good_at(at));
        Ok(good.take(limit).cloned().collect())
    }

    fn prolong(&mut self, id: SessionId, expires_at: Instant) -> Result<(), StoreError> {
        let session = Arc::make_mut(&mut self.tables.sessions).get_mut(&id);
        if let Some(session) = session.filter(|session| session.ended_at.is_none()) {
            session.expires_at = expires_at;
        }
        Ok(())
    }

    fn end(&mut self, id: SessionId, at: Instant) -> Result<bool, StoreError> {
        let session = Arc::make_mut(&mut self.tables.sessions).get_mut(&id);
        Ok(session.filter(|session| session.ended_at.is_none()).map(|session| session.ended_at = Some(at)).is_some())
    }

    fn end_all(&mut self, account: AccountId, but: Option<SessionId>, at: Instant) -> Result<u64, StoreError> {
        Arc::make_mut(&mut self.tables.sign_in_links).retain(|_, (owner, _)| *owner != account);
        let mut ended = 0;
        for session in Arc::make_mut(&mut self.tables.sessions).values_mut() {
            if session.account == account && Some(session.id) != but && session.is_good_at(at) {
                session.ended_at = Some(at);
                ended += 1;
            }
        }
        Ok(ended)
    }

    fn keep_secret(&mut self, hash: &SecretHash, session: SessionId) -> Result<(), StoreError> {
        let kept = KeptSecret { session, spent_at: None };
        match Arc::make_mut(&mut self.tables.session_secrets).insert(hash.clone(), kept) {
            None => Ok(()),
            Some(_) => self.fail(StoreError::Duplicate),
        }
    }

    fn find_secret(&mut self, hash: &SecretHash) -> Result<Option<KeptSecret>, StoreError> {
        Ok(self.tables.session_secrets.get(hash).copied())
    }

    fn spend(&mut self, hash: &SecretHash, at: Instant) -> Result<bool, StoreError> {
        let kept = Arc::make_mut(&mut self.tables.session_secrets).get_mut(hash);
        Ok(kept.filter(|kept| kept.spent_at.is_none()).map(|kept| kept.spent_at = Some(at)).is_some())
    }

    fn keep_link(&mut self, hash: &SecretHash, account: AccountId, expires_at: Instant) -> Result<(), StoreError> {
        Arc::make_mut(&mut self.tables.sign_in_links).insert(hash.clone(), (account, expires_at));
        Ok(())
    }

    fn take_link(&mut self, hash: &SecretHash) -> Result<Option<(AccountId, Instant)>, StoreError> {
        Ok(Arc::make_mut(&mut self.tables.sign_in_links).remove(hash))
    }

    fn keep_sign_in(&mut self, sign_in: &SignIn) -> Result<(), StoreError> {
        Arc::make_mut(&mut self.tables.sign_ins).insert(sign_in.state.clone(), sign_in.clone());
        Ok(())
    }

    fn take_sign_in(&mut self, state: &SecretHash) -> Result<Option<SignIn>, StoreError> {
        Ok(Arc::make_mut(&mut self.tables.sign_ins).remove(state))
    }

    fn forget(&mut self, before: Instant, now: Instant, limit: usize) -> Result<usize, StoreError> {
        let is_over = |session: &Session| {
            session.expires_at < before || session.ended_at.is_some_and(|ended_at| ended_at < before)
        };
        let over = self.tables.sessions.values().filter(|session| is_over(session)).map(|session| session.id);
        let over: BTreeSet<SessionId> = over.take(limit).collect();
        Arc::make_mut(&mut self.tables.sessions).retain(|id, _| !over.contains(id));
        Arc::make_mut(&mut self.tables.session_secrets).retain(|_, kept| !over.contains(&kept.session));
        let links = self.tables.sign_in_links.iter().filter(|(_, (_, ends))| *ends < now).map(|(hash, _)| hash);
        let links: Vec<SecretHash> = links.take(limit).cloned().collect();
        let sign_ins = self.tables.sign_ins.values().filter(|one| one.expires_at < now).map(|one| &one.state);
        let sign_ins: Vec<SecretHash> = sign_ins.take(limit).cloned().collect();
        for hash in &links {
            Arc::make_mut(&mut self.tables.sign_in_links).remove(hash);
        }
        for state in &sign_ins {
            Arc::make_mut(&mut self.tables.sign_ins).remove(state);
        }
        Ok(over.len() + links.len() + sign_ins.len())
    }
}

impl Tokens for MemoryUnit {
    fn insert(&mut self, token: &ApiToken) -> Result<TokenId, StoreError> {
        if self.tables.tokens.values().any(|other| other.name == token.name || other.hash == token.hash) {
            return self.fail(StoreError::Duplicate);
        }
        self.tables.tokens_made += 1;
        let id = TokenId(self.tables.tokens_made);
        Arc::make_mut(&mut self.tables.tokens).insert(id, ApiToken { id, ..token.clone() });
        Ok(id)
    }

    fn find(&mut self, id: TokenId) -> Result<Option<ApiToken>, StoreError> {
        Ok(self.tables.tokens.get(&id).cloned())
    }

    fn find_hash(&mut self, hash: &SecretHash) -> Result<Option<ApiToken>, StoreError> {
        Ok(self.tables.tokens.values().find(|token| token.hash == *hash).cloned())
    }

    fn list(&mut self, after: Option<TokenId>, limit: usize) -> Result<Vec<ApiToken>, StoreError> {
        let behind = self.tables.tokens.values().filter(|token| is_behind(after.as_ref(), &token.id));
        Ok(behind.take(limit).cloned().collect())
    }

    fn count(&mut self) -> Result<u64, StoreError> {
        Ok(self.tables.tokens.len() as u64)
    }

    fn revoke(&mut self, id: TokenId, at: Instant) -> Result<bool, StoreError> {
        let token = Arc::make_mut(&mut self.tables.tokens).get_mut(&id);
        Ok(token.filter(|token| token.revoked_at.is_none()).map(|token| token.revoked_at = Some(at)).is_some())
    }

    fn note_use(&mut self, id: TokenId, at: Instant) -> Result<(), StoreError> {
        if let Some(token) = Arc::make_mut(&mut self.tables.tokens).get_mut(&id) {
            token.used_at = Some(at);
        }
        Ok(())
    }
}

impl Audit for MemoryUnit {
    fn last(&mut self) -> Result<Option<(i64, ChainHash)>, StoreError> {
        Ok(self.tables.audit.last_key_value().map(|(id, row)| (*id, row.hash)))
    }

    fn append(&mut self, row: &AuditRow) -> Result<(), StoreError> {
        match Arc::make_mut(&mut self.tables.audit).insert(row.id, row.clone()) {
            None => Ok(()),
            Some(_) => self.fail(StoreError::Duplicate),
        }
    }

    fn list(&mut self, query: &AuditQuery, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let suits = |row: &&AuditRow| suits_audit(row, query);
        Ok(match query.direction {
            Direction::Ascending => {
                let behind = self.tables.audit.values().filter(|row| is_behind(query.after.as_ref(), &row.id));
                behind.filter(suits).take(limit).cloned().collect()
            }
            Direction::Descending => {
                let before = self.tables.audit.values().rev().filter(|row| query.after.is_none_or(|id| row.id < id));
                before.filter(suits).take(limit).cloned().collect()
            }
        })
    }

    fn count(&mut self, query: &AuditQuery) -> Result<u64, StoreError> {
        Ok(self.tables.audit.values().filter(|row| suits_audit(row, query)).count() as u64)
    }
}

fn suits_audit(row: &AuditRow, query: &AuditQuery) -> bool {
    let AuditQuery { actor, action, subject, period, direction: _, after: _ } = query;
    actor.as_ref().is_none_or(|actor| *actor == row.entry.actor)
        && action.is_none_or(|action| action == row.entry.action)
        && subject.as_ref().is_none_or(|subject| *subject == row.entry.subject)
        && period.contains(row.entry.at)
}
