use domain::{Actor, Claim, Instant, Job, JobId, JobKind, JobState};
use usecases::ports::{JobQuery, Store, StoreError};

use super::{
    Case, attempt,
    concurrency::{THREADS, persist, together},
    look, micros, minute, must, pages,
};

pub(super) const CASES: &[Case] = &[
    ("a job is found as it was inserted, of every kind and in every state", job_is_found_as_inserted),
    ("an update replaces all that is kept of a job, and of no other", update_replaces_all),
    ("ids of jobs ascend and are never given again", ids_ascend),
    ("jobs of one who began them are listed, since then", listed_of_an_owner),
    ("jobs are listed that ended later than an instant", listed_by_their_ends),
    ("jobs are listed newest first, as filters and cursor say", listed_newest_first),
    ("the oldest free job is next", oldest_free_job_is_next),
    ("a job is free again at the end of its claim, and not before", free_at_the_end_of_its_claim),
    ("a job that ended is never free", ended_is_never_free),
    ("an update of a forgotten job is contended", update_of_a_forgotten_job),
    ("jobs that ended before come by their end, and no more than asked for", ended_before_by_their_end),
    ("forgotten jobs are gone, and others stay", forgotten_jobs_are_gone),
    ("a job that is rolled back was never kept", job_rolled_back),
    ("eight who look for jobs are never given the same", eight_are_never_given_the_same),
    ("a job that was read stays until the unit ends", read_job_stays),
    ("an upload is known until it is ended, and ended once", uploads_are_known_until_they_end),
];

fn queued(kind: JobKind) -> Job {
    Job::queued(kind, Actor::new("conformance"), "{}".to_owned(), minute(0))
}

fn running(until: Instant) -> Job {
    let claim = Some(Claim { holder: 7, until });
    Job { state: JobState::Running, started_at: Some(minute(0)), claim, tries: 1, ..queued(JobKind::Undo) }
}

fn ended(kind: JobKind, state: JobState, at: Instant) -> Job {
    Job { state, finished_at: Some(at), ..queued(kind) }
}

/// A job of which nothing is left out.
fn full(kind: JobKind, state: JobState) -> Job {
    let json = "{\"слово\": \"it's \\\"so\\\" % _ \\\\ 🎉\"}\n".repeat(40);
    Job {
        id: JobId(0),
        kind,
        state,
        actor: Actor::new("учётная запись; 'x'"),
        task: json.clone(),
        place: Some(format!("{json}place")),
        outcome: Some(format!("{json}outcome")),
        done: 123_456_789_012,
        total: Some(i64::MAX as u64),
        refused: 98_765_432_109,
        problem: Some("строка 1: \"broken\"\n".to_owned()),
        undoes: Some(JobId(4_000_000_000)),
        created_at: minute(1),
        started_at: Some(minute(2)),
        finished_at: state.is_final().then(|| minute(3)),
        cancelled_by: Some(Actor::new("another; учётная запись")),
        claim: Some(Claim { holder: u64::MAX >> 1, until: minute(4) }),
        tries: 5,
    }
}

fn has_job(store: &dyn Store, job: &Job) -> Job {
    let id = must(store, |unit| unit.jobs().insert(job));
    Job { id, ..job.clone() }
}

fn job_is_found_as_inserted(store: &dyn Store) {
    for kind in JobKind::ALL {
        for state in JobState::ALL {
            for job in [Job { state, ..queued(kind) }, full(kind, state)] {
                // The id of a job that is not kept yet does not count.
                let id = must(store, |unit| unit.jobs().insert(&Job { id: JobId(77), ..job.clone() }));
                let job = Job { id, ..job };
                assert_eq!(look(store, |unit| unit.jobs().find(id)), Some(job.clone()));
                assert_eq!(must(store, |unit| unit.jobs().find(id)), Some(job));
            }
        }
    }
    assert_eq!(look(store, |unit| unit.jobs().find(JobId(i64::MAX))), None);
}

fn update_replaces_all(store: &dyn Store) {
    let bare = has_job(store, &queued(JobKind::ImportUsers));
    let other = has_job(store, &full(JobKind::Undo, JobState::Running));
    let whole = Job { id: bare.id, ..full(JobKind::Report, JobState::Failed) };
    for job in [&bare, &whole, &bare, &whole] {
        must(store, |unit| unit.jobs().update(job));
        assert_eq!(look(store, |unit| unit.jobs().find(job.id)).as_ref(), Some(job));
    }
    assert_eq!(look(store, |unit| unit.jobs().find(other.id)), Some(other));
}

fn ids_ascend(store: &dyn Store) {
    let mut last = JobId(0);
    for _ in 0..3 {
        for _ in 0..3 {
            let next = has_job(store, &queued(JobKind::Undo)).id;
            assert!(next > last, "{next} came after {last}");
            last = next;
        }
        // History names jobs that were forgotten, and must not name another by it.
        must(store, |unit| unit.jobs().delete(&[last]));
    }
}

fn listed_of_an_owner(store: &dyn Store) {
    let job = |actor: &str, minutes| {
        let queued = queued(JobKind::Report);
        has_job(store, &Job { actor: Actor::new(actor), created_at: minute(minutes), ..queued })
    };
    let [_, first, _, second] = [job("anna", 0), job("anna", 5), job("ivan", 6), job("anna", 7)];
    let query = JobQuery { owner: Some((Actor::new("anna"), minute(5))), ..JobQuery::default() };
    assert_eq!(look(store, |unit| unit.jobs().list(&query, 10)), [second.clone(), first]);
    let behind = JobQuery { after: Some(second.id), ..query };
    assert_eq!(look(store, |unit| unit.jobs().list(&behind, 10)).len(), 1);
    assert_eq!(look(store, |unit| unit.jobs().count(&behind)), 2);
}

fn listed_by_their_ends(store: &dyn Store) {
    let jobs = [3, 5, 7].map(|minutes| has_job(store, &ended(JobKind::Undo, JobState::Failed, minute(minutes))));
    has_job(store, &queued(JobKind::Undo));
    let query = |after| JobQuery { ended_after: Some(after), ..JobQuery::default() };
    for (after, left) in [(minute(5) - micros(1), 2), (minute(5), 1), (minute(7), 0)] {
        let listed = look(store, |unit| unit.jobs().list(&query(after), 9));
        assert_eq!(listed, jobs.iter().rev().take(left).cloned().collect::<Vec<_>>());
        assert_eq!(look(store, |unit| unit.jobs().count(&query(after))), left as u64);
    }
}

fn listed_newest_first(store: &dyn Store) {
    let kinds = [JobKind::Report, JobKind::Undo, JobKind::ImportUsers];
    let jobs: Vec<Job> = (0..18)
        .map(|number: usize| {
            let state = JobState::ALL[number % 5];
            let undoes = number.is_multiple_of(4).then_some(JobId(3));
            has_job(store, &Job { state, undoes, ..queued(kinds[number % 3]) })
        })
        .collect();
    for kind in [None, Some(JobKind::Report), Some(JobKind::ImportMemberships)] {
        for state in [None, Some(JobState::Queued), Some(JobState::Cancelled)] {
            for undoes in [None, Some(JobId(3)), Some(JobId(4))] {
                let suits = |job: &&Job| {
                    kind.is_none_or(|kind| kind == job.kind)
                        && state.is_none_or(|state| state == job.state)
                        && undoes.is_none_or(|undoes| job.undoes == Some(undoes))
                };
                let expected: Vec<Job> = jobs.iter().rev().filter(suits).cloned().collect();
                let query = JobQuery { kind, state, undoes, ..JobQuery::default() };
                for limit in [1, 4, 100] {
                    let listed = pages(limit, |last: Option<&Job>| {
                        let query = JobQuery { after: last.map(|last| last.id), ..query.clone() };
                        // The cursor does not count.
                        assert_eq!(look(store, |unit| unit.jobs().count(&query)), expected.len() as u64);
                        look(store, |unit| unit.jobs().list(&query, limit))
                    });
                    assert_eq!(listed, expected, "{query:?} by {limit}");
                }
            }
        }
    }
}

fn next_free(store: &dyn Store, at: Instant) -> Option<JobId> {
    let seen = look(store, |unit| unit.jobs().next_free(at)).map(|job| job.id);
    assert_eq!(must(store, |unit| unit.jobs().next_free(at)).map(|job| job.id), seen);
    seen
}

fn oldest_free_job_is_next(store: &dyn Store) {
    assert_eq!(next_free(store, minute(0)), None);
    has_job(store, &ended(JobKind::Undo, JobState::Done, minute(0)));
    has_job(store, &running(minute(9)));
    let lapsed = has_job(store, &running(minute(3)));
    let waiting = has_job(store, &full(JobKind::Report, JobState::Queued));
    let waiting = Job { claim: None, ..waiting };
    must(store, |unit| unit.jobs().update(&waiting));
    has_job(store, &queued(JobKind::Undo));
    assert_eq!(next_free(store, minute(2)), Some(waiting.id));
    assert_eq!(next_free(store, minute(3)), Some(lapsed.id));
    assert_eq!(look(store, |unit| unit.jobs().next_free(minute(2))), Some(waiting));
}

fn free_at_the_end_of_its_claim(store: &dyn Store) {
    let claimed = has_job(store, &running(minute(3)));
    assert_eq!(next_free(store, minute(3) - micros(1)), None);
    assert_eq!(next_free(store, minute(3)), Some(claimed.id));
    must(store, |unit| unit.jobs().update(&Job { claim: None, ..claimed.clone() }));
    assert_eq!(next_free(store, minute(0)), Some(claimed.id));
}

fn ended_is_never_free(store: &dyn Store) {
    for state in [JobState::Done, JobState::Failed, JobState::Cancelled] {
        has_job(store, &ended(JobKind::Undo, state, minute(1)));
        has_job(store, &Job { finished_at: Some(minute(1)), ..full(JobKind::Undo, state) });
    }
    assert_eq!(next_free(store, minute(1_000)), None);
}

fn update_of_a_forgotten_job(store: &dyn Store) {
    let job = has_job(store, &queued(JobKind::Undo));
    has_job(store, &queued(JobKind::Undo));
    must(store, |unit| unit.jobs().delete(&[job.id]));
    let refused = attempt(store, |unit| unit.jobs().update(&job));
    assert!(matches!(refused, Err(StoreError::Contended(_))), "{refused:?}");
    assert_eq!(look(store, |unit| unit.jobs().count(&JobQuery::default())), 1);
}

fn ended_before_by_their_end(store: &dyn Store) {
    has_job(store, &queued(JobKind::Report));
    has_job(store, &running(minute(1)));
    let [late, early, undo, same] = [
        ended(JobKind::Report, JobState::Done, minute(5)),
        ended(JobKind::Report, JobState::Failed, minute(2)),
        ended(JobKind::Undo, JobState::Cancelled, minute(3)),
        ended(JobKind::Report, JobState::Done, minute(5)),
    ]
    .map(|job| has_job(store, &job));
    let ended = |kind, before, limit| look(store, |unit| unit.jobs().ended_before(kind, before, limit));
    assert_eq!(ended(None, minute(2), 9), []);
    assert_eq!(ended(None, minute(2) + micros(1), 9), std::slice::from_ref(&early));
    assert_eq!(ended(None, minute(9), 9), [&early, &undo, &late, &same].map(Job::clone));
    assert_eq!(ended(None, minute(9), 3), [&early, &undo, &late].map(Job::clone));
    assert_eq!(ended(Some(JobKind::Report), minute(9), 2), [&early, &late].map(Job::clone));
    assert_eq!(ended(Some(JobKind::Undo), minute(9), 9), [undo]);
    assert_eq!(ended(Some(JobKind::ImportUsers), minute(9), 9), []);
    assert_eq!(ended(None, minute(9), 0), []);
}

fn forgotten_jobs_are_gone(store: &dyn Store) {
    let jobs = [0, 1, 2].map(|_| has_job(store, &queued(JobKind::Undo)));
    must(store, |unit| unit.jobs().delete(&[jobs[0].id, jobs[2].id, JobId(i64::MAX)]));
    must(store, |unit| unit.jobs().delete(&[]));
    assert_eq!(look(store, |unit| unit.jobs().list(&JobQuery::default(), 9)), [jobs[1].clone()]);
    assert_eq!(look(store, |unit| unit.jobs().find(jobs[0].id)), None);
}

fn job_rolled_back(store: &dyn Store) {
    let failed: Result<(), StoreError> = attempt(store, |unit| {
        let id = unit.jobs().insert(&queued(JobKind::Undo))?;
        assert_eq!(unit.jobs().find(id)?.map(|job| job.id), Some(id));
        Err(StoreError::Contended("a test".to_owned()))
    });
    failed.unwrap_err();
    assert_eq!(look(store, |unit| unit.jobs().count(&JobQuery::default())), 0);
}

fn eight_are_never_given_the_same(store: &dyn Store) {
    let mut jobs: Vec<JobId> = (0..60)
        .map(|number| match number % 2 {
            0 => has_job(store, &queued(JobKind::Undo)).id,
            _ => has_job(store, &running(minute(1))).id,
        })
        .collect();
    let given = together(8, |holder| {
        let mut given: Vec<JobId> = Vec::new();
        loop {
            let next = persist(store, |unit| {
                let Some(mut job) = unit.jobs().next_free(minute(1))? else { return Ok(None) };
                job.state = JobState::Running;
                job.claim = Some(Claim { holder: holder as u64, until: minute(2) });
                unit.jobs().update(&job)?;
                Ok(Some(job.id))
            });
            match next.unwrap() {
                Some(id) => given.push(id),
                None => return given,
            }
        }
    });
    let mut given = given.concat();
    given.sort();
    jobs.sort();
    assert_eq!(given, jobs);
}

fn uploads_are_known_until_they_end(store: &dyn Store) {
    for (folder, begun_at) in [("imports/c", 1), ("imports/a", 2), ("imports/b", 3)] {
        must(store, |unit| unit.jobs().begin_upload(folder, minute(begun_at)));
    }
    let known = |before, limit| look(store, |unit| unit.jobs().uploads_before(minute(before), limit));
    assert_eq!(known(4, 9), ["imports/a", "imports/b", "imports/c"]);
    assert_eq!(
        (known(3, 9), known(3, 1), known(1, 9)),
        (vec!["imports/a".into(), "imports/c".into()], vec!["imports/a".into()], vec![])
    );
    let ended = together(THREADS, |_| persist(store, |unit| unit.jobs().end_upload("imports/a")).unwrap());
    assert_eq!(ended.into_iter().filter(|ended| *ended).count(), 1);
    assert_eq!(known(4, 9), ["imports/b", "imports/c"]);
    let again = attempt(store, |unit| unit.jobs().begin_upload("imports/b", minute(9)));
    assert!(matches!(again, Err(StoreError::Duplicate)), "{again:?}");
}

/// No lock is had: that the job stays is the promise of whoever finds it.
fn read_job_stays(store: &dyn Store) {
    const ROUNDS: u64 = 5;
    let id = has_job(store, &queued(JobKind::Undo)).id;
    together(THREADS, |_| {
        for _ in 0..ROUNDS {
            persist(store, |unit| {
                let job = unit.jobs().find(id)?.expect("it was made");
                unit.jobs().update(&Job { done: job.done + 1, ..job })
            })
            .unwrap();
        }
    });
    assert_eq!(look(store, |unit| unit.jobs().find(id)).unwrap().done, THREADS as u64 * ROUNDS);
}
