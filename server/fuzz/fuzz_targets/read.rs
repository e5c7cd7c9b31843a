//! See `paystatus_fuzz::read`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| paystatus_fuzz::read(data));
