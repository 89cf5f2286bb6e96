# Bootstrap of the environment; every other target runs inside .venv.
# The first interpreter that really starts and is 3.11 or newer (a version manager's shim may be on
# the path and still refuse to run).
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { command -v $$p; break; }; done)
UV := $(shell command -v uv 2>/dev/null)
BIN := .venv/bin

.PHONY: install
install: .venv/.installed

.venv/.installed: requirements.lock pyproject.toml
ifneq ($(UV),)
	$(UV) venv -q --allow-existing --python $(PYTHON) .venv
	VIRTUAL_ENV=.venv $(UV) pip install -q --require-hashes -r requirements.lock
	VIRTUAL_ENV=.venv $(UV) pip install -q --no-deps --no-build-isolation -e .
else
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
endif
	@touch $@

.PHONY: lock
lock: ## resolve the newest allowed versions again (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra dev pyproject.toml -o requirements.lock
