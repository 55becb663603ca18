//! Who a paired browser is, and whether its pairing still holds.

use chrono::Utc;

use super::cookie::DeviceCookie;
use super::pairing::Pairing;
use crate::access::{
    AuthContext, Authenticator, Caller, ClaimedBy, Credentials, Denied, Mode, OperatorRequest,
    Scope,
};

/// A cookie that is good.
struct Verified {
    pairing: Pairing,
    /// The number of the line that has signed it.
    line: usize,
    /// The operators that it may still open.
    scope: Scope,
}

impl Authenticator {
    /// Whether paired browsers are accepted.
    pub fn accepts_devices(&self) -> bool {
        self.accepts(Mode::Device)
    }

    /// The pairing of a browser, if its cookie is good and nothing has ended it.
    pub fn check_device(&self, cookie: DeviceCookie<'_>) -> Result<Pairing, Denied> {
        self.verified_device(cookie)
            .map(|verified| verified.pairing)
    }

    /// What a paired browser asks for, or one that shows an invitation: this pairing's operator.
    pub fn request_of(&self, pairing: &Pairing) -> Result<OperatorRequest<'static>, Denied> {
        let scope = self.check_not_ended(pairing)?;
        let by = ClaimedBy::Device(pairing.operator);
        Ok(OperatorRequest::new(by, None, scope))
    }

    /// Authenticates a paired browser.
    pub(in crate::access) fn authenticate_device<'a>(
        &self,
        credentials: &Credentials<'a>,
    ) -> Result<AuthContext<'a>, Denied> {
        let Verified {
            pairing,
            line,
            scope,
        } = self.verified_device(credentials.device)?;
        // In open mode a device only fills in the operator that the URL leaves out.
        let (by, scope) = if self.is_open() && credentials.operator.is_some() {
            (ClaimedBy::Url, Scope::default())
        } else {
            (ClaimedBy::Device(pairing.operator), scope)
        };
        let caller = Caller::Device(pairing.device);
        let requested = OperatorRequest::new(by, credentials.operator, scope);
        let mut auth = AuthContext::without_pass(caller, requested);
        if let DeviceCookie::One {
            may_renew: true, ..
        } = credentials.device
            && let Some(keys) = &self.device_keys
        {
            let (ttl, now) = (self.config.device_ttl, Utc::now());
            auth.renewed_cookie = keys.get().renewed((&pairing, line), ttl, now);
        }
        Ok(auth)
    }

    fn verified_device(&self, cookie: DeviceCookie<'_>) -> Result<Verified, Denied> {
        let DeviceCookie::One { value, .. } = cookie else {
            return Err(Denied::DeviceMissing);
        };
        let keys = self.device_keys.as_ref().filter(|_| self.accepts_devices());
        let keys = keys.ok_or(Denied::DeviceMissing)?.get();
        let (pairing, line) = keys.check_cookie(value, self.config.device_ttl, Utc::now())?;
        Ok(Verified {
            scope: self.check_not_ended(&pairing)?,
            pairing,
            line,
        })
    }

    /// Rejects a pairing that was ended: by the company's file, on the page a moment ago, or
    /// because the API key that has invited may invite no more. Returns the operators that this key
    /// may act for.
    pub(super) fn check_not_ended(&self, pairing: &Pairing) -> Result<Scope, Denied> {
        let revocations = self.revoked_devices.as_ref();
        let is_revoked = revocations.is_some_and(|file| file.get().contain(pairing));
        if is_revoked || self.ended_devices.contains(pairing.device) {
            return Err(Denied::DeviceEnded);
        }
        self.check_inviter(pairing)
    }

    /// The operators of the API key that has invited; any, where none has.
    fn check_inviter(&self, pairing: &Pairing) -> Result<Scope, Denied> {
        let Some(name) = &pairing.key else {
            return Ok(Scope::default());
        };
        let keys = self.api_keys.as_ref().filter(|_| self.accepts_api_keys());
        let scope = keys.and_then(|keys| keys.get().scope_of_inviter(name));
        scope.ok_or(Denied::DeviceEnded)
    }
}
