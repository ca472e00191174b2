# Everything runs in .venv, which these targets build from the pinned requirements by themselves.
PYTHON ?= python3.11
BIN := .venv/bin
# Both carriers' SDKs would send even loopback calls to a proxy.
CLEAN := env -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY -u http_proxy -u https_proxy -u all_proxy

.DEFAULT_GOAL := help
.PHONY: help install demo test test-long lint bench pins

help: ## list these targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/' | expand -t 18

install: .venv/installed ## build .venv from the pinned requirements

.venv/installed: requirements.txt pyproject.toml
	@PYTHON="$(PYTHON)" sh scripts/venv.sh
	$(BIN)/pip install --quiet --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/tested: .venv/installed requirements-dev.txt
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

demo: .venv/installed ## page yourself in the browser: service, sandbox, one incident
	$(CLEAN) $(BIN)/ringback demo

test: .venv/tested ## every test that needs no other server, in five minutes at most
	$(CLEAN) $(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder

# pytest ends with 5 when no test is marked long; that is no failure of any test.
test-long: .venv/tested ## the longer suites, in twelve minutes at most
	$(CLEAN) $(BIN)/python -m pytest -q -m long || [ $$? -eq 5 ]

lint: .venv/tested ## ruff, pyright, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

bench: .venv/installed ## how fast the main way is, each figure beside its floor
	$(CLEAN) $(BIN)/python scripts/bench.py

pins: .venv/installed ## write requirements*.txt anew from requirements*.in
	$(BIN)/python -m venv .venv/pins
	.venv/pins/bin/pip install --quiet pip-tools
	for name in requirements requirements-dev; do \
		.venv/pins/bin/pip-compile --quiet --allow-unsafe --generate-hashes --strip-extras \
			--no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
			--output-file=$$name.txt $$name.in || exit; \
	done
