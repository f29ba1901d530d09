//! Why something is not done, in words for the person.

use elevate_protocol::ErrorName;

use super::{Closing, Elevation, Stage};

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// What kind.
    pub error: ErrorName,
    /// For the person.
    pub message: String,
}

impl Problem {
    /// A problem of this kind.
    pub fn new(error: ErrorName, message: impl Into<String>) -> Self {
        Problem {
            error,
            message: message.into(),
        }
    }

    /// The time in which the rule holds is over.
    pub fn out_of_time() -> Self {
        let message = "the time in which the rule holds is over (when.hours, when.valid)";
        Problem::new(ErrorName::TimedOut, message)
    }

    /// There is no such thing, or the caller may not know of it.
    pub fn not_found() -> Self {
        Problem::new(
            ErrorName::NotFound,
            "there is no such request, grant or session",
        )
    }

    /// Why `elevation` ended without a grant, for the one who waits for it.
    pub(super) fn closed(elevation: &Elevation, outcome: Closing) -> Self {
        match outcome {
            Closing::Denied => {
                let no = elevation.votes.iter().rfind(|vote| !vote.approved);
                let voter = no.map_or("an approver", |vote| &vote.voter);
                let comment = no.map_or("", |vote| &vote.comment);
                let comment = elevate_protocol::escape::line(comment.as_bytes());
                let colon = if comment.is_empty() { "" } else { ": " };
                Problem::new(
                    ErrorName::DeniedByApprover,
                    format!("{voter} denied it{colon}{comment}"),
                )
            }
            Closing::Withdrawn => Problem::new(ErrorName::Withdrawn, "the request was taken back"),
            Closing::TimedOut => Problem::new(ErrorName::TimedOut, "nobody agreed in time"),
            Closing::Changed => Problem::new(
                ErrorName::Changed,
                "the policy changed while the request waited; ask again under the new one",
            ),
        }
    }

    /// What is not done on `elevation` any more, because it does not wait.
    pub(super) fn decided(elevation: &Elevation) -> Self {
        let message = match &elevation.stage {
            Stage::Waiting => "this request waits",
            Stage::Granted | Stage::Running | Stage::Over(_) | Stage::Extended => {
                "this request is granted already"
            }
            Stage::Failed { .. } => "this request was granted, and its session failed to begin",
            Stage::Closed { outcome } => match outcome {
                Closing::Denied => "this request is denied already",
                Closing::Withdrawn => "this request is withdrawn already",
                Closing::TimedOut => "this request has timed out already",
                Closing::Changed => {
                    "the policy changed while this request waited, so that it is void; \
                     who still needs it asks again"
                }
            },
        };
        Problem::new(ErrorName::Changed, message)
    }
}
