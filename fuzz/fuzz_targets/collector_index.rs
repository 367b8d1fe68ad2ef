#![no_main]
libfuzzer_sys::fuzz_target!(init: allium_fuzz::begin("collector_index"), |bytes: &[u8]| allium_fuzz::check("collector_index", bytes));
