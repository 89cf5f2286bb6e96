# The same targets serve a person, the pre-commit hooks and CI. Everything runs inside .venv.
.DEFAULT_GOAL := help

# The first interpreter that really starts and is 3.11 or newer (a version manager's shim may be on
# the path and still refuse to run).
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { command -v $$p; break; }; done)
UV := $(shell command -v uv 2>/dev/null)
BIN := .venv/bin
export DO_NOT_TRACK := 1
export GX_ANALYTICS_ENABLED := false
# Container images often forbid Python to keep what it compiled; without that every command starts 3 seconds later.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help
help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: run
run: install ## load, build, test, train, and say what came out (sample sources when there are none)
	@$(BIN)/tallyhouse run

.PHONY: test
test: install ## everything: pytest, dbt build with its tests on a fresh database, lint
	@$(BIN)/python -m app.checks.everything

.PHONY: test-fast
test-fast: install ## what needs no database: under two minutes
	@$(BIN)/python -m pytest -q -n 2 -m "not slow"

.PHONY: lint
lint: install ## ruff, mypy, one-way imports, sqlfluff, portable SQL, one-way layers, names
	@$(BIN)/python -m app.checks.lint

.PHONY: dev
dev: install ## Dagster's UI on http://127.0.0.1:3000
	@$(BIN)/tallyhouse dev

.PHONY: docs
docs: install ## the catalogue of tables and columns, one page in target/
	@$(BIN)/tallyhouse docs

.PHONY: metrics
metrics: install ## the metrics that can be asked by name, with `.venv/bin/mf query`
	@$(BIN)/mf list metrics --show-all-dimensions

.PHONY: bench
bench: install ## measure every budget and write benchmarks/results.md
	@$(BIN)/python -m benchmarks

.PHONY: serve-ready
serve-ready: install ## start and prepare the database, so that psql, dbt and Dagster can begin
	@$(BIN)/tallyhouse db start

.PHONY: serve
serve: install ## receive webhooks and product events on http://127.0.0.1:8787
	@$(BIN)/python -m serving

.PHONY: clean
clean: ## stop the embedded database and remove what was built; data (.tallyhouse, landing) stays
	@if [ -x $(BIN)/tallyhouse ]; then $(BIN)/tallyhouse db stop || true; fi
	rm -rf .venv benchmarks/.venv target logs dbt_packages package-lock.yml .pytest_cache .ruff_cache .mypy_cache \
		.hypothesis *.egg-info build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: install
install: .venv/.installed

# pip compiles nothing here: Python does it on first use, and only for what is used.
.venv/.installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found; set PYTHON=/path/to/it." >&2; exit 1; }
	@echo "Installing the environment into .venv ($(if $(UV),uv,pip)) …"
ifneq ($(UV),)
	@$(UV) venv -q --allow-existing --python $(PYTHON) .venv
	@VIRTUAL_ENV=.venv $(UV) pip install -q --no-deps --require-hashes -r requirements.lock
	@VIRTUAL_ENV=.venv $(UV) pip install -q --no-deps --no-build-isolation -e .
else
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-compile --require-hashes -r requirements.lock
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-compile --no-build-isolation -e .
endif
	@touch $@

.PHONY: lock
lock: ## resolve the newest allowed versions again (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra dev pyproject.toml -o requirements.lock
