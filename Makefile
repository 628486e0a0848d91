# Everything one can do here, each target from a bare machine: it first makes what it needs in $(VENV).
# Needed beforehand: make, Python 3.11 or newer, and a package index that pip can reach.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
BIN := $(VENV)/bin
PEERS := benchmarks/.venv-peers

# BLAS threads would only compete with the threads of an ensemble for the same cores
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv run test verify bench lint format wheel clean distclean

help: ## this list
	@echo "usage: make TARGET [ARGS='...'] [PYTHON=python3.12] [VENV=.venv]"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(VENV)/.installed-dev ## install into $(VENV) with all tools; again only when pyproject.toml changes

run: $(VENV)/.installed ## first light: sample a two-qubit machine, save file and figure, print the verdict
	$(BIN)/python runs/quickstart.py $(ARGS)

test: $(VENV)/.installed-dev ## the physics tests; ARGS='-k philox -x' is passed to pytest
	$(BIN)/collide warmup > /dev/null  # so that the workers do not compile the same kernels side by side
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

verify: $(VENV)/.installed-dev ## the long statistical court in tests/verification
	$(BIN)/python -m pytest -m verification tests/verification $(ARGS)

BENCHMARKS := w1_jumps w2_chain w3_cavity w4_collisions w5_gates collisions_plain scaling cold_start storage

bench: $(VENV)/.installed-dev $(PEERS)/.installed ## speed, each number beside a peer measured in the same run
	@status=0; for name in $(BENCHMARKS); do \
		echo "== $$name"; $(BIN)/python benchmarks/$$name.py $(ARGS) || status=1; \
	done; cat $(BENCHMARKS:%=benchmarks/results/%.md) > benchmarks/results/all.md; exit $$status

lint: $(VENV)/.installed-dev ## ruff (rules and layout) and mypy
	@status=0; for check in 'ruff check' 'ruff format --check' mypy; do \
		echo "== $$check"; $(BIN)/$$check || status=1; \
	done; exit $$status

format: $(VENV)/.installed-dev ## let ruff mend what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

wheel: $(VENV)/.installed-dev ## sdist and wheel in dist/, the wheel built from the sdist
	$(BIN)/python -m build

clean: ## remove what can be made again, but neither results nor $(VENV)
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find collide kernels analysis runs tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

distclean: clean ## clean, and remove $(VENV)
	rm -rf $(VENV)

# Debian splits ensurepip off into python3-venv; where it is missing, the pip outside serves the environment.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "collide needs Python 3.11 or newer, and $(PYTHON) is older or missing: name one with make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 \
		|| { rm -rf $(VENV); $(PYTHON) -m venv --without-pip $(VENV) \
			&& $(PYTHON) -m pip --python $(BIN)/python install -q pip; } \
		|| { rm -rf $(VENV); $(PYTHON) -m virtualenv -q $(VENV); } \
		|| { rm -rf $(VENV); \
			echo "no virtual environment could be made: install python3-venv, or python3-pip" >&2; exit 1; }

# the stamps are younger than pyproject.toml as long as what it asks for is installed
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q -e '.[dev]'
	@touch $(VENV)/.installed $@

# dynamiqs and JAX ask for other versions of what we stand on, so they live apart
$(PEERS)/.installed: | $(BIN)/python
	$(BIN)/python -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install -q dynamiqs
	@touch $@
