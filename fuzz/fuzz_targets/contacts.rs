#![no_main]
libfuzzer_sys::fuzz_target!(init: allium_fuzz::begin("contacts"), |bytes: &[u8]| allium_fuzz::check("contacts", bytes));
