# `make run` starts the demo, `make test` runs every test, `make check` adds the linters, `make bench` prints the budget table.
# Each target does its own set-up.

SHELL := /bin/bash
export PATH := $(HOME)/.cargo/bin:$(PATH)
CARGO ?= cargo
LISTEN ?= 127.0.0.1:8080
# In CI, compiler output is kept short and incremental files are not written.
ifdef CI
export CARGO_INCREMENTAL = 0
export CARGO_TERM_COLOR = never
endif

.PHONY: help run live scripts test check bench oracle fuzz setup browser-setup rust-tests browser-tests doc fmt

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup:
	@.ci/setup

scripts: ## Bundle the interactive view of charts (needs Node; everything else works without it)
	@.ci/setup-scripts

run: setup scripts ## Simulate a network and serve its pages at http://127.0.0.1:8080 (no internet needed)
	$(CARGO) build --release --locked --bin allium
	target/release/allium demo --listen $(LISTEN)

live: setup scripts ## Fetch the real network and serve its pages
	$(CARGO) build --release --locked --bin allium
	target/release/allium serve --sources onionoo,directory,collector --listen $(LISTEN)

test: setup browser-tests rust-tests ## Run every test: browser, documentation, Rust

duckdb-setup:
	@.ci/setup-duckdb

rust-tests: setup duckdb-setup
	$(CARGO) test --workspace --locked --doc --quiet
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		$(CARGO) nextest run --workspace --locked; \
	else \
		echo 'cargo-nextest is not installed: using cargo test'; \
		$(CARGO) test --workspace --locked --lib --bins --tests; \
	fi

browser-setup: setup
	@.ci/setup-browser

browser-tests: browser-setup scripts
	@if [ -e target/browser-skipped ]; then \
		echo "skipped: browser tests ($$(cat target/browser-skipped))"; \
	else \
		$(CARGO) build --locked --bin allium && cd browser && node --test --test-concurrency=1; \
	fi

check: setup ## Formatting, clippy, rustdoc, dependency direction, licences
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --locked --quiet
	$(CARGO) test --locked --quiet --package allium --test tree

bench: setup ## Print the budget table
	$(CARGO) bench --locked --package allium --bench budget

oracle: setup ## Hold the consensus parser and verifier against Arti's (170 more crates)
	$(CARGO) test --locked --manifest-path crates/allium-sources/oracle/Cargo.toml

FUZZ_SECONDS ?= 20
fuzz: setup ## Fuzz every decoder, FUZZ_SECONDS=20 each (needs a C++ compiler; installs cargo-fuzz)
	FUZZ_SECONDS=$(FUZZ_SECONDS) .ci/fuzz

doc: setup ## Build the API documentation
	$(CARGO) doc --workspace --no-deps --locked

fmt: ## Format the code
	$(CARGO) fmt --all
