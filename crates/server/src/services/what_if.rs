//! `ReplayTicketPolicies`: what would have been met and breached under policies that are tried.
//!
//! Invariant: the last message of a stream that ended well has the summary.

use pegcount_domain::{
    deadlines::{Compared, Course, Fate},
    time::{Micros, Span},
};
use pegcount_engine::{
    EngineError, Fates, ReplayStep, ReplayedTarget, ReplayedTicket, TicketReplay, WhatIf,
    options::DEFINITIONS_MAX,
};
use pegcount_proto::v1;
use tonic::Status;

use super::{Answers, Room, to_definitions::definition};
use crate::{access::Caller, status};

/// Begins; the answers are made as they are taken. Whoever goes away ends it.
pub(super) async fn answer(
    room: &Room,
    caller: Caller,
    request: &v1::ReplayTicketPoliciesRequest,
) -> Result<Answers<v1::ReplayTicketPoliciesResponse>, Status> {
    let site = caller.site("site", &request.site)?;
    if request.tried.len() > DEFINITIONS_MAX {
        let reason = format!(
            "holds {}; the limit is {DEFINITIONS_MAX}: leave out what no policy names",
            request.tried.len()
        );
        return Err(status::invalid("tried", reason));
    }
    let tried = request.tried.iter().enumerate();
    let tried = tried.map(|(index, one)| definition(&format!("tried[{index}]"), one));
    let what_if = WhatIf {
        site,
        opened: Span { start: Micros(request.from_us), end: Micros(request.to_us) },
        tried: tried.collect::<Result<_, _>>()?,
        visible_to: caller.own_agent().cloned(),
    };
    let replay = room.engine.replay_tickets(what_if).await.map_err(status::of)?;
    let replaying = Replaying { replay, room: room.clone(), caller, over: false };
    Ok(Box::pin(futures_util::stream::unfold(replaying, Replaying::next)))
}

/// One replay that somebody listens to.
struct Replaying {
    replay: TicketReplay,
    room: Room,
    caller: Caller,
    over: bool,
}

impl Replaying {
    async fn next(mut self) -> Option<(Result<v1::ReplayTicketPoliciesResponse, Status>, Self)> {
        if self.over {
            return None;
        }
        let step = tokio::select! {
            biased;
            () = self.room.closing.cancelled() => Err(status::shutting_down()),
            () = self.caller.expired() => Err(status::token_expired()),
            step = self.replay.next() => self.told(step),
        };
        self.over |= step.is_err();
        Some((step, self))
    }

    fn told(
        &mut self,
        step: Result<Option<ReplayStep>, EngineError>,
    ) -> Result<v1::ReplayTicketPoliciesResponse, Status> {
        let Some(step) = step.map_err(status::of)? else {
            self.over = true;
            return Ok(v1::ReplayTicketPoliciesResponse {
                summary: Some(summary(&self.replay)),
                ..Default::default()
            });
        };
        Ok(v1::ReplayTicketPoliciesResponse {
            tickets: step.tickets.iter().map(ticket).collect(),
            looked: step.looked,
            of: step.of,
            summary: None,
        })
    }
}

fn summary(replay: &TicketReplay) -> v1::TicketReplaySummary {
    v1::TicketReplaySummary {
        targets: replay.targets().iter().map(target).collect(),
        tickets: replay.replayed,
        differing: replay.differing,
        position: replay.position.0,
        as_of_us: replay.as_of.0,
    }
}

fn ticket(replayed: &ReplayedTicket) -> v1::ReplayedTicket {
    let activation = |row: &Compared| v1::ReplayedActivation {
        target: row.target.code().into(),
        activated_us: row.activated_at.0,
        was: row.was.map(course),
        would: row.would.map(course),
    };
    v1::ReplayedTicket {
        ticket: replayed.ticket.to_string(),
        opened_us: replayed.opened_at.0,
        activations: replayed.rows.iter().map(activation).collect(),
    }
}

fn course(course: Course) -> v1::TicketTargetCourse {
    let fate = match course.fate {
        Fate::Met => v1::TicketTargetFate::Met,
        Fate::Breached => v1::TicketTargetFate::Breached,
        Fate::Running => v1::TicketTargetFate::Running,
        Fate::Withdrawn => v1::TicketTargetFate::Withdrawn,
        Fate::Unreckonable => v1::TicketTargetFate::Unreckonable,
    };
    let (due_us, ended_us) = (course.due.map(|due| due.0), course.ended.map(|at| at.0));
    v1::TicketTargetCourse { fate: fate.into(), due_us, ended_us }
}

fn target(replayed: &ReplayedTarget) -> v1::ReplayedTarget {
    v1::ReplayedTarget {
        target: replayed.target.code().into(),
        was: Some(fates(replayed.was)),
        would: Some(fates(replayed.would)),
        spared: replayed.spared,
        struck: replayed.struck,
    }
}

fn fates(fates: Fates) -> v1::TicketTargetFates {
    let Fates { met, breached, running, withdrawn, unreckonable } = fates;
    v1::TicketTargetFates { met, breached, running, withdrawn, unreckonable }
}
