//! What an admin has filled in, and the link that comes of it. What the link would do is asked of the code that clicks go through.

use std::borrow::Cow;

use url::form_urlencoded::{self, Serializer};

use super::crms::Crm;
use crate::access::{Access, Denied, Mode};
use crate::config::LinkConfig;
use crate::deep_link::DeepLink;
use crate::http::click::Click;
use crate::http::kind::Kind;
use crate::http::open_chat::target;
use crate::http::prose::Prose;
use crate::http::query::Query;
use crate::http::refusal::Refusal;
use crate::http::texts::Language;
use crate::invisible;

/// The longest value that is taken, in characters: every one of them comes back several times over.
const MAX_VALUE: usize = 100;

/// An id as ChatHub has them.
const SAMPLE_OPERATOR: &str = "101";

/// A phone as CRMs store it.
const SAMPLE_PHONE: &str = "+38 (050) 123-45-67";

/// What an admin has filled in.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) crm: &'static Crm,
    pub(super) operator: String,
    /// Whether the operator is the same for everybody who clicks.
    pub(super) is_fixed: bool,
    pub(super) phone: String,
    pub(super) source: String,
    pub(super) from: String,
    pub(super) chat_raw_id: String,
}

/// What a click on the link would do, access aside.
pub(super) enum Verdict {
    /// A chat opens.
    Opens {
        /// 1 to 4.
        format: u8,
        /// Why this one.
        why: Prose,
        /// Where the link leads, without its token.
        leads_to: String,
    },
    /// It is refused.
    Refused {
        /// As what.
        kind: Kind,
        /// And in which words.
        why: Prose,
    },
}

impl Draft {
    /// Reads the form. It repairs what it cannot read, because all of it is only shown.
    pub(super) fn read(query: &str, access: &Access) -> Self {
        let value = |wanted: &str| -> Option<String> {
            form_urlencoded::parse(query.as_bytes())
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| invisible::trim(&value).chars().take(MAX_VALUE).collect())
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

    /// The link's query as it belongs into the CRM, placeholders and all.
    pub(super) fn template(&self, access: &Access) -> String {
        let mut parts = Vec::new();
        let mut add = |name: &str, value: &str| parts.push(format!("{name}={value}"));
        let has_pass = takes(access, Mode::Pass);
        if has_pass {
            add("pass", "{pass}");
        }
        let is_named_elsewhere =
            has_pass || may_leave_operator_out(access) && self.operator.is_empty();
        if self.is_fixed && !self.operator.is_empty() {
            add("operator", &encoded(&self.operator));
        } else if !is_named_elsewhere {
            add(
                "operator",
                self.crm.agent.placeholder().unwrap_or("{operator}"),
            );
        }
        add("phone", self.crm.phone.placeholder().unwrap_or("{phone}"));
        for (name, value) in [("source", &self.source), ("from", &self.from)] {
            if !value.is_empty() {
                add(name, &encoded(value));
            }
        }
        // A chat belongs to one client, as a phone does, and would open for all of them.
        if !self.chat_raw_id.is_empty() {
            add("chat_raw_id", "{chat_raw_id}");
        }
        parts.join("&")
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

    /// What a click on the sample would do.
    pub(super) fn verdict(
        &self,
        access: &Access,
        links: &LinkConfig,
        click: &mut Click,
    ) -> Verdict {
        match judge(&self.sample(), access, links, click) {
            Ok(verdict) => verdict,
            Err(refusal) => Verdict::Refused {
                kind: refusal.kind,
                why: refusal.detail(Language::English),
            },
        }
    }
}

fn judge(
    sample: &str,
    access: &Access,
    links: &LinkConfig,
    click: &mut Click,
) -> Result<Verdict, Refusal> {
    let query = Query::parse(sample)?;
    if query.operator().is_none() && !may_leave_operator_out(access) {
        return Err(Denied::OperatorMissing.into());
    }
    let link = target(&query, links, click)?;
    Ok(Verdict::Opens {
        format: link.format(),
        why: Prose::of(&why(&link, &query, click)),
        leads_to: link.url(&links.panel, None),
    })
}

fn why(link: &DeepLink<'_>, query: &Query<'_>, click: &Click) -> String {
    match link {
        DeepLink::Chat { .. } => "a chat id is given, which wins over the phone".into(),
        DeepLink::Phone { .. } => match click.source {
            Some(source) => format!(
                "the source {source} has no sender, neither `from=` nor one in SENDERS, so the phone alone counts"
            ),
            None => "the phone is all that is known".into(),
        },
        DeepLink::Sender { .. } => "phone and sender are known, and no source".into(),
        DeepLink::Source { sender, .. } => {
            let from = if query.from().is_some() {
                "`from=`"
            } else {
                "SENDERS"
            };
            format!("phone, source and sender are known; the sender {sender} comes from {from}")
        }
    }
}

/// Whether a pass or a login names the operator already.
pub(super) fn may_leave_operator_out(access: &Access) -> bool {
    !takes(access, Mode::Open) && (takes(access, Mode::Pass) || takes(access, Mode::Sso))
}

pub(super) fn takes(access: &Access, mode: Mode) -> bool {
    access.modes().contains(&mode)
}

fn encoded(value: &str) -> Cow<'static, str> {
    form_urlencoded::byte_serialize(value.as_bytes())
        .collect::<String>()
        .into()
}
