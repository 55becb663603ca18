//! A typed client of SMSBAT ChatHub: the seven calls that its documents describe.
//!
//! It logs in when it has to, sends either of the two headers, reads the token in each of the three
//! forms that have been seen, and turns every failure into an [`Error`] by what the caller can do
//! about it. It is gentle: requests go out at a bounded rate, a call is repeated once at most and
//! only where that is safe, and a ChatHub that is down or asks for a pause is left alone for a
//! while. It knows HTTP and ChatHub, and nothing of clicks, operators' names or caches.
//!
//! ```no_run
//! use chrono::{TimeDelta, Utc};
//! use open_chat::chathub::{self, ChatHub, Credentials, OperatorId, Settings};
//! use open_chat::https_url::HttpsUrl;
//! use open_chat::secret::Secret;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let credentials = Credentials::Login {
//!     login: Secret::new("acme").into(),
//!     password: Secret::new(std::env::var("CHATHUB_PASSWORD")?).into(),
//! };
//! let url = HttpsUrl::parse(chathub::DEFAULT_URL)?;
//! let chathub = ChatHub::new(Settings::new(url, credentials))?;
//! for organization in chathub.list_organizations().await? {
//!     for operator in chathub.list_operators(organization.id).await? {
//!         println!("{}: {} ({:?})", operator.id, operator.name, operator.status);
//!     }
//! }
//! let token = chathub
//!     .mint_operator_token(OperatorId(101), Utc::now() + TimeDelta::hours(1))
//!     .await?;
//! assert!(chathub.validate_operator_token(&token.secret).await?.is_valid);
//! # Ok(())
//! # }
//! ```

mod answer;
mod circuit;
mod client;
mod clock;
mod connections;
mod credentials;
mod endpoint;
mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod listing;
mod login;
mod login_pause;
mod minting;
mod observe;
mod operator_token;
mod pace;
mod recent;
mod rejection;
mod repeats;
mod retry_budget;
mod session;
mod transport;
mod types;
mod upstream;

pub use crate::no_connection::NoConnection;
pub use client::{ChatHub, DEFAULT_URL, Settings};
pub use credentials::Credentials;
pub use endpoint::Endpoint;
pub use error::{BadAnswer, Error, Unreachable};
pub use listing::{ListedOperator, ListedOrganization, Listing};
pub use observe::{Observer, Outcome};
pub use repeats::Repeats;
pub use types::{
    AddedOperator, NewOperator, Operator, OperatorId, OperatorStatus, OperatorToken, Organization,
    OrganizationId, TokenCheck,
};
