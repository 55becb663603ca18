//! The [`Authenticator`]: its state, and which credential of a request decides.
//!
//! How each kind of credential is verified is in a file of its own (`pass`, `api_key`, `sso`,
//! `device`, `ticket`), and so is how the operator is resolved (`resolve`).

use std::net::IpAddr;

use super::api_key::ApiKeys;
use super::device::{DeviceKeys, EndedDevices, Revocations};
use super::one_time_use::UsedPasses;
use super::pass::PassKeys;
use super::verified_keys::VerifiedKeys;
use super::{
    AuthConfig, AuthContext, Caller, Credentials, Denied, DeviceCookie, Mode, Networks,
    PassKeySources, Scope, UnusableFile, client_address, resolve, sso,
};
use crate::operators::OperatorMap;
use crate::reload::{Reloadable, Report};
use crate::secret::Secret;

/// Authenticates callers and resolves the operators whose panels they may open.
pub struct Authenticator {
    pub(super) config: AuthConfig,
    pub(super) pass_keys: Option<Reloadable<PassKeys>>,
    pub(super) used_passes: UsedPasses,
    pub(super) api_keys: Option<Reloadable<ApiKeys>>,
    pub(super) verified_keys: VerifiedKeys,
    /// The secret is absent where its file is empty; then no proxy is accepted.
    pub(super) proxy_secret: Option<Reloadable<Option<Secret>>>,
    pub(super) device_keys: Option<Reloadable<DeviceKeys>>,
    pub(super) revoked_devices: Option<Reloadable<Revocations>>,
    pub(super) ended_devices: EndedDevices,
    pub(super) operator_map: Reloadable<OperatorMap>,
}

impl Authenticator {
    /// Reads the files that the configuration names. The error lists all unusable ones.
    pub fn new(mut config: AuthConfig) -> Result<Self, Vec<UnusableFile>> {
        let mut unusable = Vec::new();
        let pass_keys = load(config.pass_keys.take(), PassKeySources::load, &mut unusable);
        let api_keys = load(config.api_keys_file.take(), ApiKeys::load, &mut unusable);
        let proxy_secret = load(
            config.sso_proxy_secret.take(),
            sso::load_secret,
            &mut unusable,
        );
        let device_keys = load(config.device_secret.take(), DeviceKeys::load, &mut unusable);
        let revoked_devices = load(
            config.devices_revoked_file.take(),
            Revocations::load,
            &mut unusable,
        );
        let map_file = Some(config.operator_map_file.take());
        let operator_map = match load(map_file, resolve::load_map, &mut unusable) {
            Some(operator_map) if unusable.is_empty() => operator_map,
            _ => return Err(unusable),
        };
        let authenticator = Self {
            config,
            pass_keys,
            used_passes: UsedPasses::default(),
            api_keys,
            verified_keys: VerifiedKeys::default(),
            proxy_secret,
            device_keys,
            revoked_devices,
            ended_devices: EndedDevices::default(),
            operator_map,
        };
        match authenticator.shared_device_secret() {
            Some(file) => Err(vec![file]),
            None => Ok(authenticator),
        }
    }

    /// Authenticates a request by the first credential that it presents and that a mode accepts.
    pub fn authenticate<'a>(
        &self,
        credentials: &Credentials<'a>,
    ) -> Result<AuthContext<'a>, Denied> {
        if let Some(pass) = self.presented_pass(credentials) {
            return self.authenticate_pass(pass, credentials.operator);
        }
        if let Some(key) = self.presented_api_key(credentials) {
            return self.authenticate_api_key(Some(key), credentials.operator);
        }
        if self.accepts(Mode::Sso)
            && credentials.is_from_proxy
            && let Some(identity) = credentials.identity
        {
            return self.authenticate_identity(identity, credentials);
        }
        // Last of what is shown, because a browser shows it with each click, asked or not.
        if self.accepts_devices() && !matches!(credentials.device, DeviceCookie::Absent) {
            return self.authenticate_device(credentials);
        }
        if self.is_open() {
            return AuthContext::by_url(Caller::Anyone, credentials.operator, Scope::default());
        }
        // A link that carries nothing is one for paired browsers, where there are any.
        Err(if self.accepts_devices() {
            Denied::DeviceMissing
        } else if self.accepts(Mode::Pass) {
            Denied::PassMissing
        } else if self.accepts(Mode::Sso) {
            Denied::IdentityMissing
        } else {
            Denied::ApiKeyInvalid
        })
    }

    /// The accepted ways to authenticate.
    pub fn modes(&self) -> &[Mode] {
        &self.config.modes
    }

    /// Whether requests without any credential are accepted.
    pub fn is_open(&self) -> bool {
        self.accepts(Mode::Open)
    }

    pub(super) fn accepts(&self, mode: Mode) -> bool {
        self.config.modes.contains(&mode)
    }

    /// The addresses from which identities are trusted without a secret, if that is configured.
    pub fn proxies_without_secret(&self) -> Option<&Networks> {
        let is_without_secret = self.accepts(Mode::Sso) && self.proxy_secret.is_none();
        is_without_secret.then_some(&self.config.trusted_proxies)
    }

    /// Whether the peer is a trusted proxy.
    pub fn is_trusted_proxy(&self, peer: IpAddr) -> bool {
        self.config.trusted_proxies.contain(peer.to_canonical())
    }

    /// The client's address, behind the trusted proxies.
    pub fn client_address<'a>(
        &self,
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a str>,
    ) -> IpAddr {
        client_address(peer, forwarded, &self.config.trusted_proxies)
    }

    /// Rejects a client outside the allowed networks.
    pub fn check_network(&self, client: IpAddr) -> Result<(), Denied> {
        if self.config.allowed_networks.is_empty() || self.config.allowed_networks.contain(client) {
            Ok(())
        } else {
            Err(Denied::NetworkNotAllowed)
        }
    }

    /// Whether clients are accepted from some networks only.
    pub const fn has_allowed_networks(&self) -> bool {
        !self.config.allowed_networks.is_empty()
    }

    /// Polls all files for changes.
    pub fn poll(&self) -> Vec<Report> {
        let mut reports = vec![self.operator_map.poll()];
        reports.extend(self.pass_keys.as_ref().map(Reloadable::poll));
        reports.extend(self.api_keys.as_ref().map(Reloadable::poll));
        reports.extend(self.proxy_secret.as_ref().map(Reloadable::poll));
        reports.extend(self.device_keys.as_ref().map(Reloadable::poll));
        reports.extend(self.revoked_devices.as_ref().map(Reloadable::poll));
        reports
    }
}

/// Loads a part that is configured, or adds its file to the unusable ones.
fn load<Source, T>(
    source: Option<Source>,
    load: impl FnOnce(Source) -> Result<T, UnusableFile>,
    unusable: &mut Vec<UnusableFile>,
) -> Option<T> {
    load(source?).map_err(|file| unusable.push(file)).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::access::pass::tests::hs256_source;
    use crate::access::{NewPass, PassConstraints};
    use chathub::OperatorId;

    pub(in crate::access) fn authenticator(modes: &[Mode]) -> Authenticator {
        Authenticator::new(AuthConfig {
            modes: modes.to_vec(),
            pass_keys: modes.contains(&Mode::Pass).then(hs256_source),
            allowed_networks: Networks::parse("192.0.2.0/24").unwrap(),
            trusted_proxies: Networks::parse("198.51.100.7").unwrap(),
            ..AuthConfig::default()
        })
        .unwrap()
    }

    fn pass(one_time: bool) -> String {
        let new = NewPass {
            operator: "John Smith".into(),
            constraints: PassConstraints::default(),
            ttl: Duration::from_mins(5),
            one_time,
        };
        authenticator(&[Mode::Pass]).mint(&new).unwrap().0
    }

    #[test]
    fn modes_networks_and_proxies_are_the_configured_ones() {
        let address = |text: &str| text.parse().unwrap();
        let open = authenticator(&[Mode::Open]);
        assert_eq!(open.modes(), [Mode::Open]);
        assert!(open.is_open() && !authenticator(&[Mode::Pass]).is_open());
        assert!(open.is_trusted_proxy(address("198.51.100.7")));
        assert!(open.is_trusted_proxy(address("::ffff:198.51.100.7")));
        assert!(!open.is_trusted_proxy(address("198.51.100.8")));
        assert_eq!(open.check_network(address("192.0.2.9")), Ok(()));
        let elsewhere = open.check_network(address("203.0.113.9"));
        assert_eq!(elsewhere, Err(Denied::NetworkNotAllowed));
        let anywhere = Authenticator::new(AuthConfig::default()).unwrap();
        assert_eq!(anywhere.check_network(address("203.0.113.9")), Ok(()));
    }

    #[test]
    fn the_first_credential_that_a_mode_accepts_decides() {
        let pass = pass(false);
        let caller = |modes: &[Mode], credentials: Credentials<'_>| {
            let auth = authenticator(modes).authenticate(&credentials);
            auth.map(|auth| auth.caller.kind_and_name().concat())
        };
        let all = Credentials {
            is_from_proxy: true,
            pass: Some(&pass),
            bearer: Some("no.key"),
            identity: Some("ann"),
            proxy_secret: None,
            device: DeviceCookie::Absent,
            operator: Some("101"),
        };
        let without_pass = Credentials { pass: None, ..all };
        let bearer = Credentials {
            bearer: Some(&pass),
            ..without_pass
        };
        let untrusted = Credentials {
            is_from_proxy: false,
            ..without_pass
        };
        let nothing = Credentials::default();
        let (pass, sso, key, open) = (Mode::Pass, Mode::Sso, Mode::Key, Mode::Open);

        let by_pass = Ok("pass:PASS_SECRET".to_owned());
        assert_eq!(caller(&[sso, pass], all), by_pass);
        assert_eq!(caller(&[pass], bearer), by_pass);
        assert_eq!(caller(&[pass, sso], without_pass), Ok("sso:ann".into()));
        assert_eq!(caller(&[sso], all), Ok("sso:ann".into()));
        assert_eq!(caller(&[sso, open], untrusted), Ok("anyone".into()));
        assert_eq!(caller(&[key, open], all), Err(Denied::ApiKeyInvalid));
        assert_eq!(caller(&[pass, key], bearer), by_pass);
        assert_eq!(caller(&[sso], untrusted), Err(Denied::IdentityMissing));
        assert_eq!(caller(&[pass, sso], untrusted), Err(Denied::PassMissing));
        assert_eq!(caller(&[key], nothing), Err(Denied::ApiKeyInvalid));
        assert_eq!(caller(&[open], nothing), Err(Denied::OperatorMissing));
    }

    /// Guesses of API keys are counted by address, and a pass is none.
    #[test]
    fn a_request_with_a_pass_presents_no_api_key() {
        let (pass, key) = (pass(false), "canary-api-key");
        let presented = |modes: &[Mode], bearer, pass| {
            let shown = Credentials {
                bearer: Some(bearer),
                pass,
                ..Credentials::default()
            };
            authenticator(modes)
                .presented_api_key(&shown)
                .map(str::to_owned)
        };
        let both = [Mode::Pass, Mode::Key];
        assert_eq!(presented(&both, key, None).as_deref(), Some(key));
        assert_eq!(presented(&both, &pass, None), None);
        assert_eq!(presented(&both, key, Some(pass.as_str())), None);
        let by_key = presented(&[Mode::Key], key, Some(pass.as_str()));
        assert_eq!(by_key.as_deref(), Some(key));
        assert_eq!(presented(&[Mode::Pass], key, None), None);
    }

    /// The settings of a mode may stay where the mode is taken out of `ACCESS`.
    #[test]
    fn a_mode_that_is_off_lets_no_one_in_though_its_keys_are_there() {
        const DEVICE_SECRET: &str = "canary-device-secret-of-32-bytes";
        let entry = "[[key]]\nname = \"odoo\"\npair = true\nsha256 = \
                     \"e3214c483c5be6f2921e07874fb3eecff64de25bb46ebac0fc363b002712ab40\"\n";
        let path = std::env::temp_dir().join(format!("open-chat-off-{}", std::process::id()));
        std::fs::write(&path, entry).unwrap();
        let with = |modes: &[Mode]| {
            let all = Authenticator::new(AuthConfig {
                modes: modes.to_vec(),
                pass_keys: Some(hs256_source()),
                api_keys_file: Some(path.clone()),
                chathub_credential: Some(Secret::new("canary-password").into()),
                device_secret: Some(Secret::new(DEVICE_SECRET).into()),
                device_ttl: Duration::from_hours(24),
                ..AuthConfig::default()
            });
            all.unwrap()
        };
        let on = with(&[Mode::Pass, Mode::Key, Mode::Device]);
        let off = with(&[Mode::Sso]);
        std::fs::remove_file(&path).unwrap();

        let hour = Duration::from_hours(1);
        let invitation = on.invite(OperatorId(101), hour, None).unwrap();
        let invitation = invitation.text.expose();
        let pairing = on.check_invitation(invitation).unwrap();
        assert_eq!(
            off.check_invitation(invitation),
            Err(Denied::InvitationInvalid)
        );
        let cookie = on.pair(&pairing).unwrap();
        let cookie = DeviceCookie::One {
            value: cookie.value.expose().as_bytes(),
            may_renew: true,
        };
        assert!(on.check_device(cookie).is_ok());
        assert_eq!(off.check_device(cookie), Err(Denied::DeviceMissing));

        let key = "canary-api-key";
        assert!(on.may_invite(key) && !off.may_invite(key));
        assert!(on.authenticate_api_key(Some(key), Some("101")).is_ok());
        let denied = off.authenticate_api_key(Some(key), Some("101"));
        assert_eq!(denied.err(), Some(Denied::ApiKeyInvalid));

        // Only one that is good is remembered, so that guesses go on counting.
        let client = "192.0.2.7".parse().unwrap();
        for (presented, is_good) in [("canary-wrong-key", false), (key, true)] {
            on.verify_api_key(presented, client);
            assert_eq!(on.is_unverified_api_key(presented, client), !is_good);
            assert!(!off.is_unverified_api_key(presented, client));
        }

        let pass = pass(false);
        let auth = on.authenticate_pass(&pass, None).unwrap();
        let ticket = on.ticket(&auth, OperatorId(101), hour).unwrap();
        let ticket = ticket.expose();
        assert!(on.authenticate_ticket(ticket, hour).is_ok());
        let denied = off.authenticate_ticket(ticket, hour);
        assert_eq!(denied.err(), Some(Denied::PassInvalid));
    }

    #[test]
    fn a_one_time_pass_is_consumed_and_released_alone() {
        let authenticator = authenticator(&[Mode::Pass]);
        let [first, second] = [(); 2].map(|()| {
            let pass = pass(true);
            let credentials = Credentials {
                pass: Some(&pass),
                ..Credentials::default()
            };
            let auth = authenticator.authenticate(&credentials).unwrap();
            auth.one_time_use.unwrap()
        });
        let is_used = |pass| authenticator.is_used(pass);
        assert!(!is_used(&first));
        assert_eq!(authenticator.consume(&first, 1), Ok(()));
        assert_eq!(authenticator.consume(&first, 2), Err(Denied::PassUsed));
        assert!(is_used(&first) && !is_used(&second));
        assert_eq!(authenticator.consume(&second, 3), Ok(()));
        authenticator.release(&first, 2);
        assert!(is_used(&first), "that request has not used it");
        authenticator.release(&first, 1);
        assert!(!is_used(&first) && is_used(&second));
        assert_eq!(authenticator.consume(&first, 4), Ok(()));
    }

    #[test]
    fn all_files_are_polled() {
        let polled = |authenticator: Authenticator| {
            let reports = authenticator.poll().into_iter();
            reports.map(|report| report.file).collect::<Vec<_>>()
        };
        assert_eq!(polled(authenticator(&[Mode::Open])), ["OPERATOR_MAP_FILE"]);
        assert_eq!(
            polled(authenticator(&[Mode::Pass])),
            ["OPERATOR_MAP_FILE", "PASS_SECRET"]
        );
    }
}
