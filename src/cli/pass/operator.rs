//! Checks that the operator of a new link or pass exists. The operator map and ids need no request;
//! a name is looked up in ChatHub where the environment has its credentials.

use anyhow::bail;

use crate::chathub::ChatHub;
use crate::cli::company::{Company, find};
use crate::cli::exit::{Usage, block_on};
use crate::cli::output::{sanitized, say};
use crate::config::{ChatHubConfig, SigningConfig};
use crate::operators::{DirectorySnapshot, ResolveError};

/// Refuses a name that resolves to no operator. Without access to ChatHub it only reports that the
/// name was not looked up.
pub(in crate::cli) fn check_operator(name: &str, config: &SigningConfig) -> anyhow::Result<()> {
    match config.authenticator.resolve_name(name, None) {
        Ok(_) => return Ok(()),
        Err(ResolveError::AutoIsOff) => {
            let sentence = "the choice of the operator is left open, with `auto:`, and OPERATOR_AUTO is off; set it as for `serve`";
            return Err(Usage(sentence.into()).into());
        }
        Err(_) => {}
    }
    let Ok(chathub) = ChatHubConfig::from_env() else {
        say(&unasked(
            name,
            "CHATHUB_LOGIN and CHATHUB_PASSWORD are not set",
        ));
        return Ok(());
    };
    block_on(async {
        let company = Company {
            chathub: ChatHub::new(chathub.client)?,
            default_region: chathub.default_region,
        };
        match company.operators(None).await {
            Ok(operators) => {
                let found = config
                    .authenticator
                    .resolve_name(name, Some(&DirectorySnapshot::of(&operators, true)));
                match found {
                    Ok(_) => Ok(()),
                    Err(_) if config.authenticator.is_alias(name) => bail!(
                        "OPERATOR_MAP_FILE has `{}`, and what it stands for there is no operator; `open-chat check` lists all that lead nowhere",
                        sanitized(name)
                    ),
                    Err(ResolveError::NoActiveOperator) => {
                        bail!(
                            "the organization of `{}` has no active operator",
                            sanitized(name)
                        )
                    }
                    Err(_) => find(&operators, name).map(drop),
                }
            }
            Err(error) => {
                say(&unasked(name, &error.to_string()));
                Ok(())
            }
        }
    })
}

fn unasked(name: &str, why: &str) -> String {
    format!(
        "the operator `{}` was not looked up: {why}",
        sanitized(name)
    )
}
