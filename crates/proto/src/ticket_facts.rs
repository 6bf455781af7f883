//! What is known of a ticket, field by field: the contract's message and the domain's values.
//!
//! Invariant: what [`ticket_facts`] writes, [`check_ticket_facts`] reads as the same values, in the order of the message's fields and
//! attributes in that of their names.

use pegcount_domain::{
    ids::{CategoryId, CustomerId, TopicId},
    ticketing::{FieldValue, Severity, Urgency, Validity},
};

use crate::{
    checked::{FactError, coded, optional, required},
    v1,
};

/// The values that a message sets; what is empty is none.
pub fn check_ticket_facts(facts: &v1::TicketFacts) -> Result<Vec<FieldValue>, FactError> {
    let mut set = Vec::new();
    set.extend(optional(&facts.category, "category", CategoryId)?.map(FieldValue::Category));
    set.extend(optional(&facts.topic, "topic", TopicId)?.map(FieldValue::Topic));
    set.extend(coded(facts.severity, "severity", Severity::from_code)?.map(FieldValue::Severity));
    set.extend(coded(facts.urgency, "urgency", Urgency::from_code)?.map(FieldValue::Urgency));
    set.extend(coded(facts.validity, "validity", Validity::from_code)?.map(FieldValue::Validity));
    set.extend(optional(&facts.customer, "customer", CustomerId)?.map(FieldValue::Customer));
    set.extend(optional(&facts.tier, "tier", FieldValue::Tier)?);
    set.extend(optional(&facts.place, "place", FieldValue::Place)?);
    set.extend(optional(&facts.region, "region", FieldValue::Region)?);
    set.extend(optional(&facts.channel, "channel", FieldValue::Channel)?);
    let mut attributes: Vec<_> = facts.attributes.iter().collect();
    attributes.sort();
    for (key, value) in attributes {
        let name = required(key, "attributes", |name| name)?;
        let value = required(value, &format!("attributes[{key}]"), |value| value)?;
        set.push(FieldValue::Attribute { name, value });
    }
    Ok(set)
}

/// The message that sets these values; of several for one field the last.
pub fn ticket_facts(set: &[FieldValue]) -> v1::TicketFacts {
    let mut facts = v1::TicketFacts::default();
    for value in set {
        match value {
            FieldValue::Category(value) => facts.category = value.to_string(),
            FieldValue::Topic(value) => facts.topic = value.to_string(),
            FieldValue::Severity(value) => facts.severity = value.code().into(),
            FieldValue::Urgency(value) => facts.urgency = value.code().into(),
            FieldValue::Validity(value) => facts.validity = value.code().into(),
            FieldValue::Customer(value) => facts.customer = value.to_string(),
            FieldValue::Tier(value) => facts.tier = value.to_string(),
            FieldValue::Place(value) => facts.place = value.to_string(),
            FieldValue::Region(value) => facts.region = value.to_string(),
            FieldValue::Channel(value) => facts.channel = value.to_string(),
            FieldValue::Attribute { name, value } => {
                facts.attributes.insert(name.to_string(), value.to_string());
            }
        }
    }
    facts
}
