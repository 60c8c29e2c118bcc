# Everything a developer does here. `make` lists it.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PEERS  := benchmarks/.venv
PIP    := $(BIN)/python -m pip --disable-pip-version-check --no-input
ARGS   ?=

# How long `make chaos` breaks things; fractions are fine.
CHAOS_MINUTES ?= 3
# Tests at once; more than there are cores, since many wait for servers.
CORES  ?= 3

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

.PHONY: help up test check fix chaos bench mutants wheel pins clean

help:  ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: $(VENV)/.run-ready  ## Run Jobmill here; options go in ARGS="--port 3001"
	@exec $(BIN)/jobmill up $(ARGS)

# The domain's own tests alone are measured: measuring makes everything that calls the domain 2.7 times slower.
# The many processes that tests start read compiled modules, whatever the shell says about writing them.
test: export PYTHONDONTWRITEBYTECODE =
test: check  ## Run every check and every test, the domain's coverage included, CORES=3 at once
	$(BIN)/python -m pytest -q --cov --cov-report=term tests/unit/domain
	$(BIN)/python -m pytest -n $(CORES) --dist worksteal $(ARGS)

check: $(VENV)/.dev-ready  ## Style, types and the plan of the rooms
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/.dev-ready  ## Mend what ruff can mend by itself
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

chaos: $(VENV)/.dev-ready  ## Break everything under load for CHAOS_MINUTES=3, account for every job; ARGS="--publish"
	$(BIN)/python -m tests.chaos --minutes $(CHAOS_MINUTES) $(ARGS)

bench: $(VENV)/.run-ready $(PEERS)/.ready  ## Measure Jobmill and its peers side by side; ARGS="drain submit", ARGS=--quick
	$(BIN)/python -m benchmarks $(ARGS)

mutants: $(VENV)/.dev-ready  ## Open each hole of the protocol again in a copy, and see who finds it
	$(BIN)/python -m tests.simulation.mutate $(ARGS)

wheel: $(VENV)/.dev-ready  ## Build dist/jobmill-*.whl
	$(BIN)/python -m build --wheel --no-isolation --outdir dist .

pins:  ## Renew both requirements files from pyproject.toml
	@rm -rf build/pins && $(PYTHON) -m venv build/pins
	@for kind in run dev; do \
	    case $$kind in \
	      run) wanted='.' file=requirements.txt \
	           title='What jobmill needs to run, the whole closure, and hatchling, which installs the clone itself.' ;; \
	      dev) wanted='.[dev]' file=requirements-dev.txt \
	           title='What working on jobmill needs, the whole closure, requirements.txt included.' ;; \
	    esac; \
	    build/pins/bin/python -m pip install -qq "$$wanted" hatchling || exit 1; \
	    { echo "# $$title 'make pins' renews it."; \
	      build/pins/bin/python -m pip freeze --exclude jobmill | sort -f; } > "$$file" || exit 1; \
	    echo "$$file: $$(grep -c == "$$file") pins"; \
	done
	@rm -rf build/pins

clean:  ## Remove what was built and installed here; jobs in .jobmill stay
	rm -rf $(VENV) $(PEERS) dist build .coverage coverage.xml .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment: a stamp is newer than the pins it was installed from ---

$(BIN)/python:
	@command -v $(PYTHON) > /dev/null \
	    || { echo "Jobmill needs Python 3.11 or newer, and there is no $(PYTHON): install it, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Jobmill needs Python 3.11 or newer, this is $$($(PYTHON) -V 2>&1): name a newer one: make PYTHON=python3.13"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2> /dev/null \
	    || { echo "$(PYTHON) cannot make virtual environments: apt install python3-venv (or your system's like), then run make again"; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)

$(VENV)/.run-ready: requirements.txt pyproject.toml | $(BIN)/python
	@printf 'Installing what Jobmill needs into $(VENV), once, about half a minute ... '
	@$(PIP) install -qq -r requirements.txt
	@$(PIP) install -qq --no-deps --no-build-isolation -e .
	@touch $@
	@echo done

$(VENV)/.dev-ready: requirements-dev.txt requirements.txt pyproject.toml | $(BIN)/python
	@printf 'Installing what the tests and checks need into $(VENV), once, about half a minute ... '
	@$(PIP) install -qq -r requirements-dev.txt
	@$(PIP) install -qq --no-deps --no-build-isolation -e .
	@touch $(VENV)/.run-ready $@
	@echo done

# The peers that Jobmill is measured beside have an environment of their own: the product needs none of them.
$(PEERS)/.ready: benchmarks/requirements.txt | $(BIN)/python
	@printf 'Installing what Jobmill is measured beside into $(PEERS), once, about a minute ... '
	@$(PYTHON) -m venv --clear $(PEERS)
	@$(PEERS)/bin/python -m pip --disable-pip-version-check --no-input install -qq -r benchmarks/requirements.txt
	@touch $@
	@echo done
