//! The company for commands: the ChatHub client from the environment, and operators by
//! organization, id or name.

use anyhow::{anyhow, bail};

use super::{block_on, listed, sanitized, suggestions};
use crate::config::ChatHubConfig;
use crate::operators::name::{folded, spelling};
use crate::phone::Region;
use chathub::{
    ChatHub, Error, ErrorKind, Operator, OperatorId, Organization, OrganizationId, Unreachable,
};

/// A company's access to ChatHub.
pub(super) struct Company {
    pub(super) chathub: ChatHub,
    pub(super) default_region: Region,
}

/// Builds the client from the settings of `serve`, and runs a command with it.
pub(super) fn with_company<T>(
    command: impl AsyncFnOnce(&Company) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let config = ChatHubConfig::from_env()?;
    block_on(async {
        let company = Company::new(config)?;
        let address = company.chathub.address();
        command(&company)
            .await
            .map_err(|error| located(error, &address))
    })
}

/// Adds the address to the error of a failed connection.
fn located(error: anyhow::Error, address: &str) -> anyhow::Error {
    match error.downcast_ref::<Error>().map(Error::kind) {
        Some(ErrorKind::Unavailable(Unreachable::NoConnection(_))) => {
            error.context(format!("calling {address}"))
        }
        _ => error,
    }
}

impl Company {
    /// Builds the client. Nothing is sent yet.
    pub(super) fn new(config: ChatHubConfig) -> Result<Self, Error> {
        Ok(Self {
            chathub: ChatHub::new(config.client)?,
            default_region: config.default_region,
        })
    }

    /// The operators of one organization, or of all.
    pub(super) async fn operators(
        &self,
        organization: Option<OrganizationId>,
    ) -> anyhow::Result<Vec<Operator>> {
        if let Some(organization) = organization {
            return self.operators_of(organization).await;
        }
        let mut operators = Vec::new();
        for organization in self.chathub.list_organizations().await? {
            operators.extend(self.operators_of(organization.id).await?);
        }
        Ok(operators)
    }

    /// The operators of an organization, by id.
    pub(super) async fn operators_of(
        &self,
        organization: OrganizationId,
    ) -> anyhow::Result<Vec<Operator>> {
        let listed = self.chathub.list_operators(organization).await;
        let mut operators = listed.map_err(|error| match error.kind() {
            ErrorKind::NotPermitted | ErrorKind::NotFound => anyhow!(
                "the company has no organization {organization}, or may not see it; `open-chat organizations list` shows those there are"
            ),
            _ => error.into(),
        })?;
        operators.sort_by_key(|operator| operator.id);
        Ok(operators)
    }
}

/// Finds an operator by id, or by exact name; neither case nor the kind of apostrophe matters.
pub(super) fn find_operator<'a>(
    operators: &'a [Operator],
    text: &str,
) -> anyhow::Result<&'a Operator> {
    let id = OperatorId::parse(text);
    if let Some(operator) = operators.iter().find(|operator| Some(operator.id) == id) {
        return Ok(operator);
    }
    let called = with_name(operators, text);
    match called[..] {
        [operator] => Ok(operator),
        [] => bail!(
            "there is no operator `{}`: give an id, or the exact name; {}",
            sanitized(text),
            suggestions::hint(operators, text)
        ),
        _ => bail!(
            "{} operators are called `{}`; give the id of one of them:\n  {}",
            called.len(),
            sanitized(text),
            listed(called.iter().copied().map(line)).join("\n  ")
        ),
    }
}

/// The operators of this name; where there is none, those whose name looks the same.
fn with_name<'a>(operators: &'a [Operator], text: &str) -> Vec<&'a Operator> {
    let same = |key: fn(&str) -> String| -> Vec<_> {
        let wanted = key(text);
        let is_called = |operator: &&Operator| key(&operator.name) == wanted;
        operators.iter().filter(is_called).collect()
    };
    let exactly = same(folded);
    if exactly.is_empty() {
        same(spelling)
    } else {
        exactly
    }
}

fn line(operator: &Operator) -> String {
    let organization = organization_name(&operator.organization);
    format!("{}  {}, {organization}", operator.id, operator.status)
}

/// `Acme Support (24)`
pub(super) fn organization_name(organization: &Organization) -> String {
    format!("{} ({})", sanitized(&organization.name), organization.id)
}

/// Parses `--organization`.
pub(super) fn organization_id(text: &str) -> Result<OrganizationId, &'static str> {
    text.trim().parse().map(OrganizationId).map_err(
        |_| "not an organization's id, such as 24; `open-chat organizations list` shows them",
    )
}
