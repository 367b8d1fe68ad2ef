#![no_main]
libfuzzer_sys::fuzz_target!(init: allium_fuzz::begin("presence_spans"), |bytes: &[u8]| allium_fuzz::check("presence_spans", bytes));
