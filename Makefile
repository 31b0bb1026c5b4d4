# `make` alone lists what there is to do. Everything is installed into .venv, nothing outside it,
# except by `make servers` (and so `make test`), which installs Debian packages where it may.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# Set in many containers; without bytecode each process that the tests start compiles all anew.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
PY := $(VENV)/bin/python
# More than cores: many tests wait for servers. The quick ones do not.
WORKERS ?= 4
PYTEST = $(PY) -m pytest -n $(WORKERS)
SCRIPT ?=
ARGS ?=

# Debian's python3, or a newer one beside it; override with `make PYTHON=/path/to/python3.12 …`.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

# uv is faster by far; pip does the same and is what a fresh machine has.
INSTALL = $(if $(shell command -v uv),uv pip install -q -p $(PY),\
	$(if $(shell test -x $(VENV)/bin/pip && echo own),$(PY) -m pip,$(PYTHON) -m pip --python $(PY)) install -q --disable-pip-version-check)
COMPILE = $(UV) pip compile -q --generate-hashes --no-emit-index-url --no-header --no-annotate \
	--python-version 3.11 pyproject.toml

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.demo ## an outage from alert to postmortem on this machine; SCRIPT=1 plays it by itself
	@$(VENV)/bin/jackline demo $(if $(SCRIPT),--script) $(ARGS)

.PHONY: test
test: ## every test, on real servers; installs what is missing where it may
	@tests/servers/apt.sh
	@$(MAKE) $(VENV)/.dev
	@rm -f .pytest_cache/v/cache/lastfailed
	@$(PYTEST) $(ARGS) || { [ $$? = 1 ] && $(PY) -m tests.again; }

.PHONY: test-fast
test-fast: WORKERS = 3
test-fast: $(VENV)/.dev ## the tests that need no server, no browser and no patience
	@$(PYTEST) -m "not server and not browser and not slow" $(ARGS)

.PHONY: check
check: $(VENV)/.dev ## lint, format, types, layers and the docs' tests
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports
	@$(PY) -m pytest -q tests/docs

.PHONY: bench
bench: $(VENV)/.dev ## the measurements that the README quotes
	@$(PY) -m tests.bench $(ARGS)

.PHONY: fmt
fmt: $(VENV)/.dev ## format, and fix what ruff can fix
	@$(VENV)/bin/ruff check --fix-only -q .
	@$(VENV)/bin/ruff format .

.PHONY: docs
docs: $(VENV)/.dev ## write anew what in docs/ is made from the code
	@$(PY) -m bot.cli.reference > docs/reference.md.new
	@mv docs/reference.md.new docs/reference.md
	@$(VENV)/bin/jackline access graph > docs/access.svg.new
	@mv docs/access.svg.new docs/access.svg
	@$(PY) -m tests.docs.chat > docs/chat.md.new
	@mv docs/chat.md.new docs/chat.md
	@$(VENV)/bin/jackline slack manifest > docs/slack-app-manifest.yaml.new
	@mv docs/slack-app-manifest.yaml.new docs/slack-app-manifest.yaml
	@$(PY) -m tests.docs.postmortems

.PHONY: lock
lock: UV := $(shell command -v uv)
lock: ## recompile both requirements locks from pyproject.toml (needs uv)
	@[ -n "$(UV)" ] || { echo "make lock needs uv: pip install uv" >&2; exit 1; }
	$(COMPILE) --extra demo -o requirements.lock
	$(COMPILE) --extra demo --group dev -c requirements.lock -o requirements-dev.lock

.PHONY: servers
servers: ## the Debian packages that the tests drive (root, or sudo without a password)
	@tests/servers/apt.sh

.PHONY: clean
clean: ## remove .venv, caches and build output
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage* .hypothesis
	@find . -name __pycache__ -type d -not -path './node_modules/*' -prune -exec rm -rf {} +

# Stamps: an install runs again only when its lock or the project's metadata changed.
$(VENV)/.demo: requirements.lock pyproject.toml | $(PY)
	@$(call install,requirements.lock)
	@touch $@

# The development lock holds everything that the other one does, at the same versions.
$(VENV)/.dev: requirements-dev.lock requirements.lock pyproject.toml | $(PY)
	@$(call install,requirements-dev.lock)
	@touch $@ $(VENV)/.demo

# Every dependency by its hash; then this checkout itself, editable.
define install
echo "Installing $(1) into $(VENV)"
$(INSTALL) --require-hashes -r $(1)
$(INSTALL) --no-deps -e .
$(PY) -m compileall -q -j 0 $(VENV)/lib bot integrations >/dev/null || true # a start costs 3 s less
endef

$(PY):
	@if [ -z "$(PYTHON)" ]; then echo "Jackline needs Python 3.11 or newer, and found none on PATH." >&2; exit 1; \
	elif command -v uv >/dev/null; then uv venv -q --python "$$(command -v $(PYTHON))" $(VENV); \
	elif $(PYTHON) -c 'import ensurepip' 2>/dev/null; then $(PYTHON) -m venv $(VENV); \
	elif $(PYTHON) -m pip --version >/dev/null 2>&1; then $(PYTHON) -m venv --without-pip $(VENV); \
	else echo "This Python cannot make a virtual environment: apt-get install python3-venv (as root), then make again." >&2; exit 1; fi
