#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

//! The test of the test: a log that is not safe against power loss falls short.

use std::path::Path;

use pegcount_power_tests::{
    check::Failure,
    load::Shape,
    round::{Plan, Report, run},
    seed,
    shim::Faults,
};

fn report(shape: Shape, faults: Faults) -> Report {
    let load = Path::new(env!("CARGO_BIN_EXE_power-load"));
    let report = run(&Plan { load, seed: seed(), shape, faults, rounds: 1, cuts: 40 });
    println!("{report}");
    report
}

fn tells_of_loss(failure: &Failure) -> bool {
    match failure {
        Failure::Lost(_) => true,
        // The high-water mark notices all but the last group.
        Failure::Refused(why) => why.contains("were acknowledged, but the log ends at"),
        _ => false,
    }
}

#[test]
fn without_the_logs_own_sync_acknowledged_appends_are_lost() {
    let report = report(Shape::Small, Faults { left_out: Some("/db"), ..Faults::default() });
    assert!(report.fallen.iter().any(|fallen| tells_of_loss(&fallen.failure)), "{report}");
}

#[test]
fn frames_that_outgrow_sleds_default_segments_go_into_files_that_nobody_syncs() {
    let report = report(Shape::Outgrown, Faults::default());
    assert!(report.blobs > 0, "{report}");
    // Not only is it noticed that there are such files: what they held is gone.
    let gone = |failure: &Failure| match failure {
        Failure::Refused(why) => why.contains("a frame begins at") || why.contains("sled panicked"),
        _ => false,
    };
    let lost = |failure: &Failure| tells_of_loss(failure) || gone(failure);
    assert!(report.fallen.iter().any(|fallen| lost(&fallen.failure)), "{report}");
}
