#![no_main]
libfuzzer_sys::fuzz_target!(init: allium_fuzz::begin("published_graphs"), |bytes: &[u8]| allium_fuzz::check("published_graphs", bytes));
