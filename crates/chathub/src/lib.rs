#![doc = include_str!("../README.md")]

mod answer;
mod circuit;
mod circuit_breaker;
mod client;
mod clock;
mod config;
mod connections;
mod credentials;
mod endpoint;
mod error;
mod failure_rate;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod https_url;
mod jwt;
mod listing;
mod login;
mod login_pause;
mod minting;
mod observe;
mod operator_token;
mod rate_limiter;
mod rejection;
mod retry_budget;
mod session;
mod transport;
mod types;
mod upstream;

pub use client::ChatHub;
pub use config::{ClientConfig, DEFAULT_URL};
pub use connect_error::NoConnection;
pub use credentials::{CredentialSource, Credentials};
pub use endpoint::Endpoint;
pub use error::{BadAnswer, Error, ErrorKind, Unreachable};
pub use https_url::{HttpsUrl, HttpsUrlError};
pub use listing::{ListedOperator, ListedOrganization, Listing};
pub use observe::{Observer, Outcome};
pub use secrecy::{ExposeSecret, SecretString};
pub use types::{
    AddedOperator, NewOperator, Operator, OperatorId, OperatorStatus, OperatorToken, Organization,
    OrganizationId, TokenCheck,
};
