//! What a click on the sample would do, by the code that clicks run and by the directory in
//! memory. It calls no ChatHub, and reads no pass, key or identity of the visitor's: it must be no
//! place to guess them at.

use actix_web::HttpRequest;

use crate::access::{AuthContext, Credentials, Denied};
use crate::deep_link::DeepLink;
use crate::http::authorize::operator::unresolved;
use crate::http::context::ClientRecord;
use crate::http::extract::{Query, host, is_local};
use crate::http::pages::{BuilderTexts, Language, fill};
use crate::http::problem::{Kind, Problem};
use crate::http::state::AppState;
use crate::http::target::target;
use chathub;

/// What a click on the sample would do.
pub(super) enum Verdict {
    /// A chat opens.
    Opens {
        /// 1 to 4.
        format: u8,
        /// Why this one.
        why: String,
        /// Where the link leads, without its token.
        leads_to: String,
        /// What a click needs besides, or what is not known here; then the verdict is no success.
        unless: Option<&'static str>,
    },
    /// It is refused.
    Refused {
        /// As what.
        kind: Kind,
        /// The detail.
        why: String,
    },
}

impl Verdict {
    /// Judges the sample's query as if this page's visitor had clicked on it without a credential.
    pub(super) fn of(
        sample: &str,
        language: Language,
        request: &HttpRequest,
        state: &AppState,
    ) -> Self {
        let texts = language.builder();
        judge(sample, texts, request, state).unwrap_or_else(|refusal| Self::Refused {
            kind: refusal.kind,
            why: refusal.sentence(language),
        })
    }
}

fn judge(
    sample: &str,
    texts: &'static BuilderTexts,
    request: &HttpRequest,
    state: &AppState,
) -> Result<Verdict, Problem> {
    let query = Query::parse(sample)?;
    let shown = Credentials {
        operator: query.operator(),
        ..Credentials::default()
    };
    let unless = match state.authenticator.authenticate(&shown) {
        Ok(auth) => look_up(&auth, texts, request, state)?,
        Err(denied) => Some(lacking(denied, texts).ok_or_else(|| Problem::from(denied))?),
    };
    // What is tried here is no click, so the request's own record does not name it.
    let mut client = ClientRecord::default();
    let link = target(&query, &state.links, &mut client)?;
    Ok(Verdict::Opens {
        format: link.format(),
        why: why(&link, &query, &client, texts) + source_note(&query, &client, texts),
        leads_to: link.url(&state.links.panel, None),
        unless,
    })
}

/// Says which credential is missing, where nothing else speaks against the click.
const fn lacking(denied: Denied, texts: &BuilderTexts) -> Option<&'static str> {
    match denied {
        Denied::PassMissing => Some(texts.takes_pass),
        Denied::DeviceMissing => Some(texts.takes_device),
        Denied::IdentityMissing => Some(texts.takes_login),
        Denied::ApiKeyInvalid => Some(texts.takes_key),
        _ => None,
    }
}

/// Refuses an operator that a click would not find. Else says why this page cannot tell.
fn look_up(
    auth: &AuthContext<'_>,
    texts: &BuilderTexts,
    request: &HttpRequest,
    state: &AppState,
) -> Result<Option<&'static str>, Problem> {
    if !is_behind_a_lock(request, state) {
        return Ok(Some(texts.no_lock));
    }
    let directory = state.directory.current();
    let directory = directory.as_deref();
    let found = match state
        .authenticator
        .resolve_operator(&auth.requested, directory)
    {
        Err(Denied::DirectoryNeeded) => return Ok(Some(texts.no_list)),
        found => found.map_err(|denied| unresolved(denied, &auth.requested, state))?,
    };
    let Some(operator) = found.operator() else {
        return Ok(None);
    };
    match directory {
        Some(directory) if directory.status(operator).is_some() => Ok(None),
        Some(directory) if directory.is_complete() => Err(chathub::ErrorKind::NotFound.into()),
        _ => Ok(Some(texts.no_list)),
    }
}

/// Whether strangers are kept out. Here they could list the company's operators, without the limit
/// on refused clicks.
fn is_behind_a_lock(request: &HttpRequest, state: &AppState) -> bool {
    let is_narrow = state.authenticator.has_allowed_networks() || is_local(request);
    is_narrow && host::check(request, state).is_ok()
}

/// Where the source comes from, if not from the link's own parameter.
fn source_note(query: &Query<'_>, client: &ClientRecord, texts: &BuilderTexts) -> &'static str {
    if client.source.is_some() && query.source().is_none() {
        texts.source_from_phone
    } else {
        ""
    }
}

fn why(
    link: &DeepLink<'_>,
    query: &Query<'_>,
    client: &ClientRecord,
    texts: &BuilderTexts,
) -> String {
    let why = match link {
        DeepLink::Chat { .. } => texts.why_chat.into(),
        DeepLink::Phone { .. } => match client.source {
            Some(source) => fill(texts.why_no_sender, &[("source", &source)]),
            None => texts.why_phone.into(),
        },
        DeepLink::Sender { .. } => texts.why_sender.into(),
        DeepLink::Source { sender, .. } => {
            let from = match query.from() {
                Some(_) => "`from=`",
                None => "SENDERS",
            };
            fill(texts.why_source, &[("sender", sender), ("from", &from)])
        }
    };
    why.into_owned()
}
