#![no_main]
libfuzzer_sys::fuzz_target!(init: allium_fuzz::begin("consensus"), |bytes: &[u8]| allium_fuzz::check("consensus", bytes));
