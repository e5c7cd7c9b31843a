//! Why a provider could not be asked, and what follows from it. Never anything about a payment.

use std::time::Duration;

use crate::engine;

/// Why a look came to nothing. Nothing was recorded of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failed {
    /// The account has no status API, or too little is known to ask.
    #[error("there is nobody to ask, or nothing to ask with")]
    NotAsked,
    /// We ask too much already.
    #[error("the limit of requests is reached")]
    Limited {
        /// How long until there is room.
        wait: Duration,
    },
    /// The provider was down, and is left alone for a while.
    #[error("the provider is left alone for a while")]
    LeftAlone {
        /// For how long.
        wait: Duration,
    },
    /// The provider asks to wait.
    #[error("the provider asks to wait")]
    Busy {
        /// For how long.
        wait: Duration,
    },
    /// It could not be reached, or not be understood to the end.
    #[error("the provider could not be asked: {0}")]
    Unreachable(&'static str),
    /// It does not accept our credentials.
    #[error("the provider refuses the credentials, with status {0}")]
    Denied(u16),
    /// It failed, or sent us elsewhere.
    #[error("the provider answered with status {0}")]
    Status(u16),
    /// It says more than an answer may.
    #[error("the answer is too large")]
    TooLarge,
    /// It is not what the provider documents.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
    /// The answer could not be recorded.
    #[error("the answer could not be recorded: {0}")]
    NotRecorded(engine::Error),
}

impl Failed {
    /// The same as one word, for metrics.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::NotAsked => "not_asked",
            Self::Limited { .. } => "limited",
            Self::LeftAlone { .. } => "left_alone",
            Self::Busy { .. } => "busy",
            Self::Unreachable(_) => "unreachable",
            Self::Denied(_) => "denied",
            Self::Status(_) => "status",
            Self::TooLarge => "too_large",
            Self::Unreadable(_) => "unreadable",
            Self::NotRecorded(_) => "not_recorded",
        }
    }
}

/// What a failed look says of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing: it was not asked, or we failed.
    Nothing,
    /// It wants to be left alone so long.
    Wait(Duration),
    /// It does not work.
    Down,
}

impl Failed {
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::NotAsked | Self::Limited { .. } | Self::LeftAlone { .. } => Verdict::Nothing,
            Self::NotRecorded(_) => Verdict::Nothing,
            Self::Busy { wait } => Verdict::Wait(*wait),
            Self::Unreachable(_)
            | Self::Denied(_)
            | Self::Status(_)
            | Self::TooLarge
            | Self::Unreadable(_) => Verdict::Down,
        }
    }

    /// How long to wait before trying again makes sense, if that is known.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Self::Limited { wait } | Self::LeftAlone { wait } | Self::Busy { wait } => Some(*wait),
            _ => None,
        }
    }
}
