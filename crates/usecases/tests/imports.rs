//! Files of memberships and users: what each row does, and what is refused.

#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use domain::{Instant, Job, JobState, Membership, Reason, Source, Ttl};
use tables::{Format, Limits, Packing};
use testkit::{World, caller, gzip, importing, slug, table, user};
use usecases::{
    Error,
    answers::Once,
    exports::Export,
    history::{self, HistoryQuery},
    imports::{self, BATCH_MAX, Import, Mode, Outcome, What},
    jobs::Begun,
    memberships::{self, Deadline},
    ports::UserQuery,
    users,
};

fn any() -> Import {
    importing(What::Memberships { segment: None })
}

fn of_a() -> Import {
    importing(What::Memberships { segment: Some(slug("A")) })
}

fn replacing() -> Import {
    Import { mode: Mode::Replace, ..of_a() }
}

fn import(world: &World, import: &Import, file: &str) -> Outcome {
    let job = world.import(import, file).unwrap();
    assert_eq!((job.state, job.problem.as_deref()), (JobState::Done, None));
    assert_eq!(Some(job.done), job.total);
    Outcome { refused_file: None, ..Outcome::of(&job) }
}

fn members(world: &World, text: &str) -> Vec<Membership> {
    world.look(|look| history::members(look, &slug(text), None, None, 100_000))
}

fn ids(world: &World, text: &str) -> Vec<String> {
    members(world, text).into_iter().map(|member| member.user.to_string()).collect()
}

fn rows_written(world: &World) -> usize {
    world.history_lines().len()
}

fn codes(refused: Result<Job, Error>) -> Vec<(&'static str, String)> {
    match refused {
        Err(Error::Invalid(faults)) => faults.into_iter().map(|fault| (fault.code, fault.pointer)).collect(),
        other => panic!("it was to be invalid: {other:?}"),
    }
}

fn refusals(job: &Job) -> Vec<(u64, String)> {
    Outcome::of(job).refusals.into_iter().map(|refused| (refused.line, refused.column)).collect()
}

fn numbered(numbers: impl IntoIterator<Item = usize>) -> String {
    let lines: Vec<String> = numbers.into_iter().map(|number| format!("u{number:05}")).collect();
    format!("user_id\n{}\n", lines.join("\n"))
}

#[test]
fn rows_create_what_they_name_and_repeat_without_effect() {
    let world = World::in_memory();
    world.has_segment("A");
    let file = "user_id;segment\n1;A\n1;B\n2;B\n1;A\n";
    let first = import(&world, &any(), file);
    let expected = Outcome { added: 3, duplicates: 1, segments_created: 1, users_created: 2, ..Outcome::default() };
    assert_eq!(first, expected);
    assert_eq!(import(&world, &any(), file), Outcome { unchanged: 3, duplicates: 1, ..Outcome::default() });
    assert_eq!(world.active("1"), ["A", "B"]);
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn any_delimiter_tells_the_same() {
    for delimiter in [";", ",", "\t"] {
        let world = World::in_memory();
        let file = "user_id|segment|reason\n007|A|\"a; b, c\"\n-1|B|\n".replace('|', delimiter);
        import(&world, &any(), &file);
        assert_eq!(members(&world, "A")[0].reason.as_ref().map(Reason::as_str), Some("a; b, c"));
        assert_eq!((ids(&world, "A"), ids(&world, "B")), (vec!["007".to_owned()], vec!["-1".to_owned()]));
    }
}

#[test]
fn json_lines_tell_the_same() {
    let world = World::in_memory();
    let file = "{\"user_id\":\"007\",\"segment\":\"A\"}\n\n{\"segment\":\"A\",\"user_id\":42,\"reason\":\"so\"}\n";
    assert_eq!(import(&world, &any(), file).added, 2);
    assert_eq!(ids(&world, "A"), ["007", "42"]);
}

#[test]
fn a_workbook_tells_the_same() {
    let world = World::in_memory();
    let names = ["user_id", "segment", "since"];
    let since = "2020-01-02T03:04:05.000001Z";
    let file = table(Format::Xlsx, Packing::Plain, &names, &[vec!["007", "A", since], vec!["=1+1", "A", ""]]);
    assert_eq!(Outcome::of(&world.import_bytes(&any(), &file).unwrap()).added, 2);
    assert_eq!(ids(&world, "A"), ["007", "=1+1"]);
    assert_eq!(members(&world, "A")[0].since, since.parse::<Instant>().unwrap());
}

#[test]
fn a_packed_file_tells_the_same() {
    let world = World::in_memory();
    world.import_bytes(&of_a(), &gzip(b"user_id\n1\n2\n")).unwrap();
    assert_eq!(ids(&world, "A"), ["1", "2"]);
}

#[test]
fn what_a_row_leaves_out_is_as_the_request_says() {
    let world = World::in_memory();
    let command = Import {
        deadline: Some(Deadline::After(Ttl::parse("P1D").unwrap())),
        reason: Reason::parse("campaign").ok(),
        ..of_a()
    };
    import(&world, &command, "user_id;ttl;expires_at;reason\n1;;;\n2;3600;;own\n3;;2123-01-01;\n4;PT2H;;\n");
    let now = world.now();
    let told: Vec<(Option<Instant>, String)> = members(&world, "A")
        .into_iter()
        .map(|member| (member.expires_at, member.reason.unwrap().to_string()))
        .collect();
    let expected = [
        (now + TimeDelta::days(1), "campaign"),
        (now + TimeDelta::hours(1), "own"),
        ("2123-01-01T00:00:00Z".parse().unwrap(), "campaign"),
        (now + TimeDelta::hours(2), "campaign"),
    ];
    assert_eq!(told, expected.map(|(at, reason)| (Some(at), reason.to_owned())));
}

#[test]
fn the_joining_instant_of_other_data_is_kept() {
    let world = World::in_memory();
    let joined = world.now() - TimeDelta::days(400);
    import(&world, &of_a(), &format!("user_id;since\n1;{}\n2;\n", joined.to_rfc3339()));
    let since: Vec<Instant> = members(&world, "A").into_iter().map(|member| member.since).collect();
    assert_eq!(since, [joined, world.now()]);
    let then = world.look(|look| memberships::of_user(look, &user("1"), Some(joined)));
    assert_eq!(then[0].source, Source::Import);
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn a_row_that_joins_in_the_future_is_refused() {
    let world = World::in_memory();
    let ahead = world.now() + TimeDelta::microseconds(1);
    let job = world.import(&of_a(), &format!("user_id;since\n1;{}\n", ahead.to_rfc3339())).unwrap();
    assert_eq!((refusals(&job), job.refused), (vec![(2, "since".to_owned())], 1));
    assert_eq!(rows_written(&world), 0);
}

#[test]
fn bad_rows_do_not_stop_others() {
    let world = World::in_memory();
    world.has_segment("A");
    let command = Import { create_segments: false, ..any() };
    let file = "user_id;segment;ttl;since\n1;A;;\n;A;;\n2;a b;;\n3;none;;\n4;;;\n5;A;soon;\n6;A;-1;\n7;A;;yesterday\n\
        8;A\n9;A;;\n";
    let job = world.import(&command, file).unwrap();
    let expected = [
        (3, "user_id"),
        (4, "segment"),
        (5, "segment"),
        (6, "segment"),
        (7, "ttl"),
        (8, "ttl"),
        (9, "since"),
        (10, ""),
    ];
    assert_eq!(refusals(&job), expected.map(|(line, column)| (line, column.to_owned())));
    assert_eq!((job.state, job.refused, job.done, job.total), (JobState::Done, 8, 10, Some(10)));
    assert_eq!(ids(&world, "A"), ["1", "9"]);
}

#[test]
fn a_deadline_that_came_is_refused_and_the_next_microsecond_is_not() {
    let world = World::in_memory();
    let row = |id: u32, micros| format!("{id};{}\n", (world.now() + TimeDelta::microseconds(micros)).to_rfc3339());
    let job = world.import(&of_a(), &format!("user_id;expires_at\n{}{}{}", row(1, -1), row(2, 0), row(3, 1))).unwrap();
    assert_eq!(refusals(&job), [(2, "expires_at".to_owned()), (3, "expires_at".to_owned())]);
    assert_eq!(ids(&world, "A"), ["3"]);
}

#[test]
fn refused_rows_can_be_mended_and_sent_again() {
    for format in [Format::Csv, Format::Ndjson, Format::Xlsx] {
        let world = World::in_memory();
        let names = ["user_id", "segment", "ttl"];
        let file =
            table(format, Packing::Gzip, &names, &[vec!["1", "A", ""], vec!["2", "A", "soon"], vec!["=3", "A", "x"]]);
        let job = world.import_bytes(&any(), &file).unwrap();
        let (told, mut kept) = imports::refused_file(&world.app, &caller(), job.id).unwrap().unwrap();
        assert_eq!(told, format);
        let mut bytes = Vec::new();
        kept.read_to_end(&mut bytes).unwrap();
        let again = Outcome::of(&world.import_bytes(&any(), &bytes).unwrap());
        assert_eq!((again.added, again.refusals.len()), (0, 2), "{format:?}");
        // A workbook is mended by other means; what stands in it was read again.
        if format != Format::Xlsx {
            let mended = String::from_utf8(bytes).unwrap().replace("soon", "P1D").replace("x", "P1D");
            let mended = mended.replace("eP1Dpires", "expires");
            let job = world.import(&any(), &mended).unwrap();
            assert_eq!((Outcome::of(&job).added, job.refused), (2, 0), "{mended}");
            assert_eq!(ids(&world, "A"), ["1", "2", "=3"]);
        }
    }
}

#[test]
fn no_more_than_twenty_refusals_are_told_and_all_are_counted() {
    let world = World::in_memory();
    let job = world.import(&of_a(), &format!("user_id;ttl\n{}", "1;x\n".repeat(50))).unwrap();
    assert_eq!((refusals(&job).len(), job.refused), (20, 50));
    assert_eq!(imports::faults(&job)[0].pointer, "line 2");
}

#[test]
fn one_bad_row_refuses_an_atomic_import_whole() {
    let world = World::in_memory();
    let job = world.import(&Import { atomic: true, ..any() }, "user_id;segment;ttl\n1;A;\n2;B;x\n").unwrap();
    assert_eq!((job.state, job.refused, job.done), (JobState::Failed, 1, 1));
    assert_eq!(refusals(&job), [(3, "ttl".to_owned())]);
    assert_eq!(rows_written(&world), 0);
    assert_eq!(world.look(|look| users::count(look, &UserQuery::default())), 0);
    assert!(imports::refused_file(&world.app, &caller(), job.id).unwrap().is_some());
}

#[test]
fn an_atomic_import_of_good_rows_does_what_any_does() {
    let (world, other) = (World::in_memory(), World::in_memory());
    let file = numbered((0..BATCH_MAX + 10).chain(BATCH_MAX - 1..BATCH_MAX + 2));
    assert_eq!(import(&world, &Import { atomic: true, ..of_a() }, &file), import(&other, &of_a(), &file));
    assert_eq!(world.history_lines(), other.history_lines());
}

#[test]
fn a_trial_tells_what_would_happen_and_changes_nothing() {
    for mode in [Mode::Add, Mode::Remove, Mode::Replace] {
        let world = World::in_memory();
        import(&world, &any(), "user_id;segment\n1;A\n2;A\n3;B\n");
        let before = (world.history_lines(), world.look(|look| users::count(look, &UserQuery::default())));
        let command = Import { mode, ..any() };
        let file = "user_id;segment;ttl\n1;A;P1D\n4;A;\n5;C;\n5;C;\n6;A;soon\n";
        let trial = import(&world, &Import { dry_run: true, ..command.clone() }, file);
        let after = (world.history_lines(), world.look(|look| users::count(look, &UserQuery::default())));
        assert_eq!(before, after);
        assert!(world.app.look(&testkit::caller(), |look| usecases::segments::get(look, &slug("C"))).is_err());
        assert_eq!(import(&world, &command, file), trial);
    }
}

#[test]
fn a_trial_of_more_than_a_batch_tells_what_would_happen() {
    let world = World::in_memory();
    import(&world, &of_a(), &numbered((0..12_000).step_by(3)));
    let file = numbered((0..BATCH_MAX + 500).chain(BATCH_MAX - 2..BATCH_MAX + 3));
    let trial = import(&world, &Import { dry_run: true, ..replacing() }, &file);
    assert_eq!(import(&world, &replacing(), &file), trial);
}

#[test]
fn removal_ends_who_is_in_and_leaves_the_rest() {
    let world = World::in_memory();
    import(&world, &of_a(), "user_id\n1\n2\n3\n");
    let command = Import { mode: Mode::Remove, reason: Reason::parse("over").ok(), ..of_a() };
    // A deadline in the past is no matter to who leaves.
    let outcome = import(&world, &command, "user_id;expires_at\n1;2001-01-01\n4;\n1;\n");
    assert_eq!(outcome, Outcome { removed: 1, unchanged: 1, duplicates: 1, ..Outcome::default() });
    assert_eq!(ids(&world, "A"), ["2", "3"]);
    assert!(world.app.look(&testkit::caller(), |look| users::get(look, &user("4"))).is_err());
}

#[test]
fn a_replaced_segment_has_exactly_the_users_of_the_file() {
    let world = World::in_memory();
    import(&world, &of_a(), "user_id\n1\n2\n3\n");
    world.clock.advance(TimeDelta::hours(1));
    let outcome = import(&world, &replacing(), "user_id\n4\n2\n3\n");
    assert_eq!(outcome, Outcome { added: 1, removed: 1, unchanged: 2, users_created: 1, ..Outcome::default() });
    assert_eq!(ids(&world, "A"), ["2", "3", "4"]);
    // The first three, who left and who came.
    assert_eq!(rows_written(&world), 5);
}

#[test]
fn replacing_the_same_again_writes_nothing() {
    let world = World::in_memory();
    let file = "user_id;expires_at\n1;2123-01-01\n2;\n";
    import(&world, &replacing(), file);
    let before = world.history_lines();
    world.clock.advance(TimeDelta::hours(1));
    assert_eq!(import(&world, &replacing(), file), Outcome { unchanged: 2, ..Outcome::default() });
    assert_eq!(world.history_lines(), before);
}

#[test]
fn each_segment_of_a_replacing_file_is_replaced_and_no_other() {
    let world = World::in_memory();
    import(&world, &any(), "user_id;segment\n1;A\n2;A\n1;B\n2;B\n1;C\n");
    import(&world, &Import { mode: Mode::Replace, ..any() }, "user_id;segment\n3;B\n2;A\n1;B\n");
    assert_eq!((ids(&world, "A"), ids(&world, "B")), (vec!["2".to_owned()], vec!["1".to_owned(), "3".to_owned()]));
    assert_eq!(ids(&world, "C"), ["1"]);
}

#[test]
fn a_bad_row_keeps_its_member_in_a_replaced_segment() {
    let world = World::in_memory();
    import(&world, &of_a(), "user_id\n1\n2\n3\n");
    let before = members(&world, "A");
    let job = world.import(&replacing(), "user_id;ttl\n1;\n2;soon\n9;soon\n").unwrap();
    let outcome = Outcome::of(&job);
    assert_eq!((outcome.removed, outcome.unchanged, outcome.added, job.refused), (1, 1, 0, 2));
    assert_eq!(members(&world, "A"), before[..2]);
    assert_eq!((job.done, job.total), (3, Some(3)));
}

#[test]
fn a_bad_row_does_not_stand_in_the_way_of_a_good_one_of_the_same_user() {
    let world = World::in_memory();
    let job = world.import(&replacing(), "user_id;ttl\n1;P1D\n1;soon\n2;soon\n2;P1D\n").unwrap();
    let outcome = Outcome::of(&job);
    assert_eq!((outcome.added, outcome.duplicates, job.refused, job.done), (2, 0, 2, 4));
    assert_eq!(ids(&world, "A"), ["1", "2"]);
}

#[test]
fn a_bad_row_creates_no_segment() {
    let world = World::in_memory();
    let job = world.import(&Import { mode: Mode::Replace, ..any() }, "user_id;segment;ttl\n1;New;soon\n").unwrap();
    assert_eq!((Outcome::of(&job).segments_created, job.state), (0, JobState::Done));
    assert!(world.app.look(&testkit::caller(), |look| usecases::segments::get(look, &slug("New"))).is_err());
}

/// Pages of members and batches of rows begin and end anywhere.
fn replaces(before: impl IntoIterator<Item = usize>, after: Vec<usize>) {
    let world = World::in_memory();
    let before: Vec<usize> = before.into_iter().collect();
    import(&world, &of_a(), &numbered(before.iter().copied()));
    let outcome = import(&world, &replacing(), &numbered(after.iter().copied()));
    let left = before.iter().filter(|number| after.binary_search(number).is_err()).count();
    let came = after.iter().filter(|number| before.binary_search(number).is_err()).count();
    assert_eq!((outcome.removed, outcome.added), (left as u64, came as u64));
    let expected: Vec<String> = after.iter().map(|number| format!("u{number:05}")).collect();
    assert!(ids(&world, "A") == expected);
    assert_eq!(rows_written(&world), before.len() + left + came);
}

#[test]
fn many_members_are_replaced_by_few() {
    replaces(0..12_000, vec![0, 1_999, 2_000, 5_999, 11_999]);
}

#[test]
fn many_members_are_replaced_by_none_of_them() {
    replaces(1..4_002, vec![0]);
}

#[test]
fn few_members_are_replaced_by_many() {
    let after = (1..BATCH_MAX * 7 / 6 + 700).filter(|number| number % 7 > 0).chain([2 * BATCH_MAX + 1]);
    replaces([0, BATCH_MAX - 1, BATCH_MAX, BATCH_MAX + 5_000, 2 * BATCH_MAX], after.collect());
}

#[test]
fn many_members_are_replaced_by_many_others() {
    let after = (0..BATCH_MAX * 6 / 5 + 600).filter(|number| number % 6 > 0);
    replaces((0..BATCH_MAX * 6 / 5).step_by(2), after.collect());
}

#[test]
fn members_behind_the_last_row_leave_as_those_before_the_first() {
    replaces(0..3_000, (1_000..2_001).collect());
}

#[test]
fn of_rows_that_repeat_the_last_counts() {
    let world = World::in_memory();
    let outcome = import(&world, &of_a(), "user_id;expires_at\n1;2101-01-01\n2;\n1;\n1;2102-01-01\n2;2103-01-01\n");
    assert_eq!((outcome.added, outcome.duplicates), (2, 3));
    let years: Vec<String> =
        members(&world, "A").iter().map(|member| member.expires_at.unwrap().format("%Y").to_string()).collect();
    assert_eq!(years, ["2102", "2103"]);
}

#[test]
fn rows_that_repeat_where_a_batch_ends_count_once() {
    for extra in [BATCH_MAX - 2, BATCH_MAX - 1, BATCH_MAX] {
        let world = World::in_memory();
        let repeated = format!("u{extra:05};2101-01-01\n").repeat(3);
        let file =
            numbered(0..BATCH_MAX + 3).replace('\n', ";\n").replace("user_id;", "user_id;expires_at") + &repeated;
        let outcome = import(&world, &of_a(), &file);
        assert_eq!((outcome.added, outcome.duplicates, outcome.extended), (BATCH_MAX as u64 + 3, 3, 0));
        assert_eq!(members(&world, "A").iter().filter(|member| member.expires_at.is_some()).count(), 1);
    }
}

#[test]
fn an_unknown_column_is_refused_with_the_file() {
    let world = World::in_memory();
    for (file, count) in [("user_id;segmnet\n1;A\n", 1), ("{\"user_id\":1}\n{\"user_id\":1,\"x\":2,\"y\":3}\n", 2)] {
        let refused = codes(world.import(&of_a(), file));
        assert!(refused.iter().all(|(code, _)| *code == "unknown_column") && refused.len() == count, "{refused:?}");
    }
    assert_eq!(world.files.keys(), Vec::<String>::new());
}

#[test]
fn a_missing_column_is_refused_with_the_file() {
    let world = World::in_memory();
    let code = |command: &Import, file| {
        codes(world.import(command, file)).into_iter().map(|(code, _)| code).collect::<Vec<_>>()
    };
    assert_eq!(code(&any(), "user_id\n1\n"), ["missing_column"]);
    assert_eq!(code(&any(), "reason\nx\n"), ["missing_column", "missing_column"]);
    assert_eq!(code(&of_a(), "user_id;operation\n1;add\n"), ["missing_column"]);
    assert_eq!(code(&importing(What::Users), "name\nx\n"), ["missing_column"]);
}

#[test]
fn a_repeated_column_is_refused_with_the_file() {
    let world = World::in_memory();
    assert_eq!(codes(world.import(&of_a(), "user_id;reason;user_id\n1;x;2\n"))[0].0, "duplicate_column");
}

#[test]
fn a_file_without_rows_is_refused() {
    let world = World::in_memory();
    assert_eq!(codes(world.import(&of_a(), "user_id\n"))[0].0, "no_rows");
    assert_eq!(codes(world.import(&of_a(), ""))[0].0, "empty");
    assert_eq!(codes(world.import(&replacing(), "user_id\n\n"))[0].0, "no_rows");
    assert_eq!(world.files.keys(), Vec::<String>::new());
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_changes_nothing() {
    let world = World::in_memory();
    let whole = gzip(numbered(0..1_000).as_bytes());
    let refused = world.import_bytes(&of_a(), &whole[..whole.len() - 20]);
    assert_eq!(codes(refused)[0].0, "truncated");
    assert_eq!((rows_written(&world), world.files.keys().len()), (0, 0));
}

#[test]
fn a_row_of_another_segment_than_the_one_is_refused() {
    let world = World::in_memory();
    let job = world.import(&of_a(), "user_id;segment\n1;A\n2;B\n3;\n").unwrap();
    assert_eq!(refusals(&job), [(3, "segment".to_owned())]);
    assert_eq!(ids(&world, "A"), ["1", "3"]);
}

#[test]
fn a_body_that_ends_early_leaves_no_file() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }
    let world = World::in_memory();
    let mut body = std::io::Read::chain(&b"user_id\n1\n"[..], Broken);
    let refused = imports::accept(&world.app, &caller(), &of_a(), None, &Limits::default(), &mut body);
    assert_eq!(codes(refused.map(|(job, _)| job))[0].0, "incomplete");
    assert_eq!(world.files.keys(), Vec::<String>::new());
}

fn send(world: &World, key: &str, file: &str) -> Result<(Job, Begun), Error> {
    let once = Once { key: key.to_owned(), fingerprint: "POST /imports".to_owned() };
    let body = &mut file.as_bytes();
    let (job, begun) = imports::accept(&world.app, &caller(), &of_a(), Some(once), &Limits::default(), body)?;
    Ok((if begun == Begun::Now { world.finish(job)? } else { job }, begun))
}

#[test]
fn the_same_file_under_the_same_key_is_the_same_job() {
    let world = World::in_memory();
    let (first, begun) = send(&world, "k", "user_id\n1\n").unwrap();
    assert_eq!(begun, Begun::Now);
    world.change("1", &[], &["A"]).unwrap();
    let files = world.files.keys();
    assert_eq!(send(&world, "k", "user_id\n1\n").unwrap(), (first, Begun::Before));
    assert_eq!(ids(&world, "A"), Vec::<String>::new());
    assert_eq!(world.files.keys(), files);
}

#[test]
fn another_file_under_the_same_key_is_refused_and_leaves_no_file() {
    let world = World::in_memory();
    send(&world, "k", "user_id\n1\n").unwrap();
    let files = world.files.keys();
    assert!(matches!(send(&world, "k", "user_id\n2\n"), Err(Error::KeyReused)));
    assert_eq!((ids(&world, "A"), world.files.keys()), (vec!["1".to_owned()], files));
}

/// What a process leaves that is killed while a file comes.
#[test]
fn a_file_that_was_cut_off_is_swept_after_a_day() {
    let world = World::in_memory();
    let now = world.now();
    for folder in ["imports/one", "imports/two"] {
        world.act(|act| Ok(act.unit.jobs().begin_upload(folder, now)?)).unwrap();
        world.app.files.create(&format!("{folder}/input")).unwrap().finish().unwrap();
    }
    let kept = import(&world, &any(), "user_id;segment\n1;A\n").added;
    world.clock.advance(TimeDelta::days(1));
    assert_eq!((imports::sweep(&world.app, 10).unwrap(), world.files.keys().len()), (0, 3));
    world.clock.advance(TimeDelta::microseconds(1));
    assert_eq!((imports::sweep(&world.app, 1).unwrap(), imports::sweep(&world.app, 9).unwrap()), (1, 1));
    assert_eq!((imports::sweep(&world.app, 9).unwrap(), world.files.keys().len(), kept), (0, 1, 1));
}

#[test]
fn a_file_that_comes_for_longer_than_a_day_is_given_up() {
    struct Slow<'a>(&'a World, &'a [u8]);
    impl std::io::Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0.clock.advance(TimeDelta::days(2));
            imports::sweep(&self.0.app, 9).unwrap();
            self.1.read(buffer)
        }
    }
    let world = World::in_memory();
    let mut body = Slow(&world, b"user_id;segment\n1;A\n");
    let refused = imports::accept(&world.app, &caller(), &any(), None, &Limits::default(), &mut body);
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    assert_eq!((world.files.keys(), rows_written(&world)), (Vec::<String>::new(), 0));
}

#[test]
fn a_refused_file_leaves_nothing() {
    let world = World::in_memory();
    world.import(&any(), "user_id\n").unwrap_err();
    world.clock.advance(TimeDelta::days(2));
    assert_eq!((imports::sweep(&world.app, 9).unwrap(), world.files.keys()), (0, Vec::new()));
}

#[test]
fn a_refused_file_does_not_use_up_its_key() {
    let world = World::in_memory();
    send(&world, "k", "user_id\n").unwrap_err();
    assert_eq!(send(&world, "k", "user_id\n1\n").unwrap().1, Begun::Now);
}

#[test]
fn users_are_born_or_completed() {
    let world = World::in_memory();
    let command = importing(What::Users);
    let outcome =
        import(&world, &command, "user_id;name;plan;age;created_at\n1;Anna;pro;7;2020-01-01\n2;;;;\n1;;;8;\n");
    assert_eq!((outcome.added, outcome.duplicates), (2, 1));
    let outcome = import(&world, &command, "user_id;name;plan\n1;;free\n2;;\n3;Bob;\n");
    assert_eq!((outcome.added, outcome.updated, outcome.unchanged), (1, 1, 1));
    let anna = world.look(|look| users::get(look, &user("1")));
    assert_eq!((anna.name.as_deref(), anna.attributes["plan"].as_str(), anna.version), (None, Some("free"), 2));
    assert_eq!(anna.attributes["age"].to_string(), "8");
}

#[test]
fn an_attribute_of_users_may_have_any_name() {
    let world = World::in_memory();
    let outcome = import(&world, &importing(What::Users), "user_id;operation;segment\n1;add;x\n");
    assert_eq!(outcome.added, 1);
    assert_eq!(world.look(|look| users::get(look, &user("1"))).attributes["operation"], "add");
}

#[test]
fn users_cannot_be_removed_or_replaced_by_a_file() {
    for mode in [Mode::Remove, Mode::Replace] {
        let world = World::in_memory();
        let refused = world.import(&Import { mode, ..importing(What::Users) }, "user_id\n1\n");
        assert_eq!(codes(refused), [("invalid_value", "mode".to_owned())]);
    }
}

#[test]
fn a_log_can_only_be_added() {
    let world = World::in_memory();
    let refused = world.import(&replacing(), "user_id;operation;timestamp\n1;add;2020-01-01\n");
    assert_eq!(codes(refused), [("invalid_value", "mode".to_owned())]);
}

/// Adds, removals, extensions to a deadline and to none, expiries that somebody wrote and that came of themselves.
fn eventful() -> World {
    let world = World::in_memory();
    for text in ["A", "B", "C"] {
        world.has_segment(text);
    }
    let minute = || world.clock.advance(TimeDelta::seconds(61));
    let hour = Some(Deadline::After(Ttl::parse("PT1H").unwrap()));
    for id in ["007", "2", "=3"] {
        world.change(id, &["A"], &[]).unwrap();
        world.change_until(id, &["B"], &[], hour).unwrap();
        minute();
    }
    world.change_until("2", &["B"], &[], Some(Deadline::After(Ttl::parse("P1D").unwrap()))).unwrap();
    world.change("007", &["C"], &["A"]).unwrap();
    minute();
    world.change("007", &["A"], &[]).unwrap();
    world.change_until("2", &["C"], &[], hour).unwrap();
    world.change("=3", &["C"], &[]).unwrap();
    minute();
    // Whoever is in both has the later of two deadlines, here none.
    world.change_until("=3", &["B"], &[], hour).unwrap();
    world
        .act(|act| usecases::moves::move_users(act, usecases::moves::MoveUsers { from: slug("A"), to: slug("B") }))
        .unwrap();
    world.clock.advance(TimeDelta::hours(2));
    world.expire();
    world.change_until("007", &["B", "C"], &[], hour).unwrap();
    world.clock.advance(TimeDelta::hours(2));
    world.change("007", &["B"], &[]).unwrap();
    world.expire();
    world.clock.advance(TimeDelta::hours(2));
    world
}

fn history() -> Export {
    Export::History(HistoryQuery::default())
}

/// Without who did it and how, which an import does not take over.
fn told_history(world: &World, format: Format) -> Vec<String> {
    let keep = if format == Format::Csv { 4 } else { 5 };
    let text = world.export_text(&history(), Format::Ndjson);
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let names = ["user_id", "segment", "operation", "timestamp", "expires_at"];
            names[..keep].iter().map(|name| row[name].to_string()).collect::<Vec<_>>().join(" ")
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn a_history_that_is_taken_to_an_empty_world_is_the_same_history() {
    let original = eventful();
    for format in [Format::Csv, Format::Ndjson, Format::Xlsx] {
        let world = World::in_memory();
        world.clock.set(original.now());
        let job = world.import_bytes(&any(), &original.export(&history(), format, Packing::Plain)).unwrap();
        assert_eq!(job.refused, 0);
        assert_eq!(told_history(&world, format), told_history(&original, format), "{format:?}");
        if format != Format::Csv {
            for id in ["007", "2", "=3"] {
                assert_eq!(world.active(id), original.active(id));
            }
        }
        assert_eq!(world.differences(), Vec::<String>::new());
    }
}

#[test]
fn a_history_that_is_taken_twice_changes_nothing_the_second_time() {
    let original = eventful();
    for format in [Format::Csv, Format::Ndjson, Format::Xlsx] {
        let world = World::in_memory();
        world.clock.set(original.now());
        let file = original.export(&history(), format, Packing::Gzip);
        world.import_bytes(&any(), &file).unwrap();
        let before = world.history_lines();
        world.clock.advance(TimeDelta::seconds(1));
        let again = Outcome::of(&world.import_bytes(&any(), &file).unwrap());
        assert_eq!((again.added, again.extended, again.removed), (0, 0, 0));
        assert_eq!(world.history_lines(), before);
    }
}

#[test]
fn a_log_goes_on_where_it_was_taken_before() {
    let world = World::in_memory();
    let first = "user_id;operation;timestamp\n1;add;2020-01-01\n1;remove;2020-01-02\n";
    import(&world, &of_a(), first);
    let outcome = import(&world, &of_a(), &format!("{first}1;add;2020-01-03\n2;add;2020-01-01\n"));
    assert_eq!((outcome.added, outcome.removed, outcome.unchanged), (2, 0, 2));
    assert_eq!(ids(&world, "A"), ["1", "2"]);
}

#[test]
fn rows_of_a_log_are_carried_out_by_their_instants() {
    let world = World::in_memory();
    import(&world, &of_a(), "user_id;operation;timestamp\n1;remove;2020-01-02\n1;add;2020-01-03\n1;add;2020-01-01\n");
    assert_eq!(members(&world, "A")[0].since, "2020-01-03T00:00:00Z".parse::<Instant>().unwrap());
    assert_eq!(rows_written(&world), 3);
}

/// What a pair did at one instant may stand where one batch ends and another begins.
#[test]
fn a_log_is_whole_wherever_a_batch_ends() {
    let row = |number: usize| {
        let (operation, day) = [("add", 1), ("remove", 2), ("add", 2)][number % 3];
        format!("u{:05};{operation};2020-01-0{day}", number / 3)
    };
    let pairs = BATCH_MAX / 3 + 100;
    let rows: Vec<String> = (0..3 * pairs).map(row).collect();
    for before in 0..3 {
        let world = World::in_memory();
        let first: Vec<String> = (0..before).map(|number| format!("t{number};add;2020-01-01\n")).collect();
        let file = format!("user_id;operation;timestamp\n{}{}\n", first.concat(), rows.join("\n"));
        let outcome = import(&world, &of_a(), &file);
        assert_eq!((outcome.added, outcome.removed, outcome.unchanged), (2 * pairs as u64 + before, pairs as u64, 0));
        assert_eq!(members(&world, "A").len() as u64, pairs as u64 + before);
    }
}

#[test]
fn a_segments_own_ttl_is_not_for_what_a_log_tells() {
    let world = World::in_memory();
    world.has_segment_with("A", None, Some("P1D"));
    import(&world, &of_a(), "user_id;operation;timestamp\n1;add;2020-01-01\n2;add;2020-01-01\n2;remove;2020-02-01\n");
    assert_eq!(ids(&world, "A"), ["1"]);
    assert_eq!(rows_written(&world), 3);
}

#[test]
fn a_log_brings_only_those_to_life_who_came_in() {
    let world = World::in_memory();
    let job = world.import(&of_a(), "user_id;operation;timestamp\n1;remove;2020-01-01\n2;add;2020-01-01\n").unwrap();
    assert_eq!(Outcome::of(&job).users_created, 1);
}

#[test]
fn a_log_cannot_tell_of_the_future() {
    let world = World::in_memory();
    let ahead = (world.now() + TimeDelta::seconds(1)).to_rfc3339();
    let job = world
        .import(&of_a(), &format!("user_id;operation;timestamp\n1;add;{ahead}\n2;grow;2020-01-01\n3;add;\n"))
        .unwrap();
    let expected = [(2, "timestamp"), (3, "operation"), (4, "timestamp")];
    assert_eq!(refusals(&job), expected.map(|(line, column)| (line, column.to_owned())));
}
