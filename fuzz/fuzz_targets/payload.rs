//! The target `payload` for cargo-fuzz.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    stepwell_fuzz::targets::payload::run(input);
});
