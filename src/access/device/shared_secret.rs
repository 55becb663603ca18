//! A key of paired browsers must be no other secret: what protects the other one, and what its
//! holders know, would open chats too.

use crate::access::pass::PassKey;
use crate::access::{Authenticator, UnusableFile};
use crate::reload::Reloadable;
use crate::secret::{Secret, SecretSource};

use super::DeviceKeys;

impl Authenticator {
    /// The problem, where a line of `DEVICE_SECRET` is another secret of this service as well.
    pub(in crate::access) fn shared_device_secret(&self) -> Option<UnusableFile> {
        let keys = self.device_keys.as_ref()?.get();
        let other = self.other_use(&keys)?;
        Some(UnusableFile {
            variable: "DEVICE_SECRET",
            problem: format!("has a key that is also {other}: make one for this purpose alone"),
        })
    }

    /// Whether a line of `DEVICE_SECRET` is this secret.
    pub fn is_device_key(&self, secret: &Secret) -> bool {
        let keys = self.device_keys.as_ref().map(Reloadable::get);
        keys.is_some_and(|keys| keys.contain(secret))
    }

    fn other_use(&self, keys: &DeviceKeys) -> Option<&'static str> {
        let pass_keys = self.pass_keys.as_ref().map(Reloadable::get);
        let signs_passes = pass_keys.is_some_and(|passes| {
            let mut secrets = passes.keys.iter().filter_map(PassKey::secret);
            secrets.any(|secret| keys.contain(secret))
        });
        let credential = self.config.chathub_credential.as_ref();
        let credential = credential.and_then(SecretSource::last);
        let proxy = self.proxy_secret.as_ref().map(Reloadable::get);
        let proxy = proxy.as_ref().and_then(|secret| secret.as_ref().as_ref());
        let api_keys = self.api_keys.as_ref().map(Reloadable::get);
        let is_api_key = api_keys.is_some_and(|known| keys.secrets().any(|key| known.contain(key)));
        if signs_passes {
            Some("a key of passes (PASS_SECRET, PASS_KEYS_FILE)")
        } else if credential.is_some_and(|secret| keys.contain(&secret)) {
            Some("the company's password or key for ChatHub")
        } else if proxy.is_some_and(|secret| keys.contain(secret)) {
            Some("SSO_PROXY_SECRET")
        } else if is_api_key {
            Some("an API key (API_KEYS_FILE)")
        } else {
            None
        }
    }
}
