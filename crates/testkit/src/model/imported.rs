//! What imports are to do, and how they are taken back, by the plain model.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{SecondsFormat, TimeDelta};
use domain::{Instant, Job, JobState, Operation, SegmentId, Slug, Source, UserId};
use usecases::{
    imports::{Import, Mode, Outcome, What},
    memberships::Deadline,
};

use super::{Identities, Member, Model, Pair, SLUGS, Told, USERS};
use crate::{chances::Draws, importing, slug, user};

/// A file, and what is asked of it.
#[derive(Debug)]
pub(super) struct ImportDeed {
    mode: Mode,
    atomic: bool,
    dry_run: bool,
    create_segments: bool,
    one: Option<Slug>,
    deadline: Option<Deadline>,
    rows: Vec<Row>,
    /// What stands between cells; `{` stands for NDJSON.
    shape: char,
}

#[derive(Debug)]
struct Row {
    /// An id that cannot be read, when absent.
    user: Option<UserId>,
    slug: Option<Slug>,
    since: Option<Instant>,
    deadline: Option<Deadline>,
    /// The deadline cannot be read.
    garbled: bool,
}

/// What came of a job, as far as it does not depend on the store.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Came {
    state: Option<JobState>,
    done: u64,
    refused: u64,
    added: u64,
    extended: u64,
    updated: u64,
    removed: u64,
    unchanged: u64,
    duplicates: u64,
    users_created: u64,
    segments_created: u64,
}

pub(super) fn came(job: &Job) -> Came {
    let outcome = Outcome::of(job);
    Came {
        state: Some(job.state),
        // What a taking back counts depends on what was written, not on what came of it.
        done: if job.undoes.is_some() { 0 } else { job.done },
        refused: job.refused,
        added: outcome.added,
        extended: outcome.extended,
        updated: outcome.updated,
        removed: outcome.removed,
        unchanged: outcome.unchanged,
        duplicates: outcome.duplicates,
        users_created: outcome.users_created,
        segments_created: outcome.segments_created,
    }
}

/// What a job did: how each pair that it changed was before, and how often the pair had been written of after.
#[derive(Clone, Default)]
pub(super) struct Record {
    can_be_undone: bool,
    is_undone: bool,
    pairs: BTreeMap<Pair, (Option<Member>, usize)>,
}

impl ImportDeed {
    pub(super) fn draw(
        draws: &mut Draws,
        now: Instant,
        deadline: impl Fn(&mut Draws) -> Option<Deadline>,
    ) -> ImportDeed {
        let one = (draws.below(3) == 0).then(|| slug(draws.one_of(&SLUGS)));
        let row = |draws: &mut Draws| Row {
            user: (draws.below(12) > 0).then(|| user(draws.one_of(&USERS))),
            slug: match (&one, draws.below(10)) {
                (Some(_), 0..7) | (None, 0) => None,
                (Some(one), 7..9) => Some(one.clone()),
                _ => Some(slug(draws.one_of(&SLUGS))),
            },
            since: match draws.below(12) {
                0..3 => Some(now - TimeDelta::microseconds(draws.one_of(&[0, 1, 90_000_000, 86_400_000_000]))),
                3 => Some(now + TimeDelta::microseconds(1)),
                _ => None,
            },
            deadline: deadline(draws),
            garbled: draws.below(16) == 0,
        };
        let rows = (0..=draws.below(7)).map(|_| row(draws)).collect();
        ImportDeed {
            mode: draws.one_of(&[Mode::Add, Mode::Add, Mode::Remove, Mode::Replace, Mode::Replace]),
            atomic: draws.below(4) == 0,
            dry_run: draws.below(6) == 0,
            create_segments: draws.below(2) == 0,
            deadline: if draws.below(4) == 0 { deadline(draws) } else { None },
            rows,
            one,
            shape: draws.one_of(&[';', ',', '\t', '{']),
        }
    }

    pub(super) fn command(&self) -> Import {
        Import {
            mode: self.mode,
            atomic: self.atomic,
            dry_run: self.dry_run,
            create_segments: self.create_segments,
            deadline: self.deadline,
            ..importing(What::Memberships { segment: self.one.clone() })
        }
    }

    pub(super) fn file(&self) -> String {
        const COLUMNS: [&str; 5] = ["expires_at", "segment", "user_id", "ttl", "since"];
        let told = |at: Instant| at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let mut lines = Vec::new();
        if self.shape != '{' {
            lines.push(COLUMNS.join(&self.shape.to_string()));
        }
        for row in &self.rows {
            let (mut ttl, mut expires_at) = (None, None);
            match row.deadline {
                _ if row.garbled => ttl = Some("soon".to_owned()),
                Some(Deadline::At(at)) => expires_at = Some(told(at)),
                Some(Deadline::After(after)) => ttl = Some(after.to_string()),
                None => {}
            }
            let slug = row.slug.as_ref().map(Slug::to_string);
            let user = row.user.as_ref().map(UserId::to_string);
            let cells = [expires_at, slug, user, ttl, row.since.map(told)];
            lines.push(if self.shape == '{' {
                let cells = COLUMNS.into_iter().map(str::to_owned).zip(cells.into_iter().map(Into::into));
                serde_json::Value::Object(cells.collect()).to_string()
            } else {
                cells.map(Option::unwrap_or_default).join(&self.shape.to_string())
            });
        }
        lines.join("\n") + "\n"
    }

    /// Whose row it is, when that can be told, and whether the rest of it is good.
    fn read(&self, row: &Row, model: &Model) -> (Option<(UserId, Slug)>, bool) {
        let named = match (&self.one, &row.slug) {
            (Some(one), Some(own)) if one != own => None,
            (Some(one), _) => Some(one),
            (None, own) => own.as_ref(),
        };
        let known = named.filter(|slug| self.create_segments || model.segments.contains_key(slug));
        let (Some(user), Some(slug)) = (&row.user, known) else { return (None, false) };
        let deadline = row.deadline.or(self.deadline).map(|deadline| model.instant(deadline));
        let is_late = self.mode != Mode::Remove && deadline.is_some_and(|at| at <= model.now);
        let is_early = row.since.is_some_and(|since| since > model.now);
        (Some((user.clone(), slug.clone())), !row.garbled && !is_late && !is_early)
    }
}

impl Model {
    pub(super) fn import_users(&mut self, ids: &[UserId]) -> Told {
        let distinct: BTreeSet<&UserId> = ids.iter().collect();
        let added = distinct.iter().filter(|id| self.bear(id)).count() as u64;
        self.records.push(Record::default());
        Told::Came(Came {
            state: Some(JobState::Done),
            done: ids.len() as u64,
            added,
            unchanged: distinct.len() as u64 - added,
            duplicates: (ids.len() - distinct.len()) as u64,
            ..Came::default()
        })
    }

    pub(super) fn import(&mut self, import: &ImportDeed, identities: &Identities) -> Told {
        let mut came = Came { state: Some(JobState::Done), ..Came::default() };
        // A good row counts as it stands last; a bad one leaves its user alone, unless a good one speaks of the same.
        let mut wanted: BTreeMap<(UserId, Slug), &Row> = BTreeMap::new();
        let mut kept: BTreeSet<(UserId, Slug)> = BTreeSet::new();
        for row in &import.rows {
            match import.read(row, self) {
                (Some(named), true) => came.duplicates += u64::from(wanted.insert(named, row).is_some()),
                (named, _) => {
                    came.refused += 1;
                    kept.extend(named);
                }
            }
        }
        if import.atomic && came.refused > 0 {
            self.records.push(Record { can_be_undone: true, ..Record::default() });
            return Told::Came(Came {
                state: Some(JobState::Failed),
                done: came.refused,
                refused: came.refused,
                ..Came::default()
            });
        }
        came.done = import.rows.len() as u64;
        if import.dry_run {
            // Nobody will ever hear of the segments that are made on trial.
            let invented = SLUGS.map(slug).into_iter().zip(1_000_000..).map(|(slug, id)| {
                let seed = self.segments.get(&slug).map_or(domain::Seed(0), |defined| defined.seed);
                (slug, (SegmentId(id), seed))
            });
            let mut trial = Model { records: Vec::new(), ..self.clone() };
            trial.carry_in(import, &wanted, &kept, &invented.collect(), &mut came);
            self.records.push(Record { can_be_undone: true, ..Record::default() });
        } else {
            let pairs = self.carry_in(import, &wanted, &kept, identities, &mut came);
            let after = pairs.into_iter().map(|(pair, before)| {
                let times = self.times_written(&pair);
                (pair, (before, times))
            });
            let pairs = after.collect();
            self.records.push(Record { can_be_undone: true, is_undone: false, pairs });
        }
        Told::Came(came)
    }

    /// Carries the rows in, and tells how each pair was that they changed.
    fn carry_in(
        &mut self,
        import: &ImportDeed,
        wanted: &BTreeMap<(UserId, Slug), &Row>,
        kept: &BTreeSet<(UserId, Slug)>,
        identities: &Identities,
        came: &mut Came,
    ) -> BTreeMap<Pair, Option<Member>> {
        for (_, slug) in wanted.keys() {
            if !self.segments.contains_key(slug) {
                self.define(slug, identities, None, None);
                came.segments_created += 1;
            }
        }
        if import.mode != Mode::Remove {
            for (user, _) in wanted.keys() {
                came.users_created += u64::from(self.bear(user));
            }
        }
        // Births stay, and so does what came with them.
        let before = self.members.clone();
        let mut changed: BTreeSet<Pair> = BTreeSet::new();
        if import.mode == Mode::Replace {
            let named: BTreeSet<&(UserId, Slug)> = wanted.keys().chain(kept).collect();
            let slugs: BTreeSet<&Slug> = named.iter().map(|(_, slug)| slug).collect();
            for slug in slugs {
                let Ok(defined) = self.segment(slug) else { continue };
                for user in self.members_of(defined.id) {
                    if !named.contains(&(user.clone(), slug.clone())) {
                        self.leave(&user, defined.id, Source::Import);
                        changed.insert((user, defined.id));
                        came.removed += 1;
                    }
                }
            }
        }
        for ((user, slug), row) in wanted {
            let pair = (user.clone(), self.segments[slug].id);
            match self.carry_in_row(import, &pair, slug, row) {
                None => {
                    came.unchanged += 1;
                    continue;
                }
                Some(Operation::Add) => came.added += 1,
                Some(Operation::Extend) => came.extended += 1,
                Some(Operation::Remove) => came.removed += 1,
            }
            changed.insert(pair);
        }
        changed.into_iter().map(|pair| (pair.clone(), before.get(&pair).cloned())).collect()
    }

    fn carry_in_row(&mut self, import: &ImportDeed, pair: &Pair, slug: &Slug, row: &Row) -> Option<Operation> {
        let (user, segment) = pair;
        let deadline = row.deadline.or(import.deadline).map(|deadline| self.instant(deadline));
        match (self.members.get(pair), import.mode) {
            (None, Mode::Remove) => None,
            (Some(_), Mode::Remove) => {
                self.leave(user, *segment, Source::Import);
                Some(Operation::Remove)
            }
            (None, Mode::Add | Mode::Replace) => {
                let default = self.segments[slug].default_ttl.map(|ttl| ttl.after(self.now));
                let since = row.since.unwrap_or(self.now);
                self.enter_since(user, *segment, since, deadline.or(default), Source::Import);
                if since < self.now {
                    self.backdated.push((pair.clone(), slug.clone(), self.members[pair].clone()));
                }
                Some(Operation::Add)
            }
            (Some(present), Mode::Add | Mode::Replace) if deadline.is_some() && present.deadline != deadline => {
                self.postpone(user, *segment, deadline, Source::Import);
                Some(Operation::Extend)
            }
            (Some(_), Mode::Add | Mode::Replace) => None,
        }
    }

    fn times_written(&self, (user, segment): &Pair) -> usize {
        self.log.iter().filter(|row| row.user == *user && row.segment == *segment).count()
    }

    /// Puts each pair back to what it was, unless anything was written of it since.
    pub(super) fn undo(&mut self, which: usize) -> Result<Told, String> {
        let record = self.records[which].clone();
        if !record.can_be_undone || record.is_undone {
            return Err(format!("job number {which} cannot be taken back, or was"));
        }
        self.records[which].is_undone = true;
        let mut came = Came { state: Some(JobState::Done), ..Came::default() };
        let mut pairs = BTreeMap::new();
        for (pair, (before, times)) in record.pairs {
            let (user, segment) = &pair;
            let is_there = self.users.contains(user) && self.segments.values().any(|defined| defined.id == *segment);
            if !is_there || self.times_written(&pair) != times {
                came.unchanged += 1;
                continue;
            }
            let before = before.filter(|before| before.deadline.is_none_or(|deadline| deadline > self.now));
            let present = self.members.get(&pair).cloned();
            match (&before, &present) {
                (None, None) => {
                    came.unchanged += 1;
                    continue;
                }
                (None, Some(_)) => {
                    self.leave(user, *segment, Source::Import);
                    came.removed += 1;
                }
                (Some(before), None) => {
                    self.members.insert(pair.clone(), before.clone());
                    self.write(user, *segment, Operation::Add, self.now, before.deadline, before.source);
                    came.added += 1;
                }
                (Some(before), Some(present)) => {
                    assert_ne!(before.deadline, present.deadline, "an import changes nothing else of who is in");
                    self.postpone(user, *segment, before.deadline, Source::Import);
                    came.extended += 1;
                }
            }
            let times = self.times_written(&pair);
            pairs.insert(pair, (present, times));
        }
        self.records.push(Record { can_be_undone: true, is_undone: false, pairs });
        Ok(Told::Came(came))
    }
}
