//! Spans and amounts of one agent into contributions.
//!
//! Invariant: the parts of a span sum to the span: it is cut at interval borders and where the agent's team changes,
//! and nowhere is anything rounded.

use pegcount_domain::{
    envelope::Position,
    time::{Interval, Micros, Span},
};

use crate::{
    agent::standing::{Standing, State, ends_within},
    anomaly::{Anomaly, AnomalyKind},
    cells::{Attribution, Contributions, Dims},
    contact::LegOutcome,
    day::{Pieces, What},
    fact::{Mark, Slot},
    measure::Measure,
    names::Id,
    reference::{Reference, team_at},
};

/// Whose facts are folded, and by which reference data.
pub(crate) struct Whose<'a> {
    pub(crate) agent: Id,
    /// False for legs that nobody is known to have handled.
    pub(crate) has_clock: bool,
    /// The team from each instant on, sorted; before the first: none.
    pub(crate) teams: &'a [(Micros, Id)],
    /// The slots from each instant on, sorted; before the first one: one. Empty: never more than one.
    pub(crate) slots: &'a [(Micros, u32)],
    pub(crate) reference: &'a Reference,
}

impl Whose<'_> {
    /// The team at `at`.
    #[inline]
    pub(crate) fn team(&self, at: Micros) -> Id {
        team_at(self.teams, at)
    }
}

/// What became of one leg, for the contact's unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) contact: Slot,
    pub(crate) leg: Mark,
    pub(crate) outcome: LegOutcome,
}

/// What a fold gives.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) contributions: Contributions,
    pub(crate) outcomes: Vec<Told>,
    pub(crate) anomalies: Vec<Anomaly>,
    /// What goes on at the instant of the fold; only for whoever keeps figures up to date.
    pub(crate) going_on: Option<GoingOn>,
    /// The states at the ends of intervals.
    pub(crate) standings: Vec<Standing>,
    /// Until when the last span of a signed-in clock went, and its state.
    pub(crate) stood: Option<(Micros, State)>,
    /// For the agent's days; whole, whatever the range.
    pub(crate) pieces: Pieces,
    /// Spans count only in here; none: everywhere.
    range: Option<Span>,
}

/// What of an agent goes on at the instant to which it was folded.
#[derive(Debug, Default)]
pub(crate) struct GoingOn {
    /// These grow by a microsecond with each that passes.
    pub(crate) spans: Vec<(Measure, Dims)>,
    /// Until then, unless a fact comes: a timer, the end of a grace, another team, a fact of a later time.
    pub(crate) until: Option<Micros>,
}

impl GoingOn {
    /// Something changes by itself at an instant.
    pub(crate) fn ends(&mut self, at: Micros) {
        self.until = Some(self.until.map_or(at, |known| known.min(at)));
    }
}

impl Output {
    /// For whoever keeps figures up to date.
    pub(crate) fn live() -> Self {
        Self { going_on: Some(GoingOn::default()), ..Self::default() }
    }

    /// For a reader who looks only at `range`: an open span may reach far beyond it.
    pub(crate) fn within(range: Span) -> Self {
        Self { range: Some(range), ..Self::default() }
    }

    /// The same, for one to whom only counts before an instant matter.
    pub(crate) fn before(instant: Micros, range: Span) -> Self {
        Self { contributions: Contributions::before(instant), ..Self::within(range) }
    }

    /// For explaining the figures of `range`.
    pub(crate) fn traced(range: Span) -> Self {
        Self { contributions: Contributions::traced(range), range: Some(range), ..Self::default() }
    }

    /// Forgets everything, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.contributions.clear();
        self.outcomes.clear();
        self.anomalies.clear();
        if let Some(going_on) = &mut self.going_on {
            going_on.spans.clear();
            going_on.until = None;
        }
        self.standings.clear();
        self.stood = None;
        self.pieces.truncate(0);
    }

    /// How long everything is, to go back to.
    pub(crate) fn lengths(&self) -> [usize; 5] {
        let (standings, pieces) = (self.standings.len(), self.pieces.list.len());
        [self.contributions.len(), self.outcomes.len(), self.anomalies.len(), standings, pieces]
    }

    /// Forgets what came after `lengths`.
    pub(crate) fn cut_back(&mut self, [contributions, outcomes, anomalies, standings, pieces]: [usize; 5]) {
        self.contributions.truncate(contributions);
        self.outcomes.truncate(outcomes);
        self.anomalies.truncate(anomalies);
        self.standings.truncate(standings);
        self.pieces.truncate(pieces);
    }

    /// Notes the state at every end of an interval that a span of the clock reaches.
    #[inline]
    pub(crate) fn stand(&mut self, whose: &Whose<'_>, state: State, from: Micros, to: Micros) {
        if from < to {
            self.stood = Some((to, state));
        }
        if Interval::containing(from).end() > to {
            return;
        }
        let (from, to) = match self.range {
            Some(range) => (from.max(range.start), to.min(range.end)),
            None => (from, to),
        };
        for interval in ends_within(from, to) {
            let team = whose.team(interval.end().minus(Micros(1)));
            self.standings.push(Standing { interval, agent: whose.agent, team, state });
        }
    }

    /// One thing at an instant, for the agent's days.
    #[inline]
    pub(crate) fn piece(&mut self, whose: &Whose<'_>, at: Micros, what: What) {
        if whose.has_clock {
            self.pieces.at(at, what);
        }
    }

    pub(crate) fn mark(&mut self, position: Position, kind: AnomalyKind) {
        self.anomalies.push(Anomaly { position, kind });
    }

    /// A span that goes on at `at`.
    pub(crate) fn goes_on(&mut self, whose: &Whose<'_>, dims: Dims, measure: Measure, at: Micros) {
        let Some(going_on) = &mut self.going_on else { return };
        going_on.spans.push((measure, Dims { team: whose.team(at), ..dims }));
        if let Some((change, _)) = whose.teams.iter().find(|(change, _)| *change > at) {
            going_on.ends(*change);
        }
    }

    /// A span, cut exactly over intervals and teams, that counts as each of these.
    pub(crate) fn span(
        &mut self,
        whose: &Whose<'_>,
        dims: Dims,
        measures: &[Measure],
        from: Micros,
        to: Micros,
    ) {
        let (from, to) = match self.range {
            Some(range) => (from.max(range.start), to.min(range.end)),
            None => (from, to),
        };
        if from >= to {
            return;
        }
        if whose.teams.len() <= 1
            && whose.teams.first().is_none_or(|(since, _)| *since <= from || to <= *since)
        {
            self.pieces(&Dims { team: whose.team(from), ..dims }, measures, from, to);
            return;
        }
        let mut start = from;
        for (change, _) in whose.teams.iter().filter(|(change, _)| from < *change && *change < to) {
            self.pieces(&Dims { team: whose.team(start), ..dims }, measures, start, *change);
            start = *change;
        }
        self.pieces(&Dims { team: whose.team(start), ..dims }, measures, start, to);
    }

    #[inline]
    fn pieces(&mut self, dims: &Dims, measures: &[Measure], from: Micros, to: Micros) {
        let list = &mut self.contributions;
        let mut piece = |interval, part: Micros| {
            let amounts = measures.iter().map(|measure| (*measure, part.0));
            list.all_in(interval, Attribution::Event, dims, amounts);
        };
        // Most spans lie in one interval.
        let first = Interval::containing(from);
        if to <= first.end() {
            return piece(first, to.minus(from));
        }
        Span::new(from, to).by_interval().for_each(|(interval, part)| piece(interval, part));
    }

    /// An amount at an instant.
    #[inline]
    pub(crate) fn amount(
        &mut self,
        whose: &Whose<'_>,
        dims: Dims,
        measure: Measure,
        at: Micros,
        amount: i64,
    ) {
        let dims = Dims { team: whose.team(at), ..dims };
        self.contributions.at(at, Attribution::Event, dims, measure, amount);
    }
}
