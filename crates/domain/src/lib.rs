//! Agents, contacts and tickets: the rules of a contact centre as pure functions.
//!
//! No clock, no socket, no disk, no async: time comes in as an argument. Everything else in the workspace depends
//! on this crate; it depends on nothing of it.
//!
//! - [`ids`]: names and the typed ids made of them
//! - [`time`]: instants, spans and the 15-minute grid
//! - [`event`]: every event that the log can hold
//! - [`envelope`]: what surrounds an event: position, stream, times, actor, source
//! - [`definitions`]: all reference data as of any instant; [`allowance`]: the site's zone, and what agents are
//!   allowed on a day; [`authority`]: who is believed for which field of a leg
//! - [`agent`]: the agent's session, intent, slots and clock
//! - [`contact`]: a contact's visits, legs, customer and matter; [`customer`]: a customer's file
//! - [`formula`], [`target`], [`calendar`]: the versioned formula, targets, working calendars, as data
//! - [`working`]: reckoning in working time
//! - [`ticketing`]: tickets, their lifecycle and rules; [`deadlines`]: their targets in time

pub mod agent;
pub mod allowance;
pub mod authority;
pub mod calendar;
mod coded;
pub mod contact;
pub mod customer;
pub mod deadlines;
pub mod definitions;
pub mod envelope;
pub mod event;
pub mod formula;
pub mod ids;
mod reference;
pub mod small;
pub mod target;
pub mod ticketing;
pub mod time;
pub mod working;
