//! What is open at an instant, on top of the books; and what the books hold that had not happened by then.
//!
//! Reading changes nothing. Invariant: books plus overlay equal a fold of the whole history, in which only what takes
//! effect by `as_of` counts and open spans are clipped there.

use pegcount_domain::time::{Micros, Span};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::{
    agent::{
        emit::{Output as AgentOutput, Told},
        standing::{Standing, State},
        unit::AgentUnit,
    },
    anomaly::Anomaly,
    cells::{Contribution, Contributions, Dims},
    contact::{
        ContactUnit, LegOutcome,
        fold::{Crossing, Outcome, Output as ContactOutput, fold},
    },
    fact::Slot,
    line::{self, Item, Items},
    site::{Site, contacts::Outcomes, days::DaysRead, explain::Wanted},
};

/// The difference between the books and an instant.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    pub(crate) contributions: Vec<Contribution>,
    /// Of open contacts; those of settled ones stand in the books.
    pub(crate) crossings: Vec<Crossing>,
    /// Visits that wait at the instant.
    pub(crate) waiting: Vec<(Dims, Micros)>,
    /// Agents' states at the ends of intervals, with 1 or -1.
    pub(crate) standings: Vec<(Standing, i64)>,
    /// Agents that are signed in at the instant.
    pub(crate) signed_in: Vec<(Dims, State)>,
    pub(crate) anomalies: Vec<Anomaly>,
    /// When something changes with no event.
    pub(crate) next_change: Option<Micros>,
}

/// Which units to read.
pub(crate) enum Scope {
    /// All of the site.
    Everything,
    /// These alone.
    Only(Chosen),
}

/// Units whose figures are wanted, and those that are read for their sake.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    pub(crate) agents: Vec<Slot>,
    pub(crate) contacts: Vec<Slot>,
    pub(crate) lines: Vec<Slot>,
    pub(crate) tickets: Vec<Slot>,
    /// Agents of the contacts' legs.
    pub(crate) other_agents: Vec<Slot>,
    /// Contacts of the lines.
    pub(crate) other_contacts: Vec<Slot>,
}

impl Site {
    /// What is open at `as_of`, in `range`: open spans and waits elsewhere are left out.
    pub(crate) fn overlay(&self, as_of: Micros, range: Span, scope: &Scope) -> Overlay {
        Reading::of(self, as_of, range).overlay(scope)
    }

    /// The same of all units, as far as those that are wanted need them.
    pub(crate) fn overlay_of(&self, as_of: Micros, range: Span, wanted: Wanted) -> Overlay {
        Reading { wanted, ..Reading::of(self, as_of, range) }.overlay(&Scope::Everything)
    }

    /// What differs at an instant from the books, of what counts before it: open work reaches up to it.
    pub(crate) fn overlay_before(&self, instant: Micros, range: Span, wanted: Wanted) -> Overlay {
        Reading { wanted, ..Reading::before(self, instant, range) }.overlay(&Scope::Everything)
    }
}

/// A contact folded as of the instant, and as it stands in the books.
struct Read {
    contact: Slot,
    now: Option<Outcome>,
    settled: Option<(Option<Slot>, Item)>,
    /// Whether its own figures are wanted, not only its line's.
    wanted: bool,
}

/// How a line differs from the books.
#[derive(Default)]
pub(crate) struct LineChanges {
    /// Contacts as they are at the instant; none: not begun.
    pub(crate) items: Vec<(Slot, Option<Item>)>,
    /// Tickets that the books do not count yet.
    pub(crate) tickets: SmallVec<[Slot; 1]>,
}

pub(crate) struct Reading<'a> {
    site: &'a Site,
    as_of: Micros,
    /// What a settled unit has counted up to then stands in the books and is right.
    settled_by: Micros,
    /// Only what counts before this instant is wanted.
    before: Option<Micros>,
    range: Span,
    /// Kinds of units whose figures are not wanted are left out, unless others need them.
    wanted: Wanted,
    /// What the open part of agents' histories says of legs.
    told: FxHashMap<Slot, SmallVec<[Told; 2]>>,
    pub(crate) overlay: Overlay,
}

impl<'a> Reading<'a> {
    pub(crate) fn of(site: &'a Site, as_of: Micros, range: Span) -> Self {
        let (told, overlay) = (FxHashMap::default(), Overlay::default());
        let wanted = Wanted::EVERYTHING;
        Self { site, as_of, settled_by: as_of, before: None, range, wanted, told, overlay }
    }

    fn before(site: &'a Site, instant: Micros, range: Span) -> Self {
        let settled_by = instant.minus(Micros(1));
        Self { settled_by, before: Some(instant), ..Self::of(site, instant, range) }
    }

    /// All that differs.
    fn overlay(mut self, scope: &Scope) -> Overlay {
        // Contacts are told by agents how far their legs have come, and lines by contacts.
        self.agents(scope);
        if self.wanted.contacts || self.wanted.lines {
            let read = self.contacts(scope);
            if self.wanted.lines {
                self.lines(read, scope);
            }
        }
        if self.wanted.tickets {
            self.tickets(scope);
        }
        self.maturing();
        self.overlay
    }

    fn agent_output(&self) -> AgentOutput {
        let before = self.before.map(|instant| AgentOutput::before(instant, self.range));
        before.unwrap_or_else(|| AgentOutput::within(self.range))
    }

    fn contact_output(&self) -> ContactOutput {
        let before = self.before.map(|instant| ContactOutput::before(instant, self.range));
        before.unwrap_or_else(|| ContactOutput::within(self.range))
    }

    fn contributions(&self) -> Contributions {
        self.before.map(Contributions::before).unwrap_or_default()
    }

    fn take(&mut self, contributions: &Contributions, sign: i64) {
        let signed = |c: Contribution| Contribution { amount: c.amount * sign, ..c };
        self.overlay.contributions.extend(contributions.iter().map(signed));
        let matured = contributions.maturing.iter().filter(|(due, _)| *due <= self.as_of);
        self.overlay.contributions.extend(matured.map(|(_, contribution)| signed(*contribution)));
        let later = contributions.maturing.iter().map(|(due, _)| *due).filter(|due| *due > self.as_of);
        self.overlay.next_change = later.chain(self.overlay.next_change).min();
    }

    pub(super) fn agents(&mut self, scope: &Scope) {
        let (mut minus, mut plus) = (AgentOutput::within(self.range), self.agent_output());
        let (site, instants) = (self.site, (self.as_of, self.settled_by));
        let mut signed_in = Vec::new();
        let wants_days = self.wanted.days;
        let mut days = DaysRead::of(site, self.as_of, self.range);
        // Before an instant stands what held until then.
        let stands_at = if self.before.is_some() { self.settled_by } else { self.as_of };
        let mut read = |unit: &AgentUnit| {
            let begin = (minus.pieces.list.len(), plus.pieces.list.len());
            plus.stood = None;
            let clock = unit.read(&site.reference, instants, &mut minus, &mut plus);
            let state = match self.before {
                Some(instant) => plus.stood.filter(|(to, _)| *to == instant).map(|(_, state)| state),
                None => State::of(clock),
            };
            if let Some(state) = state.filter(|_| unit.has_clock) {
                let team = site.reference.team(unit.id, stands_at);
                signed_in.push((Dims { agent: unit.id, team, ..Dims::default() }, state));
            }
            let minus = minus.pieces.list.get(begin.0..).unwrap_or_default();
            let plus = plus.pieces.list.get(begin.1..).unwrap_or_default();
            if wants_days {
                days.take(unit, minus, plus);
            }
        };
        match scope {
            Scope::Everything => site.agents.list.iter().for_each(&mut read),
            Scope::Only(chosen) => {
                chosen.agents.iter().filter_map(|slot| site.agents.get(*slot)).for_each(&mut read);
            }
        }
        self.overlay.contributions.append(&mut days.contributions);
        self.overlay.signed_in = signed_in;
        self.overlay.standings.extend(minus.standings.drain(..).map(|standing| (standing, -1)));
        self.overlay.standings.extend(plus.standings.drain(..).map(|standing| (standing, 1)));
        self.overlay.next_change = days.next_change;
        if self.wanted.agents {
            self.take(&minus.contributions, -1);
            self.take(&plus.contributions, 1);
        }
        self.overlay.anomalies.append(&mut plus.anomalies);
        if let Scope::Only(chosen) = scope {
            for unit in chosen.other_agents.iter().filter_map(|slot| self.site.agents.get(*slot)) {
                unit.read(&self.site.reference, instants, &mut minus, &mut plus);
            }
        }
        for told in plus.outcomes {
            self.told.entry(told.contact).or_default().push(told);
        }
    }

    fn contacts(&mut self, scope: &Scope) -> Vec<Read> {
        let mut read = Vec::new();
        let mut out = [ContactOutput::within(self.range), self.contact_output()];
        match scope {
            Scope::Everything => {
                for contact in &self.site.open {
                    read.extend(self.contact(*contact, &mut out));
                }
                for contact in self.site.settled_after(self.settled_by) {
                    read.extend(self.contact(contact, &mut out));
                }
            }
            Scope::Only(chosen) => {
                for contact in &chosen.contacts {
                    read.extend(self.contact(*contact, &mut out));
                }
                let own = self.overlay.contributions.len();
                for contact in &chosen.other_contacts {
                    read.extend(self.contact(*contact, &mut out).map(|read| Read { wanted: false, ..read }));
                }
                self.overlay.contributions.truncate(own);
            }
        }
        read
    }

    fn contact(&mut self, contact: Slot, [whole, out]: &mut [ContactOutput; 2]) -> Option<Read> {
        let unit = self.site.contacts.get(contact)?;
        let mut settled = None;
        if let Some(place) = unit.settled {
            if place.last_effect <= self.settled_by {
                return None;
            }
            let legs: Outcomes = unit.legs.iter().map(|entry| entry.outcome).collect();
            whole.clear();
            let outcome = fold(&unit, &legs, &self.site.reference, Micros::MAX, whole);
            self.take(&whole.contributions, -1);
            settled = outcome.map(|outcome| (place.line, outcome.item));
        }
        let legs = self.legs(contact, &unit);
        out.clear();
        let now = fold(&unit, &legs, &self.site.reference, self.as_of, out);
        self.take(&out.contributions, 1);
        self.overlay.waiting.append(&mut out.waiting);
        self.overlay.next_change = [self.overlay.next_change, out.next_change].into_iter().flatten().min();
        if unit.settled.is_none() {
            self.overlay.crossings.append(&mut out.crossings);
            self.overlay.anomalies.append(&mut out.anomalies);
        }
        Some(Read { contact, now, settled, wanted: true })
    }

    /// What the legs have come to by the instant.
    pub(crate) fn legs(&self, contact: Slot, unit: &ContactUnit) -> Outcomes {
        let told = self.told.get(&contact);
        let agents = &self.site.agents;
        let open = |entry: &crate::contact::LegEntry| -> Option<LegOutcome> {
            let id = agents.get(entry.agent)?.id;
            let told = told?.iter().find(|told| told.leg == entry.leg && told.outcome.agent == id)?;
            Some(told.outcome)
        };
        unit.legs.iter().map(|entry| open(entry).unwrap_or(entry.outcome)).collect()
    }

    /// Lines with a contact or a ticket that the books do not show as it is at the instant.
    fn lines(&mut self, read: Vec<Read>, scope: &Scope) {
        let mut lines: FxHashMap<Slot, LineChanges> = FxHashMap::default();
        let mut out = [Contributions::default(), self.contributions()];
        for read in read {
            let [whole, now] = &mut out;
            if let (Some((None, item)), true) = (&read.settled, read.wanted) {
                self.unidentified(item, -1, whole);
            }
            match read.now.map(|outcome| (outcome.line, outcome.item)) {
                Some((None, item)) if read.wanted => self.unidentified(&item, 1, now),
                Some((Some(line), item)) => {
                    let changes = lines.entry(line).or_default();
                    changes.items.push((read.contact, Some(item)));
                    changes.tickets.extend(self.led_tickets(read.contact));
                }
                Some((None, _)) | None => {}
            }
            if let (Some((Some(line), _)), None) = (&read.settled, &read.now) {
                lines.entry(*line).or_default().items.push((read.contact, None));
            }
        }
        for line in self.lines_with_later_tickets() {
            lines.entry(line).or_default();
        }
        if let Scope::Only(chosen) = scope {
            lines.retain(|line, _| chosen.lines.binary_search(line).is_ok());
        }
        for (line, changes) in lines {
            self.line(line, &changes, &mut out);
        }
    }

    fn unidentified(&mut self, item: &Item, sign: i64, out: &mut Contributions) {
        out.clear();
        line::unidentified(item, out);
        self.take(out, sign);
    }

    fn lines_with_later_tickets(&self) -> FxHashSet<Slot> {
        let later = self.site.tickets_after(self.settled_by);
        let later = later.iter().filter_map(|slot| self.site.tickets.get(*slot));
        later.flat_map(|ticket| self.site.lines_of(&ticket)).collect()
    }

    /// The tickets of an open contact that name no customer: they go where the contact goes.
    pub(crate) fn led_tickets(&self, contact: Slot) -> SmallVec<[Slot; 1]> {
        let unit = self.site.contacts.get(contact).filter(|unit| unit.settled.is_none());
        let tickets = unit.map(|unit| unit.tickets.clone()).unwrap_or_default();
        tickets
            .into_iter()
            .filter(|ticket| {
                let opened = self.site.tickets.get(*ticket).and_then(|unit| unit.opened(Micros::MAX));
                opened.is_some_and(|opened| opened.customer.is_none() && opened.contact == Some(contact))
            })
            .collect()
    }

    pub(crate) fn line(&mut self, line: Slot, changes: &LineChanges, [whole, out]: &mut [Contributions; 2]) {
        let Some(unit) = self.site.lines.get(line) else { return };
        whole.clear();
        line::fold(&unit.items, &unit.tickets, self.site.around(), Micros::MAX, whole);
        self.take(whole, -1);
        let is_changed = |slot: &Slot| changes.items.iter().any(|(other, _)| other == slot);
        let mut items: Items = unit.items.iter().filter(|(slot, _)| !is_changed(slot)).copied().collect();
        for (slot, item) in &changes.items {
            if let Some(item) = item {
                line::insert(&mut items, *slot, *item);
            }
        }
        out.clear();
        let mut own_tickets = unit.tickets.clone();
        own_tickets.extend_from_slice(&changes.tickets);
        line::fold(&items, &own_tickets, self.site.around(), self.as_of, out);
        self.take(out, 1);
    }

    fn tickets(&mut self, scope: &Scope) {
        let (mut whole, mut now, mut ignored) = (Contributions::default(), self.contributions(), Vec::new());
        let (ground, as_of) = (self.site.ground(), self.as_of);
        let mut later = self.site.tickets_after(self.settled_by);
        if let Scope::Only(chosen) = scope {
            later.retain(|slot| chosen.tickets.contains(slot));
        }
        for ticket in later.iter().filter_map(|slot| self.site.tickets.get(*slot)) {
            for (instant, sign, out) in [(Micros::MAX, -1, &mut whole), (as_of, 1, &mut now)] {
                out.clear();
                ticket.fold(ground, instant, out, &mut ignored);
                self.take(out, sign);
            }
        }
    }

    fn maturing(&mut self) {
        self.overlay.contributions.extend(self.site.books.maturity(self.as_of));
        let next = self.site.books.next_maturing(self.as_of);
        self.overlay.next_change = [self.overlay.next_change, next].into_iter().flatten().min();
    }
}
