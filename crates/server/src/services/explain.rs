//! `ExplainKpi`: one figure, its formula in numbers, its items in pages.
//!
//! Invariant: all pages count open work to the first page's instant, and say so when the fold has moved on meanwhile.

use pegcount_domain::{envelope::Position, ids::Name, time::Micros};
use pegcount_kpi::{Dimension, ExplainQuery};
use pegcount_proto::v1;
use tonic::Status;

use super::{
    Room,
    kpi::query,
    kpi_table::dimension,
    page::{self, Ties},
};
use crate::{
    access::Caller,
    fields,
    options::{EXPLAIN_ITEMS_DEFAULT, EXPLAIN_ITEMS_MAX},
    status, wire,
};

/// Where the next page begins, and what the first one stood on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    position: Position,
    as_of: Micros,
    skip: usize,
}

/// One page.
pub(super) async fn answer(
    room: &Room,
    caller: &Caller,
    mut request: v1::ExplainKpiRequest,
) -> Result<v1::ExplainKpiResponse, Status> {
    let limit = page::size(std::mem::take(&mut request.page_size), EXPLAIN_ITEMS_DEFAULT, EXPLAIN_ITEMS_MAX);
    let token = std::mem::take(&mut request.page_token);
    let ties = Ties::new(room.engine.incarnation(), &request);
    let before = ties.place(&token, place)?;
    let range = request.query.ok_or_else(|| status::invalid("query", "is missing; it is required"))?;
    if !range.by.is_empty() {
        return Err(status::invalid("query.by", "is not empty; say the row's values in `cell` instead"));
    }
    let moment = room.moment(&range).await?;
    let as_of = before.map_or(moment.as_of, |before| before.as_of);
    let asked = ExplainQuery {
        query: query(caller, &range, as_of)?,
        cell: cell(&request.cell)?,
        column: request.column,
        skip: before.map_or(0, |before| before.skip),
        limit,
    };
    room.reach(Position(range.min_position)).await?;
    let skip = asked.skip;
    let explained = room.engine.explain(asked, moment.known).await.map_err(status::of)?;
    let (explanation, first) = (&explained.explanation, before.map(|before| before.position));
    let next = skip.saturating_add(explanation.items.len());
    let more = !explanation.items.is_empty() && next < explanation.count;
    let place = Place { position: first.unwrap_or(explanation.position), as_of, skip: next };
    Ok(v1::ExplainKpiResponse {
        moved_on: first.is_some_and(|first| first != explanation.position),
        next_page_token: if more { ties.token(&place.bytes()) } else { bytes::Bytes::new() },
        ..wire::explanation(&explained, room.engine.incarnation())
    })
}

/// The row: each dimension once, none of them a time.
fn cell(values: &[v1::CellValue]) -> Result<Vec<(Dimension, Option<Name>)>, Status> {
    let mut cell: Vec<(Dimension, Option<Name>)> = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let field = format!("cell[{index}]");
        let dimension = dimension(&format!("{field}.dimension"), value.dimension)?;
        if dimension.is_time() {
            let reason = format!("is {dimension}, a time; say it by from_us and to_us");
            return Err(status::invalid(&format!("{field}.dimension"), reason));
        }
        if cell.iter().any(|(known, _)| *known == dimension) {
            let reason = format!("is {dimension}, which was said before; say it once");
            return Err(status::invalid(&format!("{field}.dimension"), reason));
        }
        cell.push((dimension, fields::optional(&format!("{field}.value"), &value.value)?));
    }
    Ok(cell)
}

impl Place {
    fn bytes(self) -> Vec<u8> {
        let skip = u64::try_from(self.skip).unwrap_or(u64::MAX);
        let (position, as_of) = (self.position.0.to_be_bytes(), self.as_of.0.to_be_bytes());
        [position, as_of, skip.to_be_bytes()].concat()
    }
}

/// What a token says after its ties.
fn place(rest: &[u8]) -> Option<Place> {
    let (fields, over) = rest.as_chunks::<8>();
    let ([position, as_of, skip], []) = (fields, over) else { return None };
    Some(Place {
        position: Position(u64::from_be_bytes(*position)),
        as_of: Micros(i64::from_be_bytes(*as_of)),
        skip: usize::try_from(u64::from_be_bytes(*skip)).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_nothing_else_does() {
        let there = Place { position: Position(41), as_of: Micros(-5), skip: 200 };
        assert_eq!(place(&there.bytes()), Some(there));
        assert_eq!(place(&there.bytes()[1..]), None);
    }
}
