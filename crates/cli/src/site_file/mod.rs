//! A site as one declarative file: its zones, queues, teams with their members, agents, reasons, allowances, calendars, formula
//! versions, targets, who is believed, and what tickets need.
//!
//! - [`text`]: lengths, dates and times of day as people write them; [`read`]: the file's entries into definitions;
//!   [`write`]: definitions into such a file
//!
//! Not for what is done with it: that is [`crate::apply`]. Invariant: what [`write`] writes reads back as the same
//! definitions.

pub(crate) mod read;
pub(crate) mod text;
pub(crate) mod write;
mod write_tickets;

pub(crate) use write_tickets::{recipient, share};

use serde::Deserialize;
use toml::Spanned;

/// A text with its place in the file.
pub(crate) type Text = Spanned<String>;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SiteFile {
    #[serde(default)]
    pub(crate) site: SiteEntry,
    #[serde(default)]
    pub(crate) queue: Vec<QueueEntry>,
    #[serde(default)]
    pub(crate) reason: Vec<ReasonEntry>,
    #[serde(default)]
    pub(crate) team: Vec<TeamEntry>,
    #[serde(default)]
    pub(crate) agent: Vec<AgentEntry>,
    #[serde(default)]
    pub(crate) formula: Vec<FormulaEntry>,
    #[serde(default)]
    pub(crate) target: Vec<TargetEntry>,
    #[serde(default)]
    pub(crate) calendar: Vec<CalendarEntry>,
    #[serde(default)]
    pub(crate) zone: Vec<ZoneEntry>,
    #[serde(default)]
    pub(crate) allowance: Vec<Spanned<AllowanceEntry>>,
    #[serde(default)]
    pub(crate) authority: Vec<AuthorityEntry>,
    #[serde(default)]
    pub(crate) calendar_change: Vec<CalendarChangeEntry>,
    #[serde(default)]
    pub(crate) ticket_kind: Vec<TicketKindEntry>,
    #[serde(default)]
    pub(crate) ticket_policies: Vec<TicketPoliciesEntry>,
}

/// `[site]`: which site, and the zone of its local days, in which dates in the file are meant.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SiteEntry {
    pub(crate) name: Option<Text>,
    pub(crate) time_zone: Option<Text>,
}

/// `[[zone]]`: the site's local days are another zone's from an instant on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ZoneEntry {
    pub(crate) time_zone: Text,
    pub(crate) valid_from: Text,
}

/// `[[queue]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueueEntry {
    pub(crate) queue: Text,
    pub(crate) label: Option<Text>,
    pub(crate) threshold: Option<Text>,
    pub(crate) short: Option<Text>,
    pub(crate) rings: Option<Text>,
    pub(crate) after_call: Option<Text>,
    pub(crate) after_call_timer: Option<Text>,
    pub(crate) after_call_on_contact: Option<Text>,
    pub(crate) valid_from: Option<Text>,
}

/// `[[reason]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonEntry {
    pub(crate) reason: Text,
    pub(crate) label: Option<Text>,
    #[serde(default)]
    pub(crate) productive: bool,
    #[serde(default)]
    pub(crate) paid: bool,
    pub(crate) longest: Option<Text>,
    pub(crate) valid_from: Option<Text>,
}

/// `[[team]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TeamEntry {
    pub(crate) team: Text,
    pub(crate) label: Option<Text>,
    pub(crate) valid_from: Option<Text>,
    #[serde(default)]
    pub(crate) members: Vec<Spanned<Member>>,
}

/// One of `members`: an agent's id, or an agent from and until when.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Member {
    Always(String),
    Dated { agent: String, from: Option<String>, until: Option<String> },
}

/// `[[agent]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgentEntry {
    pub(crate) agent: Text,
    pub(crate) chat_slots: Option<Spanned<u32>>,
    pub(crate) valid_from: Option<Text>,
}

/// `[[formula]]`; what is left out is as in version 1.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormulaEntry {
    pub(crate) number: Spanned<u8>,
    pub(crate) name: Option<Text>,
    pub(crate) notes: Option<Text>,
    pub(crate) valid_from: Option<Text>,
    pub(crate) threshold: Option<Text>,
    pub(crate) short: Option<Text>,
    pub(crate) rings: Option<Text>,
    pub(crate) short_handle: Option<Text>,
    pub(crate) attempt_window: Option<Text>,
    pub(crate) fcr_window: Option<Text>,
    pub(crate) fcr_identity: Option<Text>,
    pub(crate) fcr_repeats: Option<Text>,
    pub(crate) fcr_transfer: Option<Text>,
    pub(crate) repeat_window: Option<Text>,
    pub(crate) aht: Option<Text>,
    pub(crate) abandon_rate: Option<Text>,
    pub(crate) service_level: Option<Text>,
    pub(crate) occupancy: Option<Text>,
    pub(crate) fcr: Option<Text>,
}

/// `[[target]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetEntry {
    pub(crate) target: Text,
    pub(crate) column: Text,
    pub(crate) comparison: Text,
    pub(crate) value: Option<Spanned<Amount>>,
    pub(crate) scope: Text,
    pub(crate) of: Option<Text>,
    /// There is no such target from then on.
    #[serde(default)]
    pub(crate) retired: bool,
    pub(crate) valid_from: Option<Text>,
}

/// A target's value: a number, or a text with its unit (`60 %`, `30s`).
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Amount {
    Whole(i64),
    Decimal(f64),
    Text(String),
}

/// `[[calendar]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CalendarEntry {
    pub(crate) calendar: Text,
    pub(crate) time_zone: Text,
    #[serde(default)]
    pub(crate) windows: Vec<WindowEntry>,
    #[serde(default)]
    pub(crate) holidays: Vec<HolidayEntry>,
    #[serde(default)]
    pub(crate) make_up_days: Vec<MakeUpEntry>,
    pub(crate) valid_from: Option<Text>,
}

/// One of `windows`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WindowEntry {
    pub(crate) days: Vec<Text>,
    pub(crate) from: Text,
    pub(crate) to: Text,
}

/// One of `holidays`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HolidayEntry {
    pub(crate) date: Text,
    pub(crate) name: Option<Text>,
}

/// One of `make_up_days`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MakeUpEntry {
    pub(crate) date: Text,
    pub(crate) like: Text,
}

/// `[[allowance]]`: what an agent may do on a local day; without a team for all teams that have none of their own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AllowanceEntry {
    pub(crate) team: Option<Text>,
    pub(crate) total: Option<Text>,
    #[serde(default)]
    pub(crate) reasons: Vec<ReasonLimitsEntry>,
    pub(crate) meals: Option<MealsEntry>,
    pub(crate) sign_ins: Option<u32>,
    pub(crate) valid_from: Option<Text>,
}

/// One of an allowance's `reasons`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonLimitsEntry {
    pub(crate) reason: Text,
    pub(crate) longest: Option<Text>,
    pub(crate) total: Option<Text>,
    pub(crate) count: Option<u32>,
}

/// An allowance's `meals`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MealsEntry {
    pub(crate) reasons: Vec<Text>,
    pub(crate) longest: Option<Text>,
    pub(crate) count: Option<u32>,
    pub(crate) hours: Option<HoursEntry>,
}

/// Hours of the clock on the wall.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoursEntry {
    pub(crate) from: Text,
    pub(crate) to: Text,
}

/// `[[authority]]`: for which fields of a leg the softphone or the exchange is believed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthorityEntry {
    #[serde(default)]
    pub(crate) softphone: Vec<Text>,
    #[serde(default)]
    pub(crate) exchange: Vec<Text>,
    pub(crate) valid_from: Option<Text>,
}

/// `[[calendar_change]]`: one date of a calendar; with neither `closed`, `like` nor `hours` it is as the calendar says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CalendarChangeEntry {
    pub(crate) calendar: Text,
    pub(crate) date: Text,
    #[serde(default)]
    pub(crate) closed: bool,
    pub(crate) like: Option<Text>,
    pub(crate) hours: Option<Vec<HoursEntry>>,
    pub(crate) valid_from: Option<Text>,
}

/// `[[ticket_kind]]`: what a kind of ticket needs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TicketKindEntry {
    pub(crate) kind: Text,
    #[serde(default)]
    pub(crate) fields: Vec<Text>,
    #[serde(default)]
    pub(crate) attributes: Vec<Text>,
    #[serde(default)]
    pub(crate) evidence: Vec<EvidenceEntry>,
    #[serde(default)]
    pub(crate) ways: Vec<Text>,
    #[serde(default)]
    pub(crate) approvers: Vec<Text>,
    #[serde(default)]
    pub(crate) levels: Vec<Text>,
    #[serde(default)]
    pub(crate) escalates_when_repeated: bool,
    #[serde(default)]
    pub(crate) requester_accepts: bool,
    #[serde(default)]
    pub(crate) slip_filed: bool,
    pub(crate) valid_from: Option<Text>,
}

/// One of `evidence`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EvidenceEntry {
    pub(crate) kind: Text,
    pub(crate) count: Option<u32>,
}

/// `[[ticket_policies]]`: all deadline policies, from an instant on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TicketPoliciesEntry {
    pub(crate) valid_from: Option<Text>,
    pub(crate) policy: Vec<Spanned<PolicyEntry>>,
}

/// `[[ticket_policies.policy]]`: for which tickets, and what has to happen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyEntry {
    pub(crate) name: Text,
    #[serde(default)]
    pub(crate) kinds: Vec<Text>,
    #[serde(default)]
    pub(crate) severities: Vec<Text>,
    #[serde(default)]
    pub(crate) urgencies: Vec<Text>,
    #[serde(default)]
    pub(crate) tiers: Vec<Text>,
    #[serde(default)]
    pub(crate) channels: Vec<Text>,
    #[serde(default)]
    pub(crate) validities: Vec<Text>,
    #[serde(default)]
    pub(crate) target: Vec<TargetRuleEntry>,
}

/// `[[ticket_policies.policy.target]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetRuleEntry {
    pub(crate) target: Text,
    pub(crate) within: Option<Text>,
    pub(crate) working_days: Option<u32>,
    pub(crate) calendar: Option<Text>,
    #[serde(default)]
    pub(crate) pauses: Vec<Text>,
    #[serde(default)]
    pub(crate) warnings: Vec<AlertStepEntry>,
    #[serde(default)]
    pub(crate) escalations: Vec<AlertStepEntry>,
}

/// One of `warnings` or `escalations`: at which share of the time, and who is told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertStepEntry {
    pub(crate) at: Text,
    pub(crate) tell: Vec<Text>,
    pub(crate) hours: Option<Text>,
}
