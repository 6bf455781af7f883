//! `ListCorrections`: what changed figures after their interval had closed, in pages.
//!
//! Invariant: pages are in the order of (cause, interval, measure), which never changes; a page goes on after the last
//! one that was given.

use pegcount_domain::{
    envelope::Position,
    time::{Interval, Micros, Span},
};
use pegcount_kpi::{Correction, Measure};
use pegcount_proto::v1;
use tonic::Status;

use super::{
    Room, incarnation_bytes,
    page::{self, Ties},
};
use crate::{
    access::Caller,
    options::{CORRECTIONS_DEFAULT, CORRECTIONS_MAX},
    status, wire,
};

/// What pages are ordered by.
type Key = (Position, Interval, Measure);

/// One page.
pub(super) async fn answer(
    room: &Room,
    caller: &Caller,
    mut request: v1::ListCorrectionsRequest,
) -> Result<v1::ListCorrectionsResponse, Status> {
    let limit = page::size(std::mem::take(&mut request.page_size), CORRECTIONS_DEFAULT, CORRECTIONS_MAX);
    let token = std::mem::take(&mut request.page_token);
    let ties = Ties::new(room.engine.incarnation(), &request);
    let after = ties.place(&token, read_key)?;
    let site = caller.site("site", &request.site)?;
    let from = request.from_us.map_or(Micros(i64::MIN), Micros);
    let to = request.to_us.map_or(Micros::MAX, Micros);
    if to <= from {
        return Err(status::invalid("to_us", format!("({to}) does not lie after from_us ({from})")));
    }
    let range = Span { start: from, end: to };
    let (all, position) = room.engine.kpi_corrections(&site, range).await.map_err(status::of)?;
    let (page, end) = page::cut(&all, after, limit, key);
    Ok(v1::ListCorrectionsResponse {
        next_page_token: end.map(|end| ties.token(&written(end))).unwrap_or_default(),
        corrections: page.into_iter().map(wire::correction).collect(),
        position: position.0,
        incarnation: incarnation_bytes(room.engine.incarnation()),
    })
}

fn key(correction: &Correction) -> Key {
    (correction.position, correction.interval, correction.measure)
}

fn written((position, interval, measure): Key) -> Vec<u8> {
    [&position.0.to_be_bytes()[..], &interval.0.to_be_bytes(), measure.name().as_bytes()].concat()
}

/// What a token says after its ties.
fn read_key(rest: &[u8]) -> Option<Key> {
    let (position, rest) = rest.split_first_chunk::<8>()?;
    let (interval, name) = rest.split_first_chunk::<4>()?;
    let measure = Measure::ALL.iter().find(|measure| measure.name().as_bytes() == name)?;
    Some((Position(u64::from_be_bytes(*position)), Interval(i32::from_be_bytes(*interval)), *measure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_nothing_else_does() {
        let there = (Position(41), Interval(-3), Measure::HandleAcw);
        assert_eq!(read_key(&written(there)), Some(there));
        assert_eq!(read_key(b"12345678 123no measure"), None);
    }
}
