//! Getting one token from ChatHub, within a click's time.

use std::sync::Arc;
use std::time::Duration;

use chathub::{BadAnswer, ChatHub, ErrorKind, OperatorId, OperatorToken};
use chrono::TimeDelta;
use tokio::time::timeout;

use super::Settings;
use super::held::CachedToken;
use super::moment::Clock;

/// Mints tokens as the settings say.
pub(super) struct Mint {
    chathub: Arc<ChatHub>,
    clock: Clock,
    ttl: Duration,
    reuse: Duration,
    validate: bool,
    /// A little less than a click's budget, so that the answer is out before that ends.
    budget: Duration,
}

impl Mint {
    pub(super) fn new(chathub: Arc<ChatHub>, clock: Clock, settings: &Settings) -> Self {
        Self {
            chathub,
            clock,
            ttl: settings.ttl,
            reuse: settings.reuse,
            validate: settings.validate,
            budget: settings.click_budget.mul_f64(0.95),
        }
    }

    /// A new token for `operator`.
    pub(super) async fn token(&self, operator: OperatorId) -> Result<CachedToken, ErrorKind> {
        timeout(self.budget, self.valid_token(operator))
            .await
            .unwrap_or(Err(ErrorKind::TimedOut))
    }

    async fn valid_token(&self, operator: OperatorId) -> Result<CachedToken, ErrorKind> {
        let token = self.minted(operator).await?;
        if self.validate {
            let check = self.chathub.validate_operator_token(&token.secret).await?;
            if !check.is_valid {
                return Err(ErrorKind::BadAnswer(BadAnswer::TokenNotValid));
            }
            if check.is_for_another(operator) {
                return Err(ErrorKind::BadAnswer(BadAnswer::OtherOperator));
            }
        }
        Ok(CachedToken::new(token, self.reuse, self.clock.now()))
    }

    async fn minted(&self, operator: OperatorId) -> Result<OperatorToken, ErrorKind> {
        // No setting is longer than a day.
        let ttl = TimeDelta::from_std(self.ttl).unwrap_or(TimeDelta::days(1));
        Ok(self.chathub.mint_operator_token_for(operator, ttl).await?)
    }
}
