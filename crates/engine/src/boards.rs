//! Placeholder: views of agents, contacts and tickets (being written).
