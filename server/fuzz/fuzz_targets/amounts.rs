//! See `paystatus_fuzz::amounts`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| paystatus_fuzz::amounts(data));
