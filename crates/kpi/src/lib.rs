//! Figures: measures, cells and KPIs as pure folds over events. `docs/KPIS.md` is the law, ARCHITECTURE.md the way.
//!
//! Give [`Kpi::apply`] the events of the log in the order of their positions (their times may come in any order),
//! tell the names that [`Kpi::missing_names`] asks for, and ask [`Kpi::query`] at any instant. No I/O, no clock.
//!
//! - [`measure`], [`formula`]: what is counted, and the ratios
//! - [`query`]: what can be asked, and the table that answers
//! - [`anomaly`], [`correction`]: odd facts, and figures that changed after the fact
//! - [`live`]: tables kept up to date by differences, for whoever watches
//! - [`Kpi::archived`], [`Kpi::restored`]: all of it as bytes that last; [`Kpi::parts`], [`Kpi::assembled`]: as bytes
//!   that are read fast
//! - inside: facts go to units (agents, contacts, customer lines, tickets); settled units stand in cells; what is
//!   open is folded when somebody reads
//!
//! Invariant: what is answered is a pure function of the events, the instants asked about and the formulas.

mod agent;
pub mod anomaly;
mod archive;
mod books;
mod cells;
mod contact;
pub mod correction;
#[cfg(feature = "corrupting")]
mod corrupting;
mod day;
mod fact;
pub mod formula;
mod histogram;
mod kpi;
mod line;
pub mod live;
mod maturing;
pub mod measure;
mod names;
mod packed;
mod parts;
pub mod query;
mod reference;
mod site;
mod ticket;
mod weight;
#[cfg(feature = "workload")]
pub mod workload;

pub use anomaly::{Anomaly, AnomalyKind};
pub use archive::ArchiveError;
pub use correction::Correction;
pub use day::calendar::is_known_zone;
pub use formula::{FORMULA_BUILT_IN, describe, describe_means};
pub use kpi::{InUse, Kpi, UnderFormula};
pub use measure::{Measure, Unit};
pub use parts::{Part, PartError};
pub use query::{
    Attribution, Column, Dimension, ExplainQuery, Explanation, Item, Query, QueryError, Role, Row, Running,
    Table, Term, Value, Variant, Versions,
};
pub use reference::EfficiencyTarget;
pub use site::daily::{DayRow, DayTable, DayUnit};
pub use weight::Weight;
