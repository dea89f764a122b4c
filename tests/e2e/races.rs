//! Calls that meet: nothing is lost, doubled, or left half done (rule 8).

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    journals::{Ended, Writer, history_is_orderly, history_of, in_ms, operations},
    server::{Engine, Place, Server, with_and_without_index},
};

with_and_without_index!(
    thirty_two_adds_to_one_user_all_survive,
    sixteen_equal_adds_make_one_membership,
    sixteen_equal_adds_with_a_deadline_make_one_membership,
    one_of_sixteen_takes_a_slug,
    one_of_sixteen_takes_a_user_id,
    a_deleted_segment_leaves_nothing_behind_when_adds_meet_it,
    a_deleted_user_leaves_nothing_behind_when_changes_meet_it,
    each_deadline_is_kept_once_by_two_workers_and_re_adds,
    of_two_distributions_at_once_one_is_the_last,
    who_is_born_during_distributions_is_in_by_position,
    moves_both_ways_and_adds_lose_nobody,
    copies_and_renames_are_whole_when_adds_meet_them,
    eight_requests_with_one_key_act_once,
    two_servers_share_one_store,
);

/// A server that lets calls wait for each other, however slow the machine is: then no 503 has an excuse.
pub fn patient(place: &Place) -> Server {
    place.serve_with(&[("STRATA_POOL_TIMEOUT_MS", "30000")])
}

/// Does it `count` times at once, and returns what came of each.
pub fn at_once<T: Send>(count: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(count);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|number| {
                let (barrier, act) = (&barrier, &act);
                scope.spawn(move || {
                    barrier.wait();
                    act(number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// How many answers have this status; every answer must have one of the two.
fn count(answers: &[Answer], status: u16, other: u16) -> usize {
    for answer in answers {
        assert!([status, other].contains(&answer.status), "{}", answer.text);
    }
    answers.iter().filter(|answer| answer.status == status).count()
}

fn members(client: &Client, slug: &str) -> BTreeSet<String> {
    let page = client.get(&format!("/segments/{slug}/users?limit=1000"));
    assert_eq!(page.status, 200, "{}", page.text);
    let items = page.json()["items"].as_array().unwrap().clone();
    items.iter().map(|member| member["user_id"].as_str().unwrap().to_owned()).collect()
}

fn distribute(client: &Client, slug: &str, percent: u32) -> Answer {
    client.post(&format!("/segments/{slug}/distribute"), json!({"percent": percent}))
}

fn add(client: &Client, user: &str, slug: &str) -> Answer {
    client.post(&format!("/users/{user}/segments"), json!({"add": [slug]}))
}

fn move_users(client: &Client, from: &str, to: &str) -> Answer {
    client.post("/segments/move_users", json!({"from_segment": from, "to_segment": to}))
}

fn users(client: &Client, count: usize) {
    at_once(8, |part| {
        for user in (part..count).step_by(8) {
            assert_eq!(client.post("/users", json!({"user_id": format!("u{user}")})).status, 201);
        }
    });
}

fn thirty_two_adds_to_one_user_all_survive(engine: Engine) {
    let place = Place::new(engine);
    let server = patient(&place);
    let client = &server.client;
    let slugs: Vec<String> = (10..42).map(|number| format!("S{number}")).collect();
    slugs.iter().for_each(|slug| client.has_segment(slug));
    let answers = at_once(32, |number| add(client, "1000", &slugs[number]));
    assert_eq!(count(&answers, 200, 200), 32);
    assert_eq!(client.segments_of("1000"), slugs);
    assert_eq!(history_is_orderly(client), 32);
    place.is_sound();
}

fn sixteen_equal_adds_make_one_membership(engine: Engine) {
    let place = Place::new(engine);
    let server = patient(&place);
    let client = &server.client;
    client.has_segment("VIP");
    for user in 0..5 {
        let answers = at_once(16, |_| add(client, &format!("{user}"), "VIP"));
        assert_eq!(count(&answers, 200, 200), 16);
        let added = answers.iter().filter(|answer| answer.json()["added"] == json!(["VIP"])).count();
        assert_eq!(added, 1);
        assert_eq!(operations(&history_of(client, &format!("{user}"), "VIP")), ["add"]);
    }
    place.is_sound();
}

fn sixteen_equal_adds_with_a_deadline_make_one_membership(engine: Engine) {
    let place = Place::new(engine);
    let server = patient(&place);
    let client = &server.client;
    client.has_segment("VIP");
    for user in 0..5 {
        let body = json!({"add": ["VIP"], "expires_at": in_ms(60_000)});
        let answers = at_once(16, |_| client.post(&format!("/users/{user}/segments"), body.clone()));
        assert_eq!(count(&answers, 200, 200), 16);
        assert_eq!(operations(&history_of(client, &format!("{user}"), "VIP")), ["add"]);
    }
    place.is_sound();
}

fn one_of_sixteen_takes_a_slug(engine: Engine) {
    let place = Place::new(engine);
    let server = patient(&place);
    let client = &server.client;
    for round in 0..5 {
        let answers = at_once(16, |_| client.post("/segments", json!({"slug": format!("S{round}")})));
        assert_eq!(count(&answers, 201, 409), 1);
    }
    assert_eq!(client.get("/segments?count=exact").json()["total"], 5);
}

fn one_of_sixteen_takes_a_user_id(engine: Engine) {
    let place = Place::new(engine);
    let server = patient(&place);
    let client = &server.client;
    assert_eq!(client.post("/segments", json!({"slug": "EVERYBODY", "percent": 100})).status, 201);
    for round in 0..5 {
        let user = format!("u{round}");
        let answers = at_once(16, |_| client.post("/users", json!({"user_id": user})));
        assert_eq!(count(&answers, 201, 409), 1);
        assert_eq!(operations(&history_of(client, &user, "EVERYBODY")), ["add"]);
    }
    assert_eq!(client.get("/users?count=exact").json()["total"], 5);
    place.is_sound();
}

fn a_deleted_segment_leaves_nothing_behind_when_adds_meet_it(engine: Engine) {
    let place = Place::new(engine);
    let server = patient(&place);
    let client = &server.client;
    let (mut early, mut late) = (0, 0);
    for _ in 0..4 {
        client.has_segment("VIP");
        let answers = at_once(51, |number| match number {
            25 => {
                // Somewhere among the others.
                thread::sleep(Duration::from_millis(rand::random_range(0..100)));
                let deleted = client.delete("/segments/VIP");
                assert_eq!(deleted.status, 204, "{}", deleted.text);
                Vec::new()
            }
            _ => (0..4).map(|again| add(client, &format!("u{number}-{again}"), "VIP")).collect(),
        });
        let answers: Vec<Answer> = answers.into_iter().flatten().collect();
        assert_eq!(answers.len(), 200);
        early += count(&answers, 200, 404);
        late += count(&answers, 404, 200);
        client.has_segment("VIP");
        assert!(members(client, "VIP").is_empty());
        assert!((0..51).all(|user| client.segments_of(&format!("u{user}-0")).is_empty()));
        assert_eq!(client.delete("/segments/VIP").status, 204);
    }
    println!("{early} adds before, {late} after the deletion");
    history_is_orderly(client);
    place.is_sound();
}

fn a_deleted_user_leaves_nothing_behind_when_changes_meet_it(engine: Engine) {
    let place = Place::new(engine);
    let server = patient(&place);
    let client = &server.client;
    ["A", "B", "C"].into_iter().for_each(|slug| client.has_segment(slug));
    users(client, 20);
    let mut refused = 0;
    for _ in 0..6 {
        assert_eq!(add(client, "gone", "A").status, 200);
        let answers = at_once(10, |number| match number {
            0 => client.delete("/users/gone"),
            1 => move_users(client, "A", "B"),
            2 => move_users(client, "B", "A"),
            3 => distribute(client, "C", rand::random_range(0..100)),
            _ => add(client, "gone", ["A", "B", "C"][number % 3]),
        });
        assert!(answers[0].status == 204, "{}", answers[0].text);
        for answer in &answers[1..] {
            // An add whose user vanishes while it waits is asked to come again.
            assert!([200, 503].contains(&answer.status), "{}", answer.text);
            refused += usize::from(answer.status == 503);
        }
        if client.get("/users/gone").status == 404 {
            assert!(client.segments_of("gone").is_empty());
        }
        place.is_sound();
        client.delete("/users/gone");
        assert!(client.segments_of("gone").is_empty());
    }
    println!("{refused} of 54 were refused with 503");
    history_is_orderly(client);
    place.is_sound();
}

fn each_deadline_is_kept_once_by_two_workers_and_re_adds(engine: Engine) {
    const USERS: usize = 60;
    let place = Place::new(engine);
    let server = place.serve_with(&[("STRATA_WORKER", "false"), ("STRATA_POOL_TIMEOUT_MS", "30000")]);
    let client = &server.client;
    client.has_segment("VIP");
    let _workers = [(); 2].map(|()| place.work(&[("STRATA_WORKER_INTERVAL_MS", "1"), ("STRATA_WORKER_BATCH", "7")]));
    let deadlines: Vec<(Instant, String)> = (0..USERS)
        .map(|_| rand::random_range(1_500..2_500_u64))
        .map(|ms| (Instant::now() + Duration::from_millis(ms), in_ms(ms as i64)))
        .collect();
    let readded = AtomicUsize::new(0);
    at_once(12, |part| {
        let own = || (part..USERS).step_by(12);
        for user in own() {
            let body = json!({"expires_at": deadlines[user].1});
            assert_eq!(client.post(&format!("/users/u{user}/segments/VIP"), body).status, 200);
        }
        // The first half comes again at the deadline, a little before or after.
        let mut again: Vec<usize> = own().filter(|user| *user < USERS / 2).collect();
        again.sort_by_key(|user| deadlines[*user].0);
        for user in again {
            let until = deadlines[user].0.saturating_duration_since(Instant::now());
            thread::sleep(until.saturating_sub(Duration::from_micros(rand::random_range(0..3_000))));
            let answer = add(client, &format!("u{user}"), "VIP");
            assert_eq!(answer.status, 200, "{}", answer.text);
            if answer.json()["added"] == json!(["VIP"]) {
                readded.fetch_add(1, Ordering::Relaxed);
                assert_eq!(client.segments_of(&format!("u{user}")), ["VIP"], "a re-add was lost");
            }
        }
    });
    let patience = Instant::now() + Duration::from_secs(10);
    let mut stay = BTreeSet::new();
    for (user, (_, deadline)) in deadlines.iter().enumerate() {
        let user = format!("u{user}");
        let rows = loop {
            let rows = history_of(client, &user, "VIP");
            if rows.len() > 1 || Instant::now() > patience {
                break rows;
            }
            thread::sleep(Duration::from_millis(20));
        };
        assert!([&["add", "remove"][..], &["add", "remove", "add"]].contains(&&operations(&rows)[..]), "{rows:?}");
        assert_eq!((&rows[1]["timestamp"], &rows[1]["source"]), (&json!(deadline), &json!("expiry")));
        if rows.len() == 3 {
            stay.insert(user);
        }
    }
    println!("{} came again after their deadline, {} just before", stay.len(), USERS / 2 - stay.len());
    assert_eq!(stay.len(), readded.into_inner());
    assert_eq!(members(client, "VIP"), stay);
    history_is_orderly(client);
    place.is_sound();
}

fn of_two_distributions_at_once_one_is_the_last(engine: Engine) {
    let place = Place::new(engine);
    let server = patient(&place);
    let client = &server.client;
    users(client, 100);
    client.has_segment("SHARE");
    let at = |percent| {
        assert_eq!(distribute(client, "SHARE", percent).status, 200);
        members(client, "SHARE")
    };
    let targets = [(30, at(30)), (70, at(70))];
    assert_eq!((targets[0].1.len(), targets[1].1.len()), (30, 70));
    for _ in 0..10 {
        at(rand::random_range(0..=100));
        let answers = at_once(2, |number| distribute(client, "SHARE", targets[number].0));
        assert_eq!(count(&answers, 200, 200), 2);
        let percent = client.get("/segments/SHARE").json()["percent"].clone();
        let target = targets.iter().find(|(target, _)| percent == json!(target));
        assert_eq!(members(client, "SHARE"), target.unwrap().1);
    }
    history_is_orderly(client);
    place.is_sound();
}

fn who_is_born_during_distributions_is_in_by_position(engine: Engine) {
    let place = Place::new(engine);
    let server = patient(&place);
    let client = &server.client;
    users(client, 40);
    client.has_segment("OTHER");
    assert_eq!(client.post("/segments", json!({"slug": "SHARE", "percent": 20})).status, 201);
    let answers = at_once(9, |number| {
        if number == 0 {
            thread::sleep(Duration::from_millis(rand::random_range(0..40)));
            return vec![distribute(client, "SHARE", 60)];
        }
        let born = (0..5).map(|child| format!("born-{number}-{child}"));
        born.map(|user| match number % 2 {
            0 => client.post("/users", json!({"user_id": user})),
            _ => add(client, &user, "OTHER"),
        })
        .collect()
    });
    assert_eq!(count(&answers.into_iter().flatten().collect::<Vec<_>>(), 200, 201), 21);
    let found = members(client, "SHARE");

    // Who was there when the share was given, and who came later, by the instants that the service tells.
    let given = client.get("/segments/SHARE").json()["updated_at"].as_str().unwrap().to_owned();
    let everybody = client.get("/users?limit=1000").json()["items"].as_array().unwrap().clone();
    let (there, later): (Vec<&Value>, Vec<&Value>) =
        everybody.iter().partition(|user| user["created_at"].as_str().unwrap() < given.as_str());
    assert_eq!(everybody.len(), 80);
    println!("{} were there, {} came later", there.len(), later.len());

    // The positions, found out one by one when all is quiet: a copy has the seed of the original.
    assert_eq!(client.post("/segments/SHARE/copy", json!({"slug": "RULER", "members": true})).status, 201);
    assert_eq!(distribute(client, "RULER", 0).status, 200);
    let mut by_position: Vec<String> = Vec::new();
    for step in 1..=80 {
        let percent = format!("{{\"percent\": {}}}", f64::from(step) * 1.25);
        let json = [("content-type", "application/json")];
        assert_eq!(client.send("POST", "/segments/RULER/distribute", &json, percent.as_bytes()).status, 200);
        let new: Vec<String> =
            members(client, "RULER").into_iter().filter(|user| !by_position.contains(user)).collect();
        assert_eq!(new.len(), 1, "{new:?} at {percent}");
        by_position.extend(new);
    }
    assert_eq!(distribute(client, "RULER", 60).status, 200);
    let ids = |users: &[&Value]| {
        users.iter().map(|user| user["user_id"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let (there, later) = (ids(&there), ids(&later));
    // Those with the lowest positions, besides whoever joined at birth before and stays.
    let target = (there.len() * 60 + 50) / 100;
    let in_time: Vec<&String> = by_position.iter().filter(|user| there.contains(*user)).collect();
    let got: BTreeSet<&String> = found.iter().filter(|user| there.contains(*user)).collect();
    assert_eq!(got, in_time[..target].iter().copied().collect());
    for user in &later {
        let before = found.contains(user);
        assert_eq!(client.delete(&format!("/users/{user}")).status, 204);
        assert_eq!(client.post("/users", json!({"user_id": user})).status, 201);
        assert_eq!(client.segments_of(user).contains(&"RULER".to_owned()), before, "{user}");
    }
    history_is_orderly(client);
    place.is_sound();
}

fn moves_both_ways_and_adds_lose_nobody(engine: Engine) {
    let place = Place::new(engine);
    let server = patient(&place);
    let client = &server.client;
    ["A", "B"].into_iter().for_each(|slug| client.has_segment(slug));
    let answers = at_once(12, |number| {
        (0..6)
            .map(|round| match number {
                0 => move_users(client, "A", "B"),
                1 => move_users(client, "B", "A"),
                _ => add(client, &format!("u{number}-{round}"), ["A", "B"][round % 2]),
            })
            .collect::<Vec<_>>()
    });
    assert_eq!(count(&answers.into_iter().flatten().collect::<Vec<_>>(), 200, 200), 72);
    let (a, b) = (members(client, "A"), members(client, "B"));
    assert_eq!((a.len() + b.len(), a.intersection(&b).count()), (60, 0));
    assert_eq!(move_users(client, "A", "B").status, 200);
    assert_eq!((members(client, "A").len(), members(client, "B").len()), (0, 60));
    history_is_orderly(client);
    place.is_sound();
}

fn copies_and_renames_are_whole_when_adds_meet_them(engine: Engine) {
    let place = Place::new(engine);
    let server = patient(&place);
    let client = &server.client;
    client.has_segment("A");
    let answers = at_once(10, |number| {
        (0..6)
            .map(|round| match number {
                0 => client.post("/segments/A/copy", json!({"slug": format!("COPY{round}"), "members": true})),
                1 if round % 2 == 0 => client.post("/segments/A/rename", json!({"slug": "Z"})),
                1 => client.post("/segments/Z/rename", json!({"slug": "A"})),
                _ => add(client, &format!("u{number}-{round}"), "A"),
            })
            .collect::<Vec<_>>()
    });
    for answer in answers.iter().flatten() {
        assert!([200, 201, 404].contains(&answer.status), "{}", answer.text);
    }
    assert!(answers[1].iter().all(|renamed| renamed.status == 200));
    let acknowledged: BTreeSet<String> = answers[2..]
        .iter()
        .flatten()
        .filter(|answer| answer.status == 200)
        .map(|answer| answer.json()["user_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(members(client, "A"), acknowledged);
    assert_eq!(client.get("/segments/Z").status, 404);
    let mut before = BTreeSet::new();
    for (round, copied) in answers[0].iter().enumerate() {
        if copied.status == 201 {
            let copy = members(client, &format!("COPY{round}"));
            assert!(copy.is_superset(&before) && copy.is_subset(&acknowledged), "{round}");
            before = copy;
        }
    }
    println!("{} adds met the segment, the last copy has {}", acknowledged.len(), before.len());
    place.is_sound();
}

fn eight_requests_with_one_key_act_once(engine: Engine) {
    let place = Place::new(engine);
    let server = patient(&place);
    let client = &server.client;
    client.has_segment("A");
    for round in 0..6 {
        // Without the key this would make eight users.
        let key = format!("key-{round}");
        let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
        let answers = at_once(8, |_| client.send("POST", "/users", &headers, b"{\"name\": \"Ada\"}"));
        assert_eq!(count(&answers, 201, 201), 8);
        let replayed = answers.iter().filter(|answer| answer.header("idempotent-replayed") == Some("true")).count();
        assert_eq!(replayed, 7);
        assert!(answers.iter().all(|answer| answer.text == answers[0].text));
        assert_eq!(client.get("/users?count=exact").json()["total"], round + 1);
        // Without the key only one of them would say that it added.
        let (key, path) = (format!("add-{round}"), format!("/users/x{round}/segments"));
        let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
        let answers = at_once(8, |_| client.send("POST", &path, &headers, b"{\"add\": [\"A\"]}"));
        assert!(answers.iter().all(|answer| answer.status == 200 && answer.json()["added"] == json!(["A"])));
        assert_eq!(client.delete(&format!("/users/x{round}")).status, 204);
    }
    history_is_orderly(client);
    place.is_sound();
}

fn two_servers_share_one_store(engine: Engine) {
    let place = Place::new(engine);
    let settings = [("STRATA_WORKER_INTERVAL_MS", "20")];
    let servers = [place.serve_with(&settings), place.serve_with(&settings)];
    let until = Instant::now() + Duration::from_secs(3);
    let mut writers = at_once(6, |number| {
        // What one acknowledged, the other must see: each answer says how far it is.
        let session = Arc::default();
        let clients = servers.each_ref().map(|server| server.client.in_session(&session));
        let mut writer = Writer::new(&format!("w{number}"), &clients[number % 2]);
        while Instant::now() < until {
            let client = &clients[rand::random_range(0..2)];
            match writer.act(client) {
                Ended::Acknowledged => {}
                Ended::Refused => writer.settle(client),
                ended => panic!("{ended:?}: no answer"),
            }
        }
        writer
    });
    for writer in &mut writers {
        writer.settle(&servers[0].client);
        writer.everybody_passed(&servers[1].client);
    }
    let sum = |read: fn(&Writer) -> usize| writers.iter().map(read).sum::<usize>();
    println!(
        "{} acknowledged, {} refused, {} passed, slowest {:?}",
        sum(|writer| writer.acknowledged),
        sum(|writer| writer.refused),
        sum(Writer::passing),
        writers.iter().map(|writer| writer.slowest).max()
    );
    history_is_orderly(&servers[0].client);
    place.is_sound();
}
