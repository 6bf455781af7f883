//! `ListAnomalies`: facts that the rules do not allow, and reports that differ, in pages.
//!
//! Invariant: pages are in the order of (position, kind), which never changes; a page goes on after the last one that was
//! given.

use pegcount_domain::envelope::Position;
use pegcount_kpi::{Anomaly, AnomalyKind};
use pegcount_proto::v1;
use tonic::Status;

use super::{
    Room, incarnation_bytes,
    page::{self, Ties},
};
use crate::{
    access::Caller,
    options::{ANOMALIES_DEFAULT, ANOMALIES_MAX},
    status, wire,
};

/// One page.
pub(super) async fn answer(
    room: &Room,
    caller: &Caller,
    mut request: v1::ListAnomaliesRequest,
) -> Result<v1::ListAnomaliesResponse, Status> {
    let limit = page::size(std::mem::take(&mut request.page_size), ANOMALIES_DEFAULT, ANOMALIES_MAX);
    let token = std::mem::take(&mut request.page_token);
    let ties = Ties::new(room.engine.incarnation(), &request);
    let after = ties.place(&token, read_place)?;
    let site = caller.site("site", &request.site)?;
    if !request.kind.is_empty() && !AnomalyKind::words().contains(&request.kind.as_str()) {
        let known = AnomalyKind::words().join(", ");
        return Err(status::invalid("kind", format!("is `{}`, which is not one of {known}", request.kind)));
    }
    let (mut all, position) = room.engine.anomalies(&site).await.map_err(status::of)?;
    all.retain(|one| request.kind.is_empty() || one.kind.word() == request.kind);
    let (page, end) = page::cut(&all, after, limit, place);
    let events = room.engine.events_of(page.iter().map(|one| one.position)).await.map_err(status::of)?;
    Ok(v1::ListAnomaliesResponse {
        next_page_token: end.map(|end| ties.token(&written(end))).unwrap_or_default(),
        anomalies: page.iter().map(|one| wire::anomaly(one, events.get(&one.position))).collect(),
        count: u64::try_from(all.len()).unwrap_or(u64::MAX),
        position: position.0,
        incarnation: incarnation_bytes(room.engine.incarnation()),
    })
}

/// Marks of one fact lie in the order of their kinds.
fn place(anomaly: &Anomaly) -> (Position, AnomalyKind) {
    (anomaly.position, anomaly.kind)
}

fn written((position, kind): (Position, AnomalyKind)) -> Vec<u8> {
    [&position.0.to_be_bytes()[..], &kind.code().to_be_bytes()].concat()
}

/// What a token says after its ties.
fn read_place(rest: &[u8]) -> Option<(Position, AnomalyKind)> {
    let (position, kind) = rest.split_first_chunk::<8>()?;
    let kind = AnomalyKind::from_code(u32::from_be_bytes(kind.try_into().ok()?))?;
    Some((Position(u64::from_be_bytes(*position)), kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_nothing_else_does() {
        let there = (Position(41), AnomalyKind::ReportsDiffer);
        assert_eq!(read_place(&written(there)), Some(there));
        assert_eq!(read_place(b"12345678"), None);
        assert_eq!(read_place(b"123456789999"), None);
    }
}
