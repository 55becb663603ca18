//! The door: who is let in, by the first credential that is shown and that a mode takes, and whose
//! panel may open.

use std::net::IpAddr;
use std::path::PathBuf;

use chathub::OperatorId;
use chrono::{DateTime, Utc};

use super::api_key::ApiKeys;
use super::caller::{AuthContext, Caller, ClaimedBy, Credentials, OneTimeUse, OperatorRequest};
use super::denied::Denied;
use super::mint::{MintError, NewPass};
use super::network::{Networks, client_address};
use super::once::UsedPasses;
use super::pass::PassConstraints;
use super::pass_keys::{PassKeySources, PassKeys};
use super::proven_keys::ProvenKeys;
use super::proxy_secret;
use super::scope::Scope;
use super::settings::{Mode, Settings, UnusableFile};
use crate::operators::{
    DeadAlias, DirectorySnapshot, OperatorMap, OperatorSelection, Operators, ResolveError,
};
use crate::reload::{Reloadable, Report};
use crate::secret::{Secret, SecretSource};

/// The door.
pub struct Authenticator {
    pub(super) modes: Vec<Mode>,
    pub(super) pass_keys: Option<Reloadable<PassKeys>>,
    api_keys: Option<Reloadable<ApiKeys>>,
    /// Nothing where its file is empty, which lets no proxy in.
    proxy_secret: Option<Reloadable<Option<Secret>>>,
    sso_by_name: bool,
    pub(super) chathub_credential: Option<SecretSource>,
    operators: Reloadable<OperatorMap>,
    auto: bool,
    allowed_networks: Networks,
    trusted_proxies: Networks,
    used: UsedPasses,
    proven_keys: ProvenKeys,
}

impl Authenticator {
    /// Reads the files and hangs the door. All files that cannot be used are named at once.
    pub fn new(settings: Settings) -> Result<Self, Vec<UnusableFile>> {
        let mut unusable = Vec::new();
        let pass_keys = settings.pass_keys.map(pass_keys).transpose();
        let api_keys = settings.api_keys_file.map(api_keys).transpose();
        let proxy_secret = settings.sso_proxy_secret.map(proxy_secret).transpose();
        let operators = operators(settings.operator_map_file).map(Some);
        let pass_keys = keep(pass_keys, &mut unusable);
        let api_keys = keep(api_keys, &mut unusable);
        let proxy_secret = keep(proxy_secret, &mut unusable);
        let operators = match keep(operators, &mut unusable) {
            Some(operators) if unusable.is_empty() => operators,
            _ => return Err(unusable),
        };
        Ok(Self {
            modes: settings.modes,
            pass_keys,
            api_keys,
            proxy_secret,
            sso_by_name: settings.sso_by_name,
            chathub_credential: settings.chathub_credential,
            operators,
            auto: settings.operator_auto,
            allowed_networks: settings.allowed_networks,
            trusted_proxies: settings.trusted_proxies,
            used: UsedPasses::default(),
            proven_keys: ProvenKeys::default(),
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

    /// The addresses that identities are believed from without a secret, where that is so.
    pub fn relies_on(&self) -> Option<&Networks> {
        let is_bare = self.modes.contains(&Mode::Sso) && self.proxy_secret.is_none();
        is_bare.then_some(&self.trusted_proxies)
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

    /// Whether some networks only are let in.
    pub const fn has_allowed_networks(&self) -> bool {
        !self.allowed_networks.is_empty()
    }

    /// Decides who is calling, by the first credential that is shown and that a mode takes.
    pub fn authenticate<'a>(
        &self,
        credentials: &Credentials<'a>,
    ) -> Result<AuthContext<'a>, Denied> {
        let has = |mode| self.modes.contains(&mode);
        if let Some(pass) = self.shown_pass(credentials) {
            return self.authenticate_pass(pass, credentials);
        }
        if let Some(key) = self.shown_key(credentials) {
            return self.authenticate_api_key(Some(key), credentials.operator);
        }
        if has(Mode::Sso)
            && credentials.is_from_proxy
            && let Some(identity) = credentials.identity
        {
            return self.authenticate_identity(identity, credentials);
        }
        if has(Mode::Open) {
            return by_url(Caller::Anyone, credentials.operator, Scope::default());
        }
        Err(if has(Mode::Pass) {
            Denied::PassMissing
        } else if has(Mode::Sso) {
            Denied::IdentityMissing
        } else {
            Denied::ApiKeyInvalid
        })
    }

    /// The API key that decides on this request.
    pub fn shown_key<'a>(&self, credentials: &Credentials<'a>) -> Option<&'a str> {
        credentials
            .bearer
            .filter(|_| self.takes_keys() && self.shown_pass(credentials).is_none())
    }

    /// Whether API keys are taken at all.
    pub fn takes_keys(&self) -> bool {
        self.modes.contains(&Mode::Key)
    }

    /// Whether it is yet to be seen if this key is good, of all that come from this address.
    pub fn is_unproven(&self, key: &str, client: IpAddr) -> bool {
        self.takes_keys()
            // From elsewhere none is looked at.
            && self.check_network(client).is_ok()
            && !self.proven_keys.contain(client, key)
    }

    /// Looks at a key, and remembers a good one for this address. Count it first.
    pub fn prove(&self, key: &str, client: IpAddr) {
        let keys = self.api_keys.as_ref();
        if keys.is_some_and(|keys| keys.get().find(key).is_some()) {
            self.proven_keys.add(client, key);
        }
    }

    fn shown_pass<'a>(&self, credentials: &Credentials<'a>) -> Option<&'a str> {
        if !self.modes.contains(&Mode::Pass) {
            return None;
        }
        // A JWT has two dots, and an API key of ours is better without.
        let is_pass = |text: &&str| text.matches('.').count() == 2;
        credentials
            .pass
            .or_else(|| credentials.bearer.filter(is_pass))
    }

    /// The back end that shows this API key.
    pub fn authenticate_api_key<'a>(
        &self,
        key: Option<&str>,
        operator: Option<&'a str>,
    ) -> Result<AuthContext<'a>, Denied> {
        let keys = self
            .api_keys
            .as_ref()
            .filter(|_| self.modes.contains(&Mode::Key));
        let keys = keys.ok_or(Denied::ApiKeyInvalid)?.get();
        let key = key
            .and_then(|key| keys.find(key))
            .ok_or(Denied::ApiKeyInvalid)?;
        by_url(
            Caller::Key(key.name.clone()),
            operator,
            key.operators.clone(),
        )
    }

    /// Whose panel may open, by what is known of the operators at this moment.
    pub fn resolve_operator(
        &self,
        requested: &OperatorRequest<'_>,
        snapshot: Option<&DirectorySnapshot>,
    ) -> Result<OperatorSelection, Denied> {
        let map = self.operators.get();
        let operators = self.known_operators(&map, snapshot);
        let named = requested.named.map(|named| operators.named(named));
        let (selection, contradiction) = match &requested.by {
            ClaimedBy::Url => (named.clone().ok_or(Denied::OperatorMissing)?, None),
            ClaimedBy::Pass { operator, by_name } => {
                let vouched = operators.vouched(operator, *by_name);
                (vouched, Some(Denied::PassMismatch))
            }
            ClaimedBy::Identity(identity) => {
                let identified = operators.identified(identity, self.sso_by_name);
                (identified, Some(Denied::OperatorNotAllowed))
            }
        };
        let denied = |unfound| requested.denied(unfound);
        let selection = selection.map_err(denied)?;
        if !requested
            .scope
            .contains(&selection, operators)
            .map_err(denied)?
        {
            return Err(Denied::OperatorNotAllowed);
        }
        if requested.before.is_some() && requested.before != selection.operator() {
            return Err(Denied::PassMismatch);
        }
        match (named, contradiction) {
            (Some(Err(ResolveError::DirectoryNeeded)), _) => return Err(Denied::DirectoryNeeded),
            (Some(named), Some(denied)) if named.as_ref() != Ok(&selection) => return Err(denied),
            _ => {}
        }
        let status = selection
            .operator()
            .zip(snapshot)
            .and_then(|(id, snapshot)| snapshot.status(id));
        if status.is_some_and(|status| !status.works()) {
            return Err(Denied::OperatorInactive);
        }
        Ok(selection)
    }

    /// What a pass says that is to open this panel later on: the operator's id, because a name may
    /// be another's by then. `chosen` is the operator selection the pass's client meets, which counts
    /// where an organization is asked for (`auto:24`) by a caller with a list: other operators may
    /// have come by then.
    pub fn lasting_name(
        &self,
        requested: &OperatorRequest<'_>,
        selection: &OperatorSelection,
        chosen: Option<OperatorId>,
    ) -> Option<String> {
        let map = self.operators.get();
        let operator = selection
            .operator()
            .or_else(|| chosen.filter(|_| requested.scope.is_limited()))
            .filter(|id| !self.known_operators(&map, None).hides(*id));
        operator.map_or_else(
            || requested.named.map(ToOwned::to_owned),
            |id| Some(id.to_string()),
        )
    }

    /// Whether a one-time pass has been used.
    pub fn is_used(&self, once: &OneTimeUse) -> bool {
        self.used.contains(&once.id)
    }

    /// Makes a one-time pass good again that `by` has used for nothing.
    pub fn release(&self, once: &OneTimeUse, by: u128) {
        self.used.release(&once.id, by);
    }

    /// Uses a one-time pass up, for `by`: a number of this click's own.
    pub fn consume(&self, once: &OneTimeUse, by: u128) -> Result<(), Denied> {
        if self.used.consume(&once.id, by, once.ttl()) {
            Ok(())
        } else {
            Err(Denied::PassUsed)
        }
    }

    /// Signs a pass.
    pub fn mint(&self, new: &NewPass) -> Result<(String, DateTime<Utc>), MintError> {
        let keys = self.pass_keys.as_ref().ok_or(MintError::NoKey)?;
        keys.get().mint(new, Utc::now())
    }

    /// Whether there is a key that can sign.
    pub fn can_sign(&self) -> bool {
        let keys = self.pass_keys.as_ref().map(Reloadable::get);
        keys.is_some_and(|keys| keys.can_sign())
    }

    /// Whether the operator map has this name.
    pub fn is_alias(&self, name: &str) -> bool {
        self.operators.get().has(name)
    }

    /// The operator that a link names, by what is known of the operators at this moment.
    pub fn named(
        &self,
        text: &str,
        snapshot: Option<&DirectorySnapshot>,
    ) -> Result<OperatorSelection, ResolveError> {
        let map = self.operators.get();
        self.known_operators(&map, snapshot).named(text)
    }

    /// How many aliases there are, and which of them lead to nobody who can open a chat.
    pub fn check_aliases(&self, snapshot: &DirectorySnapshot) -> (usize, Vec<DeadAlias>) {
        let map = self.operators.get();
        (
            map.len(),
            self.known_operators(&map, Some(snapshot)).dead_aliases(),
        )
    }

    /// Looks at all files again.
    pub fn poll(&self) -> Vec<Report> {
        let mut reports = vec![self.operators.poll()];
        reports.extend(self.pass_keys.as_ref().map(Reloadable::poll));
        reports.extend(self.api_keys.as_ref().map(Reloadable::poll));
        reports.extend(self.proxy_secret.as_ref().map(Reloadable::poll));
        reports
    }

    const fn known_operators<'a>(
        &self,
        map: &'a OperatorMap,
        snapshot: Option<&'a DirectorySnapshot>,
    ) -> Operators<'a> {
        Operators {
            map,
            snapshot,
            auto: self.auto,
        }
    }

    fn authenticate_pass<'a>(
        &self,
        text: &str,
        credentials: &Credentials<'a>,
    ) -> Result<AuthContext<'a>, Denied> {
        let keys = self.pass_keys.as_ref().ok_or(Denied::PassInvalid)?.get();
        let (pass, key) = keys.check(text, Utc::now())?;
        let by = ClaimedBy::Pass {
            operator: pass.operator,
            by_name: key.names_by_display_name(),
        };
        Ok(AuthContext {
            requested: OperatorRequest::new(by, credentials.operator, key.operators.clone()),
            constraints: pass.constraints,
            once: pass
                .once
                .map(|(jti, ends)| OneTimeUse::new(&pass.key, &jti, ends)),
            caller: Caller::Pass(pass.key),
        })
    }

    fn authenticate_identity<'a>(
        &self,
        identity: &str,
        credentials: &Credentials<'a>,
    ) -> Result<AuthContext<'a>, Denied> {
        if let Some(expected) = &self.proxy_secret {
            // Two that are absent are not the same one.
            let is_shown = (**expected.get())
                .as_ref()
                .zip(credentials.proxy_secret.map(Secret::new))
                .is_some_and(|(expected, shown)| *expected == shown);
            if !is_shown {
                return Err(Denied::IdentityMissing);
            }
        }
        // Where anyone may open any panel, an identity only fills in what the link leaves out.
        let by = if self.is_open() && credentials.operator.is_some() {
            ClaimedBy::Url
        } else {
            ClaimedBy::Identity(identity.to_owned())
        };
        Ok(AuthContext {
            caller: Caller::Sso(identity.to_owned()),
            requested: OperatorRequest::new(by, credentials.operator, Scope::default()),
            constraints: PassConstraints::default(),
            once: None,
        })
    }
}

fn by_url(caller: Caller, operator: Option<&str>, scope: Scope) -> Result<AuthContext<'_>, Denied> {
    let operator = operator.ok_or(Denied::OperatorMissing)?;
    Ok(AuthContext {
        caller,
        requested: OperatorRequest::new(ClaimedBy::Url, Some(operator), scope),
        constraints: PassConstraints::default(),
        once: None,
    })
}

/// The value, or a note of why there is none.
fn keep<T>(read: Result<Option<T>, UnusableFile>, unusable: &mut Vec<UnusableFile>) -> Option<T> {
    read.unwrap_or_else(|file| {
        unusable.push(file);
        None
    })
}

fn pass_keys(sources: PassKeySources) -> Result<Reloadable<PassKeys>, UnusableFile> {
    let variable = sources.variable();
    let keys = Reloadable::load_keys(variable, move |files| sources.read(files), PassKeys::lack);
    keys.map_err(|problem| UnusableFile { variable, problem })
}

fn api_keys(path: PathBuf) -> Result<Reloadable<ApiKeys>, UnusableFile> {
    let variable = "API_KEYS_FILE";
    let lack = format!("the file {} has no key", path.display());
    let keys = Reloadable::load_keys(
        variable,
        move |files| ApiKeys::read(files, &path),
        move |keys| keys.is_empty().then(|| lack.clone()),
    );
    keys.map_err(|problem| UnusableFile { variable, problem })
}

fn proxy_secret(source: SecretSource) -> Result<Reloadable<Option<Secret>>, UnusableFile> {
    let variable = "SSO_PROXY_SECRET";
    let secret = Reloadable::load_keys(
        variable,
        move |files| proxy_secret::read(files, &source),
        |secret| {
            secret
                .is_none()
                .then(|| "there is no secret in the file".into())
        },
    );
    secret.map_err(|problem| UnusableFile { variable, problem })
}

fn operators(path: Option<PathBuf>) -> Result<Reloadable<OperatorMap>, UnusableFile> {
    let variable = "OPERATOR_MAP_FILE";
    let Some(path) = path else {
        return Ok(Reloadable::fixed(variable, OperatorMap::default()));
    };
    let lack = format!("the file {} has no alias", path.display());
    let map = Reloadable::load_map(
        variable,
        move |files| {
            OperatorMap::parse(&files.read_map(&path)?)
                .map_err(|error| format!("the file {}: {error}", path.display()))
        },
        move |map| map.is_empty().then(|| lack.clone()),
    );
    map.map_err(|problem| UnusableFile { variable, problem })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chathub::OperatorId;
    use chathub::OperatorStatus::{Active, Inactive};
    use rstest::rstest;

    use super::*;
    use crate::access::pass_keys::tests::simple;
    use crate::operators::snapshot;

    fn door(modes: &[Mode]) -> Authenticator {
        Authenticator::new(Settings {
            modes: modes.to_vec(),
            pass_keys: modes.contains(&Mode::Pass).then(simple),
            allowed_networks: Networks::parse("192.0.2.0/24").unwrap(),
            trusted_proxies: Networks::parse("198.51.100.7").unwrap(),
            ..Settings::default()
        })
        .unwrap()
    }

    fn pass(once: bool) -> String {
        let new = NewPass {
            operator: "John Smith".into(),
            constraints: PassConstraints::default(),
            ttl: Duration::from_mins(5),
            once,
        };
        door(&[Mode::Pass]).mint(&new).unwrap().0
    }

    #[test]
    fn a_door_knows_its_modes_its_networks_and_its_proxies() {
        let address = |text: &str| text.parse().unwrap();
        let open = door(&[Mode::Open]);
        assert_eq!(open.modes(), [Mode::Open]);
        assert!(open.is_open() && !door(&[Mode::Pass]).is_open());
        assert!(open.trusts(address("198.51.100.7")));
        assert!(open.trusts(address("::ffff:198.51.100.7")));
        assert!(!open.trusts(address("198.51.100.8")));
        assert_eq!(open.check_network(address("192.0.2.9")), Ok(()));
        let elsewhere = open.check_network(address("203.0.113.9"));
        assert_eq!(elsewhere, Err(Denied::NetworkNotAllowed));
        let anywhere = Authenticator::new(Settings::default()).unwrap();
        assert_eq!(anywhere.check_network(address("203.0.113.9")), Ok(()));
    }

    #[test]
    fn the_first_credential_that_a_mode_takes_counts() {
        let pass = pass(false);
        let admitted = |modes: &[Mode], credentials: Credentials<'_>| {
            let door = door(modes);
            let admission = door.authenticate(&credentials);
            admission.map(|admission| admission.caller.kind_and_name().concat())
        };
        let all = Credentials {
            is_from_proxy: true,
            pass: Some(&pass),
            bearer: Some("no.key"),
            identity: Some("ann"),
            proxy_secret: None,
            operator: Some("101"),
        };
        let without_pass = Credentials { pass: None, ..all };
        let bearer = Credentials {
            bearer: Some(&pass),
            ..without_pass
        };
        let stranger = Credentials {
            is_from_proxy: false,
            ..without_pass
        };
        let nothing = Credentials::default();
        let (pass, sso, key, open) = (Mode::Pass, Mode::Sso, Mode::Key, Mode::Open);

        let by_pass = Ok("pass:PASS_SECRET".to_owned());
        assert_eq!(admitted(&[sso, pass], all), by_pass);
        assert_eq!(admitted(&[pass], bearer), by_pass);
        assert_eq!(admitted(&[pass, sso], without_pass), Ok("sso:ann".into()));
        assert_eq!(admitted(&[sso], all), Ok("sso:ann".into()));
        assert_eq!(admitted(&[sso, open], stranger), Ok("anyone".into()));
        assert_eq!(admitted(&[key, open], all), Err(Denied::ApiKeyInvalid));
        assert_eq!(admitted(&[pass, key], bearer), by_pass);
        assert_eq!(admitted(&[sso], stranger), Err(Denied::IdentityMissing));
        assert_eq!(admitted(&[pass, sso], stranger), Err(Denied::PassMissing));
        assert_eq!(admitted(&[key], nothing), Err(Denied::ApiKeyInvalid));
        assert_eq!(admitted(&[open], nothing), Err(Denied::OperatorMissing));
    }

    #[test]
    fn a_proxy_shows_its_secret() {
        let door = Authenticator::new(Settings {
            modes: vec![Mode::Sso],
            sso_proxy_secret: Some(Secret::new("canary-proxy-secret").into()),
            ..Settings::default()
        })
        .unwrap();
        for (shown, is_let_in) in [
            (Some("canary-proxy-secret"), true),
            (Some("canary"), false),
            (None, false),
        ] {
            let credentials = Credentials {
                is_from_proxy: true,
                identity: Some("ann"),
                proxy_secret: shown,
                ..Credentials::default()
            };
            assert_eq!(
                door.authenticate(&credentials).is_ok(),
                is_let_in,
                "{shown:?}"
            );
        }
    }

    fn by_pass(operator: &str) -> ClaimedBy {
        ClaimedBy::Pass {
            operator: operator.into(),
            by_name: true,
        }
    }

    const JOHN: Result<u64, Denied> = Ok(101);

    #[rstest]
    #[case::by_url("url", Some("101"), JOHN)]
    #[case::by_url_and_name("url", Some("john smith"), JOHN)]
    #[case::nobody_named("url", None, Err(Denied::OperatorMissing))]
    #[case::nobody_known("url", Some("Nobody"), Err(Denied::OperatorUnknown))]
    #[case::who_does_not_work("url", Some("21"), Err(Denied::OperatorInactive))]
    #[case::whom_only_chathub_knows("url", Some("999"), Ok(999))]
    #[case::by_pass("pass", None, JOHN)]
    #[case::the_same_in_the_url("pass", Some("101"), JOHN)]
    #[case::another_in_the_url("pass", Some("102"), Err(Denied::PassMismatch))]
    #[case::nobody_in_the_url("pass", Some("Nobody"), Err(Denied::PassMismatch))]
    #[case::by_login("identity", Some("101"), JOHN)]
    #[case::another_than_the_login("identity", Some("102"), Err(Denied::OperatorNotAllowed))]
    fn whose_panel_opens(
        #[case] by: &str,
        #[case] named: Option<&str>,
        #[case] expected: Result<u64, Denied>,
    ) {
        let snapshot = snapshot(&[
            (24, 101, "John Smith", Active),
            (24, 102, "Sarah Johnson", Active),
            (6, 21, "Inactive Ivan", Inactive),
        ]);
        let requested = OperatorRequest {
            by: match by {
                "url" => ClaimedBy::Url,
                "pass" => by_pass("John Smith"),
                _ => ClaimedBy::Identity("John Smith".into()),
            },
            named,
            scope: Scope::default(),
            before: None,
        };
        let door = Authenticator::new(Settings {
            modes: vec![Mode::Open],
            sso_by_name: true,
            ..Settings::default()
        });
        let selection = door.unwrap().resolve_operator(&requested, Some(&snapshot));
        let operator = selection.map(|selection| selection.operator().unwrap().0);
        assert_eq!(operator, expected);
    }

    /// Without the directory a name in the URL is not held to differ from the pass: it is not known
    /// yet.
    #[test]
    fn what_takes_the_directory_waits_for_it() {
        let requested = |named| OperatorRequest::new(by_pass("101"), named, Scope::default());
        let door = door(&[Mode::Open]);
        let resolve_operator = |named| door.resolve_operator(&requested(named), None);
        let john = Ok(OperatorSelection::Operator(OperatorId(101)));
        assert_eq!(
            resolve_operator(Some("John Smith")),
            Err(Denied::DirectoryNeeded)
        );
        assert_eq!(
            (resolve_operator(Some("101")), resolve_operator(None)),
            (john.clone(), john)
        );
    }

    #[test]
    fn a_one_time_pass_is_used_up_and_no_other() {
        let door = door(&[Mode::Pass]);
        let [first, second] = [(); 2].map(|()| {
            let pass = pass(true);
            let credentials = Credentials {
                pass: Some(&pass),
                ..Credentials::default()
            };
            door.authenticate(&credentials).unwrap().once.unwrap()
        });
        assert!(!door.is_used(&first));
        assert_eq!(door.consume(&first, 1), Ok(()));
        assert_eq!(door.consume(&first, 2), Err(Denied::PassUsed));
        assert!(door.is_used(&first) && !door.is_used(&second));
        assert_eq!(door.consume(&second, 3), Ok(()));
        door.release(&first, 2);
        assert!(door.is_used(&first), "that one has not used it");
        door.release(&first, 1);
        assert!(!door.is_used(&first) && door.is_used(&second));
        assert_eq!(door.consume(&first, 4), Ok(()));
    }

    #[test]
    fn what_was_read_from_files_is_looked_at() {
        let looked_at = |door: Authenticator| {
            door.poll()
                .into_iter()
                .map(|report| report.file)
                .collect::<Vec<_>>()
        };
        assert_eq!(looked_at(door(&[Mode::Open])), ["OPERATOR_MAP_FILE"]);
        let with_pass = looked_at(door(&[Mode::Pass]));
        assert_eq!(with_pass, ["OPERATOR_MAP_FILE", "PASS_SECRET"]);
    }
}
