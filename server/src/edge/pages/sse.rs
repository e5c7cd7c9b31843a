//! A page's events as server-sent events (HTML standard, 9.2).

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{Stream, stream};

use super::watch::{End, Event, Watch};

/// How long a browser waits before it opens a broken stream again, in milliseconds. Drawn anew for
/// each page, so that a restart does not bring all of them back at one moment.
const RETRY: std::ops::Range<u32> = 1000..3000;

/// The body of the answer: an event at a time.
pub(super) fn body(watch: Watch) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((Ok(encode(&event)), watch))
    })
}

fn encode(event: &Event) -> Bytes {
    let fixed = match event {
        Event::Opened => return format!("retry: {}\n\n", rand::random_range(RETRY)).into(),
        Event::State(seen, view) => {
            let (id, data) = (seen.encode(), view.to_json());
            return format!("id: {id}\nevent: status\ndata: {data}\n\n").into();
        }
        Event::Heartbeat => "event: heartbeat\ndata: {}\n\n",
        Event::Ended(End::Done) => "event: done\ndata: {}\n\n",
        Event::Ended(End::Expired) => "event: expired\ndata: {}\n\n",
        Event::Ended(End::Closing) => "event: closing\ndata: {}\n\n",
    };
    Bytes::from_static(fixed.as_bytes())
}
