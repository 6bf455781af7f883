//! From an event to the units that it concerns.
//!
//! A leg's facts go to the agent's unit, whoever reports them; its contact learns that the leg is there. Invariant:
//! a fact lies in exactly one unit's history.

use pegcount_domain::{
    envelope::{Recorded, StreamKind, StreamName},
    event::{Event, Intent as AskedIntent, LegRef, LegStep},
    ids::{Key, ReasonCode},
    ticketing::TicketEvent,
    time::{Interval, Micros},
};

use crate::{
    agent::unit::AgentUnit,
    contact::{ContactBody, ContactFact, ContactUnit},
    fact::{AgentBody, AgentFact, Intent, LegFact, Mark, Slot, Stamp, Step, Track},
    line::Line,
    names::Id,
    site::{Site, compare::lines_named},
    ticket::{Said, TicketFact, TicketUnit, facts::kept},
};

/// Figures tell priorities apart up to this one; higher ones count as it.
const PRIORITY_MAX: u8 = u8::MAX;

impl Site {
    /// Takes an event in, corrections included.
    pub(super) fn take(&mut self, recorded: &Recorded) {
        // A late fact may move what was open then out of an interval, unnoticed.
        let (at, last) = (recorded.occurred_at, self.last_seen);
        let is_late = at < last && Interval::containing(at) < Interval::containing(last);
        if is_late || self.takes_back(recorded) {
            self.rewritten_at = recorded.position;
        }
        match &recorded.event {
            Event::Annulled { target, .. } => self.annul(recorded, *target),
            Event::Amended { target, occurred_at, event, .. } => {
                self.amend(recorded, *target, *occurred_at, event);
            }
            Event::HistoryClosed { before } => self.close(*before),
            event if event.is_definition() => self.define(event),
            event => self.route(recorded.stream, stamp_of(recorded, event), event),
        }
    }

    /// Whether an event may take back what open work counted in intervals that it does not speak of.
    fn takes_back(&self, recorded: &Recorded) -> bool {
        match &recorded.event {
            Event::Annulled { .. } | Event::Amended { .. } | Event::HistoryClosed { .. } => true,
            event if event.is_definition() => true,
            // A contact that goes over to another customer leaves the first one's line.
            Event::ContactStarted { customer, .. } | Event::ContactIdentified { customer, .. } => {
                let unit = self.contacts.find(recorded.stream.id).and_then(|slot| self.contacts.get(slot));
                unit.is_some_and(|unit| {
                    let mut known = lines_named(&unit).peekable();
                    known.peek().is_some() && {
                        let new = customer.and_then(|customer| self.lines.find(customer.0));
                        known.any(|known| Some(known) != new)
                    }
                })
            }
            _ => false,
        }
    }

    /// Takes a fact in.
    pub(super) fn route(&mut self, stream: StreamName<Key>, stamp: Stamp, event: &Event<Key>) {
        self.last_seen = self.last_seen.max(stamp.at);
        if stamp.at < self.closed_before {
            return self.mark_closed(stamp.position);
        }
        // Half of all events, and they need none of the others' questions.
        if let Event::Leg { leg, step } = event {
            let step = self.step(step);
            return self.route_leg(stream, stamp, leg, step);
        }
        if let Some(body) = self.agent_body(event) {
            if stream.kind == StreamKind::Agent {
                let agent = self.agent(stream.id);
                self.add_agent_fact(agent, AgentFact { stamp, body });
            }
            return;
        }
        if let Some(body) = self.contact_body(event) {
            let contact = self.contact(stream.id);
            self.add_contact_fact(contact, ContactFact { stamp, body });
            return;
        }
        match event {
            Event::OutboundAssigned { contact, leg } => {
                let (contact, leg) = (*contact, *leg);
                let (agent, visit, queue, channel, direction) = (None, None, None, None, None);
                let leg = LegRef { contact, leg, agent, visit, queue, channel, direction };
                self.route_leg(stream, stamp, &leg, Step::Assigned);
            }
            Event::Ticket(event) => self.route_ticket(stream, stamp, event),
            // No figure of this crate speaks of the rest; definitions and corrections have been taken before.
            _ => {}
        }
    }

    /// What an event says of its agent apart from legs.
    fn agent_body(&mut self, event: &Event<Key>) -> Option<AgentBody> {
        Some(match event {
            Event::SignedIn => AgentBody::SignedIn,
            Event::SignedOut => AgentBody::SignedOut,
            Event::Ready => AgentBody::Ready,
            Event::NotReady { reason } => AgentBody::NotReady(self.reason(*reason)),
            Event::KeyPressed { .. } => AgentBody::KeyPressed,
            Event::ConnectionLost { .. } => AgentBody::Lost,
            Event::ConnectionRestored => AgentBody::Restored,
            Event::StateSet { intent, .. } => AgentBody::Set(self.intent(*intent)),
            Event::NextSet { intent, .. } => AgentBody::Next(self.intent(*intent)),
            _ => return None,
        })
    }

    fn reason(&mut self, reason: ReasonCode<Key>) -> Id {
        self.names.id(reason.0)
    }

    fn intent(&mut self, intent: AskedIntent<Key>) -> Intent {
        match intent {
            AskedIntent::Ready => Intent::Ready,
            AskedIntent::NotReady(reason) => Intent::Away(self.reason(reason)),
            AskedIntent::SignedOut => Intent::SignedOut,
        }
    }

    fn route_leg(&mut self, stream: StreamName<Key>, stamp: Stamp, leg: &LegRef<Key>, step: Step) {
        let named = match stream.kind {
            StreamKind::Agent => Some(stream.id),
            _ => leg.agent.map(|agent| agent.0),
        };
        let mark = Mark::of_leg(leg.contact.0, leg.leg.0);
        let known = named.and_then(|agent| self.agents.find(agent));
        let waits_in = known.and_then(|agent| {
            let contact = self.agents.get(agent)?.contact_of_waiting(mark, stamp)?;
            Some((agent, contact))
        });
        let contact = waits_in.map_or_else(|| self.contact(leg.contact.0), |(_, contact)| contact);
        let leg = LegFact {
            leg: mark,
            visit: leg.visit.map_or(Mark::NONE, |visit| Mark::of(visit.0)),
            contact,
            queue: leg.queue.map_or(Id::NONE, |queue| self.names.id(queue.0)),
            channel: leg.channel,
            direction: leg.direction,
            names_agent: named.is_some(),
            step,
        };
        let fact = AgentFact { stamp, body: AgentBody::Leg(leg) };
        if let Some((agent, _)) = waits_in {
            return self.add_further_leg_fact(agent, contact, fact);
        }
        let agent = match named {
            Some(agent) => known.unwrap_or_else(|| self.agent(agent)),
            None => self.home_of_leg(contact, leg.leg),
        };
        self.add_leg_fact(agent, leg, fact);
        if named.is_some() && self.is_scattered(contact, leg.leg) {
            self.gather_leg(contact, leg.leg);
        }
    }

    fn step(&mut self, step: &LegStep<Key>) -> Step {
        match step {
            LegStep::Offered => Step::Offered,
            LegStep::Ringing => Step::Ringing,
            LegStep::Dialing => Step::Dialing,
            LegStep::Answered => Step::Answered,
            LegStep::Held => Step::Held,
            LegStep::Retrieved => Step::Retrieved,
            LegStep::Consulting => Step::Consulting,
            LegStep::Conferenced => Step::Conferenced,
            LegStep::Interrupted => Step::Interrupted,
            LegStep::Transferred { kind, to_queue, reason, .. } => {
                let to_queue = to_queue.map_or(Id::NONE, |queue| self.names.id(queue.0));
                let reason = reason.map_or(Id::NONE, |reason| self.reason(reason));
                Step::Transferred { kind: *kind, to_queue, reason }
            }
            LegStep::Missed => Step::Missed,
            LegStep::Rejected => Step::Rejected,
            LegStep::CustomerGone => Step::CustomerGone,
            LegStep::Failed => Step::Failed,
            LegStep::Ended { by, after_call_expected } => {
                Step::Ended { by: *by, after_call: *after_call_expected }
            }
            LegStep::AfterCallStarted => Step::AfterCallStarted,
            LegStep::AfterCallEnded => Step::AfterCallEnded,
        }
    }

    fn contact_body(&mut self, event: &Event<Key>) -> Option<ContactBody> {
        Some(match event {
            Event::ContactStarted { channel, direction, entry, customer, journey, callback, .. } => {
                ContactBody::Started {
                    channel: *channel,
                    direction: *direction,
                    entry: entry.map_or(Id::NONE, |entry| self.names.id(entry.0)),
                    customer: customer.map(|customer| self.line(customer.0)),
                    journey: journey.map(|journey| self.contact(journey.0)),
                    callback: *callback,
                }
            }
            Event::ContactIdentified { customer, topic } => ContactBody::Identified {
                customer: customer.map(|customer| self.line(customer.0)),
                topic: topic.map_or(Mark::NONE, |topic| Mark::of(topic.0)),
            },
            Event::QueueEntered { visit, queue, priority } => ContactBody::Entered {
                visit: Mark::of(visit.0),
                queue: self.names.id(queue.0),
                priority: u8::try_from(*priority).unwrap_or(PRIORITY_MAX),
            },
            Event::QueueLeft { visit, exit, ringing } => {
                ContactBody::Left { visit: Mark::of(visit.0), exit: *exit, ringing: *ringing }
            }
            Event::WrappedUp { topic, resolved, .. } => ContactBody::WrappedUp {
                topic: topic.map_or(Mark::NONE, |topic| Mark::of(topic.0)),
                resolved: *resolved,
            },
            Event::ContactEnded { by, self_served } => {
                ContactBody::Ended { by: *by, self_served: *self_served }
            }
            _ => return None,
        })
    }

    fn route_ticket(&mut self, stream: StreamName<Key>, stamp: Stamp, event: &TicketEvent<Key>) {
        let Some(kept) = kept(event, &mut self.names) else { return };
        let said = match event {
            TicketEvent::Opened(opening) => Some(Box::new(Said {
                contact: opening.contact.map(|contact| self.contact(contact.0)),
                customer: opening.customer().map(|customer| self.line(customer.0)),
                topic: opening.topic().map_or(Mark::NONE, |topic| Mark::of(topic.0)),
            })),
            _ => None,
        };
        let ticket = self.tickets.slot(stream.id, TicketUnit::default);
        self.add_ticket_fact(ticket, TicketFact { stamp, event: kept, said });
    }

    pub(super) fn agent(&mut self, key: Key) -> Slot {
        if let Some(slot) = self.agents.find(key) {
            return slot;
        }
        let id = self.names.id(key);
        self.agents.slot(key, || AgentUnit::new(id, Mark::of(key)))
    }

    /// A contact that is new is open.
    pub(super) fn contact(&mut self, key: Key) -> Slot {
        self.contacts.slot(key, || ContactUnit::new(Mark::of(key)))
    }

    fn line(&mut self, key: Key) -> Slot {
        self.lines.slot(key, Line::default)
    }
}

/// A lost connection is in force from the last sign of life on.
pub(super) fn stamp_of(recorded: &Recorded, event: &Event<Key>) -> Stamp {
    stamp_at(recorded, event, recorded.occurred_at)
}

/// The same for a fact that happened at another instant than was first said.
pub(super) fn stamp_at(recorded: &Recorded, event: &Event<Key>, at: Micros) -> Stamp {
    let track = match recorded.stream.kind {
        StreamKind::Agent => Track::Phone,
        _ => Track::Switch,
    };
    Stamp::of(recorded, in_force(event, at), track)
}

/// From when on an event that happened at `at` is in force.
pub(super) fn in_force(event: &Event<Key>, at: Micros) -> Micros {
    match event {
        Event::ConnectionLost { last_heard } => (*last_heard).min(at),
        _ => at,
    }
}
