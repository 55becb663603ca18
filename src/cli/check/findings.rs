//! The findings of the checklist, and how they are printed.

use serde::Serialize;

use crate::cli::{Exit, OutputFormat, advice, output};
use chathub::ErrorKind;

/// The outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum CheckOutcome {
    /// No problem.
    Ok,
    /// It works, but needs attention.
    Warning,
    /// It does not work.
    Failed,
    /// A check that it depends on has failed.
    Skipped,
}

/// A line of the checklist.
#[derive(Serialize)]
struct Finding {
    check: &'static str,
    outcome: CheckOutcome,
    message: String,
    /// What to do.
    advice: Option<String>,
}

/// The findings so far.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

/// The findings for scripts.
#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    checks: &'a [Finding],
}

impl Findings {
    pub(super) fn ok(&mut self, check: &'static str, message: impl Into<String>) {
        self.push(check, CheckOutcome::Ok, message, None);
    }

    pub(super) fn warn(
        &mut self,
        check: &'static str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.push(check, CheckOutcome::Warning, message, Some(advice.into()));
    }

    pub(super) fn fail(
        &mut self,
        check: &'static str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.push(check, CheckOutcome::Failed, message, Some(advice.into()));
    }

    /// A failure with ChatHub's error and the advice for it.
    pub(super) fn error(&mut self, check: &'static str, error: &ErrorKind) {
        self.fail(check, error.to_string(), advice(error));
    }

    pub(super) fn skip(&mut self, checks: &[&'static str]) {
        for check in checks {
            let message = "what stands above must be mended first";
            self.push(check, CheckOutcome::Skipped, message, None);
        }
    }

    fn push(
        &mut self,
        check: &'static str,
        outcome: CheckOutcome,
        message: impl Into<String>,
        advice: Option<String>,
    ) {
        self.0.push(Finding {
            check,
            outcome,
            message: message.into(),
            advice,
        });
    }

    /// Prints the findings, and returns how the command ends.
    pub(super) fn print(&self, format: OutputFormat) -> anyhow::Result<Exit> {
        let is_failed = |finding: &Finding| finding.outcome == CheckOutcome::Failed;
        let ok = !self.0.iter().any(is_failed);
        if format.json {
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
            CheckOutcome::Ok => "ok",
            CheckOutcome::Warning => "warning",
            CheckOutcome::Failed => "FAILED",
            CheckOutcome::Skipped => "skipped",
        };
        output::line(&format!("{mark:8} {:14} {}", self.check, self.message))?;
        self.advice.as_ref().map_or(Ok(()), |advice| {
            output::line(&format!("{:8} {:14} → {advice}", "", ""))
        })
    }
}
