//! Tests of the client against scripted servers, over real sockets on port 0.

mod access;
mod await_outcome;
mod calls;
mod cursor_store;
mod fake;
mod frames;
mod methods;
mod subscribe;
mod watch;
