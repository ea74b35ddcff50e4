# `make run` and `make test` set up all that they need, on the first call and after a change.

PORT ?= 8501
ADDRESS ?= 127.0.0.1
# Which tests: make test TESTS=tests/core
TESTS ?=
# How many run at once. Those of one file stay together: they share servers.
WORKERS ?= 2
PYTHON ?=
# Of make refresh-prices: OPTIONS=--dry-run, OPTIONS=--help says them all
OPTIONS ?=
export PYTHON

python := .venv/bin/python

.PHONY: help run demo test lint format bench lock refresh-prices

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 24

run: ## Start the dashboard on http://localhost:8501; others: PORT=8600 ADDRESS=0.0.0.0
	@deploy/setup
	@deploy/serve "$(PORT)" "$(ADDRESS)"

demo: ## Start a demo cluster with planted faults, and the dashboard on it; as run: PORT=8600
	@deploy/setup
	@$(python) -m core.monitoring.demo deploy/serve "$(PORT)" "$(ADDRESS)"

test: ## Run all tests, with a real browser; some of them: TESTS=tests/core
	@deploy/setup dev
	@deploy/programs
	@$(python) -m pytest -n $(WORKERS) --dist loadfile $(TESTS)

lint: ## Check the code: rules, format and types
	@deploy/setup dev
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(python) -m mypy

format: ## Format the code, and repair what the rules can repair
	@deploy/setup dev
	@$(python) -m ruff check --fix .
	@$(python) -m ruff format .

bench: ## Print the figures of tests/benchmarks
	@deploy/setup dev
	@for script in tests/benchmarks/bench_*.py; do \
		[ -e "$$script" ] || continue; \
		echo "== $$script"; \
		PYTHONPATH=. $(python) "$$script" || exit 1; \
	done

lock: ## Compile requirements.txt and requirements-dev.txt from pyproject.toml
	@deploy/setup dev
	@deploy/lock

refresh-prices: ## Renew hardware_db/offers.csv from public catalogues; others: OPTIONS=--dry-run
	@deploy/setup
	@$(python) -m core.refresh $(OPTIONS)
