#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sealed_sessions_app::app::fuzz_next(bytes));
