//! The rows of one ticket become what happened to it.
//!
//! A first row that is no opening gets one before it. What a column says is told when it changes: in the opening at first, later as an edit,
//! a classification or another owner beside what the row says happened. What the rules of tickets would refuse is told as it stands.
//!
//! Invariant: the same rows give the same facts, the first of them the opening.

use pegcount_domain::{
    ids::{AgentId, CategoryId, Name, ReasonCode, TeamId, TicketId, TicketKind, TopicId},
    ticketing::{
        EscalationCause, FieldValue, Opening, Severity, TicketEvent, TicketFact, TicketRecord, Urgency,
        Validity, Visibility,
        told::{NOT_TOLD, UNSEALED},
    },
    time::Micros,
};

use super::{
    map::{Activity, TicketMap},
    report::TicketsReport,
    row::{Kept, Plan, unpacked},
    sort::SortRow,
    words::{Holds, What},
};

/// The attributes that flags become.
const REOPENED: Name = Name::fixed("reopened");
const DEADLINE_MET: Name = Name::fixed("deadline_met");
const YES: &str = "yes";

/// What the rows so far have said.
struct Told<'r> {
    map: &'r TicketMap,
    kept: Vec<&'r Kept>,
    /// By the place in a packed row: the last value that was not empty.
    values: Vec<&'r str>,
    facts: Vec<TicketFact>,
    caller: Option<String>,
    /// What the last row said happened.
    last: Option<u32>,
}

/// A row, taken apart.
struct Row<'r> {
    at: Micros,
    rank: u32,
    fields: Vec<&'r str>,
}

/// The record of a ticket whose rows these are, in their order; none if there are none.
pub(super) fn record(
    map: &TicketMap,
    plan: &Plan<'_>,
    rows: &[SortRow],
    report: &mut TicketsReport,
) -> Option<TicketRecord> {
    let first = rows.first()?;
    let ticket = std::str::from_utf8(&first.ticket).ok().and_then(|text| TicketId::new(text).ok())?;
    let kept: Vec<_> = plan.kept().collect();
    let values = vec![""; kept.len()];
    let mut told = Told { map, kept, values, facts: Vec::new(), caller: None, last: None };
    for (index, row) in rows.iter().enumerate() {
        let row = Row { at: Micros(row.at), rank: row.rank, fields: unpacked(&row.rest, told.kept.len()) };
        if index == 0 { told.open(&row, report) } else { told.go_on(&row, report) }
    }
    report.tickets += 1;
    report.events += u64::try_from(told.facts.len()).unwrap_or(u64::MAX);
    Some(TicketRecord { ticket, caller: told.caller, facts: told.facts })
}

impl<'r> Told<'r> {
    fn activity(&self, rank: u32) -> Option<&'r Activity> {
        self.map.activities.get(usize::try_from(rank).ok()?)
    }

    /// What a row's column says; none if it is empty or not there.
    fn says(&self, row: &Row<'r>, holds: Holds) -> Option<Name> {
        let place =
            self.kept.iter().position(|kept| matches!(kept, Kept::Known(known) if *known == holds))?;
        row.fields.get(place).and_then(|text| Name::new(text).ok())
    }

    fn agent(&self, row: &Row<'r>) -> Option<AgentId> {
        self.says(row, Holds::Agent).map(AgentId).or_else(|| self.map.agent.clone())
    }

    fn reason(&self, row: &Row<'r>) -> Option<ReasonCode> {
        let own = self.activity(row.rank).and_then(|activity| activity.reason.clone());
        self.says(row, Holds::Reason).map(ReasonCode).or(own)
    }

    fn tell(&mut self, row: &Row<'r>, event: TicketEvent, text: Option<String>) {
        self.facts.push(TicketFact { at: row.at, agent: self.agent(row), event, text });
    }

    /// The values that a row changes, the group if it does, and the texts that it brings.
    fn changes(&mut self, row: &Row<'r>) -> (Vec<FieldValue>, Option<TeamId>, Vec<&'r str>) {
        let (mut set, mut group, mut texts) = (Vec::new(), None, Vec::new());
        for (place, text) in row.fields.iter().enumerate() {
            let (Some(kept), Some(known)) = (self.kept.get(place), self.values.get_mut(place)) else {
                continue;
            };
            if text.is_empty() || known == text {
                continue;
            }
            *known = text;
            match kept {
                Kept::Text => texts.push(*text),
                Kept::Known(Holds::Customer) if self.caller.is_none() => {
                    self.caller = Some((*text).to_owned());
                }
                Kept::Known(Holds::Group) => group = Name::new(text).ok().map(TeamId),
                Kept::Known(holds) => set.extend(Name::new(text).ok().and_then(|name| field(*holds, name))),
                Kept::Attribute(name) => {
                    let value = Name::new(text).ok();
                    set.extend(value.map(|value| FieldValue::Attribute { name: name.clone(), value }));
                }
            }
        }
        (set, group, texts)
    }

    fn open(&mut self, row: &Row<'r>, report: &mut TicketsReport) {
        let (set, group, texts) = self.changes(row);
        let what = self.activity(row.rank).map(|activity| activity.what);
        let opens = what == Some(What::Opened);
        let kind = self.says(row, Holds::Kind).map_or_else(|| self.map.kind.clone(), TicketKind);
        let receiver = self.agent(row).filter(|_| opens);
        let opening = Opening { receiver, group, set, ..Opening::of(kind) };
        self.tell(row, TicketEvent::Opened(Box::new(opening)), None);
        if !opens {
            report.opening_added += 1;
            self.happened(row, Vec::new(), None);
        }
        self.last = Some(row.rank);
        self.note(row, texts);
    }

    fn go_on(&mut self, row: &Row<'r>, report: &mut TicketsReport) {
        let was_reopened = self.flag(Holds::Reopened);
        let (set, group, texts) = self.changes(row);
        let what = self.activity(row.rank).map(|activity| activity.what);
        if !was_reopened && self.flag(Holds::Reopened) && what != Some(What::Reopened) {
            let reopened = TicketEvent::Reopened { reason: None, rework: None, agent: self.agent(row) };
            self.tell(row, reopened, None);
        }
        if what == Some(What::Opened) {
            report.opened_again += u64::from(!self.stands(row.rank));
            self.only_changes(row, set, group);
        } else if self.stands(row.rank) {
            self.only_changes(row, set, group);
        } else {
            self.happened(row, set, group);
        }
        self.last = Some(row.rank);
        self.note(row, texts);
    }

    /// Whether a row says again how the ticket stands, in a file that tells that rather than what was done.
    fn stands(&self, rank: u32) -> bool {
        self.map.activity.1 && self.last == Some(rank)
    }

    fn flag(&self, holds: Holds) -> bool {
        let place = self.kept.iter().position(|kept| matches!(kept, Kept::Known(known) if *known == holds));
        place.and_then(|place| self.values.get(place)).is_some_and(|value| *value == YES)
    }

    fn only_changes(&mut self, row: &Row<'r>, set: Vec<FieldValue>, group: Option<TeamId>) {
        if !set.is_empty() {
            self.tell(row, TicketEvent::Edited { set }, None);
        }
        if group.is_some() {
            let reason = self.reason(row).unwrap_or_else(|| self.map.reason.clone());
            self.tell(row, TicketEvent::Reassigned { owner: None, group, reason }, None);
        }
    }

    /// What the row says happened, with what it changes.
    fn happened(&mut self, row: &Row<'r>, set: Vec<FieldValue>, group: Option<TeamId>) {
        let Some(activity) = self.activity(row.rank) else { return self.only_changes(row, set, group) };
        match activity.what {
            What::Classified => {
                self.only_changes(row, Vec::new(), group);
                return self.tell(row, TicketEvent::Classified { set }, None);
            }
            What::Dispatched | What::Reassigned => self.only_changes(row, set, None),
            _ => self.only_changes(row, set, group.clone()),
        }
        let group = group.or_else(|| self.says(row, Holds::Group).map(TeamId));
        if let Some(event) = self.event(row, activity, group) {
            self.tell(row, event, None);
        }
    }

    fn event(&self, row: &Row<'r>, activity: &Activity, group: Option<TeamId>) -> Option<TicketEvent> {
        let (agent, reason) = (self.agent(row), self.reason(row));
        let needed = || reason.clone().unwrap_or_else(|| self.map.reason.clone());
        Some(match activity.what {
            What::Accepted => TicketEvent::Accepted { owner: agent? },
            What::Dispatched => TicketEvent::Dispatched { group, to: agent },
            What::Arrived => TicketEvent::Arrived,
            What::WorkStarted => TicketEvent::WorkStarted,
            What::Held => TicketEvent::Held { reason: needed() },
            What::Resumed => TicketEvent::Resumed,
            What::Resolved => TicketEvent::Resolved { way: None, agent, reason },
            What::Confirmed => TicketEvent::Confirmed { proof: None },
            What::Reopened => TicketEvent::Reopened { reason, rework: None, agent },
            What::Closed => TicketEvent::Closed { agent, reason },
            What::Cancelled => TicketEvent::Cancelled { reason: needed(), explanation: NOT_TOLD },
            What::Merged => TicketEvent::Merged { into: self.says(row, Holds::MergedInto).map(TicketId)? },
            What::Escalated => {
                let (level, to) = activity.level.clone()?;
                let cause = EscalationCause::Asked(needed());
                TicketEvent::Escalated { level, to, skipped: Vec::new(), cause }
            }
            What::Reassigned if agent.is_none() && group.is_none() => return None,
            What::Reassigned => TicketEvent::Reassigned { owner: agent, group, reason: needed() },
            What::Informed => TicketEvent::Informed { contact: None },
            What::Investigated => TicketEvent::Investigated,
            What::Repeated => TicketEvent::Repeated { contact: None },
            What::Opened | What::Classified | What::Edited | What::Nothing => return None,
        })
    }

    /// Texts become notes, which are sealed before they are stored.
    fn note(&mut self, row: &Row<'r>, texts: Vec<&'r str>) {
        for text in texts {
            let noted = TicketEvent::Noted { visibility: Visibility::Internal, text: UNSEALED };
            self.tell(row, noted, Some(text.to_owned()));
        }
    }
}

/// The value of a field; none for what is no field of a ticket.
fn field(holds: Holds, name: Name) -> Option<FieldValue> {
    Some(match holds {
        Holds::Category => FieldValue::Category(CategoryId(name)),
        Holds::Topic => FieldValue::Topic(TopicId(name)),
        Holds::Severity => FieldValue::Severity(Severity::from_word(name.as_str()).ok()?),
        Holds::Urgency => FieldValue::Urgency(Urgency::from_word(name.as_str()).ok()?),
        Holds::Validity => FieldValue::Validity(Validity::from_word(name.as_str()).ok()?),
        Holds::Tier => FieldValue::Tier(name),
        Holds::Place => FieldValue::Place(name),
        Holds::Region => FieldValue::Region(name),
        Holds::Channel => FieldValue::Channel(name),
        Holds::Reopened => FieldValue::Attribute { name: REOPENED, value: name },
        Holds::DeadlineMet => FieldValue::Attribute { name: DEADLINE_MET, value: name },
        Holds::Agent | Holds::Group | Holds::Kind | Holds::Customer | Holds::Reason | Holds::MergedInto => {
            return None;
        }
    })
}
