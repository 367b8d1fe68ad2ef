#![no_main]
libfuzzer_sys::fuzz_target!(init: allium_fuzz::begin("search"), |bytes: &[u8]| allium_fuzz::check("search", bytes));
