//! What tells one watched question from another.
//!
//! Invariant: the same for equal questions to the same program, before and after a restart.

use pegcount_domain::{ids::Key, time::Micros};
use pegcount_kpi::{Query, describe};

/// Equal for equal questions to the same program, whatever instant they were asked at.
pub(super) fn question(query: &Query) -> Key {
    let Query {
        site,
        from,
        to,
        by,
        attribution,
        time_zone,
        as_of: _,
        queues,
        agents,
        columns,
        last,
        formula_version,
        variant,
    } = query;
    let range = if last.is_some() { (Micros::ZERO, Micros::ZERO) } else { (*from, *to) };
    let zone = time_zone.iana_name().map_or_else(|| format!("{time_zone:?}"), str::to_owned);
    let columns = if columns.is_empty() {
        describe().iter().map(|column| column.name.to_owned()).collect()
    } else {
        columns.clone()
    };
    let asked = format!(
        "{formula_version:?} {variant:?} {site:?} {range:?} {last:?} {by:?} {attribution:?} {zone} {queues:?} {agents:?} {columns:?}"
    );
    Key::of(&asked, 0)
}
