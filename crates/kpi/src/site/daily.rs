//! A day told unit by unit: the spans, legs, visits, tickets and targets that its figures are the sums of.
//!
//! For whoever writes them out: units are told in an order of their own, a few at a time, so that nobody has to hold a day.
//! Invariant: for every measure of a table, its rows sum to what books and open work together answer.

use std::collections::BTreeMap;

use pegcount_domain::{
    envelope::Position,
    ids::Name,
    time::{Micros, Span},
};

use crate::{
    agent::emit::Output as AgentOutput,
    cells::{Attribution, Contribution, Contributions, Part, Source},
    contact::fold::{Output as ContactOutput, fold},
    fact::Slot,
    measure::{Measure, Sheet},
    query::{Dimension, cut, table::text},
    site::{
        Site,
        explain::is_attempt,
        read::{Reading, Scope},
    },
};

/// What a day is told as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayTable {
    /// Spans of an agent's clock, and what is counted beside it.
    Spans,
    /// An agent's part in a contact.
    Legs,
    /// A contact's stay in a queue.
    Visits,
    /// What happened to a ticket.
    Tickets,
    /// A ticket's targets and promises that were due.
    Targets,
}

impl DayTable {
    /// What a row is about, in the order of [`DayRow::keys`].
    pub const fn keys(self) -> &'static [Dimension] {
        use Dimension::{
            Agent, Category, Channel, Direction, Entry, Group, Kind, Priority, Queue, Region, Team, Tier,
        };
        match self {
            Self::Spans => &[Agent, Team],
            Self::Legs => &[Agent, Team, Queue, Channel, Direction],
            Self::Visits => &[Queue, Entry, Channel, Direction, Priority],
            Self::Tickets | Self::Targets => {
                &[Agent, Team, Queue, Group, Kind, Category, Tier, Region, Channel]
            }
        }
    }

    /// The measures that its rows sum to, in the order of [`DayRow::amounts`].
    pub fn measures(self) -> Vec<Measure> {
        let own = |measure: &&Measure| self.sheets().contains(&measure.sheet()) && !is_attempt(**measure);
        Measure::ALL.iter().filter(own).copied().collect()
    }

    const fn sheets(self) -> &'static [Sheet] {
        match self {
            Self::Spans => &[Sheet::Clock, Sheet::Away],
            Self::Legs => &[Sheet::Leg, Sheet::Handle, Sheet::Transfer],
            Self::Visits => &[Sheet::Visit],
            Self::Tickets => &[Sheet::Ticket],
            Self::Targets => &[Sheet::Target],
        }
    }

    /// What makes a row of its own, apart from its keys.
    fn part(self, source: Source) -> Source {
        let whole = Source { from: Micros::ZERO, to: Micros::ZERO, part: source.part };
        match self {
            Self::Spans | Self::Targets => source,
            Self::Legs | Self::Visits | Self::Tickets => whole,
        }
    }

    /// Whether the sheet's detail is the reason of something.
    const fn has_reason(sheet: Sheet) -> bool {
        matches!(sheet, Sheet::Away | Sheet::Transfer)
    }
}

/// An agent, a contact or a ticket that tells something of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DayUnit {
    first: Position,
    slot: Slot,
}

/// One row of a day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DayRow {
    /// The log position of the first event of what it is about: of the leg, the contact, the ticket; none for an agent's clock.
    pub unit: Option<Position>,
    /// When it began.
    pub from: Micros,
    /// When it ended, or the instant asked about if it goes on.
    pub to: Micros,
    /// What it is about.
    pub keys: Vec<Option<Name>>,
    /// Why the agent was away, or passed it on.
    pub reason: Option<Name>,
    /// What of each measure lies in the day.
    pub amounts: Vec<i64>,
}

#[derive(Default)]
struct Sum {
    from: Option<Micros>,
    to: Option<Micros>,
    reason: u32,
    amounts: Vec<i64>,
}

impl Site {
    /// The units that may tell something of `range`: agents by name, others by their first event.
    pub(crate) fn day_units(&self, told: DayTable, range: Span, as_of: Micros) -> Vec<DayUnit> {
        match told {
            DayTable::Spans | DayTable::Legs => {
                let slots = (0u32..).map(Slot).zip(&self.agents.list);
                let mut agents: Vec<_> =
                    slots.map(|(slot, agent)| (self.names.text(agent.id), slot)).collect();
                agents.sort();
                agents.into_iter().map(|(_, slot)| DayUnit { first: Position::START, slot }).collect()
            }
            DayTable::Visits => {
                let units = self.contacts_in(range, as_of).into_iter();
                let mut units: Vec<DayUnit> =
                    units.filter_map(|slot| self.day_contact(slot, range)).collect();
                units.sort_unstable();
                units
            }
            DayTable::Tickets | DayTable::Targets => {
                let units = self.tickets_in(range, as_of).into_iter();
                let mut units: Vec<DayUnit> = units
                    .filter_map(|slot| {
                        let ticket = self.tickets.get(slot)?;
                        let first = ticket.facts.iter().map(|fact| fact.stamp.position).min()?;
                        Some(DayUnit { first, slot })
                    })
                    .collect();
                units.sort_unstable();
                units
            }
        }
    }

    /// A contact, unless it began after the range.
    fn day_contact(&self, slot: Slot, range: Span) -> Option<DayUnit> {
        let unit = self.contacts.get(slot)?;
        let begun = unit.facts.iter().map(|fact| fact.stamp.at);
        let begun = begun.chain(unit.legs.iter().map(|leg| leg.first_at)).min()?;
        if begun >= range.end {
            return None;
        }
        let own = unit.facts.iter().map(|fact| fact.stamp.position).min();
        let of_legs =
            || unit.legs.iter().flat_map(|leg| self.facts_of(leg)).map(|fact| fact.stamp.position).min();
        Some(DayUnit { first: own.or_else(of_legs)?, slot })
    }

    /// The rows of these units, in the units' order, those of each by time and keys.
    pub(crate) fn day_rows(
        &self,
        told: DayTable,
        range: Span,
        as_of: Micros,
        units: &[DayUnit],
        take: &mut impl FnMut(DayRow),
    ) {
        let mut reading = Reading::of(self, as_of, range);
        if told == DayTable::Visits {
            reading.agents(&Scope::Everything);
        }
        let mut ignored = Vec::new();
        for unit in units {
            let (mut agent, mut contact) = (AgentOutput::traced(range), ContactOutput::traced(range));
            let mut ticket = Contributions::traced(range);
            let given = match told {
                DayTable::Spans | DayTable::Legs => {
                    let Some(own) = self.agents.get(unit.slot) else { continue };
                    own.trace(&self.reference, range, as_of, &mut agent);
                    &agent.contributions
                }
                DayTable::Visits => {
                    let Some(own) = self.contacts.get(unit.slot) else { continue };
                    let legs = reading.legs(unit.slot, &own);
                    fold(&own, &legs, &self.reference, as_of, &mut contact);
                    &contact.contributions
                }
                DayTable::Tickets | DayTable::Targets => {
                    let Some(own) = self.tickets.get(unit.slot) else { continue };
                    own.fold(self.ground(), as_of, &mut ticket, &mut ignored);
                    &ticket
                }
            };
            self.tell(told, *unit, given.explained(as_of), take);
        }
    }

    fn tell<'a>(
        &self,
        told: DayTable,
        unit: DayUnit,
        given: impl Iterator<Item = (&'a Contribution, Source)>,
        take: &mut impl FnMut(DayRow),
    ) {
        let measures = told.measures();
        let mut sums: BTreeMap<(Source, Vec<u32>), Sum> = BTreeMap::new();
        for (contribution, source) in given {
            let measure = contribution.measure;
            let Some(place) = measures.iter().position(|own| *own == measure) else { continue };
            if contribution.attribution != Attribution::Event {
                continue;
            }
            let dims = &contribution.dims;
            let keys = told.keys().iter().map(|cut| cut::key(*cut, dims, self.classes.all())).collect();
            let sum = sums.entry((told.part(source), keys)).or_default();
            sum.amounts.resize(measures.len(), 0);
            sum.from = Some(sum.from.map_or(source.from, |from| from.min(source.from)));
            sum.to = Some(sum.to.map_or(source.to, |to| to.max(source.to)));
            if DayTable::has_reason(measure.sheet()) && dims.detail.0 != 0 {
                sum.reason = dims.detail.0;
            }
            if let Some(amount) = sum.amounts.get_mut(place) {
                *amount += contribution.amount;
            }
        }
        let mut rows: Vec<DayRow> = Vec::with_capacity(sums.len());
        for ((source, keys), sum) in sums {
            let (Some(from), Some(to)) = (sum.from, sum.to) else { continue };
            if sum.amounts.iter().all(|amount| *amount == 0) {
                continue;
            }
            let names = told.keys().iter().zip(keys).map(|(cut, key)| text(*cut, key, Some(self)));
            rows.push(DayRow {
                unit: self.first_event(told, unit, source, from),
                from,
                to,
                keys: names.collect(),
                reason: text(Dimension::Reason, sum.reason, Some(self)),
                amounts: sum.amounts,
            });
        }
        rows.sort_unstable_by(|one, other| {
            (one.from, one.to, &one.keys, one).cmp(&(other.from, other.to, &other.keys, other))
        });
        rows.into_iter().for_each(take);
    }

    fn first_event(&self, told: DayTable, unit: DayUnit, source: Source, from: Micros) -> Option<Position> {
        match (told, source.part) {
            (DayTable::Legs, Part::Leg(mark)) => {
                let facts = self.agents.get(unit.slot)?.facts_of(mark, from);
                facts.iter().map(|fact| fact.stamp.position).min()
            }
            (DayTable::Spans | DayTable::Legs, _) => None,
            _ => Some(unit.first),
        }
    }
}
