//! Operator tokens: what opens the panel as one operator.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;

use crate::chathub::{ChatHub, Error, OperatorId, OperatorToken};

/// Mints operator tokens.
pub struct OperatorTokens {
    chathub: Arc<ChatHub>,
    /// How long a token lives. Its end is also the end of the operator's session in the panel.
    ttl: Duration,
}

impl OperatorTokens {
    /// Tokens of this company that live for `ttl`.
    pub const fn new(chathub: Arc<ChatHub>, ttl: Duration) -> Self {
        Self { chathub, ttl }
    }

    /// A token that opens the panel as `operator`.
    pub async fn mint(&self, operator: OperatorId) -> Result<OperatorToken, Error> {
        self.chathub
            .mint_operator_token(operator, Utc::now() + self.ttl)
            .await
    }
}
