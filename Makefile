# One command for each thing that is done here. Every target installs what it needs, keeps it in a
# cache outside the checkout, and can be run again.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

cache := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/modelyard
export CARGO_TARGET_DIR ?= $(cache)/target
export MODELYARD_TOOLS ?= $(cache)/tools

deny := $(MODELYARD_TOOLS)/cargo-deny-0.20.2/bin/cargo-deny
machete := $(MODELYARD_TOOLS)/cargo-machete-0.9.2/bin/cargo-machete

checks := format lint docs dependencies unused test

.PHONY: help
help: ## lists the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1 \t/p' Makefile | expand -t 24

.PHONY: demo
demo: system ## builds modelyard and tells a model's life with it, in a temporary folder
	cargo build --locked
	$(CARGO_TARGET_DIR)/debug/modelyard demo

.PHONY: test
test: system ## runs every test, those against real registries, signers and git servers too
	tests/tools/install
	MODELYARD_TOOLS_BIN=$$(tests/tools/install --where) cargo test --locked --features real-tools

.PHONY: soak
soak: system ## a million histories of the planner, 20,000 lives of the reconciler, 200 kills of each process
	MODELYARD_HISTORIES=1000000 MODELYARD_SEEDS=20000 \
	    cargo test --locked --profile soak --lib -- --nocapture rollout::tests::history reconcile::simulator
	MODELYARD_KILLS=200 cargo test --locked --test it -- --nocapture cli::serve::killed

.PHONY: check
check: ## what CI runs: format, lint, docs, dependencies, unused, test
	@times=; for step in $(checks); do \
	    printf '\n== %s\n' $$step; \
	    SECONDS=0; \
	    $(MAKE) --no-print-directory $$step || { printf '\ncheck: %s failed\n' $$step; exit 1; }; \
	    times="$$times  $$step $${SECONDS}s"; \
	done; \
	printf '\ncheck: all is well:%s\n' "$$times"

.PHONY: fmt
fmt: ## formats the sources
	cargo fmt --all

.PHONY: bench
bench: system ## measures against other people's tools; see benches/
	tests/tools/install
	tests/tools/install --bench
	MODELYARD_TOOLS_BIN=$$(tests/tools/install --where) cargo bench --locked --features real-tools

.PHONY: format
format: ## checks that the sources are formatted
	cargo fmt --all --check

.PHONY: lint
lint: system ## clippy over everything, warnings refused; and that the tests build without tools
	cargo clippy --locked --all-targets --all-features -- --deny warnings
	cargo check --locked --quiet --tests

.PHONY: docs
docs: system ## builds the documentation, warnings refused
	RUSTDOCFLAGS='--deny warnings' cargo doc --locked --no-deps --document-private-items

.PHONY: dependencies
dependencies: $(deny) ## checks licences, bans and sources of what we depend on
	$(deny) --all-features check --hide-inclusion-graph bans licenses sources

.PHONY: advisories
advisories: $(deny) ## checks what we depend on for known vulnerabilities; fetches the database from GitHub
	$(deny) --all-features check advisories

.PHONY: unused
unused: $(machete) ## finds dependencies that nothing uses
	$(machete)

# What the system has to have for the build.
.PHONY: system
system:
	@tests/tools/install --system

# cargo-NAME-VERSION, built once; speed of the build goes before speed of the program.
$(MODELYARD_TOOLS)/cargo-%:
	@tests/tools/install --system
	package=$$(sed 's|\(cargo-[a-z]*\)-\([0-9.]*\)/.*|\1@\2|' <<<'cargo-$*'); \
	echo "building $$package, once"; \
	CARGO_TARGET_DIR=$(MODELYARD_TOOLS)/build \
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
	CARGO_PROFILE_RELEASE_DEBUG=0 \
	    nice cargo install --quiet --locked --root "$$(dirname "$$(dirname '$@')")" "$$package"
	rm -rf $(MODELYARD_TOOLS)/build
