//! Batches: requests that wait for the store at the same time are done together, in one transaction.
//!
//! Nobody waits for a batch to fill: a thread takes whatever waits when it is done with the batch before. So a request that
//! comes alone is done alone, and under load each transaction serves many.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use domain::{Caller, UserId};
use tokio::sync::oneshot;
use usecases::{
    App, Error,
    memberships::{self, Active, ChangeMemberships, Changed},
    ports::StoreError,
};

use crate::callers::Asker;

/// How many requests may wait for one thread. Others hear that the service is busy.
const WAITING_MAX: usize = 4_096;
/// How many are done together at most, and how many users or segments they may name in all.
const BATCH_MAX: usize = 128;
const WEIGHT_MAX: usize = 2_000;
/// How long a batch waits for what others have, such as a segment that is being distributed.
const PATIENCE: Duration = Duration::from_millis(100);
/// How many threads look.
const READERS: usize = 2;

/// The batches of all that can be done together.
pub struct Batches {
    lookups: Lanes<Vec<UserId>, Result<Active, Error>>,
    changes: Lanes<(Asker, ChangeMemberships), Result<Changed, Undone>>,
}

impl Batches {
    /// Starts the threads; they end when this is dropped.
    pub fn start(app: &Arc<App>) -> std::io::Result<Batches> {
        let (for_lookups, for_changes) = (Arc::clone(app), Arc::clone(app));
        Ok(Batches {
            lookups: Lanes::start("lookups", READERS, move |items| look_up(&for_lookups, items))?,
            changes: Lanes::start("changes", app.store.writers(), move |items| change(&for_changes, items))?,
        })
    }

    pub(crate) async fn look_up(&self, users: Vec<UserId>) -> Result<Active, Error> {
        self.lookups.ask(Lane::Shortest, users).await?
    }

    /// The changes of one user are done in the order in which they come, but for those that have to wait for others.
    pub(crate) async fn change(&self, asker: Asker, command: ChangeMemberships) -> Result<Changed, Undone> {
        let mut hasher = DefaultHasher::new();
        command.user.hash(&mut hasher);
        self.changes.ask(Lane::Of(hasher.finish()), (asker, command)).await?
    }
}

fn look_up(app: &App, items: Vec<Vec<UserId>>) -> Vec<Result<Active, Error>> {
    let users: Vec<UserId> = items.iter().flatten().cloned().collect();
    // Each of them may look, and is told what it sees.
    match app.look(&Caller::service("lookups"), |look| memberships::active(look, &users)) {
        Ok(found) => {
            let mut found = found.into_iter();
            items.iter().map(|users| Ok(found.by_ref().take(users.len()).collect())).collect()
        }
        Err(error) => shared(error, items.len()),
    }
}

fn change(app: &App, items: Vec<(Asker, ChangeMemberships)>) -> Vec<Result<Changed, Undone>> {
    let Some((asker, _)) = items.first() else { return Vec::new() };
    let (asker, count) = (asker.clone(), items.len());
    let commands: Vec<ChangeMemberships> = items.iter().map(|(_, command)| command.clone()).collect();
    match app.act(asker.caller(), |act| memberships::change_all(act, commands, PATIENCE)) {
        Ok(changed) => changed.into_iter().map(|changed| changed.map_err(Undone::Failed)).collect(),
        // It is certain that nothing happened, and others are in the way of one of them, nobody knows which.
        Err(Error::Store(StoreError::Contended(_) | StoreError::Duplicate | StoreError::Aborted)) => {
            items.into_iter().map(|(_, command)| Err(Undone::Alone(Box::new(command)))).collect()
        }
        Err(error) => shared(error, count).into_iter().map(|outcome| outcome.map_err(Undone::Failed)).collect(),
    }
}

/// Why a change was not made together with others.
pub(crate) enum Undone {
    Failed(Error),
    /// Others were in the way: it is to be done for itself, and waits as long as the store does.
    Alone(Box<ChangeMemberships>),
}

impl From<Error> for Undone {
    fn from(error: Error) -> Undone {
        Undone::Failed(error)
    }
}

/// What failed for all has failed for each of them.
fn shared<T>(error: Error, count: usize) -> Vec<Result<T, Error>> {
    let again = |error: &Error| match error {
        Error::Store(StoreError::Busy(why)) => StoreError::Busy(why.clone()),
        Error::Store(StoreError::Contended(why)) => StoreError::Contended(why.clone()),
        other => StoreError::Unavailable(other.to_string().into()),
    };
    let mut outcomes: Vec<Result<T, Error>> = (1..count).map(|_| Err(again(&error).into())).collect();
    outcomes.push(Err(error));
    outcomes
}

/// Something that is done together with others of its kind.
trait Item {
    /// How much of a batch it takes.
    fn weight(&self) -> usize;
    /// Whether it may be done at once with another.
    fn goes_with(&self, other: &Self) -> bool;
}

impl Item for Vec<UserId> {
    fn weight(&self) -> usize {
        self.len()
    }

    fn goes_with(&self, _: &Vec<UserId>) -> bool {
        true
    }
}

impl Item for (Asker, ChangeMemberships) {
    fn weight(&self) -> usize {
        self.1.add.len() + self.1.remove.len()
    }

    fn goes_with(&self, other: &(Asker, ChangeMemberships)) -> bool {
        self.0.caller() == other.0.caller() && self.1.user != other.1.user
    }
}

/// Threads, each with a line of those who wait for it.
struct Lanes<I, T>(Vec<Arc<Line<I, T>>>);

enum Lane {
    Shortest,
    /// Always the same one for the same number.
    Of(u64),
}

struct Line<I, T> {
    waiting: Mutex<Waiting<I, T>>,
    arrived: Condvar,
}

struct Waiting<I, T> {
    items: VecDeque<(I, Answer<T>)>,
    /// The thread has nothing to do and has to be woken.
    is_idle: bool,
    is_closed: bool,
}

type Answer<T> = oneshot::Sender<T>;

impl<I: Item + Send + 'static, T: Send + 'static> Lanes<I, T> {
    fn start(
        name: &str,
        count: usize,
        work: impl Fn(Vec<I>) -> Vec<T> + Send + Sync + 'static,
    ) -> std::io::Result<Lanes<I, T>> {
        let work = Arc::new(work);
        let mut lanes = Lanes(Vec::new());
        for _ in 0..count.max(1) {
            let line = Arc::new(Line::default());
            let (own, work) = (Arc::clone(&line), Arc::clone(&work));
            thread::Builder::new().name(name.to_owned()).spawn(move || own.serve(&*work))?;
            lanes.0.push(line);
        }
        Ok(lanes)
    }

    async fn ask(&self, lane: Lane, item: I) -> Result<T, Error> {
        let line = match lane {
            Lane::Of(number) => &self.0[number as usize % self.0.len()],
            Lane::Shortest => self.0.iter().min_by_key(|line| line.lock().items.len()).expect("there is a lane"),
        };
        let (answer, answered) = oneshot::channel();
        line.join(item, answer)?;
        answered.await.map_err(|_| StoreError::Busy("the work ended unexpectedly".to_owned()).into())
    }
}

impl<I, T> Default for Line<I, T> {
    fn default() -> Line<I, T> {
        Line {
            waiting: Mutex::new(Waiting { items: VecDeque::new(), is_idle: false, is_closed: false }),
            arrived: Condvar::new(),
        }
    }
}

impl<I, T> Line<I, T> {
    fn lock(&self) -> MutexGuard<'_, Waiting<I, T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I: Item, T> Line<I, T> {
    fn join(&self, item: I, answer: Answer<T>) -> Result<(), StoreError> {
        let mut waiting = self.lock();
        if waiting.items.len() >= WAITING_MAX {
            return Err(StoreError::Busy(format!("{WAITING_MAX} requests wait already")));
        }
        waiting.items.push_back((item, answer));
        let is_idle = std::mem::take(&mut waiting.is_idle);
        drop(waiting);
        if is_idle {
            self.arrived.notify_one();
        }
        Ok(())
    }

    fn serve(&self, work: &impl Fn(Vec<I>) -> Vec<T>) {
        while let Some(batch) = self.next() {
            let (items, answers): (Vec<I>, Vec<Answer<T>>) = batch.into_iter().unzip();
            // Whoever waits for what panicked hears it, because nobody answers.
            let outcomes = catch_unwind(AssertUnwindSafe(|| work(items))).unwrap_or_default();
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                // Whoever asked may have gone.
                answer.send(outcome).ok();
            }
        }
    }

    /// Whatever waits and goes together, in its order; nothing when nobody will come any more.
    fn next(&self) -> Option<Vec<(I, Answer<T>)>> {
        let mut waiting = self.lock();
        loop {
            while waiting.items.front().is_some_and(|(_, answer)| answer.is_closed()) {
                waiting.items.pop_front();
            }
            if !waiting.items.is_empty() {
                break;
            }
            if waiting.is_closed {
                return None;
            }
            waiting.is_idle = true;
            waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let (mut batch, mut weight): (Vec<(I, Answer<T>)>, usize) = (Vec::new(), 0);
        while let Some((item, _)) = waiting.items.front() {
            weight += item.weight();
            let has_room = batch.len() < BATCH_MAX && weight <= WEIGHT_MAX;
            let goes_along = has_room && batch.iter().all(|(other, _)| item.goes_with(other));
            if !batch.is_empty() && !goes_along {
                break;
            }
            batch.extend(waiting.items.pop_front());
        }
        Some(batch)
    }
}

impl<I, T> Drop for Lanes<I, T> {
    fn drop(&mut self) {
        for line in &self.0 {
            line.lock().is_closed = true;
            line.arrived.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    struct One(u32, &'static str);

    impl Item for One {
        fn weight(&self) -> usize {
            1
        }

        fn goes_with(&self, other: &One) -> bool {
            self.1 != other.1
        }
    }

    type Outcomes = Vec<oneshot::Receiver<u32>>;

    fn line(items: &[(u32, &'static str)]) -> (Line<One, u32>, Outcomes) {
        let line = Line::default();
        let join = |(number, name): &(u32, &'static str)| {
            let (answer, answered) = oneshot::channel();
            line.join(One(*number, name), answer).unwrap();
            answered
        };
        let answers = items.iter().map(join).collect();
        (line, answers)
    }

    #[test]
    fn what_does_not_go_together_comes_in_order() {
        let (line, mut answers) = line(&[(1, "a"), (2, "b"), (3, "a"), (4, "c"), (5, "b")]);
        line.lock().is_closed = true;
        let batches = Mutex::new(Vec::new());
        line.serve(&|items: Vec<One>| {
            batches.lock().unwrap().push(items.iter().map(|item| item.0).collect::<Vec<_>>());
            items.into_iter().map(|item| item.0 * 10).collect()
        });
        assert_eq!(batches.into_inner().unwrap(), [vec![1, 2], vec![3, 4, 5]]);
        let told: Vec<u32> = answers.iter_mut().map(|answer| answer.try_recv().unwrap()).collect();
        assert_eq!(told, [10, 20, 30, 40, 50]);
    }

    #[test]
    fn a_panic_ends_its_batch_and_no_other() {
        let (line, mut answers) = line(&[(1, "a"), (2, "a")]);
        line.lock().is_closed = true;
        line.serve(&|items: Vec<One>| {
            assert!(items[0].0 != 1, "the first batch fails");
            vec![7]
        });
        assert!(answers[0].try_recv().is_err());
        assert_eq!(answers[1].try_recv().unwrap(), 7);
    }

    #[test]
    fn who_has_gone_is_passed_over_and_too_many_are_refused() {
        let (line, answers) = line(&[(1, "a"), (2, "b")]);
        drop(answers);
        line.lock().is_closed = true;
        line.serve(&|_| panic!("nobody waits"));
        let kept: Vec<_> = (0..WAITING_MAX).map(|_| oneshot::channel()).collect();
        let mut receivers = Vec::new();
        for (answer, answered) in kept {
            line.join(One(1, "a"), answer).unwrap();
            receivers.push(answered);
        }
        assert!(matches!(line.join(One(1, "a"), oneshot::channel().0), Err(StoreError::Busy(_))));
    }
}
