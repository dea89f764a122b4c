//! Reports: written once, fetched by a link that proves itself and ends.

#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use domain::{Instant, Job, JobId, JobState, Slug, algebra::Expression};
use sha2::{Digest, Sha256};
use tables::{Format, Packing};
use testkit::{FailingStore, Outage, World, slug};
use usecases::{
    Error, Expected, Subject,
    algebra::AlgebraQuery,
    exports::Export,
    history::HistoryQuery,
    jobs,
    ports::{Files, SegmentQuery, UserQuery},
    reports::{self, Report, Request},
    segments,
};

fn history() -> Request {
    Request {
        export: Export::History(HistoryQuery::default()),
        format: Format::Csv,
        packing: Packing::Plain,
        link_seconds: 3_600,
    }
}

fn set(text: &str, as_of: Option<Instant>) -> Export {
    Export::Algebra(AlgebraQuery { expression: Expression::parse(text).unwrap(), as_of })
}

fn members(as_of: Option<Instant>) -> Export {
    searched("", as_of)
}

/// The members of A whom the text finds; everybody by none.
fn searched(text: &str, as_of: Option<Instant>) -> Export {
    let text = Some(text.to_owned()).filter(|text| !text.is_empty());
    Export::Members { slug: slug("A"), as_of, users: UserQuery { text, ..UserQuery::default() } }
}

fn written(world: &World, request: &Request) -> Report {
    let job = world.act(|act| reports::request(act, request)).unwrap();
    let job = world.finish(job).unwrap();
    assert_eq!((job.state, job.problem.as_deref()), (JobState::Done, None));
    world.look(|look| reports::of_job(look, &job)).unwrap()
}

fn world() -> World {
    let world = World::in_memory();
    world.has_segment("A");
    world.change("1", &["A"], &[]).unwrap();
    world
}

fn follow(world: &World, report: &Report) -> Result<String, Error> {
    let (told, mut file) = reports::follow(&world.app, report.job, report.expires_at, &report.signature)?;
    assert_eq!(told, *report);
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

fn denied(world: &World, job: JobId, expires_at: Instant, signature: &str) -> String {
    match reports::follow(&world.app, job, expires_at, signature) {
        Err(Error::Denied(why)) => why,
        Err(other) => panic!("it was to be denied: {other:?}"),
        Ok(_) => panic!("it was to be denied"),
    }
}

#[test]
fn a_link_leads_to_what_was_written() {
    let world = world();
    let report = written(&world, &history());
    let text = follow(&world, &report).unwrap();
    assert_eq!(text, world.export_text(&Export::History(HistoryQuery::default()), Format::Csv));
    let digest: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((report.rows, report.sha256.as_str(), report.file_name.as_str()), (1, digest.as_str(), "history.csv"));
}

#[test]
fn a_report_tells_of_the_instant_at_which_it_was_written() {
    let world = world();
    let report = written(&world, &history());
    world.change("2", &["A"], &[]).unwrap();
    assert_eq!(follow(&world, &report).unwrap().lines().count(), 2);
}

#[test]
fn everything_that_can_be_exported_can_be_reported() {
    let world = world();
    let exports = [
        (members(None), "members-A"),
        (members(Some(world.now())), "members-A"),
        (searched("1", None), "members-A"),
        (searched("1", Some(world.now())), "members-A"),
        (set("A - (A ^ ALL)", None), "algebra"),
        (set("A", Some(world.now())), "algebra"),
        (Export::Users(UserQuery { text: Some("1".to_owned()), ..UserQuery::default() }), "users"),
        (Export::Stats(SegmentQuery { text: Some("a".to_owned()), ..SegmentQuery::default() }.into()), "stats"),
        (Export::History(HistoryQuery { segment: Some(slug("A")), ..HistoryQuery::default() }), "history"),
    ];
    for (export, name) in exports {
        for (format, packing, end) in [
            (Format::Xlsx, Packing::Plain, "xlsx"),
            (Format::Csv, Packing::Gzip, "csv.gz"),
            (Format::Ndjson, Packing::Plain, "ndjson"),
        ] {
            let report = written(&world, &Request { export: export.clone(), format, packing, link_seconds: 60 });
            assert_eq!((report.file_name, report.rows), (format!("{name}.{end}"), 1));
            let (_, mut file) = reports::follow(&world.app, report.job, report.expires_at, &report.signature).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, world.export(&export, format, packing));
        }
    }
}

#[test]
fn a_search_of_members_is_repeated_when_the_report_is_written() {
    let world = world();
    for id in ["21", "22"] {
        world.change(id, &["A"], &[]).unwrap();
    }
    let then = world.now();
    world.clock.advance(TimeDelta::hours(1));
    for (as_of, expected) in [(None, ["22", "23"]), (Some(then), ["21", "22"])] {
        let job =
            world.act(|act| reports::request(act, &Request { export: searched("2", as_of), ..history() })).unwrap();
        // What happens before it is written counts.
        world.change("21", &[], &["A"]).unwrap();
        world.change("23", &["A"], &[]).unwrap();
        let job = world.finish(job).unwrap();
        let report = world.look(|look| reports::of_job(look, &job)).unwrap();
        let text = follow(&world, &report).unwrap();
        let told: Vec<&str> = text.lines().skip(1).map(|line| line.split(';').next().unwrap()).collect();
        assert_eq!(told, expected, "{as_of:?}");
    }
}

#[test]
fn a_report_that_was_begun_before_there_were_searches_tells_of_all_members() {
    let world = world();
    let mut job = world.act(|act| reports::request(act, &Request { export: members(None), ..history() })).unwrap();
    let mut task: serde_json::Value = serde_json::from_str(&job.task).unwrap();
    task["export"] = serde_json::json!({"what": "members", "slug": "A", "as_of": null});
    job.task = task.to_string();
    let job = world.finish(job).unwrap();
    assert_eq!(world.look(|look| reports::of_job(look, &job)).unwrap().rows, 1);
}

#[test]
fn a_link_holds_until_its_end() {
    let world = world();
    let report = written(&world, &history());
    world.clock.set(report.expires_at - TimeDelta::microseconds(1));
    follow(&world, &report).unwrap();
    world.clock.set(report.expires_at);
    assert_eq!(denied(&world, report.job, report.expires_at, &report.signature), "the link has ended");
}

#[test]
fn a_link_whose_end_was_changed_is_refused() {
    let world = world();
    let report = written(&world, &history());
    let later = report.expires_at + TimeDelta::seconds(1);
    assert_eq!(denied(&world, report.job, later, &report.signature), "the link was changed");
}

#[test]
fn a_link_to_another_report_is_refused() {
    let world = world();
    let [report, other] = [written(&world, &history()), written(&world, &history())];
    assert_eq!(denied(&world, other.job, report.expires_at, &report.signature), "the link was changed");
}

#[test]
fn a_signature_that_was_changed_is_refused() {
    let world = world();
    let report = written(&world, &history());
    let first = if report.signature.starts_with('0') { "1" } else { "0" };
    let changed = format!("{first}{}", &report.signature[1..]);
    for signature in
        [changed.as_str(), "", "zz", &report.signature[..62], &format!("{}00", report.signature), &"я".repeat(32)]
    {
        assert_eq!(denied(&world, report.job, report.expires_at, signature), "the link was changed");
    }
}

#[test]
fn a_link_of_another_service_is_refused() {
    let (world, other) = (world(), World::in_memory());
    other.has_segment("A");
    other.app.chance.draw();
    let [report, theirs] = [written(&world, &history()), written(&other, &history())];
    assert_ne!(report.signature, theirs.signature);
    denied(&world, report.job, report.expires_at, &theirs.signature);
}

#[test]
fn before_the_first_report_every_link_is_refused() {
    let world = world();
    assert_eq!(denied(&world, JobId(1), world.now(), &"0".repeat(64)), "the link was changed");
}

#[test]
fn a_report_whose_file_is_gone_is_refused() {
    let world = world();
    let report = written(&world, &history());
    world.files.delete(&format!("reports/{}", report.job)).unwrap();
    assert_eq!(denied(&world, report.job, report.expires_at, &report.signature), "the report is no longer kept");
}

#[test]
fn reports_are_forgotten_when_no_link_can_hold_any_more() {
    let world = world();
    let report = written(&world, &Request { link_seconds: reports::LINK_DAYS_MAX * 86_400, ..history() });
    world.clock.set(report.expires_at - TimeDelta::seconds(1));
    assert_eq!(jobs::forget(&world.app, 30, 10).unwrap(), 0);
    follow(&world, &report).unwrap();
    world.clock.advance(TimeDelta::days(1));
    assert_eq!(jobs::forget(&world.app, 30, 10).unwrap(), 1);
    assert_eq!(world.files.keys(), Vec::<String>::new());
}

#[test]
fn a_report_that_is_forgotten_late_is_counted_once() {
    let world = world();
    written(&world, &history());
    world.clock.advance(TimeDelta::days(100));
    assert_eq!(jobs::forget(&world.app, 30, 10).unwrap(), 1);
}

#[test]
fn members_of_a_segment_that_never_was_are_not_found() {
    let world = world();
    for as_of in [None, Some(world.now())] {
        let request =
            Request { export: Export::Members { slug: slug("none"), as_of, users: UserQuery::default() }, ..history() };
        let refused = world.act(|act| reports::request(act, &request));
        assert!(matches!(refused, Err(Error::NotFound(Subject::Segment, names)) if names == ["none"]));
    }
}

#[test]
fn every_unknown_segment_of_a_combination_is_named() {
    let world = world();
    for as_of in [None, Some(world.now())] {
        let request = Request { export: set("A | B - C", as_of), ..history() };
        let refused = world.act(|act| reports::request(act, &request));
        assert!(matches!(refused, Err(Error::NotFound(Subject::Segment, names)) if names == ["B", "C"]));
    }
}

#[test]
fn the_longest_expression_can_be_reported() {
    let world = world();
    let slug = "x".repeat(Slug::CHARS_MAX);
    world.has_segment(&slug);
    let longest = vec![slug.as_str(); Expression::OPERANDS_MAX].join("&");
    assert_eq!(written(&world, &Request { export: set(&longest, None), ..history() }).rows, 0);
}

#[test]
fn members_now_of_a_segment_that_was_deleted_are_not_found() {
    let world = world();
    let then = world.now();
    world.clock.advance(TimeDelta::hours(1));
    world.act(|act| segments::delete(act, &slug("A"), &Expected::Any)).unwrap();
    let members = |as_of| Request { export: members(as_of), ..history() };
    let refused = world.act(|act| reports::request(act, &members(None)));
    assert!(matches!(refused, Err(Error::NotFound(Subject::Segment, _))), "{refused:?}");
    assert_eq!(written(&world, &members(Some(then))).rows, 1);
}

#[test]
fn a_report_that_was_not_written_yet_is_none() {
    let world = world();
    let job = world.act(|act| reports::request(act, &history())).unwrap();
    assert_eq!(world.look(|look| reports::of_job(look, &job)), None);
}

#[test]
fn a_report_that_is_killed_anywhere_is_written_in_the_end() {
    let expected = follow_any(&world());
    for outage in [Outage::Before, Outage::After] {
        for spared in 0..2 {
            let store = FailingStore::default();
            let world = World::on(Box::new(store.clone()));
            world.has_segment("A");
            world.change("1", &["A"], &[]).unwrap();
            let job = world.act(|act| reports::request(act, &history())).unwrap();
            let id = job.id;
            store.fail(spared, 1, outage);
            jobs::run(&world.app, job, &|| false).unwrap_err();
            world.clock.advance(TimeDelta::seconds(jobs::LEASE_S));
            let job: Job = match jobs::take(&world.app).unwrap() {
                Some(job) => jobs::run(&world.app, job, &|| false).unwrap(),
                None => world.look(|look| jobs::get(look, id)),
            };
            let report = world.look(|look| reports::of_job(look, &job)).unwrap();
            assert_eq!(follow(&world, &report).unwrap(), expected, "{outage:?} {spared}");
        }
    }
}

fn follow_any(world: &World) -> String {
    follow(world, &written(world, &history())).unwrap()
}
