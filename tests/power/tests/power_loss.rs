#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

//! Power loss at any moment: what was acknowledged is there, once, in order, and the log goes on.
//!
//! `POWER_CUTS` says how many cuts (500 by default), `SEED` which; `POWER_KEEP` names a folder for the disks after which
//! the log fell short.

use std::path::Path;

use pegcount_power_tests::{
    load::Shape,
    number,
    round::{KINDS_OF_CUTS, Plan, run},
    seed,
    shim::Faults,
};

const CUTS: usize = 500;

fn plan(shape: Shape, rounds: usize, cuts: usize) -> Plan<'static> {
    let load = Path::new(env!("CARGO_BIN_EXE_power-load"));
    Plan { load, seed: seed(), shape, faults: Faults::default(), rounds, cuts: cuts.div_ceil(rounds) }
}

fn holds_after(plan: &Plan<'_>) {
    let report = run(plan);
    println!("{report}");
    assert!(report.fallen.is_empty(), "SEED={} {report}", plan.seed);
    // Everywhere that matters: while it opens, right after an acknowledgement, and while it seals, or sled uses a segment
    // again.
    let (happened, during) = match plan.shape {
        Shape::Sealed => (report.sealed, "sealing"),
        Shape::Dropped => (report.dropped, "dropping"),
        _ => (report.reuses, "reuse"),
    };
    assert!(happened > 0, "too little was appended");
    for during in [during, "opening", "acknowledged", "anywhere"] {
        let cuts = report.cuts.get(during).copied().unwrap_or_default();
        assert!(cuts > 0 || plan.cuts < KINDS_OF_CUTS, "no cut during {during}: {report}");
    }
    assert_eq!(report.blobs, 0);
}

#[test]
fn every_acknowledged_append_survives_while_small_segments_are_reused_and_reopened() {
    holds_after(&plan(Shape::Small, 4, number("POWER_CUTS", CUTS) / 2));
}

#[test]
fn every_acknowledged_append_survives_in_the_log_as_it_is() {
    holds_after(&plan(Shape::Full, 2, number("POWER_CUTS", CUTS) / 4));
}

#[test]
fn every_acknowledged_append_survives_while_history_is_sealed() {
    holds_after(&plan(Shape::Sealed, 3, number("POWER_CUTS", CUTS) / 4));
}

#[test]
fn every_acknowledged_append_is_there_or_archived_while_history_is_dropped() {
    holds_after(&plan(Shape::Dropped, 3, number("POWER_CUTS", CUTS) / 4));
}
