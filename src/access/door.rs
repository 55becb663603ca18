//! The door: who is let in, by the first credential that is shown and that a mode takes, and whose panel may open.

use std::net::IpAddr;

use chrono::{DateTime, Utc};

use super::api_key::ApiKeys;
use super::caller::{Admission, Caller, Claim, ClaimedBy, Knock, Once};
use super::denied::Denied;
use super::mint::{MintError, NewPass};
use super::network::{Networks, client_address};
use super::once::UsedPasses;
use super::pass::Bound;
use super::pass_keys::PassKeys;
use super::scope::Scope;
use super::settings::{Mode, Settings, UnusableFile};
use crate::operators::{OperatorMap, Operators, Roster, Unfound, Whom};
use crate::reload::{Files, Reloading, Report};
use crate::secret::Secret;

/// The door.
pub struct Access {
    pub(super) modes: Vec<Mode>,
    pub(super) pass_keys: Option<Reloading<PassKeys>>,
    api_keys: Option<Reloading<ApiKeys>>,
    proxy_secret: Option<Reloading<Secret>>,
    operators: Reloading<OperatorMap>,
    auto: bool,
    allowed_networks: Networks,
    trusted_proxies: Networks,
    used: UsedPasses,
}

impl Access {
    /// Reads the files and hangs the door.
    pub fn new(settings: Settings) -> Result<Self, UnusableFile> {
        let pass_keys = settings
            .pass_keys
            .map(|sources| load(sources.variable(), move |files| sources.read(files)))
            .transpose()?;
        let api_keys = settings
            .api_keys_file
            .map(|path| load("API_KEYS_FILE", move |files| ApiKeys::read(files, &path)))
            .transpose()?;
        let proxy_secret = settings
            .sso_proxy_secret
            .map(|source| load("SSO_PROXY_SECRET", move |files| files.secret(&source)))
            .transpose()?;
        let operators = match settings.operator_map_file {
            None => Reloading::fixed("OPERATOR_MAP_FILE", OperatorMap::default()),
            Some(path) => load("OPERATOR_MAP_FILE", move |files| {
                OperatorMap::parse(&files.read(&path)?)
                    .map_err(|error| format!("the file {}: {error}", path.display()))
            })?,
        };
        Ok(Self {
            modes: settings.modes,
            pass_keys,
            api_keys,
            proxy_secret,
            operators,
            auto: settings.operator_auto,
            allowed_networks: settings.allowed_networks,
            trusted_proxies: settings.trusted_proxies,
            used: UsedPasses::default(),
        })
    }

    /// The ways to be let in.
    pub fn modes(&self) -> &[Mode] {
        &self.modes
    }

    /// Whether anyone is let in.
    pub fn is_open(&self) -> bool {
        self.modes.contains(&Mode::Open)
    }

    /// Whether this peer is a proxy whose word counts.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted_proxies.contain(peer.to_canonical())
    }

    /// The address that a request comes from.
    pub fn client_address<'a>(
        &self,
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a str>,
    ) -> IpAddr {
        client_address(peer, forwarded, &self.trusted_proxies)
    }

    /// Turns away who comes from elsewhere.
    pub fn check_network(&self, client: IpAddr) -> Result<(), Denied> {
        if self.allowed_networks.is_empty() || self.allowed_networks.contain(client) {
            Ok(())
        } else {
            Err(Denied::NetworkNotAllowed)
        }
    }

    /// Decides who is calling, by the first credential that is shown and that a mode takes.
    pub fn admit<'a>(&self, knock: &Knock<'a>) -> Result<Admission<'a>, Denied> {
        let has = |mode| self.modes.contains(&mode);
        // A JWT has two dots, and an API key of ours is better without.
        let bearer_pass = knock.bearer.filter(|text| text.matches('.').count() == 2);
        if has(Mode::Pass)
            && let Some(pass) = knock.pass.or(bearer_pass)
        {
            return self.admit_by_pass(pass, knock);
        }
        if has(Mode::Key)
            && let Some(key) = knock.bearer
        {
            return self.admit_back_end(Some(key), knock.operator);
        }
        if has(Mode::Sso)
            && knock.is_from_proxy
            && let Some(identity) = knock.identity
        {
            return self.admit_by_identity(identity, knock);
        }
        if has(Mode::Open) {
            return by_url(Caller::Anyone, knock.operator, Scope::default());
        }
        Err(if has(Mode::Pass) {
            Denied::PassMissing
        } else if has(Mode::Sso) {
            Denied::IdentityMissing
        } else {
            Denied::ApiKeyInvalid
        })
    }

    /// The back end that shows this API key.
    pub fn admit_back_end<'a>(
        &self,
        key: Option<&str>,
        operator: Option<&'a str>,
    ) -> Result<Admission<'a>, Denied> {
        let keys = self
            .api_keys
            .as_ref()
            .filter(|_| self.modes.contains(&Mode::Key));
        let keys = keys.ok_or(Denied::ApiKeyInvalid)?.get();
        let key = keys
            .find(key.unwrap_or_default())
            .ok_or(Denied::ApiKeyInvalid)?;
        by_url(
            Caller::Key(key.name.clone()),
            operator,
            key.operators.clone(),
        )
    }

    /// Whose panel may open, by what is known of the operators at this moment.
    pub fn whom(&self, claim: &Claim<'_>, roster: Option<&Roster>) -> Result<Whom, Denied> {
        let map = self.operators.get();
        let operators = Operators {
            map: &map,
            roster,
            auto: self.auto,
        };
        let named = claim.named.map(|named| operators.named(named));
        let (whom, contradiction) = match &claim.by {
            ClaimedBy::Url => (named.clone().ok_or(Denied::OperatorMissing)?, None),
            ClaimedBy::Pass(text) => (operators.named(text), Some(Denied::PassMismatch)),
            ClaimedBy::Identity(text) => {
                (operators.identified(text), Some(Denied::OperatorNotAllowed))
            }
        };
        let whom = whom?;
        if !claim.scope.contains(&whom, operators)? {
            return Err(Denied::OperatorNotAllowed);
        }
        match (named, contradiction) {
            (Some(Err(Unfound::DirectoryNeeded)), _) => return Err(Denied::DirectoryNeeded),
            (Some(named), Some(denied)) if named.as_ref() != Ok(&whom) => return Err(denied),
            _ => {}
        }
        let status = whom
            .operator()
            .zip(roster)
            .and_then(|(id, roster)| roster.status(id));
        if status.is_some_and(|status| !status.works()) {
            return Err(Denied::OperatorInactive);
        }
        Ok(whom)
    }

    /// Uses a one-time pass up.
    pub fn use_up(&self, once: &Once) -> Result<(), Denied> {
        self.used
            .use_up(&once.id, once.lives())
            .then_some(())
            .ok_or(Denied::PassUsed)
    }

    /// Signs a pass.
    pub fn mint(&self, new: &NewPass) -> Result<(String, DateTime<Utc>), MintError> {
        let keys = self.pass_keys.as_ref().ok_or(MintError::NoKey)?;
        keys.get().mint(new, Utc::now())
    }

    /// Looks at all files again.
    pub fn look(&self) -> Vec<Report> {
        let mut reports = vec![self.operators.look()];
        reports.extend(self.pass_keys.as_ref().map(Reloading::look));
        reports.extend(self.api_keys.as_ref().map(Reloading::look));
        reports.extend(self.proxy_secret.as_ref().map(Reloading::look));
        reports
    }

    fn admit_by_pass<'a>(&self, text: &str, knock: &Knock<'a>) -> Result<Admission<'a>, Denied> {
        let keys = self.pass_keys.as_ref().ok_or(Denied::PassInvalid)?.get();
        let (pass, key) = keys.check(text, Utc::now())?;
        Ok(Admission {
            claim: Claim {
                by: ClaimedBy::Pass(pass.operator),
                named: knock.operator,
                scope: key.operators.clone(),
            },
            bound: pass.bound,
            once: pass.once.map(|(id, ends)| Once {
                // Two keys may give out one id.
                id: format!("{}\n{id}", pass.key),
                ends,
            }),
            caller: Caller::Pass(pass.key),
        })
    }

    fn admit_by_identity<'a>(
        &self,
        identity: &str,
        knock: &Knock<'a>,
    ) -> Result<Admission<'a>, Denied> {
        if let Some(expected) = &self.proxy_secret {
            let shown = knock.proxy_secret.map(Secret::new);
            if shown.as_ref() != Some(&**expected.get()) {
                return Err(Denied::IdentityMissing);
            }
        }
        Ok(Admission {
            caller: Caller::Sso(identity.to_owned()),
            claim: Claim {
                by: ClaimedBy::Identity(identity.to_owned()),
                named: knock.operator,
                scope: Scope::default(),
            },
            bound: Bound::default(),
            once: None,
        })
    }
}

fn by_url(caller: Caller, operator: Option<&str>, scope: Scope) -> Result<Admission<'_>, Denied> {
    let claim = Claim {
        by: ClaimedBy::Url,
        named: Some(operator.ok_or(Denied::OperatorMissing)?),
        scope,
    };
    Ok(Admission {
        caller,
        claim,
        bound: Bound::default(),
        once: None,
    })
}

fn load<T>(
    variable: &'static str,
    source: impl Fn(&mut Files) -> Result<T, String> + Send + Sync + 'static,
) -> Result<Reloading<T>, UnusableFile> {
    Reloading::load(variable, source).map_err(|problem| UnusableFile { variable, problem })
}
