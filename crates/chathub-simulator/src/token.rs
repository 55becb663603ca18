//! The tokens: their claims, and the key that signs them.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// Signs all tokens. Fixed, so that tokens outlive a restart, as ChatHub's do.
const SIGNING_KEY: &[u8] = b"a key that opens nothing but the simulator";

/// The claims of an operator token, as the samples show them.
#[derive(Serialize, Deserialize)]
pub(crate) struct OperatorClaims {
    pub(crate) operator_id: u64,
    pub(crate) exp: i64,
}

/// The claims of a company token; undocumented, so they are our own.
#[derive(Serialize, Deserialize)]
pub(crate) struct CompanyClaims {
    pub(crate) company: String,
    pub(crate) generation: u64,
    pub(crate) exp: i64,
}

pub(crate) fn operator_token(operator_id: u64, expires_at: DateTime<Utc>) -> String {
    sign(&OperatorClaims {
        operator_id,
        exp: expires_at.timestamp(),
    })
}

pub(crate) fn sign(claims: &impl Serialize) -> String {
    // HS256 over plain claims cannot fail; were it to, the empty token would be refused by
    // everybody.
    jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        claims,
        &EncodingKey::from_secret(SIGNING_KEY),
    )
    .unwrap_or_default()
}

/// Checks the signature only: the simulator has a clock of its own.
pub(crate) fn verify<Claims: serde::de::DeserializeOwned>(token: &str) -> Option<Claims> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.required_spec_claims.clear();
    jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(SIGNING_KEY), &validation)
        .ok()
        .map(|data| data.claims)
}
