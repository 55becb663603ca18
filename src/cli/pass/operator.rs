//! Checks that the operator of a new link or pass exists. The operator map and ids need no request;
//! a name is looked up in ChatHub where the environment has its credentials.

use anyhow::bail;

use crate::access::Authenticator;
use crate::cli::{Company, Usage, block_on, find_operator, sanitized, say};
use crate::config::{ChatHubConfig, SigningConfig};
use crate::operators::{DirectorySnapshot, OperatorSelection, ResolveError};
use chathub::Operator;

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
        say_unchecked(name, "CHATHUB_LOGIN and CHATHUB_PASSWORD are not set");
        return Ok(());
    };
    match block_on(async { Ok(Company::new(chathub)?.operators(None).await) })? {
        Ok(operators) => {
            let directory = DirectorySnapshot::of(&operators, true);
            find_in_directory(name, &config.authenticator, &operators, &directory).map(drop)
        }
        Err(error) => {
            say_unchecked(name, &error.to_string());
            Ok(())
        }
    }
}

/// Resolves an alias, an id or a name by ChatHub's directory. The error says what there is instead.
pub(in crate::cli) fn find_in_directory(
    name: &str,
    authenticator: &Authenticator,
    operators: &[Operator],
    directory: &DirectorySnapshot,
) -> anyhow::Result<OperatorSelection> {
    match authenticator.resolve_name(name, Some(directory)) {
        Ok(selection) => Ok(selection),
        Err(_) if authenticator.is_alias(name) => bail!(
            "OPERATOR_MAP_FILE has `{}`, and what it stands for there is no operator; `open-chat check` lists all that lead nowhere",
            sanitized(name)
        ),
        Err(ResolveError::NoActiveOperator) => bail!(
            "the organization of `{}` has no active operator",
            sanitized(name)
        ),
        Err(_) => Ok(OperatorSelection::Operator(
            find_operator(operators, name)?.id,
        )),
    }
}

fn say_unchecked(name: &str, why: &str) {
    let name = sanitized(name);
    say(&format!("the operator `{name}` was not looked up: {why}"));
}
