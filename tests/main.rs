//! The tests of the whole system, and of the code itself, in one program.

mod contract;
mod python;
mod tidy;
mod toolchain;
