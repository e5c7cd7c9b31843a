//! Tests of the built program, in one program.

mod accounts;
mod cli;
mod demo;
