//! The company as a command sees it: ChatHub opened from the environment, its organizations, its
//! operators by id or name.

use anyhow::{anyhow, bail};
use chathub::{
    ChatHub, Error, ErrorKind, Operator, OperatorId, Organization, OrganizationId, Unreachable,
};

use super::exit::block_on;
use super::near;
use super::output::shown;
use crate::config::ChatHubConfig;
use crate::operators::name::{folded, spelling};
use crate::phone::Region;

/// Of a long list in a message only so many are named.
const SHOWN: usize = 20;

/// A company's access to ChatHub.
pub(super) struct Company {
    pub(super) chathub: ChatHub,
    pub(super) default_region: Region,
}

/// Opens ChatHub with the settings of `serve`, and runs a command on it.
pub(super) fn with_company<T>(
    command: impl AsyncFnOnce(&Company) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let config = ChatHubConfig::from_env()?;
    block_on(async {
        let company = Company {
            chathub: ChatHub::new(config.client)?,
            default_region: config.default_region,
        };
        let address = company.chathub.address();
        command(&company)
            .await
            .map_err(|error| located(error, &address))
    })
}

/// An error of a connection says where that should have led.
fn located(error: anyhow::Error, address: &str) -> anyhow::Error {
    match error.downcast_ref::<Error>().map(Error::kind) {
        Some(ErrorKind::Unavailable(Unreachable::NoConnection(_))) => {
            error.context(format!("calling {address}"))
        }
        _ => error,
    }
}

impl Company {
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

/// The operator that `text` means: by its id, or by its exact name, whose case does not matter,
/// nor which apostrophe is in it.
pub(super) fn find<'a>(operators: &'a [Operator], text: &str) -> anyhow::Result<&'a Operator> {
    let id = OperatorId::parse(text);
    if let Some(operator) = operators.iter().find(|operator| Some(operator.id) == id) {
        return Ok(operator);
    }
    let called = called(operators, text);
    match called[..] {
        [operator] => Ok(operator),
        [] => bail!(
            "there is no operator `{}`: give an id, or the exact name; {}",
            shown(text),
            near::hint(operators, text)
        ),
        _ => bail!(
            "{} operators are called `{}`; give the id of one of them:{}",
            called.len(),
            shown(text),
            list(&called)
        ),
    }
}

/// Those of this name; where there is none, those whose name looks like it.
fn called<'a>(operators: &'a [Operator], text: &str) -> Vec<&'a Operator> {
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

fn list(operators: &[&Operator]) -> String {
    let line = |operator: &&Operator| {
        let organization = organization_name(&operator.organization);
        format!("\n  {}  {}, {organization}", operator.id, operator.status)
    };
    let mut lines: Vec<_> = operators.iter().take(SHOWN).map(line).collect();
    if operators.len() > SHOWN {
        lines.push(format!("\n  and {} more", operators.len() - SHOWN));
    }
    lines.concat()
}

/// `Acme Support (24)`
pub(super) fn organization_name(organization: &Organization) -> String {
    format!("{} ({})", shown(&organization.name), organization.id)
}

/// Reads `--organization`.
pub(super) fn organization_id(text: &str) -> Result<OrganizationId, &'static str> {
    text.trim().parse().map(OrganizationId).map_err(
        |_| "not an organization's id, such as 24; `open-chat organizations list` shows them",
    )
}
