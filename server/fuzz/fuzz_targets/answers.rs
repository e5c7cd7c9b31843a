//! See `paystatus_fuzz::answers`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| paystatus_fuzz::answers(data));
