//! Checks the company's directory: organizations, operators, and the operator map.

use super::findings::Findings;
use crate::access::Authenticator;
use crate::cli::{Company, advice, listed, organization_name, sanitized};
use crate::operators::{DeadAlias, DirectorySnapshot};
use chathub::{Operator, OperatorStatus};

impl Findings {
    /// Returns the operators of all organizations, and whether the list is complete. `None` where
    /// the next checks have nothing to work with.
    pub(super) async fn operators(&mut self, company: &Company) -> Option<(Vec<Operator>, bool)> {
        let organizations = match company.chathub.list_organizations().await {
            Ok(organizations) => organizations,
            Err(error) => {
                self.error("organizations", error.kind());
                self.skip(&["operators", "token"]);
                return None;
            }
        };
        if organizations.is_empty() {
            self.fail(
                "organizations",
                "the company has none",
                "Create one in ChatHub's dashboard, or ask SMSBAT's support.",
            );
            self.skip(&["operators", "token"]);
            return None;
        }
        self.ok("organizations", format!("{}", organizations.len()));
        let (mut all, mut is_known) = (Vec::new(), true);
        for organization in organizations {
            let name = organization_name(&organization);
            match company.chathub.list_operators(organization.id).await {
                Ok(operators) => {
                    self.organization(&name, organization.id.0, &operators);
                    all.extend(operators);
                }
                Err(error) => {
                    let message = format!("{name}: {error}");
                    self.fail("operators", message, advice(error.kind()));
                    is_known = false;
                }
            }
        }
        if all.is_empty() && !is_known {
            self.skip(&["token"]);
            return None;
        }
        Some((all, is_known))
    }

    fn organization(&mut self, name: &str, id: u64, operators: &[Operator]) {
        let is_active = |operator: &&Operator| operator.status == OperatorStatus::Active;
        let (all, active) = (operators.len(), operators.iter().filter(is_active).count());
        if operators.is_empty() {
            self.warn(
                "operators",
                format!("{name} has no operators"),
                format!("`open-chat operators add --organization {id} NAME…` adds them, `open-chat operators import` many."),
            );
        } else if active == 0 {
            self.warn(
                "operators",
                format!("{name}: none of {all} is active"),
                format!("`open-chat operators list --organization {id}` shows them, `open-chat operators status ID --set active` activates one."),
            );
        } else {
            self.ok("operators", format!("{name}: {active} of {all} active"));
        }
    }

    /// An alias that resolves to no operator would otherwise fail at a click.
    pub(super) fn operator_map(
        &mut self,
        door: &Authenticator,
        operators: &[Operator],
        is_complete: bool,
    ) {
        const CHECK: &str = "operator map";
        let (aliases, dead) = door.check_aliases(&DirectorySnapshot::of(operators, is_complete));
        if aliases == 0 {
            return;
        }
        let counted = if aliases == 1 {
            "1 alias".to_owned()
        } else {
            format!("{aliases} aliases")
        };
        if dead.is_empty() {
            return self.ok(CHECK, format!("{counted}, each leads to an operator"));
        }
        self.fail(
            CHECK,
            format!(
                "{counted}, {} lead to nobody who can open a chat: {}",
                dead.len(),
                listed(dead.iter().map(line)).join(", ")
            ),
            "Correct these lines of OPERATOR_MAP_FILE; `open-chat operators list` shows ids and names.",
        );
    }
}

fn line(dead: &DeadAlias) -> String {
    let (alias, stands_for) = (sanitized(&dead.alias), sanitized(&dead.stands_for));
    format!("`{alias}` = {stands_for} ({})", dead.why)
}
