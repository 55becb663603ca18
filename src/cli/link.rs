//! `open-chat link` prints a button's URL, signed where a key can sign.

use super::pass::{PassRequest, check_operator};
use super::say;
use crate::config::SigningConfig;

/// The notice beside a URL that carries no pass.
pub(super) const UNSIGNED: &str = "unsigned: works with ACCESS=open, sso or device only";

pub(super) fn run(request: &PassRequest) -> anyhow::Result<()> {
    let config = SigningConfig::from_env()?;
    let url = request.url(&config)?;
    check_operator(&request.operator, &config)?;
    if !config.authenticator.can_sign() {
        say(UNSIGNED);
    }
    println!("{url}");
    Ok(())
}
