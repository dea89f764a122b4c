//! A token that is confined to a prefix goes nowhere else.

use super::*;

/// A token with every scope that is confined to `promo_`.
fn confined() -> (World, Caller) {
    let world = world();
    let caller = token(&world, "promo", &Scope::ALL, Some("promo_"));
    (world, caller)
}

/// Each attempt, in a world of its own.
fn each(attempts: Attempts, expect: impl Fn(&Result<(), Error>) -> bool) {
    for (name, attempt) in attempts {
        let (world, caller) = confined();
        let before = (written(&world), world.history_lines());
        let ended = attempt(&world, &caller);
        assert!(expect(&ended), "{name}: {ended:?}");
        if ended.is_err() {
            assert_eq!((written(&world), world.history_lines()), before, "{name}");
        }
    }
}

#[test]
fn inside_everything_is_done() {
    let attempts: Attempts = &[
        ("add", |w, c| change(w, c, "ivan", &["promo_1", "promo_2"], &[])),
        ("remove", |w, c| change(w, c, "anna", &[], &["promo_1"])),
        ("get", |w, c| look(w, c, |look| segments::get(look, &slug("promo_1")))),
        ("members", |w, c| look(w, c, |look| history::members(look, &slug("promo_1"), None, None, 9))),
        ("members as of", |w, c| look(w, c, |look| history::members(look, &slug("promo_1"), Some(w.now()), None, 9))),
        ("count_members", |w, c| look(w, c, |look| history::count_members(look, &slug("promo_1"), None))),
        ("is_member", |w, c| look(w, c, |look| memberships::is_member(look, &user("anna"), &slug("promo_1")))),
        ("diff", |w, c| look(w, c, |look| history::diff(look, &since("promo_1", w), 9))),
        ("sizes", |w, c| look(w, c, |look| sizes::over_time(look, &size("promo_1")))),
        ("sizes of each", |w, c| look(w, c, |look| sizes::of_each(look, &sizes_of(&["promo_1", "promo_2"])))),
        ("history counts", |w, c| look(w, c, |look| history::counts(look, &counts(Some("promo_1"))))),
        ("find members", |w, c| {
            look(w, c, |look| history::find_members(look, &slug("promo_1"), None, &searching("a"), 9))
        }),
        ("why", |w, c| look(w, c, |look| memberships::why(look, &user("anna"), &slug("promo_1")))),
        ("endings", |w, c| look(w, c, |look| endings::query(look, &ending_in("promo_1")))),
        ("sources", |w, c| look(w, c, |look| summaries::sources(look, Some(&slug("promo_1"))))),
        ("history", |w, c| look(w, c, |look| history::filter(look, &happened(Some("promo_1"))))),
        ("algebra", |w, c| evaluate(w, c, "promo_1 - promo_2")),
        ("overlap", |w, c| algebra::known_overlap(&w.app, c, &[slug("promo_1"), slug("promo_2")], None).map(drop)),
        ("create", |w, c| act(w, c, |act| segments::create(act, new_segment("promo_3")))),
        ("create by algebra", |w, c| {
            act(w, c, |act| algebra::create(act, new_segment("promo_3"), set("promo_1 | promo_2").expression))
        }),
        ("rename", |w, c| act(w, c, |act| segments::rename(act, &slug("promo_1"), &Expected::Any, slug("promo_3")))),
        ("copy", |w, c| act(w, c, |act| segments::copy(act, &slug("promo_1"), copying("promo_3")))),
        ("move", |w, c| act(w, c, |act| moves::move_users(act, moving("promo_1", "promo_2")))),
        ("distribute", |w, c| act(w, c, |act| distributions::distribute(act, &slug("promo_1"), percent()))),
        ("delete", |w, c| act(w, c, |act| segments::delete(act, &slug("promo_1"), &Expected::Any))),
        ("import", |w, c| import(w, c, What::Memberships { segment: Some(slug("promo_1")) }, "user_id\n1\n")),
        ("export", |w, c| write(w, c, &members_of("promo_1"))),
        ("export of history", |w, c| write(w, c, &Export::History(happened(Some("promo_1"))))),
        ("report", |w, c| report(w, c, members_of("promo_1")).map(drop)),
    ];
    each(attempts, Result::is_ok);
}

#[test]
fn outside_nothing_is_changed() {
    let attempts: Attempts = &[
        ("add", |w, c| change(w, c, "anna", &["VIP"], &[])),
        ("remove", |w, c| change(w, c, "anna", &[], &["VIP"])),
        ("add inside and outside", |w, c| change(w, c, "ivan", &["promo_1", "VIP"], &[])),
        ("add inside and remove outside", |w, c| change(w, c, "ivan", &["promo_1"], &["VIP"])),
        ("add to what there is not", |w, c| change(w, c, "ivan", &["PROMO_1"], &[])),
        ("create", |w, c| act(w, c, |act| segments::create(act, new_segment("new")))),
        ("create by algebra", |w, c| {
            act(w, c, |act| algebra::create(act, new_segment("new"), set("promo_1").expression))
        }),
        ("create of what is outside", |w, c| {
            act(w, c, |act| algebra::create(act, new_segment("promo_3"), set("promo_1 | VIP").expression))
        }),
        ("create of everybody", |w, c| {
            act(w, c, |act| algebra::create(act, new_segment("promo_3"), set("ALL - promo_1").expression))
        }),
        ("change", |w, c| {
            act(w, c, |act| segments::change(act, &slug("VIP"), &Expected::Any, ChangeSegment::default()))
        }),
        ("rename outside", |w, c| act(w, c, |act| segments::rename(act, &slug("VIP"), &Expected::Any, slug("new")))),
        ("rename out", |w, c| act(w, c, |act| segments::rename(act, &slug("promo_1"), &Expected::Any, slug("new")))),
        ("rename in", |w, c| act(w, c, |act| segments::change(act, &slug("VIP"), &Expected::Any, renaming("promo_3")))),
        ("copy out", |w, c| act(w, c, |act| segments::copy(act, &slug("promo_1"), copying("new")))),
        ("copy in", |w, c| act(w, c, |act| segments::copy(act, &slug("VIP"), copying("promo_3")))),
        ("move out", |w, c| act(w, c, |act| moves::move_users(act, moving("promo_1", "VIP")))),
        ("move in", |w, c| act(w, c, |act| moves::move_users(act, moving("VIP", "promo_1")))),
        ("distribute", |w, c| act(w, c, |act| distributions::distribute(act, &slug("VIP"), percent()))),
        ("delete", |w, c| act(w, c, |act| segments::delete(act, &slug("VIP"), &Expected::Any))),
        ("create a user", |w, c| act(w, c, |act| users::create(act, new_user("new")))),
        ("change a user", |w, c| {
            act(w, c, |act| users::change(act, &user("anna"), &Expected::Any, ChangeUser::default()))
        }),
        ("delete a user", |w, c| act(w, c, |act| users::delete(act, &user("anna"), &Expected::Any))),
        ("import", |w, c| import(w, c, What::Memberships { segment: Some(slug("VIP")) }, "user_id\n1\n")),
        ("import by rows", |w, c| import(w, c, What::Memberships { segment: None }, "user_id;segment\n1;promo_1\n")),
        ("import of users", |w, c| import(w, c, What::Users, "user_id\n1\n")),
        ("import of segments", |w, c| import(w, c, What::Segments, "segment\npromo_3\n")),
    ];
    each(attempts, is_confined);
}

#[test]
fn outside_nothing_is_read() {
    let attempts: Attempts = &[
        ("get", |w, c| look(w, c, |look| segments::get(look, &slug("VIP")))),
        ("get of what there is not", |w, c| look(w, c, |look| segments::get(look, &slug("new")))),
        ("list", |w, c| look(w, c, |look| segments::list(look, &SegmentQuery::default(), 9))),
        ("count", |w, c| look(w, c, |look| segments::count(look, &SegmentQuery::default()))),
        ("stats", |w, c| look(w, c, |look| segments::stats(look, &StatsQuery::default(), 9))),
        ("members", |w, c| look(w, c, |look| history::members(look, &slug("VIP"), None, None, 9))),
        ("members as of", |w, c| look(w, c, |look| history::members(look, &slug("VIP"), Some(w.now()), None, 9))),
        ("count_members", |w, c| look(w, c, |look| history::count_members(look, &slug("VIP"), None))),
        ("is_member", |w, c| look(w, c, |look| memberships::is_member(look, &user("anna"), &slug("VIP")))),
        ("remembered_is_member", |w, c| {
            memberships::remembered_is_member(&w.app, c, &user("anna"), &slug("VIP")).map(drop)
        }),
        ("distribution", |w, c| look(w, c, |look| distributions::get(look, &slug("VIP")))),
        ("diff", |w, c| look(w, c, |look| history::diff(look, &since("VIP", w), 9))),
        ("sizes", |w, c| look(w, c, |look| sizes::over_time(look, &size("VIP")))),
        ("sizes of each", |w, c| look(w, c, |look| sizes::of_each(look, &sizes_of(&["promo_1", "VIP"])))),
        ("history counts", |w, c| look(w, c, |look| history::counts(look, &counts(Some("VIP"))))),
        ("history counts of all", |w, c| look(w, c, |look| history::counts(look, &counts(None)))),
        ("find members", |w, c| look(w, c, |look| history::find_members(look, &slug("VIP"), None, &searching("a"), 9))),
        ("count found members", |w, c| {
            look(w, c, |look| history::count_found_members(look, &slug("VIP"), None, &searching("a")))
        }),
        ("last changes", |w, c| look(w, c, |look| segments::last_changes(look, &[]))),
        ("why", |w, c| look(w, c, |look| memberships::why(look, &user("anna"), &slug("VIP")))),
        ("endings", |w, c| look(w, c, |look| endings::query(look, &ending_in("VIP")))),
        ("endings of all", |w, c| look(w, c, |look| endings::query(look, &EndingFilter::default()))),
        ("sources", |w, c| look(w, c, |look| summaries::sources(look, Some(&slug("VIP"))))),
        ("sources of all", |w, c| look(w, c, |look| summaries::sources(look, None))),
        ("summary", |w, c| summaries::tell(&w.app, c, None).map(drop)),
        ("overlaps", |w, c| algebra::overlaps(&w.app, c, 9).map(drop)),
        ("history", |w, c| look(w, c, |look| history::filter(look, &happened(Some("VIP"))))),
        ("history of all", |w, c| look(w, c, |look| history::filter(look, &happened(None)))),
        ("history of a user", |w, c| {
            let query = HistoryQuery { user: Some(user("anna")), ..happened(None) };
            look(w, c, |look| history::filter(look, &query))
        }),
        ("algebra", |w, c| evaluate(w, c, "promo_1 & VIP")),
        ("algebra of one outside", |w, c| evaluate(w, c, "promo_1 - VIP")),
        ("algebra of everybody", |w, c| evaluate(w, c, "ALL")),
        ("algebra of everybody else", |w, c| evaluate(w, c, "ALL - promo_1")),
        ("algebra of nobody", |w, c| evaluate(w, c, "promo_1 - ALL")),
        ("algebra::page", |w, c| look(w, c, |look| algebra::page(look, &set("promo_1 & VIP"), None, 9))),
        ("algebra::count", |w, c| look(w, c, |look| algebra::count(look, &set("promo_1 & ALL")))),
        ("overlap", |w, c| algebra::known_overlap(&w.app, c, &[slug("promo_1"), slug("VIP")], None).map(drop)),
        ("overlap as of", |w, c| look(w, c, |look| algebra::overlap(look, &[slug("VIP")], Some(w.now())))),
        ("similar", |w, c| algebra::similar(&w.app, c, &slug("promo_1"), 9).map(drop)),
        ("user", |w, c| look(w, c, |look| users::get(look, &user("anna")))),
        ("users", |w, c| look(w, c, |look| users::list(look, &UserQuery::default(), 9))),
        ("count of users", |w, c| look(w, c, |look| users::count(look, &UserQuery::default()))),
    ];
    each(attempts, is_confined);
}

#[test]
fn outside_nothing_is_taken_out() {
    let exports = || {
        [
            members_of("VIP"),
            Export::Members { slug: slug("VIP"), as_of: Some(Instant::UNIX_EPOCH), users: UserQuery::default() },
            Export::Members { slug: slug("VIP"), as_of: None, users: searching("a") },
            Export::Algebra(set("promo_1 & VIP")),
            Export::Algebra(set("ALL - promo_1")),
            Export::Users(UserQuery::default()),
            Export::History(happened(None)),
            Export::History(happened(Some("VIP"))),
            Export::History(HistoryQuery { user: Some(user("anna")), ..happened(None) }),
            Export::Stats(StatsQuery::default()),
        ]
    };
    let (world, caller) = confined();
    let before = written(&world);
    for export in exports() {
        assert!(is_confined(&begin(&world, &caller, &export)), "{export:?}");
        assert!(is_confined(&write(&world, &caller, &export)), "{export:?}");
        assert!(is_confined(&report(&world, &caller, export.clone())), "{export:?}");
    }
    assert_eq!(written(&world), before);
}

#[test]
fn of_changes_together_only_those_outside_are_refused() {
    let (world, caller) = confined();
    let changes = vec![changing("ivan", &["promo_1"], &[]), changing("boris", &["VIP"], &[])];
    let patience = std::time::Duration::from_secs(1);
    let outcomes = world.app.act(&caller, |act| memberships::change_all(act, changes, patience)).unwrap();
    assert!(outcomes[0].is_ok() && is_confined(&outcomes[1]));
    assert_eq!(world.active("ivan"), ["VIP", "promo_1"]);
    assert_eq!(world.look(|look| users::count(look, &UserQuery::default())), 2);
}

#[test]
fn of_a_user_only_what_is_inside_is_told() {
    let (world, caller) = confined();
    let asked = [user("anna"), user("ivan"), user("nobody")];
    let told = world.app.look(&caller, |look| memberships::active(look, &asked)).unwrap();
    assert_eq!(told, [(user("anna"), vec![slug("promo_1")]), (user("ivan"), vec![]), (user("nobody"), vec![])]);
    for as_of in [None, Some(world.now())] {
        let told = world.app.look(&caller, |look| memberships::of_user(look, &user("anna"), as_of)).unwrap();
        assert_eq!(told.iter().map(|member| member.segment.slug.as_str()).collect::<Vec<_>>(), ["promo_1"]);
    }
}

#[test]
fn out_of_memory_only_what_is_inside_is_told() {
    let (mut world, caller) = confined();
    world.app.index = Arc::new(FullMemory(vec![slug("VIP"), slug("promo_1"), slug("promo_2")]));
    let mut told = Vec::new();
    let take = &mut |user: &UserId, slugs: &[&Slug]| {
        told.push((user.clone(), slugs.iter().map(|slug| (*slug).clone()).collect::<Vec<_>>()));
    };
    assert!(memberships::remembered_active(&world.app, &caller, &[user("anna")], take).unwrap().is_some());
    assert_eq!(told, [(user("anna"), vec![slug("promo_1"), slug("promo_2")])]);
}

#[test]
fn whoever_changes_a_user_hears_only_of_what_is_inside() {
    let (world, caller) = confined();
    let told = world.app.act(&caller, |act| memberships::change(act, changing("anna", &["promo_2"], &[])));
    assert_eq!(told.unwrap().segments, [slug("promo_1"), slug("promo_2")]);
}

#[test]
fn whoever_may_only_assign_hears_only_of_what_was_named() {
    let world = world();
    for prefix in [None, Some("promo_")] {
        let caller = token(&world, &format!("{prefix:?}").replace('"', ""), &[Scope::Assign], prefix);
        let change = |add: &[&str], remove: &[&str]| {
            let told = world.app.act(&caller, |act| memberships::change(act, changing("anna", add, remove)));
            told.unwrap().segments
        };
        assert_eq!(change(&["promo_2"], &[]), [slug("promo_2")]);
        assert_eq!(change(&[], &["promo_2"]), []);
        assert_eq!(change(&["promo_1"], &[]), [slug("promo_1")]);
    }
}

#[test]
fn who_lacks_the_scope_is_refused_inside_too() {
    let world = world();
    let reader = token(&world, "reader", &[Scope::Read], Some("promo_"));
    let lacks = |ended: Result<(), Error>, permission: Permission| matches!(ended, Err(Error::Forbidden(Forbidden::Permission(lacked, _))) if lacked == permission);
    assert!(lacks(change(&world, &reader, "anna", &["promo_1"], &[]), Assign));
    assert!(lacks(act(&world, &reader, |act| segments::create(act, new_segment("promo_3"))), Manage));
    assert!(lacks(begin(&world, &reader, &members_of("promo_1")), TakeOut));
}

/// The slug was inside, and now the segment is not.
#[test]
fn a_segment_that_was_renamed_out_is_not_read_under_its_old_name() {
    let (world, caller) = confined();
    world.act(|act| segments::rename(act, &slug("promo_1"), &Expected::Any, slug("secret"))).unwrap();
    world.clock.advance(TimeDelta::minutes(1));
    world.change("boris", &["secret"], &[]).unwrap();
    world.clock.advance(TimeDelta::minutes(1));
    let now = Some(world.now());
    let members = world.app.look(&caller, |look| history::members(look, &slug("promo_1"), now, None, 9));
    let told: Vec<UserId> = members.unwrap_or_default().into_iter().map(|member| member.user).collect();
    assert!(!told.contains(&user("boris")), "who came after the renaming is told: {told:?}");
}

#[test]
fn a_segment_that_was_renamed_out_is_not_taken_out_under_its_old_name() {
    let (world, caller) = confined();
    let before = world.now();
    world.clock.advance(TimeDelta::minutes(1));
    world.act(|act| segments::rename(act, &slug("promo_1"), &Expected::Any, slug("secret"))).unwrap();
    world.clock.advance(TimeDelta::minutes(1));
    for as_of in [before, world.now()] {
        let export = Export::Members { slug: slug("promo_1"), as_of: Some(as_of), users: UserQuery::default() };
        assert!(begin(&world, &caller, &export).is_err(), "{as_of}");
        assert!(report(&world, &caller, export.clone()).is_err(), "{as_of}");
        assert!(begin(&world, &testkit::caller(), &export).is_ok(), "{as_of}");
    }
}

/// Since then its segment may have been renamed out.
#[test]
fn nobody_who_is_confined_takes_an_import_back() {
    let (world, caller) = confined();
    let what = importing(What::Memberships { segment: Some(slug("promo_1")) });
    let accepted = imports::accept(&world.app, &caller, &what, None, &Limits::default(), &mut &b"user_id\nboris\n"[..]);
    let job = world.finish(accepted.unwrap().0).unwrap();
    look(&world, &caller, |look| jobs::get(look, job.id)).unwrap();
    assert!(is_confined(&act(&world, &caller, |act| jobs::undo(act, job.id))));
}
