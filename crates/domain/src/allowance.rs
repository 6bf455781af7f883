//! A site's time zone, and how long and how often an agent may be away on a local day.
//!
//! Reference data only: what a day comes to is judged by the KPI folds (KPIS.md §4, away compliance). Invariant: a limit
//! that is none limits nothing; all others are inclusive, as every threshold is (KPIS.md §1).

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    ids::{Name, ReasonCode, TeamId},
    time::Micros,
};

/// The name of an IANA time zone, like `Europe/Berlin`. Whether the database knows it is checked where it comes in;
/// folds need the text itself, so it is no [`Name`] that they would know by its fingerprint only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ZoneName(pub SmolStr);

impl ZoneName {
    /// The name of a zone.
    pub fn new(text: &str) -> Self {
        Self(SmolStr::new(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reference data of a site: the zone by which its local days are found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteDefinition {
    /// The zone.
    pub time_zone: ZoneName,
    /// In force from.
    pub valid_from: Micros,
}

/// The most that one reason may keep an agent away on a local day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonAllowance<N = Name> {
    /// The reason.
    pub reason: ReasonCode<N>,
    /// The longest single absence (duration).
    pub longest: Option<Micros>,
    /// All absences together (duration).
    pub total: Option<Micros>,
    /// How many times.
    pub count: Option<u32>,
}

/// Meals: which reasons they are, and how many, how long, and when they may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MealAllowance<N = Name> {
    /// The reasons that are meals; at least one.
    pub reasons: Vec<ReasonCode<N>>,
    /// How many.
    pub count: Option<u32>,
    /// The longest single one (duration).
    pub longest: Option<Micros>,
    /// Within these hours of the local clock.
    pub hours: Option<LocalHours>,
}

/// A part of the local day, by the clock on the wall: minutes since midnight, 0 to 1,440. One whose end is not after its
/// start goes on past midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalHours {
    /// From, inclusive.
    pub from_minute: u16,
    /// To; an absence may end exactly then.
    pub to_minute: u16,
}

/// Minutes of a day.
pub const DAY_MINUTES: u16 = 24 * 60;

/// What an agent is allowed on a local day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowanceDefinition<N = Name> {
    /// The team for which it holds, instead of the one for all; none: all teams that have none of their own.
    pub team: Option<TeamId<N>>,
    /// Time away altogether (duration); reasons that are defined as productive are left out.
    pub total: Option<Micros>,
    /// Reason by reason.
    pub reasons: Vec<ReasonAllowance<N>>,
    /// Meals.
    pub meals: Option<MealAllowance<N>>,
    /// How many sign-ins.
    pub sign_ins: Option<u32>,
    /// In force from; the day's start decides.
    pub valid_from: Micros,
}
