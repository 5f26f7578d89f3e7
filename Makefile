# The one entry to the tree. Every target installs the Debian packages it needs first (tools/setup, Debian 12, root).
#   make build        release binaries in build/release/bin
#   make demo         a tour on this machine that leaves nothing behind
#   make test         every test: unit, root, functional, fuzz seeds, tools
#   make conformance  the unmodified docker CLI against the engine; dockerd, podman, containerd over berth-runtime
#   make bench        Berth beside the other runtimes, measured in the same run
#   make lint         format, scripts and the tree's own rules; changes nothing
#   make tidy         clang-tidy over every source; results are kept, the first run takes half an hour
#   make format       rewrites the sources in the one format
#   make fuzz         every libFuzzer target for FUZZ_SECONDS each
#   make install      programs, manual pages, unit and completions below PREFIX
JOBS ?= 2
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 30
TEST_ARGS ?=

RELEASE := build/release
GUEST_KERNEL := build/guest/vmlinuz
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build
.PHONY: build demo test conformance bench lint tidy format fuzz install clean

build:
	@tools/setup build
	@cmake --preset release > /dev/null
	@cmake --build --preset release --target programs -j $(JOBS)

demo: build
	@tools/setup demo
	@tools/demo $(RELEASE)/bin

test:
	@tools/setup build test
	@tools/guest_kernel $(GUEST_KERNEL) || echo "Tests in a virtual machine are skipped: there is no kernel for it."
	@cmake --preset release > /dev/null
	@cmake --build --preset release -j $(JOBS)
	@tools/run_tests $(RELEASE) -j $(JOBS) $(TEST_ARGS)

conformance: build
	@tools/setup test peers callers
	@for test in tests/conformance/test_*.py; do \
	  BERTH_BIN_DIR=$(RELEASE)/bin python3 -B $$test -v || [ $$? -eq 77 ] || exit 1; \
	done

bench: build
	@tools/setup test peers callers
	@cmake --build --preset release --target bench_spawn -j $(JOBS)
	@python3 bench/all.py --bin $(RELEASE)/bin

lint:
	@tools/setup build test lint
	@tools/lint

tidy:
	@tools/setup build test lint
	@cmake --preset lint > /dev/null
	@python3 tools/tidy.py -j $(JOBS)

format:
	@tools/setup lint
	@tools/source_files cpp | xargs clang-format-19 -i

fuzz:
	@tools/setup build test lint
	@cmake --preset fuzz > /dev/null
	@cmake --build --preset fuzz -j $(JOBS) --target fuzzers
	@tools/run_fuzzers build/fuzz $(FUZZ_SECONDS)

install: build
	@cmake --install $(RELEASE) --prefix $(PREFIX)

clean:
	@rm -rf build
