//! The names of the seven calls.

use serde::{Deserialize, Serialize};

/// The seven calls, as the simulator counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(usize)]
pub enum Endpoint {
    /// `company/get-token`
    CompanyToken,
    /// `company/organization`
    Organizations,
    /// `operator`
    Operators,
    /// `operator/synchronize`
    Synchronize,
    /// `operator/status`
    OperatorStatus,
    /// `operator/get-token`
    OperatorToken,
    /// `operator/validate-token`
    ValidateToken,
}

impl Endpoint {
    /// All seven.
    pub const ALL: [Self; 7] = [
        Self::CompanyToken,
        Self::Organizations,
        Self::Operators,
        Self::Synchronize,
        Self::OperatorStatus,
        Self::OperatorToken,
        Self::ValidateToken,
    ];
}
