#![no_main]
libfuzzer_sys::fuzz_target!(init: allium_fuzz::begin("words"), |bytes: &[u8]| allium_fuzz::check("words", bytes));
