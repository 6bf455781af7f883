//! The measures of KPIS.md §3: their names, units and the sheet that holds them.
//!
//! Not for ratios: those are formulas over measures ([`crate::formula`]). Invariant: a measure belongs to exactly
//! one sheet, and its column never changes place.

use serde::{Deserialize, Serialize};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// A number of things.
    Count,
    /// Microseconds; for a KPI, an average of microseconds (numerator over denominator).
    Duration,
    /// A quotient without a unit, or per hour.
    Ratio,
}

/// Cells of one kind, with the dimensions that they can be cut by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Sheet {
    /// Queue visits: queue, entry, channel, direction, priority.
    Visit,
    /// Agent clock and the counts beside it: agent, team.
    Clock,
    /// Time away: agent, team, reason.
    Away,
    /// Leg times, offers, dials: agent, team, queue, channel, direction.
    Leg,
    /// Handles: as legs.
    Handle,
    /// Transfers: as legs, and by reason.
    Transfer,
    /// Tickets: agent, team, queue, group, and what the ticket is (kind, category, tier, region, channel).
    Ticket,
    /// Targets and promises of tickets: as tickets.
    Target,
    /// What comes into the backlog and leaves it: as tickets. Not columns of their own: the gauge is their sum.
    Backlog,
    /// Customer lines (first-contact resolution): agent, team, queue, channel.
    Line,
    /// Failed first-contact resolutions: as customer lines, and by cause.
    Failure,
    /// Waits by length: as visits. Not columns of their own: percentiles are taken from them.
    Wait,
    /// Agent-days and agent-months: agent, team.
    Day,
    /// Times that tickets took, by length: as tickets. Not columns of their own: percentiles are taken from them.
    Took,
}

impl Sheet {
    /// Whether what it holds depends on the formula version.
    pub(crate) const fn is_versioned(self) -> bool {
        !matches!(
            self,
            Self::Clock
                | Self::Away
                | Self::Leg
                | Self::Ticket
                | Self::Target
                | Self::Backlog
                | Self::Day
                | Self::Took
        )
    }
}

impl Measure {
    /// What it can be cut by, apart from time; nothing for what is counted by length only.
    pub const fn dimensions(self) -> &'static [crate::query::Dimension] {
        if self.sheet().is_shown() { crate::query::cut::dimensions(self.sheet()) } else { &[] }
    }
}

/// How many sheets there are.
pub(crate) const SHEETS: usize = 14;

macro_rules! measures {
    ($($sheet:ident { $($(#[doc = $doc:literal])+ $variant:ident $name:literal $unit:ident,)+ })+) => {
        /// One measure.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum Measure { $($($(#[doc = $doc])+ $variant,)+)+ }

        impl Measure {
            /// All of them, in the order of the columns.
            pub const ALL: &[Self] = &[$($(Self::$variant,)+)+];

            /// The name of its column (KPIS.md §3).
            pub const fn name(self) -> &'static str {
                match self { $($(Self::$variant => $name,)+)+ }
            }

            /// What it counts, in words.
            pub const fn meaning(self) -> &'static str {
                match self { $($(Self::$variant => concat!($($doc),+).trim_ascii(),)+)+ }
            }

            /// Count or duration.
            pub const fn unit(self) -> Unit {
                match self { $($(Self::$variant => Unit::$unit,)+)+ }
            }

            /// Where it is kept.
            #[inline]
            pub(crate) const fn sheet(self) -> Sheet {
                match self { $($(Self::$variant => Sheet::$sheet,)+)+ }
            }
        }

        impl Sheet {
            /// Its measures, in order.
            pub(crate) const fn measures(self) -> &'static [Measure] {
                match self { $(Self::$sheet => &[$(Measure::$variant,)+],)+ }
            }
        }
    };
}

measures! {
    Visit {
        /// Visits that began.
        Offered "offered" Count,
        /// Visits that ended, for whatever reason.
        Ended "ended" Count,
        /// Ended by an agent's answer.
        Answered "answered" Count,
        /// Ended by the customer's giving up, ringing included.
        Abandoned "abandoned" Count,
        /// Abandoned after no more than the queue's short wait.
        AbandonedShort "abandoned_short" Count,
        /// Abandoned while a device rang.
        AbandonedRinging "abandoned_ringing" Count,
        /// Routed away: queue too long.
        FlowOutOverflow "flow_out_overflow" Count,
        /// Routed away: waited too long.
        FlowOutTimeout "flow_out_timeout" Count,
        /// Routed away: queue closed.
        FlowOutClosed "flow_out_closed" Count,
        /// Routed away: no place left.
        FlowOutFull "flow_out_full" Count,
        /// Routed away: nobody signed in on arrival.
        FlowOutJoinEmpty "flow_out_join_empty" Count,
        /// Routed away: last agent left.
        FlowOutLeaveEmpty "flow_out_leave_empty" Count,
        /// Moved to another queue.
        FlowOutTransferred "flow_out_transferred" Count,
        /// Answered in another visit of the same contact.
        FlowOutAnsweredElsewhere "flow_out_answered_elsewhere" Count,
        /// Counted as abandoned in another visit of the same contact.
        FlowOutAbandonedElsewhere "flow_out_abandoned_elsewhere" Count,
        /// A fault.
        FlowOutSystem "flow_out_system" Count,
        /// The customer will be called back.
        CallbackTaken "callback_taken" Count,
        /// Waits of the answered, summed.
        WaitAnswered "wait_answered" Duration,
        /// Waits of the abandoned, summed.
        WaitAbandoned "wait_abandoned" Duration,
        /// Answered within the threshold.
        AnsweredWithin "answered_within" Count,
        /// Abandoned within the threshold.
        AbandonedWithin "abandoned_within" Count,
        /// Abandoned within the threshold and short.
        AbandonedShortWithin "abandoned_short_within" Count,
        /// Flowed out within the threshold (`_elsewhere` left out).
        FlowOutWithin "flow_out_within" Count,
        /// Call-back taken within the threshold.
        CallbackWithin "callback_within" Count,
        /// Still waiting after the threshold.
        ReachedUnanswered "reached_unanswered" Count,
        /// Answered within three rings.
        AnsweredWithinRings "answered_within_rings" Count,
        /// Contacts served by a menu or a machine that never asked for a queue.
        SelfServed "self_served" Count,
        /// Contacts with no earlier one of that customer to that entry within 30 minutes.
        FirstAttempts "first_attempts" Count,
        /// First attempts that were answered.
        FirstAttemptsAnswered "first_attempts_answered" Count,
        /// Contacts whose customer is not known.
        AttemptsUnknown "attempts_unknown" Count,
    }
    Clock {
        /// Signed in.
        SignedInClock "signed_in_clock" Duration,
        /// At least one contact or after-call work.
        OccupiedClock "occupied_clock" Duration,
        /// Connection lost.
        LostClock "lost_clock" Duration,
        /// Ringing.
        RingingClock "ringing_clock" Duration,
        /// Dialing.
        DialingClock "dialing_clock" Duration,
        /// Ready.
        ReadyClock "ready_clock" Duration,
        /// Contact time outside a signed-in span.
        UnsignedClock "unsigned_clock" Duration,
        /// Sign-ins.
        SignIns "sign_ins" Count,
        /// Keys that steer or jam the phone.
        PhoneKeys "phone_keys" Count,
        /// Available time of the slots that an agent has beyond the first.
        ExtraSlotsTime "extra_slots_time" Duration,
        /// Occupied time of the slots that an agent has beyond the first.
        ExtraSlotsBusyTime "extra_slots_busy_time" Duration,
    }
    Away {
        /// Away.
        AwayClock "away_clock" Duration,
        /// Times that the agent went away.
        AwayCount "away_count" Count,
    }
    Leg {
        /// Talking.
        TalkTime "talk_time" Duration,
        /// Customer on hold.
        HoldTime "hold_time" Duration,
        /// Consulting.
        ConsultTime "consult_time" Duration,
        /// In conference.
        ConferenceTime "conference_time" Duration,
        /// Interrupted by another contact.
        InterruptedTime "interrupted_time" Duration,
        /// After-call work.
        AcwTime "acw_time" Duration,
        /// Dialing.
        DialTime "dial_time" Duration,
        /// Ringing.
        RingTime "ring_time" Duration,
        /// Offers, at their end.
        Offers "offers" Count,
        /// Ring, no answer.
        OffersMissed "offers_missed" Count,
        /// Rejected by the agent.
        OffersRejected "offers_rejected" Count,
        /// The customer went while it rang.
        OffersCustomerGone "offers_customer_gone" Count,
        /// Dialled out.
        OutboundDials "outbound_dials" Count,
        /// Dialled out and answered.
        OutboundConnected "outbound_connected" Count,
        /// From the task's assignment to dialling.
        DialDelay "dial_delay" Duration,
    }
    Handle {
        /// Completed legs.
        Handled "handled" Count,
        /// Completed legs of contacts that came in.
        HandledInbound "handled_inbound" Count,
        /// Talking, consulting and conferring of completed legs.
        HandleTalk "handle_talk" Duration,
        /// Hold of completed legs.
        HandleHold "handle_hold" Duration,
        /// After-call work of completed legs.
        HandleAcw "handle_acw" Duration,
        /// Times that the customer was put on hold.
        Holds "holds" Count,
        /// Consultations.
        Consults "consults" Count,
        /// Conferences.
        Conferences "conferences" Count,
        /// Legs that the agent ended.
        EndedByAgent "ended_by_agent" Count,
        /// Legs with at most 10 s of talk.
        ShortHandles "short_handles" Count,
    }
    Transfer {
        /// Legs passed on unannounced.
        TransfersOutCold "transfers_out_cold" Count,
        /// Legs passed on after speaking to the receiver.
        TransfersOutWarm "transfers_out_warm" Count,
    }
    Ticket {
        /// Tickets opened.
        TicketsOpened "opened" Count,
        /// Tickets settled: resolutions, and closings that no resolution came before.
        TicketsResolved "resolved" Count,
        /// Tickets closed.
        TicketsClosed "closed" Count,
        /// Resolutions undone, counted where the resolution was.
        TicketsReopened "reopened" Count,
        /// Of these, those whose work has to be done again.
        TicketsReworked "reworked" Count,
        /// Tickets cancelled as no valid matter.
        TicketsCancelled "cancelled" Count,
        /// Tickets that go on in another one.
        TicketsMerged "merged" Count,
        /// Times that a ticket came before a higher level.
        TicketsEscalated "escalated" Count,
        /// Further reports of a ticket's matter, for its first receiver.
        SecondReports "second_reports" Count,
        /// Tickets whose customer was first answered: informed, resolved or cancelled.
        FirstResponses "first_responses" Count,
        /// Site visits at whose place somebody arrived.
        SlipDue "slip_due" Count,
        /// Of these, those whose slip was filed, counted at the arrival.
        SlipFiled "slip_filed" Count,
        /// Tickets opened, invalid and merged ones left out.
        OpenedValid "opened_valid" Count,
        /// Of these, those that are settled, counted at the opening.
        OpenedValidResolved "opened_valid_resolved" Count,
        /// Complaints that are closed, at their last closing.
        ComplaintsClosed "complaints_closed" Count,
        /// Of these, those whose matter was reported again.
        ComplaintsRepeated "complaints_repeated" Count,
        /// From the opening to the first answer.
        FirstResponse "first_response" Duration,
        /// The same without the time on hold.
        FirstResponseUnpaused "first_response_unpaused" Duration,
        /// From the opening to the first answer in working time.
        FirstResponseWorking "first_response_working" Duration,
        /// The same without the time on hold.
        FirstResponseWorkingUnpaused "first_response_working_unpaused" Duration,
        /// From the opening to the resolution.
        Resolution "resolution" Duration,
        /// The same without the time on hold or settled.
        ResolutionUnpaused "resolution_unpaused" Duration,
        /// From the opening to the resolution in working time.
        ResolutionWorking "resolution_working" Duration,
        /// The same without the time on hold or settled.
        ResolutionWorkingUnpaused "resolution_working_unpaused" Duration,
    }
    Target {
        /// Targets fulfilled in time, counted when they were due.
        TargetMet "target_met" Count,
        /// Targets missed, counted when they were due.
        TargetBreached "target_breached" Count,
        /// Promised times that were kept, counted when they were due.
        PromiseMet "promise_met" Count,
        /// Promised times that were not kept, nor postponed in time.
        PromiseBroken "promise_broken" Count,
        /// Targets of `accept` fulfilled in time.
        TargetMetAccept "target_met_accept" Count,
        /// Targets of `accept` missed.
        TargetBreachedAccept "target_breached_accept" Count,
        /// Targets of `first_response` fulfilled in time.
        TargetMetFirstResponse "target_met_first_response" Count,
        /// Targets of `first_response` missed.
        TargetBreachedFirstResponse "target_breached_first_response" Count,
        /// Targets of `next_update` fulfilled in time.
        TargetMetNextUpdate "target_met_next_update" Count,
        /// Targets of `next_update` missed.
        TargetBreachedNextUpdate "target_breached_next_update" Count,
        /// Targets of `investigate` fulfilled in time.
        TargetMetInvestigate "target_met_investigate" Count,
        /// Targets of `investigate` missed.
        TargetBreachedInvestigate "target_breached_investigate" Count,
        /// Targets of `approve` fulfilled in time.
        TargetMetApprove "target_met_approve" Count,
        /// Targets of `approve` missed.
        TargetBreachedApprove "target_breached_approve" Count,
        /// Targets of `dispatch` fulfilled in time.
        TargetMetDispatch "target_met_dispatch" Count,
        /// Targets of `dispatch` missed.
        TargetBreachedDispatch "target_breached_dispatch" Count,
        /// Targets of `arrive` fulfilled in time.
        TargetMetArrive "target_met_arrive" Count,
        /// Targets of `arrive` missed.
        TargetBreachedArrive "target_breached_arrive" Count,
        /// Targets of `resolve` fulfilled in time.
        TargetMetResolve "target_met_resolve" Count,
        /// Targets of `resolve` missed.
        TargetBreachedResolve "target_breached_resolve" Count,
        /// Targets of `explain` fulfilled in time.
        TargetMetExplain "target_met_explain" Count,
        /// Targets of `explain` missed.
        TargetBreachedExplain "target_breached_explain" Count,
    }
    Backlog {
        /// Tickets that came to be open, less those that ceased to be.
        BacklogChange "backlog_change" Count,
    }
    Line {
        /// Issues that can count for first-contact resolution.
        FcrEligible "fcr_eligible" Count,
        /// Resolved at first contact and nothing since.
        FcrHeld "fcr_held" Count,
        /// Failed, or held past the waiting time.
        FcrFinal "fcr_final" Count,
        /// Left out: no identified customer.
        FcrUnidentified "fcr_unidentified" Count,
        /// Answered contacts of identified customers.
        RepeatEligible "repeat_eligible" Count,
        /// Of these, with no further answered contact.
        RepeatNone "repeat_none" Count,
        /// Of the eligible, those that can change no more.
        RepeatFinal "repeat_final" Count,
        /// Contacts of which every answered leg is complete.
        ContactsHandled "contacts_handled" Count,
        /// Talk, hold and after-call work of all their legs.
        ContactsHandleTime "contacts_handle_time" Duration,
        /// Completed legs of our own call-backs.
        CallbacksMade "callbacks_made" Count,
        /// Talk, hold and after-call work of these legs.
        CallbackTime "callback_time" Duration,
    }
    Failure {
        /// Issues that were not resolved at first contact, or not for long.
        FcrFailed "fcr_failed" Count,
    }
    Wait {
        /// Waits of the answered, by length.
        WaitsAnswered "wait_histogram_answered" Count,
        /// Waits of the abandoned, by length.
        WaitsAbandoned "wait_histogram_abandoned" Count,
    }
    Day {
        /// Local days on which an agent was signed in, once they have ended.
        AgentDays "agent_days" Count,
        /// Of these, those within every allowance.
        AgentDaysCompliant "agent_days_compliant" Count,
        /// Of these, those with at least 1 h available: signed in, neither away nor with the connection lost.
        AgentDaysMeasured "agent_days_measured" Count,
        /// Of the measured, those above the efficiency target in inbound contacts per hour available.
        AgentDaysOverTarget "agent_days_over_target" Count,
        /// Local months in which an agent was available for at least 1 h, once they have ended.
        AgentMonthsMeasured "agent_months_measured" Count,
        /// Of the measured, those above the efficiency target in inbound contacts per hour available.
        AgentMonthsOverTarget "agent_months_over_target" Count,
    }
    Took {
        /// First answers, by the time from the opening.
        FirstResponseTook "first_response_histogram" Count,
        /// First answers, by the working time from the opening.
        FirstResponseTookWorking "first_response_working_histogram" Count,
        /// Resolutions, by the time from the opening.
        ResolutionTook "resolution_histogram" Count,
        /// Resolutions, by the working time from the opening.
        ResolutionTookWorking "resolution_working_histogram" Count,
    }
}

impl Measure {
    /// Its place among all.
    #[inline]
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl Sheet {
    /// All of them.
    pub(crate) const ALL: [Self; SHEETS] = [
        Self::Visit,
        Self::Clock,
        Self::Away,
        Self::Leg,
        Self::Handle,
        Self::Transfer,
        Self::Ticket,
        Self::Target,
        Self::Backlog,
        Self::Line,
        Self::Failure,
        Self::Wait,
        Self::Day,
        Self::Took,
    ];

    /// Whether its measures are columns of a table.
    pub(crate) const fn is_shown(self) -> bool {
        !matches!(self, Self::Wait | Self::Backlog | Self::Took)
    }

    /// Whether its measures count by length.
    pub(crate) const fn is_by_length(self) -> bool {
        matches!(self, Self::Wait | Self::Took)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_stands_in_its_sheet_and_sheets_follow_each_other() {
        let of_sheets: Vec<_> = Sheet::ALL.iter().flat_map(|sheet| sheet.measures()).collect();
        assert_eq!(of_sheets, Measure::ALL.iter().collect::<Vec<_>>());
        for (index, measure) in Measure::ALL.iter().enumerate() {
            assert_eq!(measure.index(), index);
            assert!(measure.sheet().measures().contains(measure));
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = Measure::ALL.iter().map(|m| m.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Measure::ALL.len());
    }
}
