//! The rules of acceptance: from a command and the present state to what is recorded.
//! Deciding never waits and never writes.

mod evidence;
mod intent;
mod name;
mod news;
mod receipt;
mod request;
mod route;
mod settle;

#[cfg(test)]
mod tests;

use super::{
    command::{Command, Decision, Refusal, World},
    time::Time,
};

/// Decides a command. Everything that chance and clock contribute comes in as arguments.
///
/// # Errors
/// A [`Refusal`] names why; then nothing is to be recorded.
pub fn decide(world: &dyn World, command: &Command, now: Time) -> Result<Decision, Refusal> {
    match command {
        Command::CreateOrder(command) => intent::create_order(world, command, now),
        Command::CreateAttempt(command) => intent::create_attempt(world, command, now),
        Command::CreateOperation(command) => intent::create_operation(world, command, now),
        Command::RecordReply(command) => evidence::record_reply(world, command, now),
        Command::AcceptEvidence(command) => Ok(evidence::accept(world, command, now)),
        Command::Reread(command) => evidence::reread(world, command, now),
        Command::RecordReceipt(command) => receipt::record(world, command, now),
        Command::PassDeadline(command) => receipt::pass_deadline(world, command, now),
    }
}
