//! Signs a pass as a CRM would, and prints the link behind a button.
//!
//! A pass is a JWT, signed with HS256 and the secret that the service has as `PASS_SECRET`. On a
//! server only: a reader of the secret can open every operator's panel.
//!
//! ```sh
//! export PASS_SECRET=$(openssl rand -base64 32)
//! cargo run --example sign_pass -- https://chat.example 101 +380501234567
//! ```

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

/// How long the link opens, in seconds: at most `PASS_MAX_TTL` of the service.
const LIFETIME: u64 = 600;

/// What the pass fixes. A link that says otherwise is refused.
#[derive(Serialize)]
struct Claims<'a> {
    /// The operator: an alias of the operator map, a ChatHub id or a display name.
    sub: &'a str,
    /// The end, in seconds since 1970.
    exp: u64,
    /// The client, however the CRM stores the phone.
    phone: &'a str,
}

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |name| {
        let usage = || format!("sign_pass SERVICE OPERATOR PHONE: {name} is missing");
        arguments.next().with_context(usage)
    };
    let (service, operator, phone) = (
        argument("SERVICE")?,
        argument("OPERATOR")?,
        argument("PHONE")?,
    );
    let secret = std::env::var("PASS_SECRET").context("PASS_SECRET is not set")?;

    let claims = Claims {
        sub: &operator,
        exp: SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() + LIFETIME,
        phone: &phone,
    };
    let pass = jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        &claims,
        &EncodingKey::from_secret(secret.as_bytes()),
    )?;
    // A JWT has only characters that stand for themselves in a URL.
    println!("{service}/open-chat?pass={pass}");
    Ok(())
}
