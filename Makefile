# `make run` starts the demo, `make test` runs every test, `make check` adds the linters, `make bench` prints the budget table and that of attacks.
# Each target does its own set-up.

SHELL := /bin/bash
export PATH := $(HOME)/.cargo/bin:$(PATH)
CARGO ?= cargo
LISTEN ?= 127.0.0.1:8080
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
# In CI, compiler output is kept short and incremental files are not written.
ifdef CI
export CARGO_INCREMENTAL = 0
export CARGO_TERM_COLOR = never
endif

.PHONY: attack soak deny structure help run live scripts test check bench oracle fuzz setup duckdb-setup browser-setup programs rust-tests browser-tests doc fmt

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup:
	@.ci/setup

scripts: ## Bundle the interactive view of charts (needs Node; everything else works without it)
	@.ci/setup-scripts

run: setup scripts ## Simulate a network and serve its pages at http://127.0.0.1:8080 (no internet needed)
	$(CARGO) build --release --locked --bin allium
	$(TARGET)/release/allium demo --listen $(LISTEN)

live: setup scripts ## Fetch the real network and serve its pages
	$(CARGO) build --release --locked --bin allium
	$(TARGET)/release/allium serve --sources onionoo,directory,collector --listen $(LISTEN)

test: setup browser-tests rust-tests ## Run every test: browser, documentation, Rust

duckdb-setup:
	@.ci/setup-duckdb

# Whatever is compiled for tests is compiled for all of them at once: another choice of packages has other features of their dependencies,
# and would compile most of them again.
programs: setup scripts
	$(CARGO) test --workspace --locked --tests --no-run

rust-tests: export INSTA_SNAPSHOT_REFERENCES_FILE := $(TARGET)/snapshots-used
rust-tests: programs duckdb-setup
	@rm -f $(INSTA_SNAPSHOT_REFERENCES_FILE)
	$(CARGO) test --workspace --locked --doc --quiet
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		$(CARGO) nextest run --workspace --locked --tests; \
	else \
		echo 'cargo-nextest is not installed: using cargo test'; \
		$(CARGO) test --workspace --locked --tests; \
	fi
	@.ci/snapshots $(INSTA_SNAPSHOT_REFERENCES_FILE)

browser-setup: setup
	@.ci/setup-browser

browser-tests: browser-setup programs
	@if [ -e target/browser-skipped ]; then \
		echo "skipped: browser tests ($$(cat target/browser-skipped))"; \
	else \
		cd browser && ALLIUM_PROGRAM=$(TARGET)/debug/allium npm test --silent; \
	fi

check: setup scripts ## Formatting, clippy, rustdoc, dependencies (direction, use, licences), snapshots
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --locked --quiet
	$(CARGO) test --workspace --locked --quiet --test tree
	$(CARGO) test --workspace --locked --quiet --test tree -- --ignored
	@.ci/deny

bench: setup ## Print the budget table, then that of attacks
	$(CARGO) bench --locked --package allium --bench budget
	$(CARGO) bench --locked --package allium --bench attack

attack: setup ## Attack a running service on loopback, and print what held (5 minutes; ROWS=worst,idle only these)
	$(CARGO) bench --locked --package allium --bench attack

soak: setup ## Let 48 hours pass in 8 minutes while sources misbehave by a seed (HOURS=6, SEED=2)
	$(CARGO) bench --locked --package allium --bench soak

deny: setup ## Hold dependencies to deny.toml, and ask for advisories (installs cargo-deny, which takes minutes)
	@.ci/deny install

structure: ## Count lines, functions, circles of imports
	@.ci/structure

oracle: setup ## Hold the consensus parser and verifier against Arti's (170 more crates)
	$(CARGO) test --locked --manifest-path crates/allium-sources/oracle/Cargo.toml

FUZZ_SECONDS ?= 20
fuzz: setup ## Fuzz every decoder, FUZZ_SECONDS=20 each (needs a C++ compiler; installs cargo-fuzz)
	FUZZ_SECONDS=$(FUZZ_SECONDS) .ci/fuzz

doc: setup ## Build the API documentation
	$(CARGO) doc --workspace --no-deps --locked

fmt: ## Format the code
	$(CARGO) fmt --all
