#![no_main]
libfuzzer_sys::fuzz_target!(init: allium_fuzz::begin("compression"), |bytes: &[u8]| allium_fuzz::check("compression", bytes));
