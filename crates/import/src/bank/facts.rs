//! What a row says happened.
//!
//! Invariant: one visit per row, one leg per answered row; wait and leg each keep their own pair of times.

use jiff::tz::TimeZone;
use pegcount_domain::{
    event::{Channel, Direction, Event, LegRef, LegStep, Party, QueueExit},
    ids::{LegId, Name, VisitId},
    time::{Micros, Span},
};

use super::{
    clock::{Clock, OutOfRange},
    report::Oddity,
    row::{Outcome, Row},
};

/// The only visit and the only leg of a row.
const FIRST: Name = Name::fixed("1");

/// When the parts of a row's contact began and ended.
struct Times {
    started: Micros,
    waited: Span,
    /// None: nobody answered.
    served: Option<Span>,
}

/// What a row tells.
pub(super) struct Told {
    /// The earliest first.
    pub(super) facts: Vec<(Micros, Event)>,
    /// What is odd about it.
    pub(super) odd: Vec<Oddity>,
}

/// What `row` tells.
pub(super) fn facts(row: &Row, zone: &TimeZone) -> Result<Told, OutOfRange> {
    let mut odd = Vec::new();
    let times = times(row, zone, &mut odd)?;
    let visit = VisitId(FIRST);
    let exit = if times.served.is_some() { QueueExit::Answered } else { QueueExit::Abandoned };
    let mut facts = vec![
        (
            times.started,
            Event::ContactStarted {
                channel: Channel::Voice,
                direction: Direction::Inbound,
                entry: Some(row.entry.clone()),
                customer: None,
                journey: None,
                callback: false,
                priority: row.priority,
            },
        ),
        (
            times.waited.start,
            Event::QueueEntered { visit: visit.clone(), queue: row.queue.clone(), priority: row.priority },
        ),
        (times.waited.end, Event::QueueLeft { visit, exit, ringing: false }),
    ];
    if let Some(served) = times.served {
        facts.push((served.start, leg(row, LegStep::Answered)));
        facts.push((served.end, leg(row, LegStep::Ended { by: None, after_call_expected: false })));
    }
    let end = times.served.map_or(times.waited.end, |served| served.end.max(times.waited.end));
    let by = times.served.is_none().then_some(Party::Customer);
    facts.push((end, Event::ContactEnded { by, self_served: false }));
    // Stable: what happened at one instant stays in the order in which it must have happened.
    facts.sort_by_key(|(at, _)| *at);
    Ok(Told { facts, odd })
}

fn leg(row: &Row, step: LegStep) -> Event {
    let leg = LegRef {
        contact: row.contact.clone(),
        leg: LegId(FIRST),
        agent: row.server.clone(),
        visit: Some(VisitId(FIRST)),
        queue: Some(row.queue.clone()),
        channel: Some(Channel::Voice),
        direction: Some(Direction::Inbound),
    };
    Event::Leg { leg, step }
}

fn times(row: &Row, zone: &TimeZone, odd: &mut Vec<Oddity>) -> Result<Times, OutOfRange> {
    let mut clock = Clock::new(zone, row.date, row.menu.start);
    let menu_start = clock.instant()?;
    let menu_end = clock.after(row.menu.end)?;
    let mut differs = menu_end.minus(menu_start) != Micros::from_secs(row.menu.seconds);
    if row.menu.seconds < 0 {
        odd.push(Oddity::NegativeMenuTime);
    }
    let entered = if row.wait.seconds > 0 {
        let entered = clock.after(row.wait.start)?;
        let left = clock.after(row.wait.end)?;
        differs |= left.minus(entered) != Micros::from_secs(row.wait.seconds);
        entered
    } else {
        menu_end
    };
    let waited = Span::new(entered, entered.plus(Micros::from_secs(row.wait.seconds)));
    let served = match row.outcome {
        Outcome::Agent if row.service.is_nothing() => {
            odd.push(Oddity::AnsweredWithoutService);
            Some(Span::new(waited.end, waited.end))
        }
        Outcome::Agent => {
            let start = clock.after(row.service.start)?;
            let end = clock.after(row.service.end)?;
            differs |= end.minus(start) != Micros::from_secs(row.service.seconds);
            Some(Span::new(start, end))
        }
        Outcome::Hang | Outcome::Phantom => {
            if !row.service.is_nothing() {
                odd.push(Oddity::HangWithService);
            }
            None
        }
    };
    odd.extend(differs.then_some(Oddity::DurationDiffers));
    odd.extend(clock.ambiguous.then_some(Oddity::AmbiguousTime));
    // A contact that began after its own queue visit would be nonsense: two clocks again.
    let first = served.map_or(entered, |served| served.start.min(entered));
    Ok(Times { started: menu_start.min(first), waited, served })
}
