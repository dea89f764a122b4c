//! What each use case asks for.

use super::*;

/// Written down once more, so that nobody changes it unawares.
#[test]
fn each_caller_has_these_permissions() {
    let expected: [(&str, &[Permission]); 11] = [
        ("viewer", &[ReadSegments]),
        ("analyst", &[ReadSegments, ReadPersons, Assign, Manage, TakeOut]),
        ("administrator", &Permission::ALL),
        ("granted", &[ReadSegments, ReadPersons]),
        ("token:read", &[ReadSegments]),
        ("token:assign", &[Assign]),
        ("token:manage", &[ReadSegments, Manage, TakeOut]),
        ("token:persons", &[ReadPersons]),
        ("token:none", &[]),
        ("token:reads-and-manages", &[ReadSegments, Manage, TakeOut]),
        ("token:all", &[ReadSegments, ReadPersons, Assign, Manage, TakeOut]),
    ];
    let callers = callers(&world());
    let told: Vec<(&str, Vec<Permission>)> =
        callers.iter().map(|caller| (caller.actor().as_str(), caller.permissions().collect())).collect();
    assert_eq!(told, expected.map(|(name, permissions)| (name, permissions.to_vec())));
}

#[test]
fn to_read() {
    only_who_has(
        &[ReadSegments],
        &[
            ("segments::get", |w, c| look(w, c, |look| segments::get(look, &slug("VIP")))),
            ("segments::list", |w, c| look(w, c, |look| segments::list(look, &SegmentQuery::default(), 9))),
            ("segments::count", |w, c| look(w, c, |look| segments::count(look, &SegmentQuery::default()))),
            ("segments::stats", |w, c| look(w, c, |look| segments::stats(look, &StatsQuery::default(), 9))),
            ("distributions::get", |w, c| look(w, c, |look| distributions::get(look, &slug("VIP")))),
            ("sizes::over_time", |w, c| look(w, c, |look| sizes::over_time(look, &size("VIP")))),
            ("sizes::of_each", |w, c| look(w, c, |look| sizes::of_each(look, &sizes_of(&["VIP", "promo_1"])))),
            ("history::counts", |w, c| look(w, c, |look| history::counts(look, &counts(None)))),
            ("history::counts of one", |w, c| look(w, c, |look| history::counts(look, &counts(Some("VIP"))))),
            ("history::find_members", |w, c| {
                look(w, c, |look| history::find_members(look, &slug("VIP"), None, &searching("a"), 9))
            }),
            ("history::count_found_members", |w, c| {
                let then = Some(w.now());
                look(w, c, |look| history::count_found_members(look, &slug("VIP"), then, &searching("a")))
            }),
            ("segments::last_changes", |w, c| look(w, c, |look| segments::last_changes(look, &[]))),
            ("memberships::why", |w, c| look(w, c, |look| memberships::why(look, &user("anna"), &slug("VIP")))),
            ("endings::query", |w, c| look(w, c, |look| endings::query(look, &EndingFilter::default()))),
            ("summaries::tell", |w, c| summaries::tell(&w.app, c, None).map(drop)),
            ("summaries::sources", |w, c| look(w, c, |look| summaries::sources(look, None))),
            ("algebra::overlaps", |w, c| algebra::overlaps(&w.app, c, 9).map(drop)),
            ("users::get", |w, c| look(w, c, |look| users::get(look, &user("anna")))),
            ("users::list", |w, c| look(w, c, |look| users::list(look, &UserQuery::default(), 9))),
            ("users::count", |w, c| look(w, c, |look| users::count(look, &UserQuery::default()))),
            ("memberships::active", |w, c| look(w, c, |look| memberships::active(look, &[user("anna")]))),
            ("memberships::remembered_active", |w, c| {
                memberships::remembered_active(&w.app, c, &[user("anna")], &mut |_, _| ()).map(drop)
            }),
            ("memberships::is_member", |w, c| {
                look(w, c, |look| memberships::is_member(look, &user("anna"), &slug("VIP")))
            }),
            ("memberships::remembered_is_member", |w, c| {
                memberships::remembered_is_member(&w.app, c, &user("anna"), &slug("VIP")).map(drop)
            }),
            ("memberships::of_user", |w, c| look(w, c, |look| memberships::of_user(look, &user("anna"), None))),
            ("memberships::of_user as of", |w, c| {
                look(w, c, |look| memberships::of_user(look, &user("anna"), Some(w.now())))
            }),
            ("history::filter", |w, c| look(w, c, |look| history::filter(look, &happened(None)))),
            ("history::filter of one", |w, c| look(w, c, |look| history::filter(look, &happened(Some("VIP"))))),
            ("history::members", |w, c| {
                look(w, c, |look| history::members(look, &slug("VIP"), Some(w.now()), None, 9))
            }),
            ("history::count_members", |w, c| look(w, c, |look| history::count_members(look, &slug("VIP"), None))),
            ("history::diff", |w, c| look(w, c, |look| history::diff(look, &since("VIP", w), 9))),
            ("algebra::evaluate", |w, c| evaluate(w, c, "VIP & promo_1")),
            ("algebra::evaluate ALL", |w, c| evaluate(w, c, "ALL - VIP")),
            ("algebra::page", |w, c| look(w, c, |look| algebra::page(look, &set("VIP"), None, 9))),
            ("algebra::count", |w, c| look(w, c, |look| algebra::count(look, &set("ALL")))),
            ("algebra::overlap", |w, c| {
                look(w, c, |look| algebra::overlap(look, &[slug("VIP"), slug("promo_1")], None))
            }),
            ("algebra::known_overlap", |w, c| {
                algebra::known_overlap(&w.app, c, &[slug("VIP"), slug("promo_1")], None).map(drop)
            }),
            ("algebra::similar", |w, c| algebra::similar(&w.app, c, &slug("VIP"), 9).map(drop)),
            ("jobs::list", |w, c| look(w, c, |look| jobs::list(look, &JobQuery::default(), 9))),
            ("jobs::count", |w, c| look(w, c, |look| jobs::count(look, &JobQuery::default()))),
        ],
    );
}

#[test]
fn to_assign() {
    only_who_has(
        &[Assign],
        &[
            ("memberships::change", |w, c| change(w, c, "anna", &["promo_2"], &["VIP"])),
            ("memberships::change_all", |w, c| {
                let patience = std::time::Duration::from_secs(1);
                let outcomes = w
                    .app
                    .act(c, |act| memberships::change_all(act, vec![changing("anna", &["promo_2"], &[])], patience));
                outcomes?.remove(0).map(drop)
            }),
        ],
    );
}

#[test]
fn to_manage() {
    only_who_has(
        &[Manage],
        &[
            ("segments::create", |w, c| act(w, c, |act| segments::create(act, new_segment("new")))),
            ("segments::create with a percent", |w, c| {
                let command = CreateSegment { percent: Some(percent()), ..new_segment("new") };
                act(w, c, |act| segments::create(act, command))
            }),
            ("segments::change", |w, c| {
                let command = ChangeSegment { percent: Some(percent()), ..ChangeSegment::default() };
                act(w, c, |act| segments::change(act, &slug("VIP"), &Expected::Any, command))
            }),
            ("segments::rename", |w, c| {
                act(w, c, |act| segments::rename(act, &slug("VIP"), &Expected::Any, slug("new")))
            }),
            ("segments::copy", |w, c| act(w, c, |act| segments::copy(act, &slug("VIP"), copying("new")))),
            ("segments::delete", |w, c| act(w, c, |act| segments::delete(act, &slug("VIP"), &Expected::Any))),
            ("distributions::distribute", |w, c| {
                act(w, c, |act| distributions::distribute(act, &slug("VIP"), percent()))
            }),
            ("moves::move_users", |w, c| act(w, c, |act| moves::move_users(act, moving("VIP", "promo_1")))),
            ("users::create", |w, c| act(w, c, |act| users::create(act, new_user("new")))),
            ("users::change", |w, c| {
                act(w, c, |act| users::change(act, &user("anna"), &Expected::Any, ChangeUser::default()))
            }),
            ("users::delete", |w, c| act(w, c, |act| users::delete(act, &user("anna"), &Expected::Any))),
            ("imports::accept of segments", |w, c| import(w, c, What::Segments, "segment\nnew\n")),
            ("imports::accept of memberships", |w, c| {
                import(w, c, What::Memberships { segment: None }, "user_id;segment\n1;new\n")
            }),
            ("imports::accept of one segment", |w, c| {
                import(w, c, What::Memberships { segment: Some(slug("VIP")) }, "user_id\n1\n")
            }),
            ("jobs::undo", |w, c| {
                let id = job_of(w, c, JobKind::ImportMemberships, JobState::Done);
                let ended = act(w, c, |act| jobs::undo(act, id));
                // The attempt leaves no trace; this job is of the test's.
                w.act(|act| Ok(act.unit.jobs().delete(&[id])?)).unwrap();
                ended
            }),
        ],
    );
}

#[test]
fn to_manage_by_what_is_read() {
    only_who_has(
        &[Manage, ReadSegments],
        &[
            ("algebra::create", |w, c| {
                act(w, c, |act| algebra::create(act, new_segment("new"), set("VIP - promo_1").expression))
            }),
            ("algebra::create of ALL", |w, c| {
                act(w, c, |act| algebra::create(act, new_segment("new"), set("ALL").expression))
            }),
        ],
    );
}

#[test]
fn to_take_out() {
    only_who_has(
        &[TakeOut, ReadSegments],
        &[
            ("members", |w, c| write(w, c, &members_of("VIP"))),
            ("algebra", |w, c| write(w, c, &Export::Algebra(set("VIP - promo_1")))),
            ("algebra of ALL", |w, c| write(w, c, &Export::Algebra(set("ALL")))),
            ("history", |w, c| write(w, c, &Export::History(happened(None)))),
            ("history of one", |w, c| write(w, c, &Export::History(happened(Some("VIP"))))),
            ("stats", |w, c| write(w, c, &Export::Stats(StatsQuery::default()))),
        ],
    );
}

#[test]
fn to_take_out_persons() {
    let users: Attempts = &[("users", |w, c| write(w, c, &Export::Users(UserQuery::default())))];
    only_who_has(&[TakeOut, ReadSegments, ReadPersons], users);
}

/// Else it would be noted, or answered with a success, and come to nothing.
#[test]
fn to_begin_to_take_out_the_same_as_to_do_it() {
    only_who_has(
        &[TakeOut, ReadSegments],
        &[
            ("members", |w, c| begin(w, c, &members_of("VIP"))),
            ("algebra", |w, c| begin(w, c, &Export::Algebra(set("VIP - promo_1")))),
            ("history", |w, c| begin(w, c, &Export::History(happened(None)))),
            ("history of one", |w, c| begin(w, c, &Export::History(happened(Some("VIP"))))),
            ("stats", |w, c| begin(w, c, &Export::Stats(StatsQuery::default()))),
        ],
    );
}

/// Such a file writes names and addresses, and its report tells them again.
#[test]
fn to_bring_in_persons() {
    let users: Attempts = &[("users", |w, c| import(w, c, What::Users, "user_id\n1\n"))];
    only_who_has(&[Manage, ReadPersons], users);
}

/// Else a report told what an export does not.
#[test]
fn to_have_a_report_the_same_as_to_take_out() {
    only_who_has(
        &[TakeOut, ReadSegments],
        &[
            ("members", |w, c| report(w, c, members_of("VIP")).map(drop)),
            ("algebra", |w, c| report(w, c, Export::Algebra(set("VIP - promo_1"))).map(drop)),
            ("history", |w, c| report(w, c, Export::History(happened(None))).map(drop)),
            ("stats", |w, c| report(w, c, Export::Stats(StatsQuery::default())).map(drop)),
        ],
    );
    let users: Attempts = &[("users", |w, c| report(w, c, Export::Users(UserQuery::default())).map(drop))];
    only_who_has(&[TakeOut, ReadSegments, ReadPersons], users);
}

#[test]
fn to_fulfil_rights() {
    only_who_has(
        &[FulfilRights],
        &[
            ("persons::begin", |w, c| act(w, c, |act| persons::begin(act, &user("anna")))),
            ("persons::profile", |w, c| look(w, c, |look| persons::profile(look, &user("anna")))),
            ("persons::erase", |w, c| act(w, c, |act| persons::erase(act, &user("anna"), &Expected::Any))),
        ],
    );
}

#[test]
fn to_operate() {
    only_who_has(
        &[Operate],
        &[
            ("retention::request", |w, c| act(w, c, |act| retention::request(act, 12, false))),
            ("retention::request of a trial", |w, c| act(w, c, |act| retention::request(act, 12, true))),
            ("demo::request", |_, c| {
                let empty = World::in_memory();
                act(&empty, c, demo::request)
            }),
            ("stale::request", |w, c| act(w, c, |act| stale::request(act, Ttl::parse("P30D").unwrap(), false))),
        ],
    );
}

#[test]
fn to_manage_tokens() {
    only_who_has(
        &[ManageTokens],
        &[
            ("tokens::create", |w, c| act(w, c, |act| tokens::create(act, new_token("new")))),
            ("tokens::get", |w, c| look(w, c, |look| tokens::get(look, TokenId(1)))),
            ("tokens::list", |w, c| look(w, c, |look| tokens::list(look, None, 9))),
            ("tokens::count", |w, c| look(w, c, tokens::count)),
            ("tokens::revoke", |w, c| act(w, c, |act| tokens::revoke(act, TokenId(1)))),
        ],
    );
}

#[test]
fn to_read_the_audit_log() {
    only_who_has(
        &[ReadAudit],
        &[
            ("audit::list", |w, c| look(w, c, |look| audit::list(look, &AuditQuery::default(), 9))),
            ("audit::count", |w, c| look(w, c, |look| audit::count(look, &AuditQuery::default()))),
            ("audit::verify", |w, c| look(w, c, |look| audit::verify(look, None, &mut |_| ()))),
        ],
    );
}

#[test]
fn to_manage_accounts() {
    only_who_has(
        &[ManageAccounts],
        &[
            ("accounts::create", |w, c| {
                let login = Login::parse("new").unwrap();
                let command = CreateAccount { login, role: Role::Viewer, sees_persons: false, password: None };
                act(w, c, |act| accounts::create(act, command))
            }),
            ("accounts::find", |w, c| look(w, c, |look| accounts::find(look, &Login::parse("other").unwrap()))),
            ("accounts::list", |w, c| look(w, c, |look| accounts::list(look, &AccountQuery::default(), 9))),
            ("sign_ins::limits", |_, c| sign_ins::limits(c).map(drop)),
            ("accounts::count", |w, c| look(w, c, |look| accounts::count(look, &AccountQuery::default()))),
            ("accounts::history", |w, c| look(w, c, |look| accounts::history(look, OTHER, None, 9))),
        ],
    );
}
