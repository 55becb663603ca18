//! Mints one token at ChatHub, within a click's time budget.

use std::sync::Arc;

use chrono::TimeDelta;
use tokio::time::timeout;

use super::TokenConfig;
use super::cached_token::CachedToken;
use super::moment::Clock;
use chathub::{BadAnswer, ChatHub, ErrorKind, OperatorId, OperatorToken};

/// Mints tokens as configured.
pub(super) struct Minter {
    chathub: Arc<ChatHub>,
    clock: Clock,
    config: TokenConfig,
}

impl Minter {
    pub(super) const fn new(chathub: Arc<ChatHub>, clock: Clock, config: TokenConfig) -> Self {
        Self {
            chathub,
            clock,
            config,
        }
    }

    /// Mints a token for `operator`.
    pub(super) async fn mint(&self, operator: OperatorId) -> Result<CachedToken, ErrorKind> {
        // A little less than a click's budget, so that the answer is sent before that ends.
        let budget = self.config.click_budget.mul_f64(0.95);
        timeout(budget, self.mint_validated(operator))
            .await
            .unwrap_or(Err(ErrorKind::TimedOut))
    }

    async fn mint_validated(&self, operator: OperatorId) -> Result<CachedToken, ErrorKind> {
        let token = self.request(operator).await?;
        if self.config.validate {
            let check = self.chathub.validate_operator_token(&token.secret).await?;
            if !check.is_valid {
                return Err(ErrorKind::BadAnswer(BadAnswer::TokenNotValid));
            }
            if check.is_for_another(operator) {
                return Err(ErrorKind::BadAnswer(BadAnswer::OtherOperator));
            }
        }
        Ok(CachedToken::new(token, self.config.reuse, self.clock.now()))
    }

    async fn request(&self, operator: OperatorId) -> Result<OperatorToken, ErrorKind> {
        // The configuration allows less than a day.
        let ttl = TimeDelta::from_std(self.config.ttl).unwrap_or(TimeDelta::days(1));
        Ok(self.chathub.mint_operator_token_for(operator, ttl).await?)
    }
}
