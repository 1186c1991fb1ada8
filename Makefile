# make run: distil a bundled task from nothing.  make test: the test suite from nothing.  make check: lint and types.
# make test-cluster: a grid on a real Ray cluster on loopback, with a worker killed in the middle.
PYTHON ?= python3
BIN = .venv/bin
INSTALL = $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt
TASK ?= support_tickets
# Modules are compiled when they are first imported (most never are), and then kept, whatever the caller's shell says.
export PYTHONDONTWRITEBYTECODE =

run: .venv/run
	$(BIN)/evokd run $(TASK) --recipe benchmarks/first_run.yaml

test: .venv/dev
	$(BIN)/python -m pytest -n auto -m "not slow and not gpu and not cluster"

test-cluster: .venv/dev
	$(BIN)/python -m pytest -m cluster

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "evokd needs Python 3.11 or newer; got $$($(PYTHON) --version). Try: make run PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv .venv

.venv/run: pyproject.toml constraints.txt | .venv/bin/python
	$(INSTALL) -e '.[local]'
	touch $@

.venv/dev: pyproject.toml constraints.txt | .venv/bin/python
	$(INSTALL) -e '.[local,cluster,qlora,dev]'
	touch $@ .venv/run

.PHONY: run test test-cluster check
.DELETE_ON_ERROR:
