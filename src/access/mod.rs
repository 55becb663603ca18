//! Who may open whose panel.
//!
//! A link that names an operator is a door, so the service does not start before somebody has chosen how it is locked.

use std::fmt;

use thiserror::Error;

/// How callers are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Anyone who can reach the port may open any operator's panel: for a closed network.
    Open,
}

/// Why `ACCESS` cannot be read. `Display` says what it may be.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PolicyError {
    /// No such mode, or none in this version.
    #[error(
        "`{0}` is not a mode of this version, which has one: `open` (anyone who can reach the port may open any \
         operator's panel)"
    )]
    Unknown(String),
}

impl Policy {
    /// Reads the value of `ACCESS`.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        match text.trim() {
            "open" => Ok(Self::Open),
            other => Err(PolicyError::Unknown(other.to_owned())),
        }
    }

    /// Lets a caller in.
    pub const fn admit(self) -> Caller {
        match self {
            Self::Open => Caller::Anyone,
        }
    }
}

/// Who is calling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Somebody who could reach the port.
    Anyone,
}

impl fmt::Display for Caller {
    /// As logs name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anyone => "anyone",
        })
    }
}
