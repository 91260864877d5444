# `make` lists what there is. Everything is installed into .venv, from the pinned and hashed requirements/.
# Another Python: make demo PYTHON=python3.13

PYTHON ?= python3
ARGS ?=
PROCESSES ?= 2
# Open Brewery DB as a file, where it lies beside the checkout; else the demo asks the network.
export BEERFORYOU_CATALOGUE_FILE ?= $(abspath $(wildcard ../shared/openbrewerydb/breweries.csv))
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
COMPILE := $(BIN)/uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --quiet

.DEFAULT_GOAL := help
PYTEST := $(BIN)/pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder

# What editors and merges leave behind; in the package it would ship with the wheel.
LEFT_OVER := -name '*.orig' $(foreach name,*.rej *.bak *.old *.sw? *~ .\#* \#*\#,-o -name '$(name)')

.PHONY: help demo test check lint tidy days lock bench peers chaos clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8

demo: .venv/runtime ## start everything, ask one real question, serve (ARGS=--once ends after the answer)
	@$(BIN)/beerforyou demo $(ARGS)

test: lint .venv/system ## lint, then every test in two processes (ARGS=tests/backends for some)
	$(PYTEST) $(ARGS)

check: lint ## lint, then what needs no server and is soon done: less than a minute
	$(PYTEST) -q -m "not server and not long" $(ARGS)

lint: tidy .venv/test ## style, types, the direction of imports, and nothing left over by an editor
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

tidy:
	@found=$$(find . \( -name .git -o -name .venv \) -prune -o -type f \( $(LEFT_OVER) \) -print); \
		[ -z "$$found" ] || { printf 'Left over by an editor or a merge, to be removed:\n%s\n' "$$found" >&2; exit 1; }

bench: .venv/test ## the whole service under load in processes of its own: what a run costs (ARGS=--help for more)
	@$(BIN)/python -m bench $(ARGS)

peers: .venv/test ## the same beside a service of LangGraph and FastAPI, whose packages go into a cache (ARGS=--help for more)
	@$(BIN)/python -m bench.peers $(ARGS)

chaos: .venv/test .venv/system ## kill real processes and servers while clients ask, count what was promised (ARGS=--quick)
	@$(BIN)/python -m tests.processes.chaos $(ARGS)

days: .venv/test .venv/system ## what depends on the day, on five other days (ARGS="2028-02-29T12:00 -k recall" for any tests on one)
	@$(BIN)/python -m tests.days $(ARGS)

lock: $(BIN)/uv ## pin the dependencies anew (ARGS=--upgrade for newer ones)
	$(COMPILE) $(ARGS) --output-file requirements/runtime.txt
	$(COMPILE) $(ARGS) --group test --constraints requirements/runtime.txt --output-file requirements/test.txt

clean: ## remove .venv and the caches; the data stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/runtime: requirements/runtime.txt pyproject.toml | $(BIN)/python
	@echo "Installing what BeerForYou needs into .venv" >&2
	@$(PIP) --no-deps --require-hashes --requirement $<
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# --no-deps: the pinned files are complete, and older pips look past a pin when a package asks for its extras.
# Compiling all of the tests' packages takes longer than the tests gain from it.
.venv/test: requirements/test.txt .venv/runtime
	@echo "Installing what the tests need" >&2
	@$(PIP) --no-deps --no-compile --require-hashes --requirement $<
	@touch $@

# Real servers that tests start for themselves: the services that Debian's packages start are stopped.
.venv/system: | $(BIN)/python
	@PATH="$$PATH:/usr/sbin"; \
	for server in pgbouncer rabbitmq-server faketime; do \
		if ! command -v $$server >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing $$server for the tests" >&2; export DEBIAN_FRONTEND=noninteractive; \
			apt-get update -qq && apt-get install -y -qq --no-install-recommends $$server >/dev/null && \
				{ service $$server stop; update-rc.d $$server disable; } >/dev/null 2>&1; \
		fi; \
		command -v $$server >/dev/null || missing="$$missing $$server"; \
	done; \
	if [ -z "$$missing" ]; then touch $@; \
	else echo "Not installed:$$missing. The tests that need it will be skipped" >&2; fi

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "BeerForYou needs Python 3.11 or newer; name one: make $(MAKECMDGOALS) PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -m venv .venv

$(BIN)/uv: | $(BIN)/python
	@$(PIP) uv
