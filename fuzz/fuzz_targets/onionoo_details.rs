#![no_main]
libfuzzer_sys::fuzz_target!(init: allium_fuzz::begin("onionoo_details"), |bytes: &[u8]| allium_fuzz::check("onionoo_details", bytes));
