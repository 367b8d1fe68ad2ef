#![no_main]
libfuzzer_sys::fuzz_target!(init: allium_fuzz::begin("proof_file"), |bytes: &[u8]| allium_fuzz::check("proof_file", bytes));
