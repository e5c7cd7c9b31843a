//! WatchOrder with a page token: the events of a page as frames. No order, no change and no
//! snapshot entry stands in them.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use futures_util::stream;
use paystatus_proto::{codec::Encoded, v1};
use prost::Message as _;
use tonic::{Code, Request, Status};

use super::{auth, errors, stream::Frames, stream::reconnect_after, to_wire};
use crate::edge::{
    Context,
    pages::{
        place,
        seen::Seen,
        token::Grant,
        watch::{End, Event, Watch},
    },
};

/// Opens the stream of a page.
///
/// # Errors
/// PERMISSION_DENIED for another order, INVALID_ARGUMENT, RESOURCE_EXHAUSTED.
pub(super) fn open(
    context: &Arc<Context>,
    grant: &Grant,
    request: &Request<v1::WatchOrderRequest>,
) -> Result<Frames, Status> {
    let asked = request.get_ref();
    auth::check_order(grant, &asked.merchant_id, &asked.order_id)?;
    let seen = seen(asked.start.as_ref())?;
    let place = place(context, grant, address(request)).ok_or_else(|| {
        let message = "too many pages are open; try again later";
        errors::retry(Code::ResourceExhausted, "TOO_MANY_PAGES", message)
    })?;
    let opened = opened(context, seen);
    let watch = Watch::new(context.clone(), grant.clone(), seen, place);
    Ok(Box::pin(stream::unfold((watch, opened), |(mut watch, opened)| async move {
        let content = content(watch.next().await?, &opened);
        let cursor = watch.seen().map(Seen::encode).unwrap_or_default();
        let frame = v1::Frame { cursor, content: Some(content) };
        let response = v1::WatchOrderResponse { frame: Some(frame) };
        Some((Ok(Encoded::new(response.encode_to_vec().into())), (watch, opened)))
    })))
}

/// A page's own address, where it calls us itself. On the listener for services it comes through
/// a gateway, whose address says nothing of the page.
fn address(request: &Request<v1::WatchOrderRequest>) -> Option<IpAddr> {
    request.extensions().get::<SocketAddr>().map(SocketAddr::ip)
}

/// What the page saw last.
fn seen(start: Option<&v1::StreamStart>) -> Result<Option<Seen>, Status> {
    use v1::{StreamPlace as Place, stream_start::Start};
    match start.and_then(|start| start.start.as_ref()) {
        None => Ok(None),
        Some(Start::Place(place))
            if matches!(Place::try_from(*place), Ok(Place::Unspecified | Place::Snapshot)) =>
        {
            Ok(None)
        }
        Some(Start::Place(_)) => {
            Err(errors::field("start", "must be SNAPSHOT or a cursor with a page token"))
        }
        // As a client resumes that was cut off before it saw a state.
        Some(Start::Cursor(text)) if text.is_empty() => Ok(None),
        Some(Start::Cursor(text)) => {
            let seen = Seen::decode(text);
            seen.map(Some).ok_or_else(|| errors::field("start", "is not a cursor of a page"))
        }
    }
}

fn opened(context: &Context, seen: Option<Seen>) -> v1::Opened {
    let (mode, reset_reason) = match seen {
        None => (v1::OpenedMode::Snapshot, ""),
        Some(seen) if seen.is_here(context) => (v1::OpenedMode::Continued, ""),
        Some(_) => (v1::OpenedMode::Reset, "the cursor belongs to another journal"),
    };
    v1::Opened {
        mode: mode as i32,
        reset_reason: reset_reason.to_owned(),
        heartbeat_interval: Some(to_wire::duration(context.config.streams.heartbeat)),
        generation: 0,
    }
}

fn content(event: Event, opened: &v1::Opened) -> v1::frame::Content {
    use v1::{ClosingReason, frame::Content};
    match event {
        Event::Opened => Content::Opened(opened.clone()),
        Event::State(_, view) => Content::PageOrder(to_wire::page::page_order(&view)),
        Event::Heartbeat => Content::Heartbeat(v1::Heartbeat {}),
        Event::Ended(end) => {
            let (reason, reconnect_after) = match end {
                End::Done => (ClosingReason::Done, None),
                End::Expired => (ClosingReason::Expired, None),
                End::Closing => (ClosingReason::Drain, Some(reconnect_after())),
            };
            Content::Closing(v1::Closing { reason: reason as i32, reconnect_after })
        }
    }
}
