//! Set algebra: how many are in a combination of three large segments, beside three ways to ask PostgreSQL the same.

use serde_json::json;

use super::{
    Bench,
    targets::{Asked, INDEX_ON, postgres_alone},
};
use crate::{
    Failure,
    figures::grouped,
    loads::{pgbench, wrk::Script},
    must_be,
    populations::{self, BIG, FIRST_CHANGE_ID, now_us},
    rounds::{Comparison, Figure, Goal, Target, Unit},
    stores::Engine,
};

const PATH: &str = "/api/v1/segments/algebra";

pub(super) fn run(bench: &mut Bench) -> Result<(), Failure> {
    let (workshop, store) = populations::open(Engine::Postgres, &bench.common, bench.users)?;
    bench.report.tell(format!("{}.\n", workshop.version()?))?;
    let server = workshop.strata.serve_with(&store.url, &[INDEX_ON])?;
    let [(a, _), (b, _), (c, _)] = BIG;
    let question = json!({ "expr": format!("({a} & {b}) - {c}"), "return": "count" });
    let count = server.client.post(PATH, &question)?["user_count"].as_u64();
    let statements = statements(now_us()?);
    for (name, statement) in &statements {
        let told = workshop.ask(&store, &format!("{statement};\n"))?;
        must_be(&format!("how many {name} finds"), Some(told), count.map(|count| count.to_string()))?;
    }
    let strata = Asked {
        workshop: &workshop,
        server: &server,
        script: Script::Posts { path: PATH.to_owned(), body: question.to_string() },
        load: bench.load(1, 50),
        worth: 1,
        check: Box::new(|| must_be("the count", server.client.post(PATH, &question)?["user_count"].as_u64(), count)),
    };
    let sides: Vec<Target> = statements
        .iter()
        .map(|(name, statement)| {
            let script = pgbench::Script { text: format!("{statement};\n"), requests: 1 };
            postgres_alone(name, &workshop, &store, script, bench.seconds)
        })
        .collect();
    let comparison = Comparison {
        unit: Unit::Request,
        title: format!("(30 % & 50 %) - 20 % of {} users, index on", grouped(bench.users)),
        figures: sides
            .iter()
            .map(|side| (Figure::Throughput { of: "strata", to: side.name }, Goal::at_least(50.0)))
            .collect(),
        targets: std::iter::once(strata.target("strata")).chain(sides).collect(),
        remarks: vec![
            "One asks at a time. The others are prepared statements in PostgreSQL, which may read by several processes; the \
             fastest of them counts."
                .to_owned(),
        ],
    };
    bench.hold(comparison)?;
    drop(server);
    workshop.close()
}

/// Each finds how many live members of the first and the second are not in the third.
fn statements(now: u64) -> [(&'static str, String); 3] {
    let first = FIRST_CHANGE_ID - BIG.len() as u64;
    let [a, b, c] = [first, first + 1, first + 2];
    let live =
        |table: &str| format!("{table}.since <= {now} AND ({table}.expires_at IS NULL OR {table}.expires_at > {now})");
    let members =
        |segment: u64| format!("SELECT m.user_id FROM memberships m WHERE m.segment_id = {segment} AND {}", live("m"));
    let same = |segment: u64| {
        format!(
            "SELECT 1 FROM memberships o WHERE o.segment_id = {segment} AND o.user_id = m.user_id AND {}",
            live("o")
        )
    };
    [
        (
            "exists",
            format!(
                "SELECT count(*) FROM ({} AND EXISTS ({}) AND NOT EXISTS ({})) AS found",
                members(a),
                same(b),
                same(c)
            ),
        ),
        (
            "set_operations",
            format!("SELECT count(*) FROM ({} INTERSECT {} EXCEPT {}) AS found", members(a), members(b), members(c)),
        ),
        (
            "grouped",
            format!(
                "SELECT count(*) FROM (SELECT m.user_id FROM memberships m WHERE m.segment_id IN ({a}, {b}, {c}) AND {} \
                 GROUP BY m.user_id HAVING bool_or(m.segment_id = {a}) AND bool_or(m.segment_id = {b}) \
                 AND NOT bool_or(m.segment_id = {c})) AS found",
                live("m")
            ),
        ),
    ]
}
