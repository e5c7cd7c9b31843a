//! The tests of the whole system, and of the code itself, in one program.

mod access;
mod accounts;
mod contract;
mod harness;
mod killed;
mod oracles;
mod orders;
mod pages;
mod polling;
mod polling_limits;
mod providers;
mod python;
mod receipts;
mod replay;
mod restart;
mod scenarios;
mod sdk;
mod seeds;
mod stream_frames;
mod streams;
mod subscriptions;
mod tidy;
mod toolchain;
mod transport;
mod webhooks;
