//! Exports: what they tell, and that it can be taken in again.

#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use domain::{Ttl, algebra::Expression};
use tables::{Format, Header, Packing};
use testkit::{World, importing, slug};
use usecases::{
    Error,
    algebra::AlgebraQuery,
    audit,
    exports::{self, Export, Form},
    history::{self, HistoryQuery},
    imports::{Outcome, What},
    memberships::Deadline,
    ports::{AuditQuery, Direction, SegmentQuery, UserQuery},
    segments,
};

const FORMATS: [Format; 3] = [Format::Csv, Format::Ndjson, Format::Xlsx];
const PACKINGS: [Packing; 2] = [Packing::Plain, Packing::Gzip];

fn members(as_of: Option<domain::Instant>) -> Export {
    searched(UserQuery::default(), as_of)
}

fn searched(users: UserQuery, as_of: Option<domain::Instant>) -> Export {
    Export::Members { slug: slug("A"), as_of, users }
}

fn about(text: &str) -> UserQuery {
    UserQuery { text: Some(text.to_owned()), ..UserQuery::default() }
}

fn set(text: &str, as_of: Option<domain::Instant>) -> Export {
    Export::Algebra(AlgebraQuery { expression: Expression::parse(text).unwrap(), as_of })
}

fn everybody() -> Export {
    Export::Users(UserQuery::default())
}

fn any() -> usecases::imports::Import {
    importing(What::Memberships { segment: None })
}

/// Ids with leading zeros, and such as spreadsheets take for formulas or numbers.
const IDS: [&str; 9] = ["+1", "-1", "007", "1e5", "=1+1", "@x", "TRUE", "я🎉", "\"a;b,c\""];

/// Everything about it can be taken over by an import.
fn world() -> World {
    let world = World::in_memory();
    let reasons = ["=SUM(A1)", "'quoted", "\"so\"; they, said", "- x", "пояснение 🎉", " a ", "0010", "#N/A", "+"];
    let rows: Vec<Vec<&str>> = IDS
        .iter()
        .zip(reasons)
        .enumerate()
        .map(|(number, (id, reason))| {
            let since = ["", "2020-01-02T03:04:05.000001Z", "1999-12-31T23:59:59.999999Z"][number % 3];
            vec![*id, "A", since, ["", "2123-01-01T00:00:00.5Z"][number % 2], reason]
        })
        .collect();
    let names = ["user_id", "segment", "since", "expires_at", "reason"];
    let job = world.import_bytes(&any(), &testkit::table(Format::Ndjson, Packing::Plain, &names, &rows)).unwrap();
    assert_eq!((Outcome::of(&job).added, job.refused), (9, 0));
    world
}

fn goes_round(original: &World, export: &Export, import: &usecases::imports::Import) {
    for format in FORMATS {
        for packing in PACKINGS {
            let file = original.export(export, format, packing);
            let world = World::in_memory();
            world.clock.set(original.now());
            let job = world.import_bytes(import, &file).unwrap();
            assert_eq!(job.refused, 0, "{format:?} {packing:?}: {:?}", Outcome::of(&job).refusals);
            for told in FORMATS {
                let (again, first) = (world.export(export, told, packing), original.export(export, told, packing));
                assert!(again == first, "{format:?} {packing:?} as {told:?}");
            }
        }
    }
}

#[test]
fn members_go_round() {
    goes_round(&world(), &members(None), &any());
}

#[test]
fn members_of_an_instant_go_round() {
    let world = world();
    let now = world.now();
    world.clock.advance(TimeDelta::hours(1));
    world.change("007", &[], &["A"]).unwrap();
    assert_eq!(world.export_text(&members(Some(now)), Format::Csv).lines().count(), 10);
    assert_eq!(world.export_text(&members(None), Format::Csv).lines().count(), 9);
}

#[test]
fn a_combination_becomes_the_members_of_a_segment() {
    let world = world();
    let then = world.now();
    world.clock.advance(TimeDelta::hours(1));
    world.has_segment("B");
    for id in ["007", "TRUE"] {
        world.change(id, &["B"], &[]).unwrap();
    }
    world.change("@x", &[], &["A"]).unwrap();
    let told = |set: &Export, left_out: &[&str]| {
        let mut ids: Vec<&str> = IDS.into_iter().filter(|id| !left_out.contains(id)).collect();
        ids.sort();
        for format in FORMATS {
            for packing in PACKINGS {
                let other = World::in_memory();
                other.has_segment("C");
                let import = importing(What::Memberships { segment: Some(slug("C")) });
                let job = other.import_bytes(&import, &world.export(set, format, packing)).unwrap();
                assert_eq!((Outcome::of(&job).added, job.refused), (ids.len() as u64, 0), "{format:?} {packing:?}");
                let members = other.look(|look| history::members(look, &slug("C"), None, None, 100));
                let members: Vec<&str> = members.iter().map(|member| member.user.as_str()).collect();
                assert_eq!(members, ids, "{format:?} {packing:?}");
            }
        }
    };
    told(&set("A - B", None), &["007", "TRUE", "@x"]);
    told(&set("A - B", Some(then)), &[]);
    told(&set("A & B", None), &["+1", "-1", "1e5", "=1+1", "@x", "я🎉", "\"a;b,c\""]);
}

#[test]
fn a_combination_is_told_as_ids_alone() {
    let world = World::in_memory();
    world.has_segment("A");
    for id in ["=1", "007", "a;b"] {
        world.change(id, &["A"], &[]).unwrap();
    }
    assert_eq!(world.export_text(&set("A", None), Format::Csv), "user_id\n007\n'=1\n\"a;b\"\n");
    assert_eq!(
        world.export_text(&set("A", None), Format::Ndjson),
        "{\"user_id\":\"007\"}\n{\"user_id\":\"=1\"}\n{\"user_id\":\"a;b\"}\n"
    );
    assert_eq!(world.export_text(&set("A - A", None), Format::Csv), "user_id\n");
}

#[test]
fn users_go_round() {
    let world = World::in_memory();
    let users: Vec<String> = IDS
        .iter()
        .map(|id| {
            serde_json::json!({"user_id": id, "name": format!("={id}"), "email": "a+b@пример.рф", "created_at": "2020-01-01",
                "attributes": {"big": "x", "nested": {"a": [1, null, true]}, "=": "=1", "n": 0.5}})
            .to_string()
        })
        .collect();
    let job = world.import(&importing(What::Users), &users.join("\n").replace("0.5", "0.30000000000000004")).unwrap();
    assert_eq!((Outcome::of(&job).added, job.refused), (9, 0));
    goes_round(&world, &everybody(), &importing(What::Users));
}

#[test]
fn history_goes_round() {
    let original = world();
    for format in FORMATS {
        let file = original.export(&Export::History(HistoryQuery::default()), format, Packing::Gzip);
        let world = World::in_memory();
        world.clock.set(original.now());
        assert_eq!(world.import_bytes(&any(), &file).unwrap().refused, 0);
        let told = |world: &World| world.export_text(&Export::History(HistoryQuery::default()), Format::Csv);
        let sorted = |text: String| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(told(&world)), sorted(told(&original)), "{format:?}");
    }
}

#[test]
fn members_are_told_with_all_there_is_to_know() {
    let world = World::in_memory();
    world.has_segment("A");
    world.change_until("007", &["A"], &[], Some(Deadline::After(Ttl::parse("PT1H").unwrap()))).unwrap();
    world.change("=1", &["A"], &[]).unwrap();
    assert_eq!(
        world.export_text(&members(None), Format::Csv),
        "user_id;segment;since;expires_at;source;actor;reason\n\
         007;A;2023-11-14T22:13:20.123457Z;2023-11-14T23:13:20.123457Z;manual;tester;\n\
         '=1;A;2023-11-14T22:13:20.123457Z;;manual;tester;\n"
    );
}

#[test]
fn whoever_is_out_is_not_exported_whether_or_not_the_worker_ran() {
    let world = World::in_memory();
    world.has_segment("A");
    world.change_until("1", &["A"], &[], Some(Deadline::After(Ttl::parse("PT1H").unwrap()))).unwrap();
    world.clock.advance(TimeDelta::hours(1));
    assert_eq!(world.export_text(&members(None), Format::Ndjson), "");
}

#[test]
fn as_csv_history_has_four_columns_and_otherwise_all() {
    let world = World::in_memory();
    world.has_segment("A");
    world.change("1", &["A"], &[]).unwrap();
    let history = Export::History(HistoryQuery::default());
    assert_eq!(
        world.export_text(&history, Format::Csv),
        "user_id;segment;operation;timestamp\n1;A;add;2023-11-14T22:13:20.123457Z\n"
    );
    assert_eq!(
        world.export_text(&history, Format::Ndjson),
        "{\"user_id\":\"1\",\"segment\":\"A\",\"operation\":\"add\",\"timestamp\":\"2023-11-14T22:13:20.123457Z\",\
         \"expires_at\":null,\"source\":\"manual\",\"actor\":\"tester\",\"reason\":null}\n"
    );
}

#[test]
fn stats_tell_of_segments_without_members_too() {
    let world = World::in_memory();
    world.has_segment("A");
    world.has_users(4);
    world.has_segment_with("B", Some("25"), None);
    let text = world.export_text(&Export::Stats(SegmentQuery::default().into()), Format::Csv);
    let at = "2023-11-14T22:13:20.123457Z";
    let seed = |text| world.look(|look| segments::get(look, &slug(text))).seed;
    let (a, b) = (seed("A"), seed("B"));
    assert_eq!(
        text,
        format!(
            "segment;name;description;kind;percent;seed;default_ttl;user_count;created_at;updated_at\n\
             A;A;;manual;;{a};;0;{at};{at}\nB;B;;percent;25;{b};;1;{at};{at}\n"
        )
    );
}

#[test]
fn every_row_is_told_however_many_pages_there_are() {
    let world = World::in_memory();
    world.has_segment("A");
    // As many as the first page has, one more, and as many as the first two.
    for count in [199_usize, 200, 201, 5_199, 5_200, 5_201] {
        let known = world.look(|look| usecases::users::count(look, &UserQuery::default())) as usize;
        let lines: Vec<String> = (known..count).map(|number| format!("{number:05}")).collect();
        world
            .import(
                &importing(What::Memberships { segment: Some(slug("A")) }),
                &format!("user_id\n{}", lines.join("\n")),
            )
            .unwrap();
        let now = Some(world.now());
        let history = Export::History(HistoryQuery::default());
        for export in [members(None), members(now), set("A & ALL", None), set("A", now), everybody(), history] {
            let text = world.export_text(&export, Format::Csv);
            let told: Vec<&str> = text.lines().skip(1).map(|line| &line[..5]).collect();
            assert!(told.iter().enumerate().all(|(number, id)| *id == format!("{number:05}")), "{export:?}");
            assert_eq!(told.len(), count, "{export:?}");
        }
    }
}

#[test]
fn every_member_whom_a_search_finds_is_told_however_many_pages_there_are() {
    let world = World::in_memory();
    world.has_segment("A");
    let (mut known, taken_in) = (0, |what: What, file: &str| {
        assert_eq!(world.import(&importing(what), file).unwrap().refused, 0);
    });
    for count in [199_usize, 200, 201, 5_199, 5_200, 5_201] {
        // Beside each of them stands a member whom the search does not find.
        let lines: Vec<String> =
            (known..count).map(|number| format!("{number:05};FOUND {number}\n{number:05}+;other\n")).collect();
        taken_in(What::Users, &format!("user_id;name\n{}", lines.concat()));
        let lines: Vec<String> = (known..count).map(|number| format!("{number:05}\n{number:05}+\n")).collect();
        taken_in(What::Memberships { segment: Some(slug("A")) }, &format!("user_id\n{}", lines.concat()));
        known = count;
        for as_of in [None, Some(world.now())] {
            let text = world.export_text(&searched(about("found "), as_of), Format::Csv);
            let told: Vec<&str> = text.lines().skip(1).map(|line| line.split(';').next().unwrap()).collect();
            assert!(told.iter().enumerate().all(|(number, id)| *id == format!("{number:05}")), "{as_of:?}");
            assert_eq!(told.len(), count, "{as_of:?}");
        }
    }
}

#[test]
fn that_members_were_searched_is_noted_and_for_whom_is_not() {
    let world = World::in_memory();
    world.has_segment("A");
    for (users, filtered) in [(about("anna"), true), (UserQuery::default(), false)] {
        world.act(|act| exports::begin(act, &searched(users, None), Format::Csv)).unwrap();
        let query = AuditQuery { direction: Direction::Descending, ..AuditQuery::default() };
        let row = world.look(|look| audit::list(look, &query, 1)).remove(0);
        assert!(row.entry.detail.contains(&format!("\"filtered\":{filtered}")), "{}", row.entry.detail);
        assert!(!row.entry.detail.contains("anna"), "{}", row.entry.detail);
    }
}

fn write(world: &World, export: &Export, tell: &mut dyn FnMut(u64) -> Result<(), Error>) -> Result<u64, Error> {
    let form = Form { format: Format::Csv, packing: Packing::Plain, header: Header::LeftOut };
    world.app.look(&testkit::caller(), |look| Ok(exports::write(look, export, form, Vec::new(), tell)?.1))
}

#[test]
fn whoever_listens_hears_how_far_it_came_and_may_stop_it() {
    let world = World::in_memory();
    world.has_users(5_300);
    for export in [everybody(), set("ALL", None)] {
        let mut heard = Vec::new();
        let rows = write(&world, &export, &mut |rows| {
            heard.push(rows);
            Ok(())
        });
        assert_eq!((rows.unwrap(), heard), (5_300, vec![200, 5_200, 5_300]), "{export:?}");
        let mut calls = 0;
        let stopped = write(&world, &export, &mut |_| {
            calls += 1;
            Err(Error::Conflict("enough".to_owned()))
        });
        assert!(matches!(stopped, Err(Error::Conflict(why)) if why == "enough"), "{export:?}");
        assert_eq!(calls, 1, "{export:?}");
    }
}

#[test]
fn whoever_listens_hears_that_it_goes_on_also_where_nobody_is_found() {
    let world = World::in_memory();
    world.has_segment("A");
    world.has_users(10_300);
    let mut heard = Vec::new();
    let rows = write(&world, &set("A & ALL", None), &mut |rows| {
        heard.push(rows);
        Ok(())
    });
    assert_eq!((rows.unwrap(), heard), (0, vec![0; 4]));
}

#[test]
fn members_of_a_segment_that_never_was_are_not_found() {
    let world = World::in_memory();
    for as_of in [None, Some(world.now())] {
        let refused = write(&world, &members(as_of), &mut |_| Ok(()));
        assert!(matches!(refused, Err(Error::NotFound(_, names)) if names == ["A"]));
    }
}

#[test]
fn every_unknown_segment_of_a_combination_is_named() {
    let world = World::in_memory();
    world.has_segment("B");
    for as_of in [None, Some(world.now())] {
        let refused = write(&world, &set("A - B & C", as_of), &mut |_| Ok(()));
        assert!(matches!(refused, Err(Error::NotFound(_, names)) if names == ["A", "C"]));
    }
}
