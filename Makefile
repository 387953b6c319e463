# `make` alone says what there is. Needs Python 3.11 with venv, git and make, nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
TOOLS := .venv-tools
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
# Airflow must not look at a copy that is installed elsewhere on the machine, nor may the tests.
export AIRFLOW_HOME ?= $(CURDIR)/.run/airflow
export PYTHONPATH := include
AXE := tests/browser/node_modules/.package-lock.json
SCHEDULES ?= 1000
SEED ?= 1
UV := UV_CUSTOM_COMPILE_COMMAND="make lock" $(TOOLS)/bin/uv pip compile --quiet --python-version 3.11 --universal \
	--generate-hashes --no-emit-index-url --no-annotate
SBOM ?= .run/sbom.json

.PHONY: help setup setup-dev run sync stop reset test test-airflow test-simulation test-crash check bench-burst bench-pages bench-reconciliation bench-matching scorecard letters screens lock sbom clean

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-20s %s\n", $$1, $$2}'

setup: $(VENV)/runtime-installed ## Install what running needs into .venv (does nothing when it is up to date)

setup-dev: $(VENV)/dev-installed $(AXE) ## Install what testing needs, too

run: setup ## Start the sandbox, a database and Airflow on this machine; Ctrl-C ends them all
	@$(BIN)/python -m launch run

sync: setup ## Sync every practice once, without Airflow; the sandbox it starts stays up until `make stop`
	@$(BIN)/python -m launch sync

stop: setup ## End the sandbox that `make sync` left running
	@$(BIN)/python -m launch stop

reset: setup ## Forget the demo: its databases, keys and logs in .run
	@$(BIN)/python -m launch reset

test: setup-dev ## Run the tests, those of a real scheduler beside all others; the long runs below are apart
	@$(BIN)/python -m tests

test-airflow: setup-dev ## Let a real Airflow fail in every way while payments are on their way (20 minutes)
	@$(BIN)/python -m pytest -q -m failures tests/dags

test-simulation: setup-dev ## Play SCHEDULES=1000 seeded schedules of faults, from SEED=1 on
	@PYTHONHASHSEED=0 $(BIN)/python -m tests.stateful --schedules $(SCHEDULES) --seed $(SEED)

test-crash: setup-dev ## Hit real processes at every point, the full cross; CELL="K8 after" plays those with that in their name
	@CRASH_CELLS="$(or $(CELL),all)" $(BIN)/python -m pytest -q -n 2 tests/crash/test_crash_matrix.py

check: setup-dev ## Check format, style, types, imports and SQL
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports
	@if compgen -G 'include/sql/*.sql' >/dev/null; then $(BIN)/sqlfluff lint --disable-progress-bar include/sql; fi

bench-burst: setup-dev ## Measure how fast a burst of orders is posted
	@$(BIN)/python -m bench.burst

bench-pages: setup-dev ## Measure how fast the Orders pages answer with a million orders, over HTTP
	@$(BIN)/python -m bench.pages

letters: setup-dev ## Write the example letters in tests/data/letters anew, to be read in the diff
	@$(BIN)/python -m tests.unit.letters

screens: setup-dev ## Take the pictures of the Orders pages in docs/screens anew (needs Chromium)
	@$(BIN)/python -W ignore -m tests.browser.screens docs/screens

bench-reconciliation: setup-dev .venv-bench/installed ## Measure how long a month of a million orders takes to reconcile
	@$(BIN)/python -m bench.reconciliation --datacompy .venv-bench/bin/python

bench-matching: setup-dev ## Measure how fast 10,000 orders are decided against 50,000 patients
	@$(BIN)/python -m bench.matching

scorecard: .venv-scorecard/installed ## Judge the matching beside other rules and Splink, into docs/matching.md; needs ORDER_SYNC_REFERENCE
	@.venv-scorecard/bin/python -m bench.scorecard

lock: $(TOOLS)/bin/uv ## Pin every version anew: requirements*.in -> requirements*.txt
	@$(UV) requirements.in -o requirements.txt
	@$(UV) requirements-sandbox.in -o requirements-sandbox.txt
	@$(UV) requirements-dev.in -o requirements-dev.txt
	@$(UV) requirements-bench.in -o requirements-bench.txt
	@$(UV) requirements-scorecard.in -o requirements-scorecard.txt

sbom: $(TOOLS)/bin/cyclonedx-py ## List what production is made of, with hashes, as CycloneDX in .run/sbom.json
	@mkdir -p $(dir $(SBOM))
	@$< requirements --output-reproducible --output-format JSON --output-file $(SBOM) requirements.txt

clean: ## Delete what tools have cached; .venv and the demo in .run stay
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -path './.venv*' -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
		echo "Python 3.11 is needed (found $$($(PYTHON) --version 2>&1)): install it, or name it with make PYTHON=/path/to/python3.11"; \
		exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/runtime-installed: requirements.txt requirements-sandbox.txt | $(BIN)/python
	@echo "Installing what running needs (a few minutes the first time)"
	@$(PIP) -r requirements.txt -r requirements-sandbox.txt
	@touch $@

$(VENV)/dev-installed: requirements-dev.txt $(VENV)/runtime-installed
	@echo "Installing what testing needs"
	@$(PIP) -r requirements-dev.txt
	@touch $@

# The only part from npm: without it the tests for who cannot see or use a mouse are skipped, and say so.
$(AXE): tests/browser/package-lock.json
	@if command -v npm >/dev/null; then npm ci --silent --no-fund --no-audit --prefix tests/browser && touch $@; \
		else echo "npm is not installed: the accessibility tests will be skipped"; fi

.venv-bench/installed: requirements-bench.txt
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $@

.venv-scorecard/installed: requirements-scorecard.txt
	@$(PYTHON) -m venv .venv-scorecard
	@.venv-scorecard/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-scorecard.txt
	@touch $@

$(TOOLS)/bin/python:
	@$(PYTHON) -m venv $(TOOLS)

$(TOOLS)/bin/uv: | $(TOOLS)/bin/python
	@$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'

$(TOOLS)/bin/cyclonedx-py: | $(TOOLS)/bin/python
	@$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check 'cyclonedx-bom>=7'
