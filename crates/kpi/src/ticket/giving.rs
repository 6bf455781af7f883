//! Counts of a ticket, with their dimensions.
//!
//! Invariant: a team is the agent's at the instant that is said; class, queue and channel are the same in all that one fold gives.

use pegcount_domain::time::{Interval, Micros};

use crate::{
    cells::{Attribution, Contribution, Contributions, Detail, Dims, Part},
    histogram::with_length,
    measure::Measure,
    names::Id,
    ticket::{class::Place, spent::Amounts},
};

/// Whose a count is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whose {
    /// The agent.
    pub(super) agent: Id,
    /// The owning group.
    pub(super) group: Id,
}

/// Something that was counted once, for what is counted where it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    pub(super) at: Micros,
    pub(super) dims: Dims,
}

/// The dimensions of a count of a ticket.
pub(super) fn dims(whose: Whose, team: Id, queue: Id, class: Place) -> Dims {
    Dims {
        agent: whose.agent,
        team,
        queue,
        entry: class.number,
        channel: class.channel,
        detail: Detail(whose.group.0),
        ..Dims::NONE
    }
}

/// Counts at an instant, told by the facts of two instants.
pub(super) fn count(
    out: &mut Contributions,
    counted: Counted,
    (from, to): (Micros, Micros),
    amounts: impl IntoIterator<Item = (Measure, i64)>,
) {
    out.source(Part::Between, from, to);
    out.all_at(counted.at, Attribution::Event, &counted.dims, amounts);
}

/// Counts 1 of each by its length: of the real time, and of the working time.
pub(super) fn count_by_length(
    out: &mut Contributions,
    Counted { at, dims }: Counted,
    told: (Micros, Micros),
    [real, working]: [Measure; 2],
    [took, _, worked, _]: Amounts,
) {
    for (measure, length) in [(real, took), (working, worked)] {
        let dims = with_length(dims, Micros(length));
        count(out, Counted { at, dims }, told, [(measure, 1)]);
    }
}

/// Counts 1 of each at an instant, as of every later one.
pub(super) fn count_after(
    out: &mut Contributions,
    counted: Counted,
    (from, to): (Micros, Micros),
    measures: impl IntoIterator<Item = Measure>,
) {
    let Counted { at, dims } = counted;
    if !out.keeps(at) {
        return;
    }
    out.source(Part::Between, from, to);
    let interval = Interval::containing(at);
    for measure in measures {
        let contribution =
            Contribution { measure, attribution: Attribution::Event, interval, dims, amount: 1 };
        out.push_maturing(at.plus(Micros(1)), contribution);
    }
}
