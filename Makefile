# Verbs for people and for CI. Each does its own set-up: none needs another typed first.
# Caches live in ~/.cache/terminal-operator (or TERMINAL_OPERATOR_CACHE), keyed by content; deleting them is safe.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

HOST ?= 127.0.0.1
PORT ?= 8000
KEY ?=
MINUTES ?= 10
# The tests have a cluster of their own, beside the demo's.
TEST_CLUSTER := CLUSTER_NAME=$${CLUSTER_NAME:-terminals-test} CLUSTER_API_PORT=$${CLUSTER_API_PORT:-16443} CLUSTER_HTTP_PORT=$${CLUSTER_HTTP_PORT:-18081}
UNIT := tests/unit tests/contract tests/jail tests/fuzz tests/faults tests/cluster_protocol

.PHONY: help setup setup-tests demo demo-down test test-unit test-e2e fuzz bench lint serve

help:  ## list the verbs
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 20

setup:  ## install what is missing (Debian, as root) and fill the caches
	@scripts/setup
	@scripts/python -c ''

setup-tests: setup
	@scripts/setup tests

demo: setup  ## a real Kubernetes on this machine, the operator in it, and a shell that answers
	@scripts/demo

demo-down:  ## end the demo's cluster
	@cluster/cluster down

test: lint test-unit test-e2e  ## everything

test-unit: setup-tests  ## seconds, no cluster
	@scripts/python -m pytest $(UNIT) -m "not cluster" -n 2

test-e2e: setup-tests  ## on a real cluster of its own
	@$(TEST_CLUSTER) scripts/test-e2e

fuzz: setup-tests  ## try the terminal server with ever new input: make fuzz MINUTES=10
	@FUZZ_MINUTES='$(MINUTES)' scripts/python -m pytest tests/fuzz -n 3 -o timeout=0 -rA --show-capture=stdout

bench: setup  ## measure, beside the peers, and print tables: ONLY="execute polls" RECORD=benchmarks/results
	@$(TEST_CLUSTER) scripts/python benchmarks/run.py $(if $(ONLY),--only $(ONLY)) $(if $(RECORD),--record '$(RECORD)')

lint:  ## format, style, types, layers, lock file
	@scripts/lint

serve: export OPEN_TERMINAL_API_KEY := $(KEY)
serve:  ## the terminal server alone, in the foreground: KEY=… make serve HOST= PORT=
	@scripts/python -m terminal_server run --host '$(HOST)' --port '$(PORT)'
