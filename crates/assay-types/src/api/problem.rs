//! Failures as problem documents (RFC 9457): one kind for each thing a client can do something about.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What every `type` begins with; the rest is the code.
const TYPE_PREFIX: &str = "urn:assay:problem:";

/// A failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Stable identifier, `urn:assay:problem:<area>/<what>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What went wrong, the same words each time.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// The identifier's end, `<area>/<what>`.
    pub code: String,
    /// What went wrong here, and the cure.
    pub detail: String,
    /// Seconds after which the same request may succeed; null if it will not.
    pub retry_after: Option<u32>,
    /// Names the request in the server's log.
    pub trace_id: String,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal;)+) => {
        /// Kinds of failures.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemKind {
            $($(#[$doc])* $name,)+
        }

        impl ProblemKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// `<area>/<what>`.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// The same words each time.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}

kinds! {
    /// No signature where one is needed.
    Unsigned = "auth/unsigned", 401, "the request is not signed";
    /// Headers that are no btauth/1.
    MalformedAuth = "auth/malformed", 401, "the headers are no btauth/1 signature";
    /// Signed for somebody else.
    WrongReceiver = "auth/wrong-receiver", 401, "the request is signed for another receiver";
    /// Too old or too far ahead.
    StaleRequest = "auth/stale", 401, "the nonce is not of this moment";
    /// The signature does not fit.
    BadSignature = "auth/bad-signature", 401, "the signature is not the sender's over this request";
    /// Seen before.
    ReplayedRequest = "auth/replayed", 401, "the request was made before";
    /// The hotkey is not on the subnet.
    NotRegistered = "auth/not-registered", 403, "the hotkey is not registered on the subnet";
    /// The hotkey may not do this.
    NotPermitted = "auth/not-permitted", 403, "the hotkey has no validator permit";
    /// Not JSON.
    MalformedBody = "request/malformed", 400, "the body is not JSON of the expected form";
    /// A key nobody knows.
    UnknownField = "request/unknown-field", 422, "the body has an unknown field";
    /// A value out of its range.
    Invalid = "request/invalid", 422, "a value is out of its range";
    /// More than the limit.
    TooLarge = "request/too-large", 413, "the body is too large";
    /// Neither JSON nor plain.
    MediaType = "request/media-type", 415, "the body is not plain application/json";
    /// No such thing.
    NotFound = "request/not-found", 404, "there is no such resource";
    /// Not in this way.
    Method = "request/method", 405, "the resource does not take this method";
    /// Took too long.
    Timeout = "request/timeout", 408, "the request took too long";
    /// A round that is not known.
    UnknownRound = "round/unknown", 404, "the round is not known";
    /// Too early or too late in a round.
    WrongPhase = "round/wrong-phase", 409, "the round is in another phase";
    /// A unit nobody was assigned in that round.
    NotAssigned = "lease/not-assigned", 404, "the unit is not assigned in this round";
    /// Another hotkey holds it.
    NotYours = "lease/not-yours", 403, "the unit is assigned to another hotkey";
    /// Not from this state.
    LeaseState = "lease/wrong-state", 409, "the lease is in another state";
    /// After the deadline.
    LeaseExpired = "lease/expired", 409, "the lease has ended with its round";
    /// Nothing was revealed.
    NotRevealed = "submission/not-revealed", 409, "the chain has revealed no such submission";
    /// Another root than the chain's.
    SubmissionMismatch = "submission/mismatch", 422, "the manifest is not the one the chain binds";
    /// No report.
    ReportInvalid = "report/invalid", 422, "the body is no canonical report";
    /// Not by its author.
    ReportSignature = "report/bad-signature", 422, "the report is not signed by its validator";
    /// A second, different report.
    ReportConflict = "report/conflict", 409, "the validator has reported otherwise before";
    /// No proof.
    ProofInvalid = "proof/invalid", 422, "the body proves no fault";
    /// No recipe.
    RecipeInvalid = "recipe/invalid", 422, "the body is not the recipe of this id";
    /// A filter over a field nobody knows.
    FilterUnknownField = "filter/unknown-field", 422, "the filter names a field that does not exist";
    /// A filter that compares what cannot be compared.
    FilterBadNumber = "filter/bad-number", 422, "the filter needs a number, or a text has no order";
    /// A filter beyond its bounds.
    FilterTooLong = "filter/too-long", 422, "the filter is too long";
    /// A filter that is not of the grammar.
    FilterMalformed = "filter/malformed", 422, "the filter is not of the grammar";
    /// Too many requests.
    RateLimited = "limit/rate", 429, "too many requests";
    /// Too many streams.
    TooManyStreams = "limit/streams", 503, "too many event streams";
    /// The queue is full.
    Busy = "limit/busy", 503, "the server is busy";
    /// No room on the disk.
    StorageFull = "storage/full", 503, "the server takes no writes: its disk is full";
    /// The database failed.
    StorageFailed = "storage/failed", 503, "the database did not answer";
    /// Going down.
    ShuttingDown = "server/shutting-down", 503, "the server is shutting down";
    /// Not caught up with the chain.
    NotReady = "server/not-ready", 503, "the server has not caught up with the chain";
    /// A bug.
    Internal = "server/internal", 500, "the server failed";
}

impl ProblemKind {
    /// The document of this kind.
    pub fn problem(self, detail: impl Into<String>) -> Problem {
        Problem {
            kind: format!("{TYPE_PREFIX}{}", self.code()),
            title: self.title().to_owned(),
            status: self.status(),
            code: self.code().to_owned(),
            detail: detail.into(),
            retry_after: None,
            trace_id: String::new(),
        }
    }

    /// The kind of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_are_read_back() {
        for (at, kind) in ProblemKind::ALL.iter().enumerate() {
            assert_eq!(ProblemKind::parse(kind.code()), Some(*kind));
            assert!((400..600).contains(&kind.status()));
            let later = &ProblemKind::ALL[at + 1..];
            assert!(later.iter().all(|other| other.code() != kind.code()));
        }
    }
}
