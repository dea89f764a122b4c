//! Lookups: one user's segments, beside a static answer of the same size.

use super::{
    Bench,
    targets::{Asked, INDEX_ON, check_user},
};
use crate::{
    Failure,
    figures::grouped,
    loads::wrk::{Load, Script},
    must_be, populations,
    rounds::{Comparison, Figure, Goal, Results, Target, Unit},
    servers::Server,
    statics::{self, Care},
    stores::{Engine, Store, Workshop},
};

pub(super) const CONNECTIONS: u64 = 64;
/// How many users' answers are looked at to find one of the usual length.
const SAMPLES: u64 = 101;

pub(super) fn run(bench: &mut Bench) -> Result<(), Failure> {
    // With the index the store is not asked; without a server of its own nothing else runs on the machine.
    let (workshop, store) = populations::open(Engine::Sqlite, &bench.common, bench.users)?;
    let server = workshop.strata.serve_with(&store.url, &[INDEX_ON])?;
    let title = format!("Lookup of one of {} users, index on", grouped(bench.users));
    let goals = Goals { throughput: Goal::at_least(0.8).dream(0.95), cpu: Goal::at_most(1.25).dream(1.1) };
    beside_static(bench, &workshop, &server, title, bench.users, goals)?;
    drop(server);
    with_token(bench, &workshop, &store)?;
    workshop.close()
}

/// The same where whoever asks shows an API token, to both servers.
fn with_token(bench: &mut Bench, workshop: &Workshop, store: &Store) -> Result<(), Failure> {
    let users = bench.users;
    let server = workshop.strata.serve_guarded(&store.url, &[INDEX_ON])?;
    let body = usual_body(&server, users)?;
    let guarded = statics::start(&workshop.folder, &body, Care::Guarded)?;
    let checked = bench.draws.below(users) + 1;
    let load = bench.load(CONNECTIONS, body.len() as u64 / 2);
    let comparison = Comparison {
        unit: Unit::Request,
        title: format!("Lookup of one of {} users with an API token, index on", grouped(users)),
        targets: vec![
            strata(workshop, &server, users, load, checked),
            ready("static", workshop, &guarded, &body, users, load),
        ],
        figures: vec![
            (Figure::Throughput { of: "strata", to: "static" }, Goal::at_least(0.75)),
            (Figure::Cpu { of: "strata", to: "static" }, Goal::NONE),
        ],
        remarks: vec![format!(
            "`wrk -c{CONNECTIONS}`. `static` is the same server with the answer ready, which asks for a token as Strata does."
        )],
    };
    bench.hold(comparison).map(drop)
}

pub(super) struct Goals {
    pub(super) throughput: Goal,
    pub(super) cpu: Goal,
}

/// Compares a running server with what it would be if it had the answer ready, and with the least that a server can be.
pub(super) fn beside_static(
    bench: &mut Bench,
    workshop: &Workshop,
    server: &Server,
    title: String,
    users: u64,
    goals: Goals,
) -> Result<Results, Failure> {
    let body = usual_body(server, users)?;
    let [whole, bare] = [Care::Whole, Care::Bare].map(|care| statics::start(&workshop.folder, &body, care));
    let (whole, bare) = (whole?, bare?);
    let checked = bench.draws.below(users) + 1;
    let load = bench.load(CONNECTIONS, body.len() as u64 / 2);
    let comparison = Comparison {
        unit: Unit::Request,
        title,
        targets: vec![
            strata(workshop, server, users, load, checked),
            ready("static", workshop, &whole, &body, users, load),
            ready("bare", workshop, &bare, &body, users, load),
        ],
        figures: vec![
            (Figure::Throughput { of: "strata", to: "static" }, goals.throughput),
            (Figure::Cpu { of: "strata", to: "static" }, goals.cpu),
            (Figure::Throughput { of: "strata", to: "bare" }, Goal::NONE),
        ],
        remarks: vec![format!(
            "`wrk -c{CONNECTIONS}`, another random user each time. `static` is the same server with the answer ready: one \
             body of {} bytes under as many heads, for addresses of the same form, with all that each request gets (its id, its \
             time limit, its line in the log, its route). `bare` is actix-web alone with the same answer.",
            body.len()
        )],
    };
    bench.hold(comparison)
}

/// A server that has the answer ready.
fn ready<'a>(
    name: &'static str,
    workshop: &'a Workshop,
    server: &'a Server,
    body: &'a str,
    users: u64,
    load: Load,
) -> Target<'a> {
    let check = Box::new(move || {
        must_be("the static answer", server.client.text(&statics::PATH.replace("%07d", "0000001"))?.as_str(), body)
    });
    let script = Script::Gets { path: statics::PATH.to_owned(), users };
    Asked { workshop, server, script, load, worth: 1, check }.target(name)
}

/// The server, asked for random users.
pub(super) fn strata<'a>(
    workshop: &'a Workshop,
    server: &'a Server,
    users: u64,
    load: Load,
    checked: u64,
) -> Target<'a> {
    let check = Box::new(move || check_user(&server.client, checked));
    Asked { workshop, server, script: lookup(users), load, worth: 1, check }.target("strata")
}

fn lookup(users: u64) -> Script {
    Script::Gets { path: "/api/v1/users/user-%07d/segments".to_owned(), users }
}

/// Some users are in more segments than others. While looking for the usual one, each is checked.
fn usual_body(server: &Server, users: u64) -> Result<String, Failure> {
    let mut bodies = Vec::new();
    for sample in 0..SAMPLES {
        let number = 1 + sample * (users / SAMPLES);
        check_user(&server.client, number)?;
        bodies.push(server.client.text(&format!("/api/v1/users/{}/segments", populations::user_id(number)))?);
    }
    bodies.sort_by_key(String::len);
    Ok(bodies.swap_remove(bodies.len() / 2))
}
