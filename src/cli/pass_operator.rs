//! Whether an operator that a new link or pass names is there: by the map and by id without asking
//! anybody, by name from ChatHub, as far as it can be asked.

use anyhow::bail;
use chathub::ChatHub;

use super::company::{Company, find};
use super::exit::{Usage, block_on};
use super::output::{say, shown};
use crate::config::{ChatHubConfig, SigningConfig};
use crate::operators::{DirectorySnapshot, ResolveError};

/// Refuses a name that leads nowhere. Who makes a link may have no access to ChatHub, and then only
/// hears that the name was not looked up.
pub(super) fn check_operator(name: &str, config: &SigningConfig) -> anyhow::Result<()> {
    match config.authenticator.named(name, None) {
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
                    .named(name, Some(&DirectorySnapshot::of(&operators, true)));
                match found {
                    Ok(_) => Ok(()),
                    Err(_) if config.authenticator.is_alias(name) => bail!(
                        "OPERATOR_MAP_FILE has `{}`, and what it stands for there is no operator; `open-chat check` lists all that lead nowhere",
                        shown(name)
                    ),
                    Err(ResolveError::NobodyActive) => {
                        bail!(
                            "the organization of `{}` has no active operator",
                            shown(name)
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
    format!("the operator `{}` was not looked up: {why}", shown(name))
}
