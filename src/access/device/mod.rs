//! Paired browsers (`ACCESS=device`): a browser that was invited once keeps a signed cookie, and
//! shows it with each click.
//!
//! An invitation and a cookie say the same of a browser, as a [`Pairing`], and are signed with
//! different keys. How a cookie travels is the HTTP side's; this module knows its value alone.

mod check;
mod cookie;
mod ended;
mod id;
mod invitation;
mod keys;
mod pairing;
mod revoked;
mod shared_secret;

pub use self::cookie::{DeviceCookie, SignedCookie};
pub(super) use self::ended::EndedDevices;
pub use self::id::DeviceId;
pub use self::invitation::{Invitation, InviteError, MAX_INVITATION_TTL};
pub(super) use self::keys::DeviceKeys;
pub use self::pairing::Pairing;
pub(super) use self::revoked::Revocations;

#[cfg(test)]
mod tests;
