//! Memberships out of files: added, removed, replaced, or told as a log.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::{Caller, Instant, Operation, Reason, Seed, Segment, SegmentId, Slug, Source, Ttl, UserId};
use serde::{Deserialize, Serialize};
use tables::Row;

use super::{
    Batch, Content, Importer, Line, Outcome, Place, Reading,
    rows::{self, BadCell, Columns, corrupt, past},
    tasks::{Import, Mode, Task, What},
};
use crate::{
    Act, App, Error,
    memberships::{self, Deadline, Wish, fulfil, hold},
    ports::{Hold, Locks},
    segments, users,
};

const COLUMNS: [&str; 8] = ["user_id", "segment", "since", "ttl", "expires_at", "reason", "operation", "timestamp"];

/// What a row says of a user in a segment.
#[derive(Serialize, Deserialize)]
pub(crate) struct Pairing {
    user: String,
    slug: String,
    wanted: Wanted,
    reason: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
enum Wanted {
    /// In the list, with an instant of joining from elsewhere, until a deadline.
    Member { since: Option<i64>, deadline: Option<Until> },
    /// In a log.
    Logged { operation: String, at: i64, expires_at: Option<i64> },
    /// Nothing, but to stay: the row was refused.
    Kept,
}

#[derive(Clone, Serialize, Deserialize)]
enum Until {
    At(i64),
    After(String),
}

impl Content for Pairing {
    fn bytes(&self) -> usize {
        self.user.len() + self.slug.len() + self.reason.as_ref().map_or(0, String::len)
    }
}

pub(crate) struct MembershipImporter<'a> {
    app: &'a App,
    import: Import,
    /// When the import was asked for: what is past or future is so by this instant, whenever it is carried out.
    asked_at: Instant,
    columns: Columns<8>,
    /// Whether segments that rows name exist.
    existing: HashMap<Slug, bool>,
}

/// How many segments are remembered to exist, or not, while rows are read.
const SEGMENTS_REMEMBERED_MAX: usize = 100_000;

impl<'a> MembershipImporter<'a> {
    pub(super) fn new(app: &'a App, task: &Task, asked_at: Instant) -> MembershipImporter<'a> {
        let columns = Columns::unknown();
        MembershipImporter { app, import: task.import.clone(), asked_at, columns, existing: HashMap::new() }
    }

    fn slug(&self, row: &Row) -> Result<Slug, BadCell> {
        let own = match self.columns.cell(row, 1) {
            None => None,
            Some(cell) => {
                let text = rows::plain("segment", cell)?;
                Some(Slug::parse(text).map_err(|error| BadCell::new("segment", error))?)
            }
        };
        match (&self.import.what, own) {
            (What::Memberships { segment: Some(one) }, Some(own)) if own != *one => {
                Err(BadCell::new("segment", format!("`{own}` is not `{one}`, the segment that is imported")))
            }
            (What::Memberships { segment: Some(one) }, _) => Ok(one.clone()),
            (_, Some(own)) => Ok(own),
            (_, None) => Err(BadCell::new("segment", "is empty")),
        }
    }

    fn refuse_unknown(&mut self, slug: &Slug) -> Result<(), Refusing> {
        if self.import.create_segments {
            return Ok(());
        }
        let exists = match self.existing.get(slug) {
            Some(exists) => *exists,
            None => {
                let exists =
                    self.app.look(&Caller::service("strata"), |look| Ok(look.unit.segments().find(slug)?.is_some()));
                let exists = exists.map_err(Refusing::World)?;
                if self.existing.len() == SEGMENTS_REMEMBERED_MAX {
                    self.existing.clear();
                }
                self.existing.insert(slug.clone(), exists);
                exists
            }
        };
        if exists { Ok(()) } else { Err(Refusing::Row(BadCell::new("segment", format!("no segment named `{slug}`")))) }
    }

    fn wanted(&self, row: &Row) -> Result<Wanted, BadCell> {
        let cell = |which| self.columns.cell(row, which);
        let deadline = rows::deadline(cell(3), cell(4))?;
        if let Some(operation) = cell(6) {
            let text = rows::plain("operation", operation)?;
            let operation = Operation::parse(text).ok_or_else(|| {
                BadCell::new("operation", format!("`{}` is not add, remove or extend", rows::shown(text)))
            })?;
            let at = cell(7).ok_or_else(|| BadCell::new("timestamp", "is empty"))?;
            let at = rows::instant("timestamp", at)?;
            let expires_at = deadline.map(|deadline| deadline.instant(at).timestamp_micros());
            let at = past("timestamp", at, self.asked_at)?;
            return Ok(Wanted::Logged { operation: operation.as_str().to_owned(), at, expires_at });
        }
        let since = match cell(2) {
            None => None,
            Some(cell) => Some(past("since", rows::instant("since", cell)?, self.asked_at)?),
        };
        let deadline = deadline.or(self.import.deadline);
        if self.import.mode != Mode::Remove
            && deadline.is_some_and(|deadline| deadline.instant(self.asked_at) <= self.asked_at)
        {
            return Err(BadCell::new("expires_at", "the deadline is not in the future"));
        }
        let deadline = deadline.map(|deadline| match deadline {
            Deadline::At(at) => Until::At(at.timestamp_micros()),
            Deadline::After(ttl) => Until::After(ttl.to_string()),
        });
        Ok(Wanted::Member { since, deadline })
    }

    fn read_rest(&self, row: &Row) -> Result<(Wanted, Option<String>), BadCell> {
        let wanted = self.wanted(row)?;
        let reason = match self.columns.cell(row, 5) {
            None => self.import.reason.clone(),
            Some(cell) => {
                let text = rows::plain("reason", cell)?;
                Some(Reason::parse(text).map_err(|error| BadCell::new("reason", error))?)
            }
        };
        Ok((wanted, reason.map(|reason| reason.to_string())))
    }
}

/// Why a row is not taken: for its own sake, or because the world fails.
pub(crate) enum Refusing {
    Row(BadCell),
    World(Error),
}

impl Importer for MembershipImporter<'_> {
    type Content = Pairing;

    fn is_refused(pairing: &Pairing) -> bool {
        matches!(pairing.wanted, Wanted::Kept)
    }

    fn read(&mut self, columns: &[String], row: &Row) -> Reading<Pairing> {
        self.columns.find(columns, COLUMNS);
        if let Err(bad) = rows::sound(row) {
            return Ok(Err(bad.refusing(None)));
        }
        let named = rows::user_id(self.columns.cell(row, 0)).and_then(|user| Ok((user, self.slug(row)?)));
        let (user, slug) = match named {
            Ok(named) => named,
            Err(bad) => return Ok(Err(bad.refusing(None))),
        };
        match self.refuse_unknown(&slug) {
            Ok(()) => {}
            Err(Refusing::Row(bad)) => return Ok(Err(bad.refusing(None))),
            Err(Refusing::World(error)) => return Err(error),
        }
        let line = |wanted: Wanted, reason| {
            let moment = match wanted {
                Wanted::Logged { at, .. } => Some(at),
                Wanted::Member { .. } | Wanted::Kept => None,
            };
            let (user, slug) = (user.to_string(), slug.to_string());
            // By segment where each is compared with all its members, else by user, as the store is sorted.
            let (first, second) = match self.import.mode {
                Mode::Replace => (slug.clone(), user.clone()),
                Mode::Add | Mode::Remove => (user.clone(), slug.clone()),
            };
            // First of its pair, so that a row that is good counts wherever it stands.
            let line = if matches!(wanted, Wanted::Kept) { 0 } else { row.line() };
            Line { place: Place { first, second, moment, line }, content: Pairing { user, slug, wanted, reason } }
        };
        Ok(match self.read_rest(row) {
            Ok((wanted, reason)) => Ok(line(wanted, reason)),
            Err(bad) if self.import.mode == Mode::Replace => Err(bad.refusing(Some(line(Wanted::Kept, None)))),
            Err(bad) => Err(bad.refusing(None)),
        })
    }

    fn lock(&self, act: &mut Act, lines: &[Line<Pairing>]) -> Result<(), Error> {
        let slugs: BTreeSet<&str> = lines.iter().map(|line| line.content.slug.as_str()).collect();
        let mut locks = Locks::new().population(Hold::Shared);
        for slug in slugs {
            locks = locks.segment(&parse_slug(slug)?, Hold::Alone);
        }
        Ok(act.unit.lock(&locks)?)
    }

    fn lock_all(&self, act: &mut Act) -> Result<(), Error> {
        Ok(act.unit.lock(&Locks::new().population(Hold::Shared).every_segment(Hold::Alone))?)
    }

    fn act(&self, act: &mut Act, batch: &Batch<Pairing>) -> Result<Outcome, Error> {
        let mut outcome = Outcome::default();
        let now = act.now();
        let rows = batch.lines.iter().map(|line| Parsed::of(&line.content)).collect::<Result<Vec<Parsed>, Error>>()?;
        let segments = self.segments_of(act, &rows, now, &mut outcome)?;
        // A row that was refused makes no segment.
        let rows: Vec<Parsed> = rows.into_iter().filter(|row| segments.contains_key(&row.slug)).collect();
        let mut born: HashSet<UserId> = HashSet::new();
        if self.import.mode != Mode::Remove {
            let ids: BTreeSet<&UserId> = rows.iter().filter(|row| row.brings_in()).map(|row| &row.user).collect();
            let ids: Vec<UserId> = ids.into_iter().cloned().collect();
            born.extend(users::give_birth(act, &ids, now)?);
            outcome.users_created = born.len() as u64;
        }
        if self.import.mode == Mode::Replace {
            self.dismiss_others(act, batch, &rows, &segments, &mut outcome)?;
        }
        let pairs: Vec<_> = rows.iter().map(|row| (row.user.clone(), segments[&row.slug].id)).collect();
        // Who was just born is only where a percent took them.
        let in_question = |row: &&Parsed| !born.contains(&row.user) || segments[&row.slug].percent.is_some();
        let asked: Vec<_> =
            rows.iter().filter(in_question).map(|row| (row.user.clone(), segments[&row.slug].id)).collect();
        let stored = hold(act.unit, &asked)?;
        let now = act.now();
        let told = self.told_already(act, &rows, &pairs)?;
        // A log says by itself how long each membership was to last.
        let bare = |segment: &Segment| Segment { default_ttl: None, ..segment.clone() };
        let logged: HashMap<Slug, Segment> =
            segments.iter().map(|(slug, segment)| (slug.clone(), bare(segment))).collect();
        let mut wishes = Vec::with_capacity(rows.len());
        for (row, pair) in rows.into_iter().zip(&pairs) {
            let segment = if row.is_logged() { &logged[&row.slug] } else { &segments[&row.slug] };
            let is_wanted = row.is_wanted();
            match self.wish(row.wanted, row.reason, now, told.get(pair)) {
                Some((at, wish)) => wishes.push((row.user, segment, at, wish)),
                None => outcome.unchanged += u64::from(is_wanted),
            }
        }
        // The users of a batch are neighbours in every index, the segments lie far apart.
        wishes.sort_by(|(a, of_a, ..), (b, of_b, ..)| (of_a.id, a).cmp(&(of_b.id, b)));
        for came in fulfil(act, stored, wishes)? {
            match came {
                memberships::Outcome::Added => outcome.added += 1,
                memberships::Outcome::Extended => outcome.extended += 1,
                memberships::Outcome::Removed => outcome.removed += 1,
                memberships::Outcome::Unchanged => outcome.unchanged += 1,
            }
        }
        Ok(outcome)
    }
}

impl MembershipImporter<'_> {
    fn wish(
        &self,
        wanted: Wanted,
        reason: Option<Reason>,
        now: Instant,
        told_until: Option<&Instant>,
    ) -> Option<(Instant, Wish)> {
        let source = Source::Import;
        let micros = |micros| Instant::from_timestamp_micros(micros);
        match wanted {
            Wanted::Kept => None,
            Wanted::Member { .. } if self.import.mode == Mode::Remove => Some((now, Wish::Leave { source, reason })),
            Wanted::Member { since, deadline } => {
                let expires_at = match deadline {
                    None => None,
                    Some(Until::At(at)) => micros(at),
                    Some(Until::After(ttl)) => Ttl::parse(&ttl).ok().map(|ttl| ttl.after(now)),
                };
                // The import may have waited longer than the membership was to last.
                if expires_at.is_some_and(|at| at <= now) {
                    return None;
                }
                let since = since.and_then(micros).unwrap_or(now).min(now);
                Some((now, Wish::Enter { since, expires_at, source, reason }))
            }
            Wanted::Logged { operation, at, expires_at } => {
                let at = micros(at)?;
                if told_until.is_some_and(|until| at <= *until) {
                    return None;
                }
                let expires_at = expires_at.and_then(micros);
                match Operation::parse(&operation)? {
                    Operation::Add => Some((at, Wish::Enter { since: at, expires_at, source, reason })),
                    Operation::Extend => Some((at, Wish::Stay { expires_at, source, reason })),
                    Operation::Remove => Some((at, Wish::Leave { source, reason })),
                }
            }
        }
    }

    /// Up to when a log is known of each pair: what it tells again is not carried out again.
    fn told_already(
        &self,
        act: &mut Act,
        rows: &[Parsed],
        pairs: &[(UserId, SegmentId)],
    ) -> Result<HashMap<(UserId, SegmentId), Instant>, Error> {
        let logged: Vec<(UserId, SegmentId)> =
            rows.iter().zip(pairs).filter(|(row, _)| row.is_logged()).map(|(_, pair)| pair.clone()).collect();
        let mut told: HashMap<(UserId, SegmentId), Instant> = HashMap::new();
        if logged.is_empty() {
            return Ok(told);
        }
        for row in act.unit.history().of_pairs(&logged)? {
            let last = told.entry((row.entry.user, row.entry.segment.id)).or_insert(row.entry.at);
            *last = row.entry.at.max(*last);
        }
        Ok(told)
    }

    /// Those of the segments that rows name, made where they are missing and may be.
    fn segments_of(
        &self,
        act: &mut Act,
        rows: &[Parsed],
        now: Instant,
        outcome: &mut Outcome,
    ) -> Result<HashMap<Slug, Segment>, Error> {
        let slugs: BTreeSet<&Slug> = rows.iter().map(|row| &row.slug).collect();
        let slugs: Vec<Slug> = slugs.into_iter().cloned().collect();
        if !self.import.create_segments {
            let found = segments::require_all(act.unit, &slugs)?;
            return Ok(found.into_iter().map(|segment| (segment.slug.clone(), segment)).collect());
        }
        let found = act.unit.segments().find_all(&slugs)?;
        let mut found: HashMap<Slug, Segment> =
            found.into_iter().map(|segment| (segment.slug.clone(), segment)).collect();
        let named = rows.iter().filter(|row| row.is_wanted()).map(|row| &row.slug);
        let missing: BTreeSet<Slug> = named.filter(|slug| !found.contains_key(*slug)).cloned().collect();
        for slug in missing {
            let segment = Segment::made(slug.clone(), Seed(act.chance.draw()), now);
            found.insert(slug, segments::insert(act, segment)?);
            outcome.segments_created += 1;
        }
        Ok(found)
    }

    /// Lets go who is in one of the batch's segments and whom the file does not name. The lines of a segment are in the
    /// order of its members, so that each batch answers for a stretch of them.
    fn dismiss_others(
        &self,
        act: &mut Act,
        batch: &Batch<Pairing>,
        rows: &[Parsed],
        segments: &HashMap<Slug, Segment>,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        let mut named: BTreeMap<&Slug, BTreeSet<&UserId>> = BTreeMap::new();
        for row in rows {
            named.entry(&row.slug).or_default().insert(&row.user);
        }
        for (slug, users) in named {
            let segment = &segments[slug];
            let within = |place: &Option<Place>| place.as_ref().is_some_and(|place| place.first == slug.as_str());
            let mut after = match &batch.behind {
                Some(place) if within(&batch.behind) => Some(parse_user(&place.second)?),
                _ => None,
            };
            let last = if within(&batch.before) { users.last().copied() } else { None };
            loop {
                let page = act.unit.memberships().of_segment(segment.id, after.as_ref(), memberships::PAGE)?;
                let Some(end) = page.last() else { break };
                after = Some(end.user.clone());
                let is_over = last.is_some_and(|last| end.user > *last);
                let now = act.now();
                let leaving: Vec<_> = page
                    .into_iter()
                    .filter(|member| last.is_none_or(|last| member.user <= *last) && !users.contains(&member.user))
                    .collect();
                let pairs = leaving.iter().map(|member| {
                    let reason = self.import.reason.clone();
                    (member.user.clone(), segment, now, Wish::Leave { source: Source::Import, reason })
                });
                let wishes = pairs.collect();
                let stored = leaving.into_iter().map(|member| ((member.user.clone(), segment.id), member)).collect();
                let came = fulfil(act, stored, wishes)?;
                outcome.removed += came.iter().filter(|came| **came == memberships::Outcome::Removed).count() as u64;
                if is_over {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// A line in the words of the domain again.
struct Parsed {
    user: UserId,
    slug: Slug,
    wanted: Wanted,
    reason: Option<Reason>,
}

impl Parsed {
    fn of(pairing: &Pairing) -> Result<Parsed, Error> {
        Ok(Parsed {
            user: parse_user(&pairing.user)?,
            slug: parse_slug(&pairing.slug)?,
            wanted: pairing.wanted.clone(),
            reason: pairing.reason.as_deref().map(Reason::parse).transpose().map_err(corrupt)?,
        })
    }

    fn is_wanted(&self) -> bool {
        !matches!(self.wanted, Wanted::Kept)
    }

    fn is_logged(&self) -> bool {
        matches!(self.wanted, Wanted::Logged { .. })
    }

    fn brings_in(&self) -> bool {
        match &self.wanted {
            Wanted::Member { .. } => true,
            Wanted::Logged { operation, .. } => operation == Operation::Add.as_str(),
            Wanted::Kept => false,
        }
    }
}

fn parse_user(text: &str) -> Result<UserId, Error> {
    UserId::parse(text).map_err(corrupt)
}

fn parse_slug(text: &str) -> Result<Slug, Error> {
    Slug::parse(text).map_err(corrupt)
}
