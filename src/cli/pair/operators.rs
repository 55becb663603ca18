//! Which operator an invitation is for: one that ChatHub has, and that works.

use anyhow::{bail, ensure};

use crate::access::Authenticator;
use crate::cli::pass::find_in_directory;
use crate::cli::{sanitized, say, with_company};
use crate::config::ChatHubConfig;
use crate::operators::{DirectorySnapshot, OperatorSelection, ResolveError};
use chathub::{Operator, OperatorId};

/// What ChatHub has; `None` where the environment has no credentials for it.
pub(super) struct Operators(Option<Listed>);

struct Listed {
    operators: Vec<Operator>,
    directory: DirectorySnapshot,
}

impl Operators {
    /// Reads ChatHub's lists.
    pub(super) fn read() -> anyhow::Result<Self> {
        if ChatHubConfig::from_env().is_err() {
            say(
                "operators are not looked up: CHATHUB_LOGIN and CHATHUB_PASSWORD, or CHATHUB_API_KEY, are not set",
            );
            return Ok(Self(None));
        }
        let operators = with_company(async |company| company.operators(None).await)?;
        Ok(Self(Some(Listed {
            directory: DirectorySnapshot::of(&operators, true),
            operators,
        })))
    }

    /// The operator of this alias, id or name.
    pub(super) fn find(
        &self,
        text: &str,
        authenticator: &Authenticator,
    ) -> anyhow::Result<OperatorId> {
        let selection = match &self.0 {
            Some(Listed {
                operators,
                directory,
            }) => find_in_directory(text, authenticator, operators, directory)?,
            None => without_directory(text, authenticator)?,
        };
        let OperatorSelection::Operator(id) = selection else {
            bail!("{}", several(text));
        };
        self.check_works(id)?;
        Ok(id)
    }

    fn check_works(&self, id: OperatorId) -> anyhow::Result<()> {
        if self.0.is_none() {
            return Ok(());
        }
        let Some(found) = self.get(id) else {
            bail!("there is no operator {id}; `open-chat operators list` shows those there are");
        };
        ensure!(
            found.status.works(),
            "{} is {}: no chat would open; `open-chat operators status {id} --set active` changes that",
            self.describe(id),
            found.status
        );
        Ok(())
    }

    fn get(&self, id: OperatorId) -> Option<&Operator> {
        let mut listed = self.0.iter().flat_map(|listed| &listed.operators);
        listed.find(|operator| operator.id == id)
    }

    /// `operator 101 (John Smith)`
    pub(super) fn describe(&self, id: OperatorId) -> String {
        self.get(id).map_or_else(
            || format!("operator {id}"),
            |operator| format!("operator {id} ({})", sanitized(&operator.name)),
        )
    }
}

fn without_directory(
    text: &str,
    authenticator: &Authenticator,
) -> anyhow::Result<OperatorSelection> {
    match authenticator.resolve_name(text, None) {
        Ok(selection) => Ok(selection),
        Err(ResolveError::AutoIsOff | ResolveError::NoActiveOperator) => bail!("{}", several(text)),
        Err(_) => bail!(
            "`{}` is no operator's id: a name takes ChatHub's credentials, as for `serve`",
            sanitized(text)
        ),
    }
}

fn several(text: &str) -> String {
    format!(
        "`{}` leaves open which operator it is; a browser is paired with one",
        sanitized(text)
    )
}
