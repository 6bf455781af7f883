//! Appends to a large and to a small log in turn, while both seal.
//!
//! Invariant: a round is long enough for its appends to pay for their sealing: over the rounds several segments fill up.

use std::{path::Path, sync::Arc};

use pegcount_benches::{
    Outcome, appending,
    centre::Gateway,
    measure::{Rounds, float},
};
use pegcount_log::{EventLog, SledLog, SledOptions};
use tokio::runtime::Runtime;

use crate::fill::{APPENDS, SUBMITTERS, made};

/// How often a round hands in what was made: 1,024,000 events in all.
const PARTS: usize = 10;
/// Far from the epochs of the other processes.
const EPOCH: u128 = 1 << 100;

/// What came of the rounds, of the large log and of the small one.
pub(crate) struct Grown {
    /// Appends a second in each round.
    pub(crate) rates: [Vec<f64>; 2],
    /// Segments that were sealed meanwhile.
    pub(crate) sealed: [usize; 2],
}

/// Appends to both logs in turn, as new sources.
pub(crate) fn grown(dirs: [&Path; 2]) -> Outcome<Grown> {
    let runtime = Runtime::new()?;
    let mut grown = Grown { rates: [Vec::new(), Vec::new()], sealed: [0, 0] };
    let mut sides = Vec::new();
    for dir in dirs {
        let log = Arc::new(SledLog::open(SledOptions::new(dir))?);
        let gateways = (0..SUBMITTERS).map(|number| Ok(Gateway::new(number)?.restarted(EPOCH)));
        sides.push((log.status().segments, log, gateways.collect::<Outcome<Vec<_>>>()?));
    }
    let mut rounds = Rounds::begin();
    while rounds.another() {
        for ((_, log, gateways), rates) in sides.iter_mut().zip(&mut grown.rates) {
            let (mut facts, mut seconds) = (0, 0.0);
            for _ in 0..PARTS {
                // What is made is not timed; a sealing goes on meanwhile, on both sides alike.
                let done = runtime.block_on(appending::run(log, made(gateways, APPENDS)?))?;
                facts += done.facts;
                seconds += done.seconds;
            }
            rates.push(float(facts) / seconds);
        }
    }
    for ((before, log, _), sealed) in sides.into_iter().zip(&mut grown.sealed) {
        *sealed = log.status().segments - before;
        runtime.block_on(log.close())?;
    }
    Ok(grown)
}

/// The rate of all rounds together: they have the same number of events, so it is the harmonic mean.
pub(crate) fn together(rates: &[f64]) -> f64 {
    float(rates.len()) / rates.iter().map(|rate| 1.0 / rate).sum::<f64>()
}
