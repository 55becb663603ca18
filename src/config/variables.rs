//! The variables of the environment: names, defaults, and which of them hold a secret. Each module
//! lists its own, with the reason for each default.

use super::{
    access, chathub, connect, device, limits, links, logs, pages, redis, server, sso, tokens,
};
use super::{traces, widget};

/// A variable of the environment.
#[derive(Clone, Copy)]
pub(super) struct Variable {
    name: &'static str,
    default: Option<&'static str>,
    is_secret: bool,
}

impl Variable {
    /// A variable that counts as set to `default` where it is not set.
    pub(super) const fn with_default(name: &'static str, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..Self::without_default(name)
        }
    }

    /// A variable without a default.
    pub(super) const fn without_default(name: &'static str) -> Self {
        Self {
            name,
            default: None,
            is_secret: false,
        }
    }

    /// A variable that holds a secret. The secret may also be in the file that `NAME_FILE` names.
    pub(super) const fn secret(name: &'static str) -> Self {
        Self {
            is_secret: true,
            ..Self::without_default(name)
        }
    }

    fn names(self) -> impl Iterator<Item = String> {
        let file = self.is_secret.then(|| format!("{}_FILE", self.name));
        std::iter::once(self.name.to_owned()).chain(file)
    }
}

const TABLES: [&[Variable]; 15] = [
    super::VARIABLES,
    access::VARIABLES,
    chathub::VARIABLES,
    connect::VARIABLES,
    device::VARIABLES,
    limits::VARIABLES,
    links::VARIABLES,
    logs::VARIABLES,
    pages::VARIABLES,
    redis::VARIABLES,
    server::VARIABLES,
    sso::VARIABLES,
    tokens::VARIABLES,
    traces::VARIABLES,
    widget::VARIABLES,
];

fn all() -> impl Iterator<Item = Variable> {
    TABLES.into_iter().flatten().copied()
}

/// Every name with its default, in alphabetical order.
pub(super) fn documented() -> Vec<(String, Option<String>)> {
    let mut variables: Vec<_> = all()
        .flat_map(|variable| {
            let default = variable.default.map(ToOwned::to_owned);
            variable.names().map(move |name| (name, default.clone()))
        })
        .collect();
    variables.sort();
    variables
}

/// The default of a variable.
pub(super) fn default_of(name: &str) -> Option<&'static str> {
    let variable = all().find(|variable| variable.names().any(|own| own == name));
    debug_assert!(variable.is_some(), "{name} is in no table");
    variable?.default
}

/// The variables that hold a secret themselves.
pub(super) fn secrets() -> impl Iterator<Item = &'static str> {
    all()
        .filter(|variable| variable.is_secret)
        .map(|variable| variable.name)
}
