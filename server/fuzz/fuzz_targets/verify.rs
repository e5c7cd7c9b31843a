//! See `paystatus_fuzz::verify`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| paystatus_fuzz::verify(data));
