//! Frames of a stream, from their messages.

use std::time::Duration;

use paystatus_proto::v1;
use v1::frame::Content as Wire;

use crate::{change::Change, order::Order};

/// Why a server ends a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClosingReason {
    /// Another reader took over the named subscription.
    TakenOver,
    /// The named subscription was deleted.
    Deleted,
    /// The server sheds connections, or says something that this version does not know.
    Other,
}

/// One message of a stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frame {
    /// Resume from here. Empty if the server sent none.
    pub(crate) cursor: String,
    pub(crate) content: Content,
}

/// What a frame says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Opened {
        /// Why the cursor could not be honoured, if it was not.
        reset: Option<String>,
        heartbeat: Option<Duration>,
        generation: i64,
    },
    Changes(Vec<Change>),
    Snapshot(Box<Order>),
    SnapshotEnd {
        entry_count: i64,
    },
    CaughtUp,
    FellBehind,
    Heartbeat,
    Closing {
        reason: ClosingReason,
        reconnect_after: Option<Duration>,
    },
    /// Something of a later version: to be ignored, but its cursor kept.
    Unknown,
}

impl Frame {
    pub(crate) fn from_wire(wire: v1::Frame) -> Self {
        let content = wire.content.map_or(Content::Unknown, Content::from_wire);
        Self { cursor: wire.cursor, content }
    }
}

impl Content {
    fn from_wire(wire: Wire) -> Self {
        let duration = |d: Option<prost_types::Duration>| Duration::try_from(d?).ok();
        match wire {
            Wire::Opened(opened) => Self::Opened {
                reset: (opened.mode == v1::OpenedMode::Reset as i32).then_some(opened.reset_reason),
                heartbeat: duration(opened.heartbeat_interval),
                generation: opened.generation,
            },
            Wire::ChangeSet(set) => {
                Self::Changes(set.changes.into_iter().map(Change::from_wire).collect())
            }
            Wire::SnapshotEntry(entry) => match entry.order {
                Some(order) => Self::Snapshot(Box::new(Order::from_wire(order))),
                None => Self::Unknown,
            },
            Wire::SnapshotEnd(end) => Self::SnapshotEnd { entry_count: end.entry_count },
            Wire::CaughtUp(_) => Self::CaughtUp,
            Wire::FellBehind(_) => Self::FellBehind,
            Wire::Heartbeat(_) => Self::Heartbeat,
            Wire::Closing(closing) => Self::Closing {
                reason: ClosingReason::from_number(closing.reason),
                reconnect_after: duration(closing.reconnect_after),
            },
            // For pages, which call by another token than this client.
            Wire::PageOrder(_) => Self::Unknown,
        }
    }
}

impl ClosingReason {
    fn from_number(number: i32) -> Self {
        const TAKEN_OVER: i32 = v1::ClosingReason::TakenOver as i32;
        const DELETED: i32 = v1::ClosingReason::Deleted as i32;
        match number {
            TAKEN_OVER => Self::TakenOver,
            DELETED => Self::Deleted,
            _ => Self::Other,
        }
    }
}
