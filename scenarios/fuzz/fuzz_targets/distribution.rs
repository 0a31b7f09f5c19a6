#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| offbeat_fuzz::distribution(text));
