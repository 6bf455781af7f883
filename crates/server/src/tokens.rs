//! Tokens: HS256 JWTs that say who speaks, signed with a key that lives in the data folder.
//!
//! Not for what a principal may do: that is `access`. Invariant: a token that verifies was made with this folder's
//! key and has not expired (by the machine's clock, not by the engine's, which may be scaled).

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use parking_lot::RwLock;
use pegcount_domain::ids::{AgentId, Name, SiteId};
use serde::{Deserialize, Serialize};

use crate::{
    error::ServeError,
    files,
    principal::{Principal, Role, Sites},
};

/// The file of the key, in the data folder.
pub const KEY_FILE: &str = "token.key";
/// The file of the local administrator's token, in the data folder.
pub const LOCAL_TOKEN_FILE: &str = "local-token";
/// The key's length, bytes.
const KEY_BYTES: usize = 32;
/// How long the local token is good for; a start after half of it makes a new one.
const LOCAL_VALID_FOR: Duration = Duration::from_hours(400 * 24);
/// How many tokens are remembered that were found good, so that a source's calls do not pay for its token each.
const KNOWN_MAX: usize = 4_096;
/// The name of whoever uses the local token.
const LOCAL_NAME: Name = Name::fixed("local administrator");

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: String,
    role: String,
    site: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    exp: u64,
}

/// Why a token was not accepted; each says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("there is no token: send the header `authorization: Bearer <token>`")]
    Missing,
    #[error("the authorization header is not of the form `Bearer <token>`")]
    Scheme,
    #[error("the token has expired: ask an administrator for a new one")]
    Expired,
    #[error(
        "the token was not made by this server ({reason}): use one made with `pegcount token` for this data folder"
    )]
    Foreign { reason: String },
    #[error("the token's claims make no principal ({reason}): ask an administrator for a new one")]
    Claims { reason: String },
}

/// A principal, and until when its token is good.
#[derive(Clone, Debug)]
pub(crate) struct Verified {
    pub(crate) principal: Principal,
    /// Seconds since 1970.
    pub(crate) expires_at: u64,
}

/// The key of one data folder's tokens.
pub(crate) struct TokenKeys {
    sign: EncodingKey,
    verify: DecodingKey,
    validation: Validation,
    /// Tokens that were found good, by their text.
    known: RwLock<HashMap<Box<str>, Verified>>,
}

impl TokenKeys {
    /// The folder's key; on first use it is made.
    pub(crate) fn open(data_dir: &Path) -> Result<Self, ServeError> {
        let path = data_dir.join(KEY_FILE);
        let key = match files::read_if_there(&path)? {
            Some(key) if key.len() == KEY_BYTES => key,
            Some(key) => return Err(ServeError::KeyLength { path, bytes: key.len(), expected: KEY_BYTES }),
            None => {
                let mut key = vec![0; KEY_BYTES];
                getrandom::fill(&mut key)
                    .map_err(|error| ServeError::NoRandomness { reason: error.to_string() })?;
                files::write_private(&path, &key)?;
                key
            }
        };
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_aud = false;
        validation.set_required_spec_claims(&["exp", "sub"]);
        let (sign, verify) = (EncodingKey::from_secret(&key), DecodingKey::from_secret(&key));
        Ok(Self { sign, verify, validation, known: RwLock::default() })
    }

    /// A token for `principal`, good for `valid_for` from now on.
    pub(crate) fn mint(&self, principal: &Principal, valid_for: Duration) -> Result<String, ServeError> {
        let claims = Claims {
            sub: principal.name().as_str().to_owned(),
            role: principal.role().word().to_owned(),
            site: principal.sites().to_string(),
            agent: principal.agent().map(|agent| agent.as_str().to_owned()),
            exp: unix_seconds().saturating_add(valid_for.as_secs()),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.sign)
            .map_err(|error| ServeError::Token { reason: error.to_string() })
    }

    /// The principal of an `authorization` header's value.
    pub(crate) fn verify_header(&self, header: Option<&str>) -> Result<Verified, TokenError> {
        let (scheme, token) = header.ok_or(TokenError::Missing)?.split_once(' ').ok_or(TokenError::Scheme)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(TokenError::Scheme);
        }
        let token = token.trim();
        let known = self.known.read().get(token).cloned();
        if let Some(known) = known
            && known.expires_at > unix_seconds()
        {
            return Ok(known);
        }
        let verified = self.verify(token)?;
        let mut known = self.known.write();
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(token.into(), verified.clone());
        Ok(verified)
    }

    fn verify(&self, token: &str) -> Result<Verified, TokenError> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.verify, &self.validation)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => TokenError::Expired,
                _ => TokenError::Foreign { reason: error.to_string() },
            })?
            .claims;
        let expires_at = claims.exp;
        // RFC 7519 §4.1.4: not on or after that second; the library takes the second itself.
        if expires_at <= unix_seconds() {
            return Err(TokenError::Expired);
        }
        let principal = claims.principal().map_err(|reason| TokenError::Claims { reason })?;
        Ok(Verified { principal, expires_at })
    }

    /// The local administrator's token for all sites, kept in the folder; made anew when it is old or of no use.
    pub(crate) fn local(&self, data_dir: &Path) -> Result<String, ServeError> {
        let path = data_dir.join(LOCAL_TOKEN_FILE);
        let kept = files::read_if_there(&path)?.and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(token) = kept.as_deref().map(str::trim) {
            let half = unix_seconds().saturating_add(LOCAL_VALID_FOR.as_secs() / 2);
            if self.verify(token).is_ok_and(|known| known.expires_at > half) {
                return Ok(token.to_owned());
            }
        }
        let principal = Principal::new(LOCAL_NAME, Role::Administrator, Sites::All, None)
            .map_err(|error| ServeError::Token { reason: error.to_string() })?;
        let token = self.mint(&principal, LOCAL_VALID_FOR)?;
        files::write_private(&path, token.as_bytes())?;
        Ok(token)
    }
}

impl Claims {
    fn principal(self) -> Result<Principal, String> {
        let name = |field: &str, text: &str| Name::new(text).map_err(|error| format!("{field} {error}"));
        let role = Role::from_word(&self.role).ok_or_else(|| format!("role {:?} is unknown", self.role))?;
        let sites = if self.site == "*" { Sites::All } else { Sites::One(SiteId(name("site", &self.site)?)) };
        let agent = self.agent.map(|agent| name("agent", &agent).map(AgentId)).transpose()?;
        Principal::new(name("sub", &self.sub)?, role, sites, agent).map_err(|error| error.to_string())
    }
}

/// Makes a token for `principal`, good for `valid_for`, signed with the key of `data_dir` (which is made if it is not
/// there yet).
pub fn mint(data_dir: &Path, principal: &Principal, valid_for: Duration) -> Result<String, ServeError> {
    TokenKeys::open(data_dir)?.mint(principal, valid_for)
}

/// The local administrator's token of `data_dir`; none if no server has started there on loopback.
pub fn local(data_dir: &Path) -> Result<Option<String>, ServeError> {
    let path: PathBuf = data_dir.join(LOCAL_TOKEN_FILE);
    let bytes = files::read_if_there(&path)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()))
}

/// The machine's clock, seconds since 1970.
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent_seven() -> Principal {
        let (site, agent) = (SiteId(Name::fixed("north")), AgentId(Name::fixed("7")));
        Principal::new(Name::fixed("softphone 7"), Role::Agent, Sites::One(site), Some(agent)).unwrap()
    }

    #[test]
    fn a_token_says_again_who_it_was_made_for() {
        let dir = tempfile::tempdir().unwrap();
        let token = mint(dir.path(), &agent_seven(), Duration::from_mins(1)).unwrap();
        let keys = TokenKeys::open(dir.path()).unwrap();
        let verified = keys.verify_header(Some(&format!("Bearer {token}"))).unwrap();
        assert_eq!(verified.principal, agent_seven());
    }

    #[test]
    fn a_token_of_another_folder_an_expired_one_and_none_are_refused_each_in_its_own_words() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let keys = TokenKeys::open(here.path()).unwrap();
        let foreign = mint(there.path(), &agent_seven(), Duration::from_mins(1)).unwrap();
        assert!(matches!(keys.verify(&foreign), Err(TokenError::Foreign { .. })));
        let old = Claims {
            sub: "p".into(),
            role: "analyst".into(),
            site: "*".into(),
            agent: None,
            exp: unix_seconds() - 1,
        };
        let old = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &old, &keys.sign).unwrap();
        assert_eq!(keys.verify(&old).unwrap_err(), TokenError::Expired);
        assert_eq!(keys.verify_header(None).unwrap_err(), TokenError::Missing);
        assert_eq!(keys.verify_header(Some("Basic abc")).unwrap_err(), TokenError::Scheme);
    }

    #[test]
    fn a_token_that_is_known_expires_all_the_same_and_no_other_passes_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let keys = TokenKeys::open(dir.path()).unwrap();
        let token = keys.mint(&agent_seven(), Duration::from_mins(1)).unwrap();
        let header = format!("Bearer {token}");
        let first = keys.verify_header(Some(&header)).unwrap();
        assert_eq!(keys.verify_header(Some(&header)).unwrap().principal, first.principal);
        assert!(matches!(
            keys.verify_header(Some(&header[..header.len() - 1])),
            Err(TokenError::Foreign { .. })
        ));

        keys.known.write().values_mut().for_each(|known| known.expires_at = unix_seconds());
        // It is good still, so it is looked at anew.
        assert_eq!(keys.verify_header(Some(&header)).unwrap().expires_at, first.expires_at);

        let past = Claims {
            sub: "p".into(),
            role: "analyst".into(),
            site: "*".into(),
            agent: None,
            exp: unix_seconds() - 1,
        };
        let past = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &past, &keys.sign).unwrap();
        let stale = Verified { expires_at: unix_seconds() - 1, ..first };
        keys.known.write().insert(past.clone().into(), stale);
        assert_eq!(keys.verify_header(Some(&format!("Bearer {past}"))).unwrap_err(), TokenError::Expired);
    }

    #[test]
    fn the_memory_of_tokens_has_a_bound() {
        let dir = tempfile::tempdir().unwrap();
        let keys = TokenKeys::open(dir.path()).unwrap();
        let token = keys.mint(&agent_seven(), Duration::from_mins(1)).unwrap();
        let verified = keys.verify(&token).unwrap();
        let others = (0..KNOWN_MAX).map(|number| (number.to_string().into(), verified.clone()));
        keys.known.write().extend(others);
        keys.verify_header(Some(&format!("Bearer {token}"))).unwrap();
        assert_eq!(keys.known.read().len(), 1);
    }

    #[test]
    fn a_token_signed_by_no_one_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let keys = TokenKeys::open(dir.path()).unwrap();
        // {"alg":"none"} . {"sub":"p","role":"administrator","site":"*","exp":4102444800} . no signature
        let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJwIiwicm9sZSI6ImFkbWluaXN0cmF0b3IiLCJzaXRlIjoiKiIsImV4cCI6NDEwMjQ0NDgwMH0.";
        assert!(matches!(keys.verify(unsigned), Err(TokenError::Foreign { .. })));
    }

    #[test]
    fn the_local_token_stays_the_same_from_start_to_start() {
        let dir = tempfile::tempdir().unwrap();
        let first = TokenKeys::open(dir.path()).unwrap().local(dir.path()).unwrap();
        let second = TokenKeys::open(dir.path()).unwrap().local(dir.path()).unwrap();
        assert_eq!(first, second);
        assert_eq!(local(dir.path()).unwrap(), Some(first));
    }

    #[test]
    fn a_key_file_of_another_length_is_named_and_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(KEY_FILE), b"short").unwrap();
        let error = TokenKeys::open(dir.path()).err().unwrap().to_string();
        assert!(error.contains("holds 5 bytes; the key of the tokens has 32"), "{error}");
    }
}
