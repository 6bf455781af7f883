#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pegcount_decoder_tests::run("ticket_map", bytes));
