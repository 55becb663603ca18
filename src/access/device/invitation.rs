//! Invitations: what makes a browser a paired one, once.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use thiserror::Error;

use super::keys::Kind;
use super::pairing::{Pairing, seconds};
use super::{DeviceId, DeviceKeys};
use crate::access::{Authenticator, Denied, Mode, OneTimeUse};
use crate::secret::Secret;
use chathub::OperatorId;

/// How long an invitation may be good at most.
pub const MAX_INVITATION_TTL: Duration = Duration::from_hours(7 * 24);

/// Separates the uses of invitations from those of passes.
const ONE_TIME_USES: &str = "device invitation";

/// An invitation for one browser.
#[derive(Debug)]
pub struct Invitation {
    /// The text for `/pair?invitation=`: 8-bit clean, and made of unreserved characters.
    pub text: Secret,
    /// The device that it makes of a browser.
    pub id: DeviceId,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
}

/// Why there is no invitation. `Display` says what to change.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum InviteError {
    /// No key is set.
    #[error("no key can sign an invitation: set DEVICE_SECRET")]
    NoKey,
    /// It would be good for too long, or not at all.
    #[error("an invitation is good for at least a second and for 7 days (168h) at most")]
    Ttl,
    /// The crypto library has failed.
    #[error("the invitation cannot be signed")]
    Unsigned,
}

impl Authenticator {
    /// Invites a browser to open this operator's chats. `invited_by` is the name of the API key
    /// that asks for it, if one does: the pairing ends when that key loses `pair` or the operator.
    pub fn invite(
        &self,
        operator: OperatorId,
        ttl: Duration,
        invited_by: Option<&str>,
    ) -> Result<Invitation, InviteError> {
        let keys = self.device_keys.as_ref().ok_or(InviteError::NoKey)?.get();
        keys.invite(operator, ttl, invited_by, Utc::now())
    }

    /// The pairing that an invitation is for, if it is good by its signature, by its time, and by
    /// what has been revoked. Whether it was used is another question: [`Self::invitation_use`].
    pub fn check_invitation(&self, text: &str) -> Result<Pairing, Denied> {
        let keys = self.device_keys.as_ref();
        let keys = keys.filter(|_| self.accepts(Mode::Device));
        let keys = keys.ok_or(Denied::InvitationInvalid)?.get();
        let pairing = keys.check_invitation(text, Utc::now())?;
        self.check_not_ended(&pairing)?;
        Ok(pairing)
    }

    /// The single use of an invitation.
    pub fn invitation_use(invitation: &Pairing) -> OneTimeUse {
        let expires = DateTime::from_timestamp(invitation.exp, 0).unwrap_or_default();
        OneTimeUse::new(ONE_TIME_USES, invitation.device.as_str(), expires)
            .denied_as(Denied::InvitationUsed)
    }
}

impl DeviceKeys {
    pub(super) fn invite(
        &self,
        operator: OperatorId,
        ttl: Duration,
        invited_by: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Invitation, InviteError> {
        if !(Duration::from_secs(1)..=MAX_INVITATION_TTL).contains(&ttl) {
            return Err(InviteError::Ttl);
        }
        let pairing = Pairing {
            device: DeviceId::random().ok_or(InviteError::Unsigned)?,
            operator,
            invited_at: now.timestamp(),
            iat: now.timestamp(),
            exp: now.timestamp().saturating_add(seconds(ttl)),
            key: invited_by.map(ToOwned::to_owned),
        };
        let text = self.sign(Kind::Invitation, 0, &pairing);
        Ok(Invitation {
            text: text.ok_or(InviteError::NoKey)?,
            id: pairing.device,
            expires_at: now + TimeDelta::seconds(seconds(ttl)),
        })
    }

    pub(super) fn check_invitation(
        &self,
        text: &str,
        now: DateTime<Utc>,
    ) -> Result<Pairing, Denied> {
        let now = now.timestamp();
        let verified = self.verify(Kind::Invitation, text.as_bytes());
        let (invitation, _) = verified.ok_or(Denied::InvitationInvalid)?;
        if !invitation.is_dated(now) {
            return Err(Denied::InvitationInvalid);
        }
        if invitation.end(MAX_INVITATION_TTL) <= now {
            return Err(Denied::InvitationExpired);
        }
        Ok(invitation)
    }
}
