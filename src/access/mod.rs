//! Who may open whose panel.
//!
//! A link that names an operator is a door. This decides who is calling and for which operator; it
//! knows nothing of HTTP, and nothing of what is behind the door.

mod api_key;
mod caller;
mod denied;
mod derived;
mod door;
mod key_material;
mod keys_file;
mod mint;
mod network;
mod once;
mod pass;
mod pass_keys;
mod proven_keys;
mod proxy_secret;
mod scope;
mod settings;
mod signed;
mod ticket;

pub use self::caller::{AuthContext, Caller, Credentials, OneTimeUse, OperatorRequest};
pub use self::denied::Denied;
pub use self::door::Authenticator;
pub use self::mint::{MintError, NewPass};
pub use self::network::{Networks, NotANetwork, client_address};
pub use self::pass::PassConstraints;
pub use self::pass_keys::PassKeySources;
pub use self::settings::{Mode, Settings, UnknownMode, UnusableFile};
