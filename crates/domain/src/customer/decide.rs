//! What comes of what is asked for, and why not.

use crate::{
    customer::{
        event::{CustomerEvent, ValueKind},
        file::CustomerFile,
    },
    ids::{Name, ReasonCode},
    time::{Micros, Shown},
};

/// The most sealed values of a customer.
pub const VALUES_MAX: usize = 1_000;
/// The most values that are read at once.
pub const READ_MAX: usize = 100;
/// The most principals who may read a customer's file at once.
pub const GRANTS_MAX: usize = 100;
/// The longest that a grant lasts: 90 days.
pub const GRANT_MAX: Micros = Micros(90 * 24 * 3_600 * 1_000_000);

/// Who wants to read.
#[derive(Debug, PartialEq, Eq)]
pub struct Reader<'a, N = Name> {
    /// The principal.
    pub name: &'a N,
    /// It keeps personal data for a living, and needs no grant.
    pub is_steward: bool,
    /// It answers for an open ticket of the customer, and needs no grant while it does.
    pub answers_for_ticket: bool,
}

// Whatever the name is, this only refers to it.
impl<N> Clone for Reader<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Reader<'_, N> {}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CustomerRefusal<N: std::fmt::Display = Name> {
    /// It is over.
    #[error("the customer was erased at {} by {by}; nothing can be read, kept or granted any more", Shown(*.at))]
    Erased {
        /// When.
        at: Micros,
        /// By whom.
        by: N,
    },
    /// No leave to read.
    #[error(
        "{who} has no access to this customer's file now; ask a data steward for it, with the purpose {purpose}"
    )]
    NoAccess {
        /// Who asked.
        who: N,
        /// What for.
        purpose: N,
    },
    /// Leave for something else.
    #[error("{who} may read this customer's file for {granted} until {}, not for {purpose}; name that purpose, or ask a data steward", Shown(*.until))]
    OtherPurpose {
        /// Who asked.
        who: N,
        /// What the grant is for.
        granted: N,
        /// How long.
        until: Micros,
        /// What for.
        purpose: N,
    },
    /// A value of somebody else, or of nobody.
    #[error("{0} is no value of this customer's file; take references as the file gives them")]
    NotInFile(N),
    /// Nothing was named.
    #[error("no value is named; name 1 to {limit}")]
    Nothing {
        /// How many may be.
        limit: usize,
    },
    /// Over a limit.
    #[error("there would be {actual} {what}; the limit is {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        actual: usize,
        /// How many may be.
        limit: usize,
    },
    /// A grant that has ended when it begins.
    #[error("access until {} has ended already; give a time to come", Shown(*.0))]
    Past(Micros),
    /// A grant for too long.
    #[error("access until {} lasts over {} days; give it for less and renew it", Shown(*.0), GRANT_MAX.0 / 86_400_000_000)]
    TooLong(Micros),
    /// Nothing to take back.
    #[error("{0} has no access to this customer's file; there is nothing to take back")]
    NotGranted(N),
}

type Decided<N> = Result<Option<CustomerEvent<N>>, CustomerRefusal<N>>;

/// Values were sealed: they come into the file.
pub fn decide_keep<N: Clone + Eq + std::fmt::Display>(
    file: &CustomerFile<N>,
    values: &[(N, ValueKind)],
) -> Decided<N> {
    check_kept(file)?;
    let actual = file.values.len() + values.len();
    if actual > VALUES_MAX {
        return Err(CustomerRefusal::TooMany {
            what: "sealed values of one customer",
            actual,
            limit: VALUES_MAX,
        });
    }
    Ok((!values.is_empty()).then(|| CustomerEvent::Kept { values: values.to_vec() }))
}

/// Somebody wants to read sealed values of the file.
pub fn decide_read<N: Clone + Eq + std::fmt::Display>(
    file: &CustomerFile<N>,
    reader: Reader<'_, N>,
    values: &[N],
    purpose: &ReasonCode<N>,
    now: Micros,
) -> Decided<N> {
    let look = decide_look(file, reader, values, purpose, now)?;
    if values.is_empty() {
        return Err(CustomerRefusal::Nothing { limit: READ_MAX });
    }
    match values.iter().find(|value| !file.holds(value)) {
        Some(stranger) => Err(CustomerRefusal::NotInFile(stranger.clone())),
        None => Ok(look),
    }
}

/// Somebody wants to read what is told of the customer elsewhere: sealed texts of tickets, or, without values, all contacts and tickets.
pub fn decide_look<N: Clone + Eq + std::fmt::Display>(
    file: &CustomerFile<N>,
    reader: Reader<'_, N>,
    values: &[N],
    purpose: &ReasonCode<N>,
    now: Micros,
) -> Decided<N> {
    check_access(file, reader, purpose, now)?;
    check_count(values)?;
    Ok(Some(CustomerEvent::Read { values: values.to_vec(), purpose: purpose.clone() }))
}

fn check_count<N: std::fmt::Display>(values: &[N]) -> Result<(), CustomerRefusal<N>> {
    if values.len() > READ_MAX {
        return Err(CustomerRefusal::TooMany {
            what: "values read at once",
            actual: values.len(),
            limit: READ_MAX,
        });
    }
    Ok(())
}

fn check_access<N: Clone + Eq + std::fmt::Display>(
    file: &CustomerFile<N>,
    reader: Reader<'_, N>,
    purpose: &ReasonCode<N>,
    now: Micros,
) -> Result<(), CustomerRefusal<N>> {
    check_kept(file)?;
    match file.grant(reader.name, now) {
        _ if reader.is_steward || reader.answers_for_ticket => {}
        Some(grant) if grant.purpose == *purpose => {}
        Some(grant) => {
            return Err(CustomerRefusal::OtherPurpose {
                who: reader.name.clone(),
                granted: grant.purpose.0.clone(),
                until: grant.until,
                purpose: purpose.0.clone(),
            });
        }
        None => {
            let (who, purpose) = (reader.name.clone(), purpose.0.clone());
            return Err(CustomerRefusal::NoAccess { who, purpose });
        }
    }
    Ok(())
}

/// The customer's tier is to be this.
pub fn decide_tier<N: Clone + Eq + std::fmt::Display>(file: &CustomerFile<N>, tier: N) -> Decided<N> {
    check_kept(file)?;
    Ok((file.tier.as_ref() != Some(&tier)).then_some(CustomerEvent::Tiered { tier }))
}

/// `to` is to be able to read the file until `until`. A new grant takes the place of the one before.
pub fn decide_grant<N: Clone + Eq + std::fmt::Display>(
    file: &CustomerFile<N>,
    to: N,
    purpose: ReasonCode<N>,
    until: Micros,
    now: Micros,
) -> Decided<N> {
    check_kept(file)?;
    if until <= now {
        return Err(CustomerRefusal::Past(until));
    }
    if until.minus(now) > GRANT_MAX {
        return Err(CustomerRefusal::TooLong(until));
    }
    let others = file.grants.iter().filter(|grant| grant.to != to && now < grant.until).count();
    if others >= GRANTS_MAX {
        let what = "principals with access to one customer's file";
        return Err(CustomerRefusal::TooMany { what, actual: others + 1, limit: GRANTS_MAX });
    }
    Ok(Some(CustomerEvent::AccessGranted { to, purpose, until }))
}

/// `to` is not to read the file any more.
pub fn decide_revoke<N: Clone + Eq + std::fmt::Display>(
    file: &CustomerFile<N>,
    to: N,
    now: Micros,
) -> Decided<N> {
    check_kept(file)?;
    match file.grant(&to, now) {
        Some(_) => Ok(Some(CustomerEvent::AccessRevoked { to })),
        None => Err(CustomerRefusal::NotGranted(to)),
    }
}

/// The customer is to be erased; nothing if it has been.
pub fn decide_erase<N>(file: &CustomerFile<N>, reason: ReasonCode<N>) -> Option<CustomerEvent<N>> {
    file.erased.is_none().then_some(CustomerEvent::Erased { reason })
}

fn check_kept<N: Clone + std::fmt::Display>(file: &CustomerFile<N>) -> Result<(), CustomerRefusal<N>> {
    match &file.erased {
        Some((at, by)) => Err(CustomerRefusal::Erased { at: *at, by: by.clone() }),
        None => Ok(()),
    }
}
