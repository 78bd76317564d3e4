# make reproduce   the paper's figures and numbers, into results/sato2025/ (installs the core only)
# make test        everything that continuous integration runs (installs every extra but `cuda`)
# make peer        WannierBerri in an environment of its own (GPL: compared with in one test, never imported)
# make lint        the quick part of it: format, lint, types, import contract
# make lock        write the lock files anew from the lower bounds in pyproject.toml
# make clean       remove what these commands made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEER := .venv-peer
PIP_COMPILE := $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras --no-header \
    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

.PHONY: reproduce test peer lint lock clean

reproduce: $(VENV)/.core
	$(BIN)/orbiphon reproduce sato2025 --out results/sato2025

test: $(VENV)/.all
	$(BIN)/python scripts/check.py

peer: $(PEER)/.done

lint: $(VENV)/.all
	$(BIN)/python scripts/check.py --quick

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "orbiphon needs Python 3.11 or newer; try: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

# The lock files list every dependency, so nothing may be added to them while installing (--no-deps), and the package
# itself is built with the setuptools that they pin (--no-build-isolation).
$(VENV)/.core: requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.all: requirements-all.lock $(VENV)/.core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-all.lock
	touch $@

$(PEER)/.done: requirements-peer.lock | $(BIN)/python
	$(BIN)/python -m venv $(PEER)
	$(PEER)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-peer.lock
	touch $@

# pip-tools is not a dependency of the package, so it is installed only here. The extras are named one by one because
# `all` refers to the package itself, which has no hash.
lock: | $(BIN)/python
	$(BIN)/python -m pip install --quiet --upgrade pip-tools
	$(PIP_COMPILE) --build-deps-for wheel --output-file requirements.lock pyproject.toml
	$(PIP_COMPILE) --build-deps-for wheel --extra wannier --extra phonons --extra cluster --extra test \
	    --output-file requirements-all.lock pyproject.toml
	printf 'numba\nwannierberri\n' | $(PIP_COMPILE) --output-file requirements-peer.lock -

clean:
	rm -rf $(VENV) $(PEER) results build .pytest_cache .ruff_cache .hypothesis .import_linter_cache src/*.egg-info
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
