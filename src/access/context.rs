//! The result of authentication: who is calling, and with which limits.

use super::{
    ClaimedBy, Denied, DeviceId, OneTimeUse, OperatorRequest, PassConstraints, Scope, SignedCookie,
};

/// An authenticated caller, and what the caller asks for.
#[derive(Debug)]
pub struct AuthContext<'a> {
    /// Who is calling.
    pub caller: Caller,
    /// The operator that is asked for.
    pub requested: OperatorRequest<'a>,
    /// The parameters that the pass fixes.
    pub constraints: PassConstraints,
    /// Set where the pass may be used once only.
    pub one_time_use: Option<OneTimeUse>,
    /// A paired browser's next cookie, where this request renews it.
    pub renewed_cookie: Option<SignedCookie>,
}

impl<'a> AuthContext<'a> {
    /// The context of a caller without a pass.
    pub(super) fn without_pass(caller: Caller, requested: OperatorRequest<'a>) -> Self {
        Self {
            caller,
            requested,
            constraints: PassConstraints::default(),
            one_time_use: None,
            renewed_cookie: None,
        }
    }

    /// The context of a caller that names the operator in the URL.
    pub(super) fn by_url(
        caller: Caller,
        operator: Option<&'a str>,
        scope: Scope,
    ) -> Result<Self, Denied> {
        let operator = operator.ok_or(Denied::OperatorMissing)?;
        let requested = OperatorRequest::new(ClaimedBy::Url, Some(operator), scope);
        Ok(Self::without_pass(caller, requested))
    }
}

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Any client that can reach the port.
    Anyone,
    /// The holder of a pass, by the id of the pass's key.
    Pass(String),
    /// An agent that a proxy has logged in, by identity.
    Sso(String),
    /// A back end, by the name of its API key.
    Key(String),
    /// A paired browser.
    Device(DeviceId),
    /// A CRM's agent, proven by the CRM: the CRM's name with a colon, and the agent's id there.
    Agent(&'static str, String),
}

impl Caller {
    /// Whether a browser shows this caller's credential with whatever it loads, so that any site
    /// that the agent visits can make it click.
    pub const fn is_ambient(&self) -> bool {
        match self {
            Self::Sso(_) | Self::Device(_) => true,
            Self::Anyone | Self::Pass(_) | Self::Key(_) | Self::Agent(..) => false,
        }
    }

    /// The caller in logs, as two pieces: `pass:` and the key's name.
    pub fn kind_and_name(&self) -> [&str; 2] {
        match self {
            Self::Anyone => ["anyone", ""],
            Self::Pass(key) => ["pass:", key],
            Self::Sso(identity) => ["sso:", identity],
            Self::Key(name) => ["key:", name],
            Self::Device(device) => ["device:", device.as_str()],
            Self::Agent(crm, id) => [crm, id],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_name_a_caller_by_kind_and_name() {
        let named = |caller: Caller| caller.kind_and_name().concat();
        assert_eq!(named(Caller::Anyone), "anyone");
        assert_eq!(named(Caller::Pass("crm".into())), "pass:crm");
        assert_eq!(named(Caller::Sso("ann".into())), "sso:ann");
        assert_eq!(named(Caller::Key("odoo".into())), "key:odoo");
        assert_eq!(named(Caller::Agent("kommo:", "5".into())), "kommo:5");
    }
}
