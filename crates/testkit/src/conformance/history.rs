use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use domain::{
    Actor, Entry, HistoryRow, Instant, Job, JobId, JobKind, Membership, Operation, Period, Segment, SegmentId, UserId,
    history::replay,
};
use usecases::ports::{
    Direction, HistoryFilter, HistoryLine, HistoryLines, HistorySegment, MemberQuery, Moves, Store, UserQuery,
};

use super::{
    Case, add, extend, has, has_segment, has_users, id, ids, look, micros, minute, must, new_segment, pages, record,
    remove, rows_of,
};
use crate::{chances::Draws, slug};

pub(super) const CASES: &[Case] = &[
    ("every filter leaves the rows it names, page by page", every_filter),
    ("rows come the newest first, page by page, where that is asked for", newest_rows_first),
    ("rows are counted between instants, by source and operation", rows_are_counted_between_instants),
    ("the last row of a segment is that of the latest instant, and of these the last written", last_rows_of_segments),
    ("members at an instant are found as users are", members_are_found_at_an_instant),
    ("rows are found by the slug of then and by the segment of now", slug_of_then_and_segment_of_now),
    ("lines tell of the rows of a page", lines_tell_of_a_page),
    ("rows of users come by id", rows_of_users_by_id),
    ("rows of pairs come by id, and a pair that is named twice counts once", rows_of_pairs_by_id),
    ("rows of a job come by id, page by page", rows_of_a_job_page_by_page),
    ("rows of a job stay when the job is forgotten", rows_of_a_forgotten_job),
    ("members at an instant are those that replay leaves", members_at_an_instant),
    ("what was told up to an instant comes user by user, as it was written", told_up_to_an_instant),
    ("touched are all who differ, and only those written of or due", touched_are_all_who_differ),
    ("everyone is everybody of whom anything is stored", everyone_of_whom_anything_is_stored),
    ("history of a deleted segment can still be asked", deleted_segment_can_be_asked),
    ("history begins where it was said to, and never earlier again", beginning_of_history),
    ("rows that are forgotten are gone, and no others", forgotten_rows_are_gone),
    ("a row that is rewritten has the new deadline, and all else as before", rewritten_row),
    ("rows go to another name, without reasons, and no others", rows_go_to_another_name),
    ("known before an instant are those of whom an older row tells", known_before_an_instant),
    ("when a part is forgotten every later instant is told as before", forgotten_parts),
    ("a segment is stale without a change, a row or a job since", stale_segments),
];

fn rows_go_to_another_name(store: &dyn Store) {
    let (first, second) = (has_segment(store, "A"), has_segment(store, "B"));
    has_users(store, &ids(["u", "v"]));
    record(store, &[add("u", &first, minute(1), None), add("v", &first, minute(1), None)]);
    record(store, &[add("u", &second, minute(500_000), Some(minute(600_000)))]);
    record(store, &[remove("u", &first, minute(2)), remove("u", &second, minute(500_001))]);
    let before = rows_of(store, &ids(["u"]));
    let others = rows_of(store, &ids(["v"]));
    assert_eq!(must(store, |unit| unit.history().rename(&id("u"), &id("erased"))), 4);
    assert_eq!(rows_of(store, &ids(["u"])), []);
    let after: Vec<Entry> =
        before.into_iter().map(|entry| Entry { user: id("erased"), reason: None, ..entry }).collect();
    assert_eq!(rows_of(store, &ids(["erased"])), after);
    assert_eq!(rows_of(store, &ids(["v"])), others);
    assert_eq!(must(store, |unit| unit.history().rename(&id("u"), &id("erased"))), 0);
}

fn lines_tell_of_a_page(store: &dyn Store) {
    let (segments, _) = generated(store, 7);
    let segment = HistorySegment { slug: segments[0].slug.clone(), id: Some(segments[0].id) };
    let filters = [
        HistoryFilter::default(),
        HistoryFilter { segment: Some(segment), ..HistoryFilter::default() },
        HistoryFilter { period: Period { from: Some(minute(3)), to: Some(minute(30)) }, ..HistoryFilter::default() },
    ];
    let told = |filter: &HistoryFilter, size: usize, pages: usize, taken: usize| {
        let mut told = Vec::new();
        look(store, |unit| {
            unit.history().lines(filter, size, pages, &mut |lines| {
                told.push(lines);
                if told.len() < taken { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })
        });
        told
    };
    for mut filter in filters {
        let all = look(store, |unit| unit.history().count(&filter));
        let all = usize::try_from(all).unwrap();
        let first = filter.clone();
        for page in 0..3 {
            let rows = look(store, |unit| unit.history().page(&filter, 7));
            let lines = &told(&first, 7, 3, 3)[page];
            let expected: Vec<HistoryLine> = rows
                .iter()
                .map(|row| HistoryLine {
                    user: row.entry.user.as_str(),
                    slug: row.entry.segment.slug.as_str(),
                    operation: row.entry.operation.as_str(),
                    at: row.entry.at,
                })
                .collect();
            assert_eq!(lines.count, 7);
            assert_eq!(lines.iter().map(Result::unwrap).collect::<Vec<_>>(), expected);
            filter.after = rows.last().map(|last| (last.entry.at, last.id));
            assert_eq!((lines.last, told(&filter, 7, 1, 1).len()), (filter.after, 1));
        }
        let counts =
            |size, pages, taken| told(&first, size, pages, taken).iter().map(|page| page.count).collect::<Vec<_>>();
        assert_eq!(counts(7, 5, 2), [7, 7]);
        assert_eq!(counts(all, 5, 9), [all, 0]);
        assert_eq!(counts(all - 1, 5, 9), [all - 1, 1]);
        assert_eq!(counts(all + 1, 5, 9), [all]);
        filter.after = Some((minute(1_000_000), 0));
        assert_eq!(told(&filter, 7, 3, 3), [HistoryLines::default()]);
    }
}

fn beginning_of_history(store: &dyn Store) {
    assert_eq!(look(store, |unit| unit.history().begins_at()), None);
    must(store, |unit| unit.history().begin_at(minute(5)));
    assert_eq!(look(store, |unit| unit.history().begins_at()), Some(minute(5)));
    must(store, |unit| unit.history().begin_at(minute(3)));
    assert_eq!(look(store, |unit| unit.history().begins_at()), Some(minute(5)));
    must(store, |unit| unit.history().begin_at(minute(9)));
    assert_eq!(look(store, |unit| unit.history().begins_at()), Some(minute(9)));
}

fn forgotten_rows_are_gone(store: &dyn Store) {
    let segment = has_segment(store, "A");
    record(store, &[add("1", &segment, minute(1), None), add("2", &segment, minute(2), None)]);
    record(store, &[remove("1", &segment, minute(3))]);
    let rows = look(store, |unit| unit.history().of_users(&ids([1, 2]), None));
    let (gone, left): (Vec<HistoryRow>, Vec<HistoryRow>) = rows.into_iter().partition(|row| row.entry.user == id("1"));
    must(store, |unit| unit.history().forget(&[]));
    let places: Vec<(Instant, i64)> = gone.iter().map(|row| (row.entry.at, row.id)).collect();
    must(store, |unit| unit.history().forget(&places));
    assert_eq!(look(store, |unit| unit.history().of_users(&ids([1, 2]), None)), left);
    // What is written later does not take the place of what was forgotten.
    record(store, &[add("1", &segment, minute(4), None)]);
    let again = look(store, |unit| unit.history().of_users(&ids([1]), None));
    assert!(gone.iter().all(|row| row.id < again[0].id));
}

fn rewritten_row(store: &dyn Store) {
    let segment = has_segment(store, "A");
    record(store, &[add("1", &segment, minute(1), None), add("2", &segment, minute(1), None)]);
    let rows = look(store, |unit| unit.history().of_users(&ids([1, 2]), None));
    for deadline in [Some(minute(7)), None] {
        let entry = Entry { expires_at: deadline, ..rows[0].entry.clone() };
        let row = HistoryRow { entry, ..rows[0].clone() };
        must(store, |unit| unit.history().rewrite(&row));
        assert_eq!(look(store, |unit| unit.history().of_users(&ids([1, 2]), None)), [row, rows[1].clone()]);
    }
}

fn known_before_an_instant(store: &dyn Store) {
    let (_, rows) = generated(store, 8);
    for before in [minute(-1), rows[40].entry.at, rows[40].entry.at + micros(1), minute(1_000)] {
        let older = rows.iter().filter(|row| row.entry.at < before);
        let expected = BTreeSet::from_iter(older.map(|row| row.entry.user.clone()));
        for limit in [1, 4, 100] {
            let told = pages(limit, |last: Option<&UserId>| {
                look(store, |unit| unit.history().known_before(before, last, limit))
            });
            assert_eq!(told, Vec::from_iter(expected.iter().cloned()), "{before} by {limit}");
        }
    }
}

fn forgotten_parts(store: &dyn Store) {
    let segments = ["a", "b"].map(|text| has_segment(store, text));
    let users = ids(USERS);
    has_users(store, &users);
    let mut draws = Draws::new(9);
    let day = chrono::TimeDelta::days;
    let now = minute(0) + day(300);
    for user in &users {
        for segment in &segments {
            let mut at = minute(0) + day(draws.below(90) as i64);
            let mut is_in = false;
            for _ in 0..draws.below(9) {
                at += day(draws.below(40) as i64) + micros(1);
                let deadline = (draws.below(2) == 0).then(|| at + day(400));
                let entry = match (is_in, draws.below(3)) {
                    // Data from elsewhere: it came in long before it was told.
                    (false, 0) => add(user, segment, minute(0) + day(draws.below(60) as i64), deadline),
                    (false, _) => add(user, segment, at, deadline),
                    (true, 0) => extend(user, segment, at, deadline),
                    (true, _) => remove(user, segment, at),
                };
                is_in = entry.operation != Operation::Remove;
                record(store, &[entry]);
                if draws.below(9) == 0 {
                    must(store, |unit| unit.history().make_parts(now));
                }
            }
        }
    }
    must(store, |unit| unit.history().make_parts(now));
    assert_eq!(must(store, |unit| unit.history().make_parts(now)), 0);
    let months = ["2024-01-01", "2024-02-01", "2024-05-01", "2024-09-01"];
    for before in months.map(|day| format!("{day}T00:00:00Z").parse::<Instant>().unwrap()) {
        let rows = || look(store, |unit| unit.history().of_users(&users, None));
        let told = || {
            let mut told = Vec::new();
            for segment in &segments {
                for instant in (0..300).step_by(5).map(|days| before + day(days)) {
                    told.push(look(store, |unit| unit.history().members_at(segment.id, instant, None, 99)));
                }
            }
            told
        };
        let (rows_before, told_before) = (rows(), told());
        must(store, |unit| unit.history().begin_at(before));
        let mut forgotten = 0;
        while let Some(more) = must(store, |unit| unit.history().forget_part(before)) {
            forgotten += more;
        }
        let left = rows();
        assert_eq!(left.len() as u64 + forgotten, rows_before.len() as u64, "{before}");
        assert!(left.iter().all(|row| rows_before.iter().any(|was| was.id == row.id)));
        let later = |rows: &[HistoryRow]| rows.iter().filter(|row| row.entry.at >= before).cloned().collect::<Vec<_>>();
        assert_eq!(later(&left), later(&rows_before));
        assert_eq!(told(), told_before, "{before}");
        assert_eq!(must(store, |unit| unit.history().make_parts(now)), 0);
    }
    assert_eq!(must(store, |unit| unit.history().forget_part(minute(-1_000_000))), None);
}

fn stale_segments(store: &dyn Store) {
    let quiet = has_segment(store, "Quiet");
    let [entered, imported] = ["entered", "imported"].map(|text| has_segment(store, text));
    has(store, Segment { updated_at: minute(10), ..new_segment("changed") });
    record(store, &[add("1", &quiet, minute(9), None), add("1", &entered, minute(10), None)]);
    let job = Job::queued(JobKind::ImportMemberships, Actor::new("test"), String::new(), minute(10));
    let job = Some(must(store, |unit| unit.jobs().insert(&job)));
    record(store, &[Entry { job, ..add("1", &imported, minute(1), None) }]);
    let stale = |before: i64, after: Option<&str>, limit: usize| -> Vec<String> {
        let found = look(store, |unit| unit.segments().stale(minute(before), after.map(slug).as_ref(), limit));
        found.into_iter().map(|segment| segment.slug.to_string()).collect()
    };
    assert_eq!(stale(10, None, 9), ["Quiet"]);
    assert_eq!(stale(9, None, 9), Vec::<String>::new());
    assert_eq!(stale(11, None, 2), ["Quiet", "changed"]);
    assert_eq!(stale(11, Some("changed"), 9), ["entered", "imported"]);
    for (text, before, is_stale) in
        [("Quiet", 10, true), ("Quiet", 9, false), ("imported", 10, false), ("none", 10, false)]
    {
        assert_eq!(look(store, |unit| unit.segments().is_stale(&slug(text), minute(before))), is_stale, "{text}");
    }
}

/// A history such as use cases make, and such as they hardly make: late expiries, backdated adds, several begins.
fn generated(store: &dyn Store, seed: u64) -> (Vec<Segment>, Vec<HistoryRow>) {
    let segments = ["b", "A", "я1"].map(|text| has_segment(store, if text == "я1" { "c" } else { text })).to_vec();
    let users = ids(USERS);
    has_users(store, &users);
    let mut draws = Draws::new(seed);
    let mut live: BTreeMap<(UserId, SegmentId), Membership> = BTreeMap::new();
    let mut entries = Vec::new();
    for step in 0..160 {
        let now = minute(step / 3);
        let user = &users[draws.below(users.len())];
        let segment = &segments[draws.below(segments.len())];
        let key = (user.clone(), segment.id);
        let deadline = (draws.below(2) == 0).then(|| minute(step / 3 + 1 + draws.below(30) as i64));
        let next = match live.get(&key) {
            Some(member) if member.is_due_at(now) => Entry::expiry(member).unwrap(),
            Some(_) if draws.below(2) == 0 => remove(user, segment, now),
            Some(_) => extend(user, segment, now, deadline),
            None if draws.below(4) == 0 => add(user, segment, minute(draws.below(50) as i64).min(now), deadline),
            None => add(user, segment, now, deadline),
        };
        match next.apply(live.remove(&key)) {
            Some(member) => live.insert(key, member),
            None => None,
        };
        entries.push(next);
    }
    // Some alone and some together, as units come. Together only what the port allows together.
    let mut batch: Vec<Entry> = Vec::new();
    for entry in entries {
        let repeated = batch.iter().any(|other| (&other.user, other.segment.id) == (&entry.user, entry.segment.id));
        if repeated || draws.below(4) == 0 {
            record(store, &batch);
            batch.clear();
        }
        batch.push(entry);
    }
    record(store, &batch);
    let mut rows = look(store, |unit| unit.history().of_users(&users, None));
    assert_eq!(rows.len(), 160);
    rows.sort_by_key(|row| row.id);
    (segments, rows)
}

const USERS: [&str; 6] = ["1", "10", "9", "Z", "a", "я"];

fn every_filter(store: &dyn Store) {
    let (segments, rows) = generated(store, 1);
    let users = [None, Some(id("Z")), Some(id("nobody"))];
    let mut of_segments = vec![None, Some(HistorySegment { slug: slug("none"), id: None })];
    of_segments.extend(
        segments.iter().map(|segment| Some(HistorySegment { slug: segment.slug.clone(), id: Some(segment.id) })),
    );
    let boundary = rows[70].entry.at;
    let periods = [
        Period::default(),
        Period { from: Some(boundary), to: None },
        Period { from: None, to: Some(boundary) },
        Period { from: Some(boundary), to: Some(boundary + micros(1)) },
        Period { from: Some(boundary + micros(1)), to: Some(minute(45)) },
        Period { from: Some(minute(45)), to: Some(minute(5)) },
    ];
    let mut seen = 0;
    for user in &users {
        for segment in &of_segments {
            for period in periods {
                let filter =
                    HistoryFilter { user: user.clone(), segment: segment.clone(), period, ..HistoryFilter::default() };
                let mut expected: Vec<HistoryRow> = rows.iter().filter(|row| leaves(&filter, row)).cloned().collect();
                expected.sort_by_key(|row| (row.entry.at, row.id));
                seen += expected.len();
                assert_eq!(look(store, |unit| unit.history().count(&filter)), expected.len() as u64, "{filter:?}");
                for limit in [1, 7, 1_000] {
                    if limit == 1 && expected.len() > 40 {
                        continue;
                    }
                    let paged = pages(limit, |last: Option<&HistoryRow>| {
                        let after = last.map(|last| (last.entry.at, last.id));
                        look(store, |unit| unit.history().page(&HistoryFilter { after, ..filter.clone() }, limit))
                    });
                    assert_eq!(paged, expected, "{filter:?} by {limit}");
                }
            }
        }
    }
    assert!(seen > 300, "the filters leave too little to tell anything: {seen}");
    let cursor = HistoryFilter { after: Some((minute(9_999), i64::MAX)), ..HistoryFilter::default() };
    assert_eq!(look(store, |unit| unit.history().count(&cursor)), 160);
}

fn newest_rows_first(store: &dyn Store) {
    let (segments, rows) = generated(store, 3);
    let segment = HistorySegment { slug: segments[0].slug.clone(), id: Some(segments[0].id) };
    let period = Period { from: Some(minute(5)), to: Some(minute(45)) };
    let direction = Direction::Descending;
    let filters = [
        HistoryFilter { direction, ..HistoryFilter::default() },
        HistoryFilter { direction, segment: Some(segment), ..HistoryFilter::default() },
        HistoryFilter { direction, period, user: Some(id("Z")), ..HistoryFilter::default() },
    ];
    for filter in filters {
        let mut expected: Vec<HistoryRow> = rows.iter().filter(|row| leaves(&filter, row)).cloned().collect();
        expected.sort_by_key(|row| std::cmp::Reverse((row.entry.at, row.id)));
        for limit in [7, 1_000] {
            let paged = pages(limit, |last: Option<&HistoryRow>| {
                let after = last.map(|last| (last.entry.at, last.id));
                look(store, |unit| unit.history().page(&HistoryFilter { after, ..filter.clone() }, limit))
            });
            assert_eq!(paged, expected, "{filter:?} by {limit}");
        }
        assert_eq!(look(store, |unit| unit.history().count(&filter)), expected.len() as u64);
    }
}

fn rows_are_counted_between_instants(store: &dyn Store) {
    let (segments, rows) = generated(store, 11);
    let segment = HistorySegment { slug: segments[1].slug.clone(), id: Some(segments[1].id) };
    let filters = [
        HistoryFilter::default(),
        HistoryFilter { segment: Some(segment.clone()), ..HistoryFilter::default() },
        HistoryFilter { user: Some(id("Z")), ..HistoryFilter::default() },
        HistoryFilter { user: Some(id("a")), segment: Some(segment), ..HistoryFilter::default() },
    ];
    let boundary = rows[70].entry.at;
    let instants = [
        vec![minute(-1_000), minute(1_000_000)],
        vec![minute(0), minute(7), boundary - micros(1), boundary, boundary + micros(1), minute(1_000_000)],
        (0..40).map(minute).collect(),
        vec![boundary],
        vec![boundary, boundary],
        vec![minute(500_000), minute(600_000)],
    ];
    let mut seen = 0;
    for filter in &filters {
        for points in instants.iter().map(|points| {
            let mut points = points.clone();
            points.sort();
            points
        }) {
            let mut expected: BTreeMap<(usize, &str, &str), u64> = BTreeMap::new();
            for row in rows.iter().filter(|row| leaves(filter, row)) {
                for (number, ends) in points.windows(2).enumerate() {
                    if ends[0] < row.entry.at && row.entry.at <= ends[1] {
                        let key = (number + 1, row.entry.source.as_str(), row.entry.operation.as_str());
                        *expected.entry(key).or_default() += 1;
                    }
                }
            }
            let found = look(store, |unit| unit.history().tally(filter, &points));
            let found: Vec<_> = found
                .iter()
                .map(|tally| ((tally.place, tally.source.as_str(), tally.operation.as_str()), tally.count))
                .collect();
            seen += found.len();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{filter:?} at {points:?}");
        }
    }
    assert!(seen > 100, "there is too little to count: {seen}");
    for (after, to) in [
        (minute(0), minute(1_000_000)),
        (boundary - micros(1), boundary),
        (boundary, minute(40)),
        (boundary, boundary),
        (boundary, minute(0)),
    ] {
        let within = rows.iter().filter(|row| after < row.entry.at && row.entry.at <= to);
        let count = |operation| within.clone().filter(|row| row.entry.operation == operation).count() as u64;
        let [added, removed, extended] = [Operation::Add, Operation::Remove, Operation::Extend].map(count);
        assert_eq!(look(store, |unit| unit.history().moves(after, to)), Moves { added, removed, extended });
    }
    assert_eq!(look(store, |unit| unit.history().tally(&HistoryFilter::default(), &[])), []);
}

fn last_rows_of_segments(store: &dyn Store) {
    let [a, b, c] = ["A", "B", "C"].map(|text| has_segment(store, text));
    has_users(store, &ids(["u", "v"]));
    record(store, &[add("u", &a, minute(500_000), None), add("v", &a, minute(2), None), add("u", &b, minute(7), None)]);
    record(store, &[remove("u", &b, minute(7))]);
    let renamed = Segment { slug: slug("A2"), updated_at: minute(9), ..a.clone() };
    must(store, |unit| unit.segments().update(&renamed));
    let last = look(store, |unit| unit.history().last_of(&[a.id, b.id, c.id, SegmentId(999_999)]));
    let told: Vec<(SegmentId, Instant, Operation)> =
        last.iter().map(|row| (row.entry.segment.id, row.entry.at, row.entry.operation)).collect();
    assert_eq!(told, [(b.id, minute(7), Operation::Remove), (a.id, minute(500_000), Operation::Add)]);
    assert_eq!(look(store, |unit| unit.history().last_of(&[])), []);
}

fn members_are_found_at_an_instant(store: &dyn Store) {
    let segment = has_segment(store, "A");
    super::memberships::has_people(store);
    for (number, user) in ["anna", "ann", "boris", "ivan"].into_iter().enumerate() {
        record(store, &[add(user, &segment, minute(number as i64), None)]);
    }
    record(store, &[remove("ann", &segment, minute(10)), add("ann", &segment, minute(20), Some(minute(30)))]);
    for (at, text, by_id_only, expected) in [
        (5, "ann", false, vec!["ann", "anna", "ivan"]),
        (5, "ann", true, vec!["ann", "anna"]),
        (1, "ann", false, vec!["ann", "anna"]),
        (10, "ann", true, vec!["anna"]),
        (29, "ann", true, vec!["ann", "anna"]),
        (30, "ann", true, vec!["anna"]),
        (5, "nobody", false, vec![]),
        (5, "", false, vec!["ann", "anna", "boris", "ivan"]),
    ] {
        let text = Some(text.to_owned()).filter(|text| !text.is_empty());
        let query = |after: Option<UserId>| MemberQuery {
            segment: segment.id,
            at: minute(at),
            users: UserQuery { text: text.clone(), by_id_only, after },
        };
        for limit in [1, 10] {
            let found = pages(limit, |last: Option<&Membership>| {
                let query = query(last.map(|last| last.user.clone()));
                assert_eq!(look(store, |unit| unit.history().count_found_at(&query)), expected.len() as u64);
                look(store, |unit| unit.history().found_at(&query, limit))
            });
            let found: Vec<&str> = found.iter().map(|found| found.user.as_str()).collect();
            assert_eq!(found, expected, "{text:?} at {at}");
        }
    }
}

fn leaves(filter: &HistoryFilter, row: &HistoryRow) -> bool {
    let of_user = filter.user.as_ref().is_none_or(|user| *user == row.entry.user);
    let of_segment = filter.segment.as_ref().is_none_or(|segment| {
        segment.slug == row.entry.segment.slug || segment.id.is_some_and(|id| id == row.entry.segment.id)
    });
    of_user && of_segment && filter.period.contains(row.entry.at)
}

fn slug_of_then_and_segment_of_now(store: &dyn Store) {
    has_users(store, &ids(["u", "v"]));
    let old = has_segment(store, "VIP");
    record(store, &[add("u", &old, minute(1), None)]);
    let renamed = Segment { slug: slug("Gold"), updated_at: minute(2), ..old.clone() };
    must(store, |unit| unit.segments().update(&renamed));
    record(store, &[remove("u", &renamed, minute(3))]);
    let new = has(store, Segment { created_at: minute(4), updated_at: minute(4), ..new_segment("VIP") });
    record(store, &[add("v", &new, minute(5), None)]);
    let found = |text: &str, id: Option<SegmentId>| {
        let filter =
            HistoryFilter { segment: Some(HistorySegment { slug: slug(text), id }), ..HistoryFilter::default() };
        let rows = look(store, |unit| unit.history().page(&filter, 10));
        assert_eq!(look(store, |unit| unit.history().count(&filter)), rows.len() as u64);
        rows.into_iter().map(|row| row.entry.at).collect::<Vec<Instant>>()
    };
    assert_eq!(found("Gold", Some(old.id)), [minute(1), minute(3)]);
    assert_eq!(found("Gold", None), [minute(3)]);
    assert_eq!(found("VIP", Some(new.id)), [minute(1), minute(5)]);
    assert_eq!(found("VIP", None), [minute(1), minute(5)]);
    assert!(found("vip", None).is_empty());
}

fn rows_of_users_by_id(store: &dyn Store) {
    let (segments, rows) = generated(store, 2);
    for users in [ids(["Z"]), ids(["я", "1", "nobody"]), ids(USERS), vec![]] {
        for segment in [None, Some(segments[0].id), Some(SegmentId(i64::MAX))] {
            let expected: Vec<HistoryRow> = rows
                .iter()
                .filter(|row| users.contains(&row.entry.user))
                .filter(|row| segment.is_none_or(|id| id == row.entry.segment.id))
                .cloned()
                .collect();
            assert_eq!(look(store, |unit| unit.history().of_users(&users, segment)), expected);
        }
    }
}

fn rows_of_pairs_by_id(store: &dyn Store) {
    let (segments, rows) = generated(store, 5);
    let every: Vec<(UserId, SegmentId)> = ids(USERS)
        .into_iter()
        .rev()
        .flat_map(|user| segments.iter().map(move |segment| (user.clone(), segment.id)))
        .collect();
    let nobody = vec![(id("nobody"), segments[0].id), (id("Z"), SegmentId(i64::MAX))];
    for mut pairs in [vec![], every[3..4].to_vec(), every.iter().step_by(2).cloned().collect(), every.clone(), nobody] {
        pairs.extend(pairs.clone());
        let is_asked_for = |row: &&HistoryRow| pairs.contains(&(row.entry.user.clone(), row.entry.segment.id));
        let expected: Vec<HistoryRow> = rows.iter().filter(is_asked_for).cloned().collect();
        assert_eq!(look(store, |unit| unit.history().of_pairs(&pairs)), expected);
        assert_eq!(must(store, |unit| unit.history().of_pairs(&pairs)), expected);
    }
}

fn rows_of_a_job_page_by_page(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    let users: Vec<UserId> = (0..30).map(|number| id(format!("u{number:02}"))).collect();
    has_users(store, &users);
    let job = |number: usize| [Some(JobId(1)), Some(JobId(2)), None][number % 3];
    let adds: Vec<Entry> = users
        .iter()
        .enumerate()
        .map(|(number, user)| Entry { job: job(number), ..add(user, &segment, minute(100 - number as i64), None) })
        .collect();
    record(store, &adds[..10]);
    record(store, &adds[10..]);
    let all = look(store, |unit| unit.history().of_users(&users, None));
    for asked in [JobId(1), JobId(2), JobId(3)] {
        let expected: Vec<HistoryRow> = all.iter().filter(|row| row.entry.job == Some(asked)).cloned().collect();
        assert_eq!(look(store, |unit| unit.history().count_of_job(asked)), expected.len() as u64);
        for limit in [1, 4, 100] {
            let paged = pages(limit, |last: Option<&HistoryRow>| {
                look(store, |unit| unit.history().of_job(asked, last.map_or(0, |last| last.id), limit))
            });
            assert_eq!(paged, expected, "{asked} by {limit}");
        }
    }
}

fn rows_of_a_forgotten_job(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    has_users(store, &[id("u")]);
    let queued = Job::queued(JobKind::ImportMemberships, Actor::new("conformance"), String::new(), minute(0));
    let job = must(store, |unit| unit.jobs().insert(&queued));
    record(store, &[Entry { job: Some(job), ..add("u", &segment, minute(1), None) }]);
    must(store, |unit| unit.jobs().delete(&[job]));
    assert_eq!(look(store, |unit| unit.history().count_of_job(job)), 1);
    assert_eq!(look(store, |unit| unit.history().of_job(job, 0, 9))[0].entry.job, Some(job));
}

/// Each instant at which anything could change, the microsecond before it, and one long after.
fn telling_instants(rows: &[HistoryRow]) -> BTreeSet<Instant> {
    let mut instants = BTreeSet::from([minute(-1), minute(100_000)]);
    for row in rows.iter().step_by(3) {
        for at in [Some(row.entry.at), row.entry.expires_at].into_iter().flatten() {
            instants.extend([at - micros(1), at]);
        }
    }
    instants
}

fn replayed(rows: &[HistoryRow], segment: SegmentId, at: Instant) -> BTreeMap<UserId, Membership> {
    let mut members = BTreeMap::new();
    for user in ids(USERS) {
        let entries =
            rows.iter().map(|row| &row.entry).filter(|entry| entry.user == user && entry.segment.id == segment);
        if let Some(member) = replay(entries, at) {
            members.insert(user, member);
        }
    }
    members
}

fn told_up_to_an_instant(store: &dyn Store) {
    let (segments, rows) = generated(store, 5);
    for at in telling_instants(&rows) {
        for segment in &segments {
            let told = rows.iter().filter(|row| row.entry.segment.id == segment.id && row.entry.at <= at);
            let mut expected: Vec<HistoryRow> = told.cloned().collect();
            expected.sort_by(|a, b| (&a.entry.user, a.id).cmp(&(&b.entry.user, b.id)));
            let expected: Vec<Entry> = expected.into_iter().map(|row| row.entry).collect();
            for limit in [1, 3, 1_000] {
                let mut all: Vec<Entry> = Vec::new();
                loop {
                    let after = all.last().map(|last| last.user.clone());
                    let page = look(store, |unit| unit.history().told_up_to(segment.id, at, after.as_ref(), limit));
                    let users: BTreeSet<&UserId> = page.iter().map(|entry| &entry.user).collect();
                    assert!(users.len() <= limit, "{} users, not {limit}", users.len());
                    if page.is_empty() {
                        break;
                    }
                    all.extend(page);
                }
                assert_eq!(all, expected, "{at}, {limit} at once");
            }
        }
    }
}

fn members_at_an_instant(store: &dyn Store) {
    let (segments, rows) = generated(store, 3);
    let mut most = 0;
    for at in telling_instants(&rows) {
        for segment in &segments {
            let expected: Vec<Membership> = replayed(&rows, segment.id, at).into_values().collect();
            most = most.max(expected.len());
            assert_eq!(look(store, |unit| unit.history().count_at(segment.id, at)), expected.len() as u64, "{at}");
            for limit in [2, 100] {
                let paged = pages(limit, |last: Option<&Membership>| {
                    let after = last.map(|last| &last.user);
                    look(store, |unit| unit.history().members_at(segment.id, at, after, limit))
                });
                assert_eq!(paged, expected, "{} at {at} by {limit}", segment.slug);
            }
        }
    }
    assert!(most >= 4, "the history tells too little: {most}");
    assert_eq!(look(store, |unit| unit.history().members_at(SegmentId(i64::MAX), minute(9), None, 9)), []);
}

fn touched_are_all_who_differ(store: &dyn Store) {
    let (segments, rows) = generated(store, 4);
    let instants = Vec::from_iter(telling_instants(&rows));
    let segment = segments[0].id;
    for from in instants.iter().step_by(7) {
        for to in instants.iter().step_by(5).filter(|to| from <= to) {
            let within = |at: Instant| *from < at && at <= *to;
            let may: BTreeSet<UserId> = rows
                .iter()
                .map(|row| &row.entry)
                .filter(|entry| entry.segment.id == segment)
                .filter(|entry| within(entry.at) || entry.expires_at.is_some_and(within))
                .map(|entry| entry.user.clone())
                .collect();
            let (before, after) = (replayed(&rows, segment, *from), replayed(&rows, segment, *to));
            let touched = pages(2, |last: Option<&UserId>| {
                look(store, |unit| unit.history().touched(segment, *from, *to, last, 2))
            });
            assert!(touched.is_sorted(), "{touched:?}");
            for user in ids(USERS) {
                if before.get(&user) != after.get(&user) {
                    assert!(touched.contains(&user), "{user} differs between {from} and {to}");
                }
            }
            assert!(touched.iter().all(|user| may.contains(user)), "{touched:?} of {may:?} between {from} and {to}");
        }
    }
}

fn everyone_of_whom_anything_is_stored(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    let users = ids(["forgotten", "in", "Without", "я"]);
    has_users(store, &users);
    record(store, &["forgotten", "in", "я"].map(|user| add(user, &segment, minute(1), None)));
    record(store, &["forgotten"].map(|user| remove(user, &segment, minute(2))));
    must(store, |unit| unit.users().delete(&id("forgotten")));
    for limit in [1, 3, 100] {
        let told = pages(limit, |last: Option<&UserId>| look(store, |unit| unit.history().everyone(last, limit)));
        assert_eq!(told, ids(["Without", "forgotten", "in", "я"]));
    }
}

fn deleted_segment_can_be_asked(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    has_users(store, &[id("u")]);
    record(store, &[add("u", &segment, minute(1), None)]);
    record(store, &[remove("u", &segment, minute(3))]);
    must(store, |unit| unit.segments().delete(segment.id, minute(3)));
    assert_eq!(look(store, |unit| unit.history().count_at(segment.id, minute(2))), 1);
    assert_eq!(look(store, |unit| unit.history().members_at(segment.id, minute(2), None, 9)).len(), 1);
    assert_eq!(look(store, |unit| unit.history().count_at(segment.id, minute(3))), 0);
    assert_eq!(look(store, |unit| unit.history().touched(segment.id, minute(2), minute(3), None, 9)), [id("u")]);
}
