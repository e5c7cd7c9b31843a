//! What is written can be read again: by this program, by later ones, and if damaged without
//! a panic.

mod facts;
mod golden;
mod hostile;
mod keys;
mod names;
mod records;
mod round;
mod samples;
mod states;
mod views;
