//! Set algebra: who is in a combination of segments, and how segments overlap; now or at an instant.
//!
//! The members of all segments that are asked about are gone through side by side, user by user.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    ops::ControlFlow,
};

use domain::{
    Caller, Entry, Instant, Permission, Reason, Segment, SegmentId, Slug, Source, UserId, algebra::Expression,
};

use crate::{
    Act, App, Error, Known, Look, history,
    memberships::{self, PAGE},
    ports::{Direction, Hold, Locks, Remembered, UserSet},
    segments::{self, BySize, CreateSegment, StatsQuery},
};

/// How many segments are held against each other at most.
pub const OVERLAP_MAX: usize = 8;

#[derive(Debug, Clone)]
pub struct AlgebraQuery {
    pub expression: Expression,
    /// As it was then, from history alone. `ALL` is everybody there is now.
    pub as_of: Option<Instant>,
}

/// What is asked of a set.
pub struct Wanted {
    /// At most so many users, by id, after one of them.
    pub users: Option<(Option<UserId>, usize)>,
    /// How many they are in all, when that is to be told.
    pub count: Option<Exactly>,
}

#[derive(Debug, Clone, Copy)]
pub struct Exactly;

/// What was wanted.
pub struct Found {
    pub users: Vec<UserId>,
    pub count: Option<u64>,
}

/// The page of users and the count that are wanted, both of one state; out of memory where that is sure.
pub fn evaluate(app: &App, caller: &Caller, query: &AlgebraQuery, wanted: &Wanted) -> Result<Known<Found>, Error> {
    require(caller, Permission::ReadSegments, &query.expression)?;
    let of_set = |set: Box<dyn UserSet>| {
        let users = wanted.users.as_ref().map(|(after, limit)| set.page(after.as_ref(), *limit));
        Found { users: users.unwrap_or_default(), count: wanted.count.map(|Exactly| set.count()) }
    };
    let found = |set: Remembered<Box<dyn UserSet>>| Remembered { found: of_set(set.found), seen: set.seen };
    let remembered = remembered(app, query).map(found);
    app.known_or_look(caller, remembered, |look| {
        let users = match &wanted.users {
            Some((after, limit)) => page(look, query, after.as_ref(), *limit)?,
            None => Vec::new(),
        };
        let count = wanted.count.map(|Exactly| count(look, query)).transpose()?;
        Ok(Found { users, count })
    })
}

/// To do something with all that an expression names.
pub(crate) fn require(caller: &Caller, permission: Permission, expression: &Expression) -> Result<(), Error> {
    match expression.names_everybody() {
        true => Ok(caller.require(permission)?),
        false => Ok(caller.require_in(permission, expression.segments())?),
    }
}

fn remembered(app: &App, query: &AlgebraQuery) -> Option<Remembered<Box<dyn UserSet>>> {
    if query.as_of.is_some() { None } else { app.index.set(&query.expression, app.clock.now()) }
}

/// The users of whom the expression holds, by id, after `after`.
pub fn page(look: &mut Look, query: &AlgebraQuery, after: Option<&UserId>, limit: usize) -> Result<Vec<UserId>, Error> {
    let mut users = Vec::new();
    each(look, query, after, &mut |user| {
        users.extend(user);
        if users.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(users)
}

pub fn count(look: &mut Look, query: &AlgebraQuery) -> Result<u64, Error> {
    let mut count = 0;
    each(look, query, None, &mut |user| {
        count += u64::from(user.is_some());
        ControlFlow::Continue(())
    })?;
    Ok(count)
}

/// Creates a segment of those who are in a combination of others now. It does not follow them: whoever enters or leaves
/// them later does not enter or leave it.
pub fn create(act: &mut Act, command: CreateSegment, expression: Expression) -> Result<Segment, Error> {
    act.caller.require_in(Permission::Manage, [&command.slug])?;
    require(act.caller, Permission::ReadSegments, &expression)?;
    let locks = Locks::new().population(Hold::Alone).segment(&command.slug, Hold::Alone);
    let locks = expression.segments().into_iter().fold(locks, |locks, slug| locks.segment(slug, Hold::Alone));
    act.unit.lock(&locks)?;
    let now = act.now();
    // Before there is the segment itself, which nobody can mean.
    let query = AlgebraQuery { expression, as_of: None };
    let mut users = page(&mut act.looking(now), &query, None, PAGE)?;
    let segment = segments::create_locked(act, command)?;
    let text: String = format!("in {}", query.expression).chars().take(Reason::CHARS_MAX).collect();
    let reason = Reason::parse(&text).ok();
    loop {
        let (after, is_last) = (users.last().cloned(), users.len() < PAGE);
        let mut entries: Vec<Entry> = Vec::with_capacity(users.len());
        for user in users {
            let entry = memberships::entering(act, user, &segment, now, Source::Manual);
            entries.push(Entry { reason: reason.clone(), ..entry });
        }
        memberships::record(act.unit, &entries)?;
        if is_last {
            break;
        }
        users = page(&mut act.looking(now), &query, after.as_ref(), PAGE)?;
    }
    segments::note_creation(act, &segment, serde_json::json!({"expr": query.expression.to_string()}))?;
    Ok(segment)
}

/// A segment that shares members with another.
#[derive(Debug, Clone, PartialEq)]
pub struct Similar {
    pub slug: Slug,
    pub user_count: u64,
    pub shared: u64,
    /// Those in both, of those in either: from 0 to 1.
    pub jaccard: f64,
}

/// How the members of one segment share others.
pub struct SharedMembers {
    /// How many members the segment itself has.
    pub user_count: u64,
    /// Each segment with members in common: how many it has, and how many of them are in common.
    pub others: Vec<(Slug, u64, u64)>,
}

/// At most `limit` segments, the likest first; none that have nobody in common.
pub fn similar(app: &App, caller: &Caller, slug: &Slug, limit: usize) -> Result<Known<(u64, Vec<Similar>)>, Error> {
    caller.require(Permission::ReadSegments)?;
    let remembered = app.index.shared(slug, app.clock.now());
    let Known { found, seen } = app.known_or_look(caller, remembered, |look| shared(look, slug))?;
    let SharedMembers { user_count: own, others } = found;
    let mut similar: Vec<Similar> = Vec::with_capacity(others.len());
    for (slug, user_count, shared) in others {
        similar.push(Similar { slug, user_count, shared, jaccard: jaccard(own, user_count, shared) });
    }
    similar.sort_by(|a, b| b.jaccard.total_cmp(&a.jaccard).then_with(|| a.slug.cmp(&b.slug)));
    similar.truncate(limit);
    Ok(Known { found: (own, similar), seen })
}

/// How many segments are held against each other by [`overlaps`].
const LARGEST: usize = 200;

/// How the largest segments share their members, pair by pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SharedPairs {
    /// The largest first, each with how many members it has.
    pub segments: Vec<(Slug, u64)>,
    /// Places of two of them, the lower first, and how many members they share; without those that share none.
    pub pairs: Vec<(usize, usize, u64)>,
}

/// The pairs of segments that are likest.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlaps {
    pub as_of: Instant,
    /// How many segments were held against each other: those with members, of which the largest ones.
    pub considered: usize,
    /// The likest first.
    pub pairs: Vec<LikePair>,
}

/// Two segments that share members, the larger first.
#[derive(Debug, Clone, PartialEq)]
pub struct LikePair {
    pub first: Slug,
    pub second: Slug,
    pub first_count: u64,
    pub second_count: u64,
    pub shared: u64,
    /// Those in both, of those in either: from 0 to 1.
    pub jaccard: f64,
}

/// At most `limit` pairs, the likest first, among the 200 largest segments.
pub fn overlaps(app: &App, caller: &Caller, limit: usize) -> Result<Known<Overlaps>, Error> {
    overlaps_among(app, caller, limit, LARGEST)
}

/// The same among so many.
pub fn overlaps_among(app: &App, caller: &Caller, limit: usize, segments_max: usize) -> Result<Known<Overlaps>, Error> {
    caller.require(Permission::ReadSegments)?;
    let now = app.clock.now();
    let remembered = app.index.shared_pairs(now, segments_max);
    let remembered = remembered.map(|pairs| Remembered { found: (now, pairs.found), seen: pairs.seen });
    let known = app.known_or_look(caller, remembered, |look| Ok((look.now, shared_pairs(look, segments_max)?)))?;
    Ok(known.map(|(as_of, SharedPairs { segments, pairs })| {
        let mut likest: Vec<(f64, usize, usize, u64)> = pairs
            .into_iter()
            .map(|(first, second, shared)| {
                (jaccard(segments[first].1, segments[second].1, shared), first, second, shared)
            })
            .collect();
        likest.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
        likest.truncate(limit);
        let pair = |(jaccard, first, second, shared): (f64, usize, usize, u64)| {
            let [(first, first_count), (second, second_count)] = [first, second].map(|place| segments[place].clone());
            LikePair { first, second, first_count, second_count, shared, jaccard }
        };
        Overlaps { as_of, considered: segments.len(), pairs: likest.into_iter().map(pair).collect() }
    }))
}

fn shared_pairs(look: &mut Look, segments_max: usize) -> Result<SharedPairs, Error> {
    let by_size = BySize { direction: Direction::Descending, after: None };
    let query = StatsQuery { by_size: Some(by_size), ..StatsQuery::default() };
    let mut stats = segments::stats(look, &query, usize::MAX)?;
    stats.retain(|(_, count)| *count > 0);
    stats.sort_by(|(a, a_count), (b, b_count)| (b_count, &a.slug).cmp(&(a_count, &b.slug)));
    stats.truncate(segments_max);
    let ids: Vec<SegmentId> = stats.iter().map(|(segment, _)| segment.id).collect();
    let places: HashMap<SegmentId, usize> = ids.iter().copied().zip(0..).collect();
    let shared = look.unit.memberships().shared_among(&ids, look.now)?;
    let pair = |(a, b, count): (SegmentId, SegmentId, u64)| {
        let (a, b) = (places[&a], places[&b]);
        (a.min(b), a.max(b), count)
    };
    let pairs = shared.into_iter().map(pair).collect();
    Ok(SharedPairs { segments: stats.into_iter().map(|(segment, count)| (segment.slug, count)).collect(), pairs })
}

fn shared(look: &mut Look, slug: &Slug) -> Result<SharedMembers, Error> {
    let segment = segments::require(look.unit, slug)?;
    let shared = look.unit.memberships().shared(segment.id, look.now)?;
    let ids: Vec<SegmentId> = shared.iter().map(|(id, _)| *id).chain([segment.id]).collect();
    let counts: HashMap<SegmentId, u64> = look.unit.memberships().counts(&ids, look.now)?.into_iter().collect();
    let count = |id: SegmentId| counts.get(&id).copied().unwrap_or(0);
    let names = look.unit.segments().names(&ids)?.into_iter().filter(|name| name.period.to.is_none());
    let mut names: HashMap<SegmentId, Slug> = names.map(|name| (name.segment, name.slug)).collect();
    let mut others = Vec::with_capacity(shared.len());
    for (id, shared) in shared {
        others.extend(names.remove(&id).map(|slug| (slug, count(id), shared)));
    }
    Ok(SharedMembers { user_count: count(segment.id), others })
}

/// How segments share their members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// How many users each segment has.
    pub counts: Vec<u64>,
    /// How many are in exactly these segments, by their places among those asked about; what nobody is in is left out.
    pub exclusive: BTreeMap<Vec<usize>, u64>,
}

impl Overlap {
    /// Of so many segments, out of how many users are in each combination of them, which is told by their places as bits.
    pub fn new(segments: usize, by_places: BTreeMap<u64, u64>) -> Overlap {
        let is_in = |places: u64, place: usize| places >> place & 1 == 1;
        let counts = (0..segments)
            .map(|place| by_places.iter().filter(|(places, _)| is_in(**places, place)).map(|(_, count)| count).sum())
            .collect();
        let exclusive = by_places
            .into_iter()
            .map(|(places, count)| ((0..segments).filter(|place| is_in(places, *place)).collect(), count))
            .collect();
        Overlap { counts, exclusive }
    }

    /// How many are in both.
    pub fn in_both(&self, first: usize, second: usize) -> u64 {
        let shared = self.exclusive.iter().filter(|(places, _)| places.contains(&first) && places.contains(&second));
        shared.map(|(_, count)| count).sum()
    }

    /// How like two of them are, from 0 to 1.
    pub fn jaccard(&self, first: usize, second: usize) -> f64 {
        jaccard(self.counts[first], self.counts[second], self.in_both(first, second))
    }
}

/// How many are in both, of those who are in either: from 0 to 1. Two segments without members are the same.
fn jaccard(first: u64, second: u64, both: u64) -> f64 {
    match first + second - both {
        0 => 1.0,
        either => both as f64 / either as f64,
    }
}

/// As [`overlap`], out of memory where that is sure.
pub fn known_overlap(
    app: &App,
    caller: &Caller,
    slugs: &[Slug],
    as_of: Option<Instant>,
) -> Result<Known<Overlap>, Error> {
    caller.require_in(Permission::ReadSegments, slugs)?;
    let remembered = if as_of.is_some() { None } else { app.index.overlap(slugs, app.clock.now()) };
    app.known_or_look(caller, remembered, |look| overlap(look, slugs, as_of))
}

pub fn overlap(look: &mut Look, slugs: &[Slug], as_of: Option<Instant>) -> Result<Overlap, Error> {
    look.caller.require_in(Permission::ReadSegments, slugs)?;
    let segments = resolve(look, slugs, as_of)?;
    let streams = segments.into_iter().map(|segment| Stream::behind(None, Whose::Members(segment)));
    let mut streams: Vec<Stream> = streams.collect();
    let mut by_places: BTreeMap<u64, u64> = BTreeMap::new();
    walk(look, &mut streams, as_of, &mut |_, places| {
        *by_places.entry(places).or_default() += 1;
        ControlFlow::Continue(())
    })?;
    Ok(Overlap::new(slugs.len(), by_places))
}

/// As [`page`], one by one, until `take` has enough. It may also get a nobody for each user that was passed over, and so
/// hears that it goes on.
pub(crate) fn each(
    look: &mut Look,
    query: &AlgebraQuery,
    after: Option<&UserId>,
    take: &mut dyn FnMut(Option<UserId>) -> ControlFlow<()>,
) -> Result<(), Error> {
    require(look.caller, Permission::ReadSegments, &query.expression)?;
    let slugs: Vec<Slug> = query.expression.segments().into_iter().cloned().collect();
    let segments = resolve(look, &slugs, query.as_of)?;
    let everybody = query.expression.names_everybody().then_some(Whose::Everybody);
    let whose = segments.into_iter().map(Whose::Members).chain(everybody);
    let mut streams: Vec<Stream> = whose.map(|whose| Stream::behind(after, whose)).collect();
    walk(look, &mut streams, query.as_of, &mut |user, places| {
        let is_in = |slug: &Slug| slugs.binary_search(slug).is_ok_and(|place| places >> place & 1 == 1);
        take(query.expression.holds(&is_in).then_some(user))
    })
}

/// The segments of the slugs, or an error that names every slug that none has, or had.
fn resolve(look: &mut Look, slugs: &[Slug], as_of: Option<Instant>) -> Result<Vec<SegmentId>, Error> {
    let Some(at) = as_of else {
        return Ok(segments::require_all(look.unit, slugs)?.into_iter().map(|segment| segment.id).collect());
    };
    history::refuse_forgotten(look, "as_of", at)?;
    history::segments_at(look, slugs, at)
}

/// Each user who is in any of the streams once, by id, with the places of the streams as bits.
fn walk(
    look: &mut Look,
    streams: &mut [Stream],
    as_of: Option<Instant>,
    take: &mut dyn FnMut(UserId, u64) -> ControlFlow<()>,
) -> Result<(), Error> {
    loop {
        for stream in streams.iter_mut() {
            stream.fill(look, as_of)?;
        }
        let Some(user) = streams.iter().filter_map(|stream| stream.users.front()).min().cloned() else { return Ok(()) };
        let mut places = 0;
        for (place, stream) in streams.iter_mut().enumerate() {
            if stream.users.front() == Some(&user) {
                stream.users.pop_front();
                places |= 1 << place;
            }
        }
        if take(user, places).is_break() {
            return Ok(());
        }
    }
}

enum Whose {
    Members(SegmentId),
    Everybody,
}

/// Users by id, page by page.
struct Stream {
    whose: Whose,
    users: VecDeque<UserId>,
    after: Option<UserId>,
    is_over: bool,
}

impl Stream {
    fn behind(after: Option<&UserId>, whose: Whose) -> Stream {
        Stream { whose, users: VecDeque::new(), after: after.cloned(), is_over: false }
    }

    fn fill(&mut self, look: &mut Look, as_of: Option<Instant>) -> Result<(), Error> {
        if self.is_over || !self.users.is_empty() {
            return Ok(());
        }
        let after = self.after.as_ref();
        let members = match (&self.whose, as_of) {
            (Whose::Everybody, _) => {
                self.users = look.unit.users().ids(after, PAGE)?.into();
                Vec::new()
            }
            (Whose::Members(segment), None) => look.unit.memberships().members(*segment, look.now, after, PAGE)?,
            (Whose::Members(segment), Some(at)) => look.unit.history().members_at(*segment, at, after, PAGE)?,
        };
        self.users.extend(members.into_iter().map(|member| member.user));
        self.is_over = self.users.len() < PAGE;
        self.after = self.users.back().cloned();
        Ok(())
    }
}
