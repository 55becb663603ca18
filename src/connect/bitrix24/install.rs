//! The installation of the local application: its buttons are put into the portal, with the token
//! of the administrator who installs it. The token is not kept.

use std::time::Instant;

use super::batch::{Answers, Batch};
use super::record::PLACEMENTS;
use super::{Claim, Shown};
use crate::connect::client::CrmClient;
use crate::connect::pace::Asker;
use crate::connect::{Connectors, ProvenAgent, Refusal};

/// The installation that a listed portal is to confirm.
pub struct Installation<'a>(Claim<'a>);

/// What the portal's buttons are.
#[derive(Clone, Copy, Debug)]
pub struct Buttons<'a> {
    /// The address that the portal shows in a frame when one is pressed.
    pub handler: &'a str,
    /// The words on them, by the portal's language. The first are for all others.
    pub titles: &'a [(&'a str, &'a str)],
}

impl Connectors {
    /// Reads the request of an installation, as far as that takes no question to the portal.
    pub fn bitrix24_installation<'a>(
        &'a self,
        shown: &'a Shown,
    ) -> Result<Installation<'a>, Refusal> {
        self.bitrix24_claim(shown).map(Installation)
    }
}

impl Installation<'_> {
    /// Asks the portal who installs which application.
    ///
    /// # Errors
    /// The portal does not confirm the request, or gives no answer by the deadline.
    pub async fn ask(&self, client: &CrmClient, deadline: Instant) -> Result<ProvenAgent, Refusal> {
        let Self(claim) = *self;
        if let Some(user) = claim.known(client)? {
            return Ok(claim.agent(user));
        }
        let mut batch = Batch::default();
        batch.asking_who(claim.portal.section.by_email);
        let asked = claim.ask(&batch, Asker::Installation, client, deadline);
        let user = claim.confirm(&asked.await?, client)?;
        Ok(claim.agent(user))
    }

    /// Puts the buttons into the portal, in place of those that an earlier installation has put
    /// there.
    ///
    /// # Errors
    /// The portal does not take them all, or gives no answer by the deadline.
    pub async fn bind(
        &self,
        buttons: Buttons<'_>,
        client: &CrmClient,
        deadline: Instant,
    ) -> Result<(), Refusal> {
        let Self(claim) = *self;
        let mut batch = Batch::default();
        for (place, _) in PLACEMENTS {
            let (old, new) = names(place);
            let unbind = [("PLACEMENT", place), ("HANDLER", buttons.handler)];
            batch.ask(&old, "placement.unbind", &unbind);
            batch.ask(&new, "placement.bind", &buttons.parameters(place));
        }
        let answers = claim.ask(&batch, Asker::Proven, client, deadline).await?;
        PLACEMENTS
            .iter()
            .try_for_each(|(place, _)| check_bound(&answers, &names(place).1))
    }
}

/// The names of the questions about a placement, in the order in which they are asked.
fn names(place: &str) -> (String, String) {
    (format!("{place}_1"), format!("{place}_2"))
}

impl Buttons<'_> {
    fn parameters(&self, place: &str) -> Vec<(String, String)> {
        let mut all = vec![
            ("PLACEMENT".to_owned(), place.to_owned()),
            ("HANDLER".to_owned(), self.handler.to_owned()),
        ];
        let first = self.titles.first().map(|(_, title)| *title);
        all.extend(first.map(|title| ("TITLE".to_owned(), title.to_owned())));
        all.extend(self.titles.iter().map(|(language, title)| {
            (format!("LANG_ALL[{language}][TITLE]"), (*title).to_owned())
        }));
        all
    }
}

fn check_bound(answers: &Answers, name: &str) -> Result<(), Refusal> {
    if answers.of(name).and_then(serde_json::Value::as_bool) == Some(true) {
        return Ok(());
    }
    Err(answers.no_answer(name))
}
