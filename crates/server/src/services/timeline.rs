//! A customer's timeline in the contract's words.
//!
//! Invariant: nobody is told a contact or a ticket here who may not read the customer's values.

use pegcount_domain::{envelope::Position, event::QueueExit, ids::ReasonCode, time::Micros};
use pegcount_engine::{
    ContactView, TIMELINE_PAGE_MAX, TicketView, TimelineEntry, TimelinePage, TimelinePlace,
};
use pegcount_proto::v1;
use tonic::Status;

use super::{Room, customers::named, page as pages};
use crate::{access::Caller, fields, status};

/// How many entries a page holds if nobody says.
const PAGE_USUAL: usize = 50;

pub(super) async fn page(
    room: &Room,
    caller: &Caller,
    request: v1::GetTimelineRequest,
) -> Result<v1::GetTimelineResponse, Status> {
    let (site, customer) = named(caller, &request.site, &request.customer)?;
    let command_id = fields::command_id(&request.command_id)?;
    let purpose = fields::name("purpose", &request.purpose).map(ReasonCode)?;
    let question = (&site, &customer, &purpose, request.newest_first);
    let ties = pages::Ties::new(room.engine.incarnation(), &question);
    let page = TimelinePage {
        newest_first: request.newest_first,
        after: ties.place(&request.page_token, place)?,
        limit: pages::size(request.page_size, PAGE_USUAL, TIMELINE_PAGE_MAX),
    };
    let reader = room.reader(caller, &site, &customer);
    let told = room.engine.timeline(&site, &customer, page, (purpose.clone(), reader, command_id)).await;
    let told = told.map_err(status::of)?;
    Ok(v1::GetTimelineResponse {
        entries: told.entries.iter().map(entry).collect(),
        next_page_token: told.next.map(|next| ties.token(&place_bytes(next))).unwrap_or_default(),
        position: told.position.0,
        dropped: u64::try_from(told.dropped).unwrap_or(u64::MAX),
    })
}

fn place_bytes((at, position): TimelinePlace) -> Vec<u8> {
    [at.0.to_be_bytes(), position.0.to_be_bytes()].concat()
}

fn place(bytes: &[u8]) -> Option<TimelinePlace> {
    let (at, rest) = bytes.split_first_chunk::<8>()?;
    let position = u64::from_be_bytes(rest.try_into().ok()?);
    Some((Micros(i64::from_be_bytes(*at)), Position(position)))
}

fn entry(entry: &TimelineEntry) -> v1::TimelineEntry {
    use v1::timeline_entry::Entry;
    let (began, entry) = match entry {
        TimelineEntry::Contact(view) => {
            (view.state.started.unwrap_or(Micros::ZERO), Entry::Contact(contact(view)))
        }
        TimelineEntry::Ticket(view) => (view.state.opened_at, Entry::Ticket(ticket(view))),
    };
    v1::TimelineEntry { began_us: began.0, entry: Some(entry) }
}

fn text(id: Option<&impl ToString>) -> String {
    id.map(ToString::to_string).unwrap_or_default()
}

fn contact(view: &ContactView) -> v1::TimelineContact {
    let state = &view.state;
    let answered = state.legs.iter().find(|leg| !leg.phase.is_unanswered());
    let wrap_up = state.wrap_up.as_ref();
    v1::TimelineContact {
        contact: state.contact.to_string(),
        channel: state.channel.map_or(0, |channel| channel.code().into()),
        direction: state.direction.map_or(0, |direction| direction.code().into()),
        entry: text(state.entry.as_ref()),
        queue: text(state.visits.first().and_then(|visit| visit.queue.as_ref())),
        agent: text(answered.and_then(|leg| leg.agent.as_ref())),
        outcome: outcome(view, answered.is_some()).into(),
        ended_us: state.ended.map(|(at, _)| at.0),
        topic: text(state.topic.as_ref()),
        wrap_up: text(wrap_up.map(|(code, _)| code)),
        resolved: wrap_up.and_then(|(_, resolved)| *resolved),
        callback: state.callback,
    }
}

fn outcome(view: &ContactView, answered: bool) -> v1::ContactOutcome {
    use v1::ContactOutcome;
    let state = &view.state;
    let left = |exit: fn(&QueueExit) -> bool| {
        state.visits.iter().any(|visit| visit.left.as_ref().is_some_and(|(_, left)| exit(left)))
    };
    if answered || left(|exit| *exit == QueueExit::Answered) {
        ContactOutcome::Answered
    } else if state.self_served {
        ContactOutcome::SelfServed
    } else if left(|exit| *exit == QueueExit::Abandoned) {
        ContactOutcome::Abandoned
    } else if left(|exit| *exit == QueueExit::CallbackTaken) {
        ContactOutcome::CallbackTaken
    } else if state.is_open() {
        ContactOutcome::Open
    } else if left(|_| true) {
        ContactOutcome::FlowedOut
    } else {
        ContactOutcome::Unspecified
    }
}

fn ticket(view: &TicketView) -> v1::TimelineTicket {
    let (state, known) = (&view.state, &view.state.facts);
    v1::TimelineTicket {
        ticket: view.ticket.to_string(),
        kind: state.kind.to_string(),
        category: text(known.category.as_ref()),
        channel: text(known.channel.as_ref()),
        status: state.status.code().into(),
        owner: text(state.owner.as_ref()),
        resolved_us: state.resolved_at.map(|at| at.0),
        reopened: state.reopened,
        merged_into: text(state.merged_into.as_ref()),
    }
}

#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing {
    use pegcount_domain::ids::Incarnation;

    use super::{Micros, Position, pages, place, place_bytes};

    fn ties() -> pages::Ties {
        pages::Ties::new(Incarnation(7), &("main", "c_1", "complaint", true))
    }

    /// Tokens that this service writes.
    pub fn timeline_token_samples() -> Vec<Vec<u8>> {
        let places = [(0, 1), (1_772_438_400_000_000, 4_711), (i64::MIN, 0), (i64::MAX, u64::MAX)];
        places
            .map(|(at, position)| ties().token(&place_bytes((Micros(at), Position(position)))).to_vec())
            .into()
    }

    /// Reads a token: in words where it goes on, none if it is refused; an error if it would not be written so.
    ///
    /// # Errors
    ///
    /// If a rule was broken.
    pub fn timeline_token(bytes: &[u8]) -> Result<Option<String>, String> {
        match ties().place(bytes, place) {
            Err(_) => Ok(None),
            // No token is the first page.
            Ok(None) if bytes.is_empty() => Ok(None),
            Ok(None) => Err("a token that goes on nowhere is taken for none".to_owned()),
            Ok(Some(read)) if ties().token(&place_bytes(read)) == bytes => Ok(Some(format!("{read:?}"))),
            Ok(Some(read)) => Err(format!("{read:?} is written otherwise")),
        }
    }
}
