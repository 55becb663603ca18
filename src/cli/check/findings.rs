//! What a checklist has found, and how it is printed.

use chathub::ErrorKind;
use serde::Serialize;

use crate::cli::advice::advice;
use crate::cli::exit::Exit;
use crate::cli::output::{self, Form};

/// How a check has come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// All is well.
    Ok,
    /// It works, and something should be done all the same.
    Warning,
    /// It does not work.
    Failed,
    /// What it needs has failed.
    Skipped,
}

/// A line of the checklist.
#[derive(Serialize)]
struct Finding {
    check: &'static str,
    outcome: Outcome,
    message: String,
    /// What to do.
    advice: Option<String>,
}

/// The checklist as far as it has come.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

/// The same for scripts.
#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    checks: &'a [Finding],
}

impl Findings {
    pub(super) fn note(
        &mut self,
        check: &'static str,
        outcome: Outcome,
        message: impl Into<String>,
    ) {
        self.0.push(Finding {
            check,
            outcome,
            message: message.into(),
            advice: None,
        });
    }

    pub(super) fn advise(
        &mut self,
        check: &'static str,
        outcome: Outcome,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.note(check, outcome, message);
        if let Some(finding) = self.0.last_mut() {
            finding.advice = Some(advice.into());
        }
    }

    pub(super) fn fail(&mut self, check: &'static str, error: &ErrorKind) {
        self.advise(check, Outcome::Failed, error.to_string(), advice(error));
    }

    pub(super) fn skip(&mut self, checks: &[&'static str]) {
        for check in checks {
            let message = "what stands above must be mended first";
            self.note(check, Outcome::Skipped, message);
        }
    }

    /// Prints them, and says how the command ends.
    pub(super) fn print(&self, form: Form) -> anyhow::Result<Exit> {
        let is_failed = |finding: &Finding| finding.outcome == Outcome::Failed;
        let ok = !self.0.iter().any(is_failed);
        if form.json {
            let checks = &self.0;
            output::json(&Report { ok, checks })?;
        } else {
            for finding in &self.0 {
                finding.print()?;
            }
        }
        Ok(if ok { Exit::Done } else { Exit::Failed })
    }
}

impl Finding {
    fn print(&self) -> anyhow::Result<()> {
        let mark = match self.outcome {
            Outcome::Ok => "ok",
            Outcome::Warning => "warning",
            Outcome::Failed => "FAILED",
            Outcome::Skipped => "skipped",
        };
        output::line(&format!("{mark:8} {:14} {}", self.check, self.message))?;
        self.advice.as_ref().map_or(Ok(()), |advice| {
            output::line(&format!("{:8} {:14} → {advice}", "", ""))
        })
    }
}
