//! What an admin has filled in, and the link that it makes. It knows no page.

use url::form_urlencoded::{self, Serializer};

use super::crms::{Code, Crm, Fact};
use crate::access::{Authenticator, Mode};
use crate::invisible;

/// The longest value that is read, in bytes as a URL has it: the page repeats each several times.
const MAX_VALUE: usize = 200;

/// An id as in ChatHub.
const SAMPLE_OPERATOR: &str = "101";

/// A phone as CRMs store it.
const SAMPLE_PHONE: &str = "+38 (050) 123-45-67";

/// What an admin has filled in.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) crm: &'static Crm,
    pub(super) operator: String,
    /// Whether the operator is the same for every agent who clicks.
    pub(super) is_fixed: bool,
    pub(super) phone: String,
    pub(super) source: String,
    pub(super) from: String,
    pub(super) chat_raw_id: String,
}

impl Draft {
    /// Reads the form. It replaces what it cannot read, because all of it is only shown.
    pub(super) fn read(query: &str, access: &Authenticator) -> Self {
        let value = |wanted: &str| -> Option<String> {
            form_urlencoded::parse(query.as_bytes())
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| beginning(invisible::trim(&value)))
        };
        let text = |wanted: &str| value(wanted).unwrap_or_default();
        let operator = || {
            if may_leave_operator_out(access) {
                String::new()
            } else {
                SAMPLE_OPERATOR.to_owned()
            }
        };
        Self {
            crm: Crm::find(&text("crm")),
            operator: value("operator").unwrap_or_else(operator),
            is_fixed: text("fixed") == "on",
            phone: value("phone").unwrap_or_else(|| SAMPLE_PHONE.to_owned()),
            source: text("source"),
            from: text("from"),
            chat_raw_id: text("chat_raw_id"),
        }
    }

    /// The link's query as the CRM needs it, with placeholders.
    pub(super) fn template(&self, access: &Authenticator) -> String {
        let mut parts = Vec::new();
        let mut add = |name: &str, value: &str| parts.push(format!("{name}={value}"));
        // What is pasted signs nothing, so it has a pass only where nothing else would count.
        let has_pass = takes(access, Mode::Pass) && !self.can_be_pasted(access);
        if has_pass {
            add("pass", &self.crm.code.value("pass"));
        }
        let is_named_elsewhere =
            has_pass || may_leave_operator_out(access) && self.operator.is_empty();
        if self.is_fixed && !self.operator.is_empty() {
            add("operator", &encoded(&self.operator));
        } else if !is_named_elsewhere {
            add("operator", &self.written(self.crm.agent, "operator"));
        }
        add("phone", &self.written(self.crm.phone, "phone"));
        for (name, value) in [("source", &self.source), ("from", &self.from)] {
            if !value.is_empty() {
                add(name, &encoded(value));
            }
        }
        // A chat belongs to one client, as a phone does: the sample's would open for every client.
        if !self.chat_raw_id.is_empty() {
            add("chat_raw_id", &self.crm.code.value("chat_raw_id"));
        }
        parts.join("&")
    }

    /// Whether the URL works as it is pasted: the CRM has a field for it, and nothing has to sign.
    pub(super) fn can_be_pasted(&self, access: &Authenticator) -> bool {
        let unsigned = [Mode::Open, Mode::Sso, Mode::Device];
        self.crm.code == Code::Field && unsigned.into_iter().any(|mode| takes(access, mode))
    }

    /// What the CRM, or the code behind its button, writes for a value: its own placeholder where
    /// that is known.
    fn written(&self, fact: Fact, name: &str) -> String {
        let known = fact.placeholder().map(ToOwned::to_owned);
        known.unwrap_or_else(|| self.crm.code.value(name))
    }

    /// The link's query with the sample values in it.
    pub(super) fn sample(&self) -> String {
        let mut query = Serializer::new(String::new());
        for (name, value) in [
            ("operator", &self.operator),
            ("phone", &self.phone),
            ("source", &self.source),
            ("from", &self.from),
            ("chat_raw_id", &self.chat_raw_id),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }
}

/// Whether a pass, a login or a pairing names the operator already.
pub(super) fn may_leave_operator_out(access: &Authenticator) -> bool {
    let modes = [Mode::Pass, Mode::Sso, Mode::Device];
    !takes(access, Mode::Open) && modes.into_iter().any(|mode| takes(access, mode))
}

pub(super) fn takes(access: &Authenticator, mode: Mode) -> bool {
    access.modes().contains(&mode)
}

/// As much of a value as is read.
fn beginning(value: &str) -> String {
    let mut room = MAX_VALUE;
    let fits = |c: &char| {
        let bytes = if c.is_ascii_alphanumeric() {
            1
        } else {
            3 * c.len_utf8()
        };
        let left = room.checked_sub(bytes);
        room = left.unwrap_or_default();
        left.is_some()
    };
    value.chars().take_while(fits).collect()
}

fn encoded(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}
