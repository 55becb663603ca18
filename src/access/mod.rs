//! Authentication and authorization: who is calling, and which operator's panel the caller may
//! open.
//!
//! [`Authenticator`] is the way in. It takes [`Credentials`] and knows nothing of HTTP, nor of
//! what a panel is.

mod api_key;
mod authenticator;
mod config;
mod context;
mod credentials;
mod denied;
mod derived_key;
mod device;
mod keys_file;
mod network;
mod one_time_use;
mod operator_request;
mod pass;
mod resolve;
mod scope;
mod seal;
mod sso;
mod ticket;
mod verified_keys;

pub use self::authenticator::Authenticator;
pub use self::config::{AuthConfig, Mode, UnknownMode, UnusableFile};
pub use self::context::{AuthContext, Caller};
pub use self::credentials::Credentials;
pub use self::denied::Denied;
pub use self::device::{
    DeviceCookie, DeviceId, Invitation, InviteError, MAX_INVITATION_TTL, Pairing, SignedCookie,
};
pub use self::keys_file::{TomlFormat, toml_problem};
pub use self::network::{Networks, NotANetwork, client_address};
pub use self::one_time_use::OneTimeUse;
use self::operator_request::ClaimedBy;
pub use self::operator_request::OperatorRequest;
pub use self::pass::{MintError, NewPass, PassConstraints, PassKeySources};
pub use self::scope::Scope;
