//! The harness: every round runs each target once, in random order; ratios are formed inside a round.

use std::fmt;

use crate::{
    Failure,
    draws::Draws,
    figures::{Spread, short},
    meters::Reading,
};

/// What one run of a target came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) reading: Reading,
    /// How many rows were moved, or how many requests were answered or users told of.
    pub(crate) rows: u64,
    pub(crate) first_byte_ms: Option<f64>,
    /// Which time 99 of 100 requests kept below.
    pub(crate) p99_ms: Option<f64>,
}

impl Outcome {
    pub(crate) fn new(reading: Reading, rows: u64) -> Outcome {
        Outcome { reading, rows, first_byte_ms: None, p99_ms: None }
    }

    pub(crate) fn rate(&self) -> f64 {
        self.rows as f64 / self.reading.seconds
    }

    /// In microseconds.
    pub(crate) fn work_a_row(&self) -> f64 {
        self.reading.work_s() / self.rows as f64 * 1e6
    }
}

/// Something to be timed. It prepares and checks outside of the time that it tells.
pub(crate) struct Target<'a> {
    pub(crate) name: &'static str,
    run: Box<dyn Fn() -> Result<Outcome, Failure> + 'a>,
}

impl<'a> Target<'a> {
    pub(crate) fn new(name: &'static str, run: impl Fn() -> Result<Outcome, Failure> + 'a) -> Target<'a> {
        Target { name, run: Box::new(run) }
    }

    pub(crate) fn named(self, name: &'static str) -> Target<'a> {
        Target { name, ..self }
    }

    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        (self.run)()
    }
}

/// What is looked at, by the names of targets.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Figure {
    /// Time for a row, as a multiple of the other's.
    Time {
        of: &'static str,
        to: &'static str,
    },
    /// Rows a second, as a multiple of the other's.
    Throughput {
        of: &'static str,
        to: &'static str,
    },
    /// Processor time for a row, as a multiple of the other's.
    Cpu {
        of: &'static str,
        to: &'static str,
    },
    GrowthMib {
        of: &'static str,
    },
    FirstByteMs {
        of: &'static str,
    },
}

/// What is promised of a figure, and what is hoped for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Goal {
    pub(crate) bound: Option<Bound>,
    pub(crate) dream: Option<f64>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Goal {
    /// For orientation.
    pub(crate) const NONE: Goal = Goal { bound: None, dream: None };

    pub(crate) fn at_most(bound: f64) -> Goal {
        Goal { bound: Some(Bound::AtMost(bound)), dream: None }
    }

    pub(crate) fn at_least(bound: f64) -> Goal {
        Goal { bound: Some(Bound::AtLeast(bound)), dream: None }
    }

    pub(crate) fn dream(self, dream: f64) -> Goal {
        Goal { dream: Some(dream), ..self }
    }

    /// None without a bound.
    pub(crate) fn is_met(self, value: f64) -> Option<bool> {
        self.bound.map(|bound| match bound {
            Bound::AtMost(bound) => value <= bound,
            Bound::AtLeast(bound) => value >= bound,
        })
    }
}

/// What a target's `rows` are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Row,
    Request,
    User,
}

pub(crate) struct Comparison<'a> {
    pub(crate) unit: Unit,
    pub(crate) title: String,
    pub(crate) targets: Vec<Target<'a>>,
    pub(crate) figures: Vec<(Figure, Goal)>,
    /// What a reader has to know to judge it.
    pub(crate) remarks: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Rounds that are run before and not counted.
    pub(crate) warm_ups: usize,
    pub(crate) rounds: usize,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rounds: {}, and {} before to warm up", self.rounds, self.warm_ups)
    }
}

/// All rounds of a comparison: for each the outcomes, in the order of `names`.
pub(crate) struct Results {
    pub(crate) unit: Unit,
    pub(crate) title: String,
    pub(crate) names: Vec<&'static str>,
    pub(crate) rounds: Vec<Vec<Outcome>>,
    pub(crate) figures: Vec<(Figure, Goal)>,
    pub(crate) remarks: Vec<String>,
}

pub(crate) fn run(comparison: Comparison, plan: Plan, draws: &mut Draws) -> Result<Results, Failure> {
    let Comparison { unit, title, targets, figures, remarks } = comparison;
    eprintln!("\n{title}");
    let mut rounds = Vec::with_capacity(plan.rounds);
    for number in 0..plan.warm_ups + plan.rounds {
        let warms_up = number < plan.warm_ups;
        let mut order: Vec<usize> = (0..targets.len()).collect();
        draws.shuffle(&mut order);
        let mut outcomes = vec![None; targets.len()];
        let mut told = Vec::with_capacity(targets.len());
        for index in order {
            let target = &targets[index];
            let name = target.name;
            let outcome = target.run().map_err(|Failure(reason)| Failure(format!("{title}, {name}: {reason}")))?;
            told.push(format!("{name} {} s", short(outcome.reading.seconds)));
            outcomes[index] = Some(outcome);
        }
        let outcomes: Vec<Outcome> = outcomes.into_iter().flatten().collect();
        let name = if warms_up { "warm-up".to_owned() } else { format!("round {}", number + 1 - plan.warm_ups) };
        eprintln!("  {name}: {}; {} % of the processors were used by others", told.join(", "), foreign(&outcomes));
        if !warms_up {
            rounds.push(outcomes);
        }
    }
    let names = targets.iter().map(|target| target.name).collect();
    Ok(Results { unit, title, names, rounds, figures, remarks })
}

/// In percent, over the time of the whole round.
fn foreign(outcomes: &[Outcome]) -> String {
    let seconds: f64 = outcomes.iter().map(|outcome| outcome.reading.seconds).sum();
    let used: f64 = outcomes.iter().map(|outcome| outcome.reading.foreign * outcome.reading.seconds).sum();
    short(used / seconds * 100.0)
}

impl Results {
    /// One value for each round in which it is known.
    fn each(&self, of: &str, value: impl Fn(&Outcome) -> Option<f64>) -> Vec<f64> {
        let Some(index) = self.names.iter().position(|name| *name == of) else { return Vec::new() };
        self.rounds.iter().filter_map(|outcomes| value(&outcomes[index])).collect()
    }

    pub(crate) fn spread(&self, of: &str, value: impl Fn(&Outcome) -> Option<f64>) -> Option<Spread> {
        Spread::of(self.each(of, value))
    }

    fn ratio(&self, of: &str, to: &str, value: impl Fn(&Outcome) -> f64) -> Option<Spread> {
        let (ours, theirs) =
            (self.each(of, |outcome| Some(value(outcome))), self.each(to, |outcome| Some(value(outcome))));
        let ratios = ours.into_iter().zip(theirs).map(|(ours, theirs)| ours / theirs);
        // What takes less than a tick of the clock has no ratio.
        Spread::of(ratios.filter(|ratio| ratio.is_finite()))
    }

    pub(crate) fn figure(&self, figure: Figure) -> Option<Spread> {
        match figure {
            Figure::Time { of, to } => self.ratio(of, to, |outcome| 1.0 / outcome.rate()),
            Figure::Throughput { of, to } => self.ratio(of, to, Outcome::rate),
            Figure::Cpu { of, to } => self.ratio(of, to, Outcome::work_a_row),
            Figure::GrowthMib { of } => self.spread(of, |outcome| outcome.reading.growth_mib),
            Figure::FirstByteMs { of } => self.spread(of, |outcome| outcome.first_byte_ms),
        }
    }

    /// Processor time of those who do the work, for a row, as a multiple of the other's.
    pub(crate) fn cpu_ratio(&self, figure: Figure) -> Option<Spread> {
        match figure {
            Figure::Time { of, to } | Figure::Throughput { of, to } | Figure::Cpu { of, to } => {
                self.ratio(of, to, Outcome::work_a_row)
            }
            Figure::GrowthMib { .. } | Figure::FirstByteMs { .. } => None,
        }
    }
}
