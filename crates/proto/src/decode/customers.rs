//! What happened to customers' files.

use pegcount_domain::{
    customer::{CustomerEvent, ValueKind},
    event::EventType,
    ids::ReasonCode,
    time::Micros,
};

use super::{DecodeError, Reader};
use crate::stored;

impl<N, F: FnMut(u32) -> Option<N>> Reader<F> {
    pub(super) fn customer_event(&mut self, payload: &[u8]) -> Result<CustomerEvent<N>, DecodeError> {
        Ok(match self.event_type {
            EventType::CUSTOMER_KEPT => {
                let m: stored::CustomerKept = self.message(payload)?;
                let references = self.values(&m.name_values)?;
                let kinds = m.kinds.iter().map(|kind| ValueKind::from_code(*kind));
                let kinds = kinds.collect::<Option<Vec<_>>>().filter(|kinds| kinds.len() == references.len());
                let kinds = kinds.ok_or_else(|| self.missing("a kind of each value"))?;
                CustomerEvent::Kept { values: references.into_iter().zip(kinds).collect() }
            }
            EventType::CUSTOMER_READ => {
                let m: stored::CustomerRead = self.message(payload)?;
                let purpose = self.required(m.name_purpose, "purpose", ReasonCode)?;
                CustomerEvent::Read { values: self.values(&m.name_values)?, purpose }
            }
            EventType::CUSTOMER_TIERED => {
                let m: stored::CustomerTiered = self.message(payload)?;
                CustomerEvent::Tiered { tier: self.required(m.name_tier, "tier", |name| name)? }
            }
            EventType::CUSTOMER_ACCESS_GRANTED => {
                let m: stored::CustomerAccessGranted = self.message(payload)?;
                let to = self.required(m.name_to, "to", |name| name)?;
                let purpose = self.required(m.name_purpose, "purpose", ReasonCode)?;
                CustomerEvent::AccessGranted { to, purpose, until: Micros(m.until_us) }
            }
            EventType::CUSTOMER_ACCESS_REVOKED => {
                let m: stored::CustomerAccessRevoked = self.message(payload)?;
                CustomerEvent::AccessRevoked { to: self.required(m.name_to, "to", |name| name)? }
            }
            EventType::CUSTOMER_ERASED => {
                let m: stored::CustomerErased = self.message(payload)?;
                CustomerEvent::Erased { reason: self.required(m.name_reason, "reason", ReasonCode)? }
            }
            other => return Err(DecodeError::UnknownType(other.0)),
        })
    }

    fn values(&mut self, ordinals: &[u32]) -> Result<Vec<N>, DecodeError> {
        ordinals.iter().map(|ordinal| self.required(*ordinal, "value", |name| name)).collect()
    }
}
