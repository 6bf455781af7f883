//! The plan of the simulated centre: its queues, teams, reasons and topics.
//!
//! Invariant: every text here is a name (`Name::new`); a test holds them to it.

use pegcount_domain::{
    event::{AfterCallEnd, Channel},
    ids::{AgentId, EntryId, Name, QueueId, ReasonCode, TeamId},
};

/// One queue.
#[derive(Debug)]
pub(crate) struct QueuePlan {
    pub(crate) id: QueueId,
    pub(crate) label: &'static str,
    pub(crate) channel: Channel,
    /// The hotline or page that leads to it.
    pub(crate) entry: EntryId,
    /// Its share of the arrivals.
    pub(crate) share: f64,
    pub(crate) threshold_s: i64,
    pub(crate) talk_median_s: f64,
    pub(crate) work_median_s: f64,
    pub(crate) after_call: AfterCallEnd,
    /// For [`AfterCallEnd::ByTimer`].
    pub(crate) work_max_s: i64,
    pub(crate) patience_mean_s: f64,
    pub(crate) topics: &'static [&'static str],
    /// Where a transfer goes.
    pub(crate) transfers_to: usize,
    /// The queue that takes over after a long wait.
    pub(crate) overflows_to: Option<usize>,
}

const fn queue(id: &'static str) -> QueueId {
    QueueId(Name::fixed(id))
}

const fn entry(id: &'static str) -> EntryId {
    EntryId(Name::fixed(id))
}

/// The queues; agents and contacts name them by their place here.
pub(crate) static QUEUES: [QueuePlan; 4] = [
    QueuePlan {
        id: queue("service"),
        label: "Customer service",
        channel: Channel::Voice,
        entry: entry("10000"),
        share: 0.48,
        threshold_s: 20,
        talk_median_s: 170.0,
        work_median_s: 35.0,
        after_call: AfterCallEnd::ByAgent,
        work_max_s: 0,
        patience_mean_s: 150.0,
        topics: &["bill", "contract", "address", "account"],
        transfers_to: 2,
        overflows_to: None,
    },
    QueuePlan {
        id: queue("sales"),
        label: "Sales",
        channel: Channel::Voice,
        entry: entry("10001"),
        share: 0.20,
        threshold_s: 20,
        talk_median_s: 230.0,
        work_median_s: 50.0,
        after_call: AfterCallEnd::ByAgent,
        work_max_s: 0,
        patience_mean_s: 120.0,
        topics: &["offer", "upgrade", "delivery"],
        transfers_to: 0,
        overflows_to: Some(0),
    },
    QueuePlan {
        id: queue("repairs"),
        label: "Repairs",
        channel: Channel::Voice,
        entry: entry("10002"),
        share: 0.18,
        threshold_s: 30,
        talk_median_s: 210.0,
        work_median_s: 60.0,
        after_call: AfterCallEnd::ByTimer,
        work_max_s: 120,
        patience_mean_s: 240.0,
        topics: &["no_power", "water", "line_noise", "lift"],
        transfers_to: 0,
        overflows_to: None,
    },
    QueuePlan {
        id: queue("chat"),
        label: "Chat",
        channel: Channel::Chat,
        entry: entry("web"),
        share: 0.14,
        threshold_s: 60,
        talk_median_s: 420.0,
        work_median_s: 0.0,
        after_call: AfterCallEnd::None,
        work_max_s: 0,
        patience_mean_s: 300.0,
        topics: &["bill", "delivery", "account"],
        transfers_to: 3,
        overflows_to: None,
    },
];

/// The chat queue's place.
pub(crate) const CHAT: usize = 3;

/// Chats that one agent holds at once.
pub(crate) const CHAT_SLOTS: u32 = 3;

/// One team.
#[derive(Debug)]
pub(crate) struct TeamPlan {
    pub(crate) id: TeamId,
    /// Served in this order: an agent takes from the first queue that has somebody waiting.
    pub(crate) queues: &'static [usize],
}

pub(crate) static TEAMS: [TeamPlan; 3] = [
    TeamPlan { id: TeamId(Name::fixed("north")), queues: &[0, 1, 2] },
    TeamPlan { id: TeamId(Name::fixed("south")), queues: &[2, 0, 1] },
    TeamPlan { id: TeamId(Name::fixed("digital")), queues: &[CHAT] },
];

/// The team of an agent: every fifth is in the digital one.
pub(crate) fn team_of(agent: usize) -> usize {
    match agent % 5 {
        4 => 2,
        even if even % 2 == 0 => 0,
        _ => 1,
    }
}

/// The agent's id.
pub(crate) fn agent_id(agent: usize) -> AgentId {
    let text = format!("agent-{:03}", agent + 1);
    AgentId(Name::new(&text).unwrap_or(Name::fixed("agent")))
}

/// One reason for being away.
#[derive(Debug)]
pub(crate) struct ReasonPlan {
    pub(crate) code: ReasonCode,
    pub(crate) label: &'static str,
    pub(crate) productive: bool,
    pub(crate) paid: bool,
    pub(crate) longest_min: i64,
}

const fn reason(
    code: &'static str,
    label: &'static str,
    productive: bool,
    paid: bool,
    longest_min: i64,
) -> ReasonPlan {
    ReasonPlan { code: ReasonCode(Name::fixed(code)), label, productive, paid, longest_min }
}

pub(crate) static MEAL: ReasonPlan = reason("meal", "Meal", false, false, 35);
pub(crate) static REST: ReasonPlan = reason("rest", "Rest", false, true, 15);
pub(crate) static MEETING: ReasonPlan = reason("meeting", "Meeting", true, true, 60);
pub(crate) static TRAINING: ReasonPlan = reason("training", "Training", true, true, 120);
pub(crate) static BUSY: ReasonPlan = reason("busy", "Busy", false, true, 5);
pub(crate) static RONA: ReasonPlan = reason("rona", "Ring no answer", false, true, 5);

/// All reasons that the simulated agents give.
pub(crate) static REASONS: [&ReasonPlan; 6] = [&MEAL, &REST, &MEETING, &TRAINING, &BUSY, &RONA];

/// Why a contact is passed on.
pub(crate) const TRANSFER_REASON: ReasonCode = ReasonCode(Name::fixed("other_queue"));

/// Why a ticket is opened again.
pub(crate) const REOPEN_REASON: &str = "not_solved";

/// Where customers live.
pub(crate) const REGIONS: [&str; 3] = ["centre", "harbour", "hills"];

/// How important customers are.
pub(crate) const TIERS: [&str; 3] = ["a", "b", "c"];

/// How a matter comes in that nobody calls about.
pub(crate) const WRITTEN_CHANNELS: [&str; 6] = ["email", "email", "web", "counter", "letter", "patrol"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_of_the_plan_is_a_name() {
        for queue in &QUEUES {
            let mut texts = vec![queue.id.as_str(), queue.label, queue.entry.as_str()];
            texts.extend(queue.topics);
            assert!(texts.iter().all(|text| Name::check(text).is_ok()));
        }
        assert!(TEAMS.iter().all(|team| Name::check(team.id.as_str()).is_ok()));
        let reasons = REASONS.iter().flat_map(|reason| [reason.code.as_str(), reason.label]);
        assert!(
            reasons.chain([TRANSFER_REASON.as_str(), REOPEN_REASON]).all(|text| Name::check(text).is_ok())
        );
    }

    #[test]
    fn the_shares_of_the_queues_are_a_whole() {
        let sum: f64 = QUEUES.iter().map(|queue| queue.share).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }
}
