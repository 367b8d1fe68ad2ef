#![no_main]
libfuzzer_sys::fuzz_target!(init: allium_fuzz::begin("onionoo_weights"), |bytes: &[u8]| allium_fuzz::check("onionoo_weights", bytes));
