//! The words by which events say what kind of thing it was.

use crate::coded::coded;

coded! {
    /// The medium of a contact.
    Channel {
        /// A telephone call.
        Voice = 1 "voice",
        /// A web or in-app chat.
        Chat = 2 "chat",
        /// An e-mail conversation.
        Email = 3 "email",
        /// A messaging application.
        Messaging = 4 "messaging",
    }
}

coded! {
    /// Who began the contact.
    Direction {
        /// The customer.
        Inbound = 1 "inbound",
        /// We did.
        Outbound = 2 "outbound",
        /// Between our own people.
        Internal = 3 "internal",
    }
}

coded! {
    /// Who ended a leg or a contact.
    Party {
        /// The agent.
        Agent = 1 "agent",
        /// The customer.
        Customer = 2 "customer",
        /// The exchange or the network.
        System = 3 "system",
    }
}

coded! {
    /// How a leg was passed on.
    TransferKind {
        /// Unannounced.
        Cold = 1 "cold",
        /// After speaking to the receiver.
        Warm = 2 "warm",
    }
}

coded! {
    /// What a supervisor does on somebody's contact.
    Supervision {
        /// Hears, unheard.
        Listen = 1 "listen",
        /// Speaks to the agent only.
        Whisper = 2 "whisper",
        /// Joins.
        Barge = 3 "barge",
        /// Takes over.
        Takeover = 4 "takeover",
    }
}

coded! {
    /// Why a queue visit ended. From [`QueueExit::Overflow`] on it is a flow-out.
    QueueExit {
        /// An agent took it.
        Answered = 1 "answered",
        /// The customer gave up.
        Abandoned = 2 "abandoned",
        /// The customer will be called back.
        CallbackTaken = 3 "callback_taken",
        /// Queue too long.
        Overflow = 4 "overflow",
        /// Waited too long.
        Timeout = 5 "timeout",
        /// Queue closed.
        Closed = 6 "closed",
        /// No place left.
        Full = 7 "full",
        /// Nobody signed in on arrival.
        JoinEmpty = 8 "join_empty",
        /// Last agent left.
        LeaveEmpty = 9 "leave_empty",
        /// Moved to another queue.
        Transferred = 10 "transferred",
        /// Answered in another queue.
        AnsweredElsewhere = 11 "answered_elsewhere",
        /// Counted as abandoned in another queue.
        AbandonedElsewhere = 12 "abandoned_elsewhere",
        /// Fault.
        System = 13 "system",
    }
}
