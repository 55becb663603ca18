//! The seven calls: their names, methods and paths, and how long an answer may get.

use std::fmt;

use reqwest::Method;

/// One of ChatHub's seven calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
#[non_exhaustive]
pub enum Endpoint {
    /// `POST /api/company/get-token`: the company logs in.
    CompanyToken,
    /// `GET /api/company/organization`: the company's organizations.
    Organizations,
    /// `GET /api/operator`: an organization's operators.
    Operators,
    /// `POST /api/operator/synchronize`: adds operators, and never looks for their names first.
    Synchronize,
    /// `POST /api/operator/status`: activates, disables or deletes an operator.
    OperatorStatus,
    /// `POST /api/operator/get-token`: mints an operator token.
    OperatorToken,
    /// `POST /api/operator/validate-token`: says whether an operator token is good.
    ValidateToken,
}

impl Endpoint {
    /// All seven, in the order of ChatHub's documents.
    pub const ALL: [Self; 7] = [
        Self::CompanyToken,
        Self::Organizations,
        Self::Operators,
        Self::Synchronize,
        Self::OperatorStatus,
        Self::OperatorToken,
        Self::ValidateToken,
    ];

    /// The path below `/api/`, which is also the name in metrics and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CompanyToken => "company/get-token",
            Self::Organizations => "company/organization",
            Self::Operators => "operator",
            Self::Synchronize => "operator/synchronize",
            Self::OperatorStatus => "operator/status",
            Self::OperatorToken => "operator/get-token",
            Self::ValidateToken => "operator/validate-token",
        }
    }

    pub(crate) const fn method(self) -> Method {
        match self {
            Self::Organizations | Self::Operators => Method::GET,
            _ => Method::POST,
        }
    }

    /// How many bytes of an answer are read. A token has at most 8 KiB; a list grows with the
    /// company (100,000 operators make about 12 MB).
    pub(crate) const fn max_answer(self) -> usize {
        match self {
            Self::Organizations | Self::Operators | Self::Synchronize => 64 << 20,
            _ => 64 << 10,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
