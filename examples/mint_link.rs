//! Asks for a ready link, as the back end of a CRM that cannot sign passes.
//!
//! The service has `key` in `ACCESS` and the SHA-256 of the API key in `API_KEYS_FILE`. The link
//! opens once, within ten minutes.
//!
//! ```sh
//! API_KEY=… cargo run --example mint_link -- https://chat.example 101 +380501234567
//! ```

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::json;

/// What `POST /links` answers with 201.
#[derive(Deserialize)]
struct Link {
    url: String,
    expires_at: String,
}

/// What it answers otherwise (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    title: String,
    detail: String,
    request_id: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |name| {
        let usage = || format!("mint_link SERVICE OPERATOR PHONE: {name} is missing");
        arguments.next().with_context(usage)
    };
    let (service, operator, phone) = (
        argument("SERVICE")?,
        argument("OPERATOR")?,
        argument("PHONE")?,
    );
    let key = std::env::var("API_KEY").context("API_KEY is not set")?;

    let wanted = json!({"operator": operator, "phone": phone, "ttl": "10m", "once": true});
    let answer = reqwest::Client::new()
        .post(format!("{service}/links"))
        .bearer_auth(key)
        .body(wanted.to_string())
        .send()
        .await?;
    if answer.status() != 201 {
        let problem: Problem = serde_json::from_str(&answer.text().await?)?;
        bail!(
            "{}: {} (request {})",
            problem.title,
            problem.detail,
            problem.request_id
        );
    }
    let link: Link = serde_json::from_str(&answer.text().await?)?;
    println!("{}", link.url);
    eprintln!("It opens until {}.", link.expires_at);
    Ok(())
}
