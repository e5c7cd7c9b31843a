//! The payment-status server.
//!
//! ```text
//!  providers ─ webhooks ─▶ edge/http ──┐                                   ┌─▶ edge/grpc   streams
//!  checkout ── gRPC ─────▶ edge/grpc ──┼▶ engine ─▶ journal ─▶ store ─▶ hub ┼─▶ edge/pages  streams
//!  customers ─ receipts ─▶ edge/pages ─┤   │       (truth)    (sled)        └─▶ outbound
//!  providers ◀─ polls ───▶ outbound ───┘   │
//!                                  domain, providers (pure)
//! ```
//!
//! | part | what it is |
//! |---|---|
//! | [`domain`] | the rules, pure: facts in, status and changes out |
//! | [`providers`] | how each provider signs and speaks, pure |
//! | [`engine`] | the one writer: decide, make durable, apply, announce, answer |
//! | [`journal`] | the truth: an append-only log of checksummed records |
//! | [`record`] | what the journal's bytes say |
//! | [`store`] | the present state, in memory and in sled, derived from the journal |
//! | [`hub`] | how far the journal reaches, and who wants to know |
//! | [`ledger`] | how late webhooks are, what polls learned before them, who is silent |
//! | [`edge`] | gRPC, webhooks and pages: from requests to commands, from changes to messages |
//! | [`outbound`] | asks providers what became of what is undecided; fires deadlines |
//! | [`serve`] | puts the parts together |
//! | [`config`], [`accounts`] | settings, checked once |
//! | [`cli`] | the command line |
//! | [`demo`] | a shop to look at, a provider that misbehaves, and a judge, around a real server |
//! | [`simulate`] | any provider, simulated against a server that runs |

pub mod accounts;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod domain;
pub mod edge;
pub mod engine;
pub mod hub;
pub mod journal;
pub mod ledger;
pub mod outbound;
pub mod providers;
pub mod record;
pub mod serve;
pub mod simulate;
pub mod store;
