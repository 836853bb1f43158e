# `make help` says what there is. Every target installs what it needs first.
PYTHON ?= python3
BIN := .venv/bin
TOOLS := .venv-tools/bin
JOBS ?= auto
export SAM_CLI_TELEMETRY ?= 0

.DEFAULT_GOAL := help
.PHONY: help install run test check lint types audit sbom pins build build-gcp deploy-aws deploy-gcp bench soak clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/.installed ## Install everything that is needed here into .venv

run: .venv/.installed ## Start a stand-in Thulium and the function, send samples, show the outcomes, stay up
	@$(BIN)/python -m tests.sandbox

test: .venv/.installed .venv-tools/.installed ## Run every test, and measure that all branches are covered
	@$(BIN)/python -m pytest -q -n $(JOBS) --cov --cov-report=term

check: lint types test audit ## Lint, types, tests, and known vulnerabilities of what ships

lint: .venv/.installed ## Check style and formatting
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: .venv/.installed ## Check the types
	@$(BIN)/mypy

# For Lambda, for Google Cloud, for one machine.
SHIPPED := requirements.txt requirements-gcp.txt requirements-machine.txt

audit: .venv/.installed ## Ask the database of known vulnerabilities about every pin that ships (needs the network)
	@$(BIN)/pip-audit --no-deps --disable-pip $(SHIPPED:%=-r %)

sbom: .venv/.installed ## Write build/sbom.json: what ships, with versions and hashes (CycloneDX)
	@mkdir -p build
	@awk '/^[^ ]/ {is_new = !seen[$$1]++} is_new' $(SHIPPED) | $(BIN)/cyclonedx-py requirements \
		--pyproject pyproject.toml --output-reproducible --output-file build/sbom.json -
	@echo build/sbom.json

pins: .venv/.installed ## Write requirements*.txt anew from the lists in pyproject.toml (needs the network)
	@$(PIN) pyproject.toml -o requirements.txt
	@$(PIN) pyproject.toml --extra machine -c requirements.txt -o requirements-machine.txt
	@$(PIN) pyproject.toml --extra gcp -c requirements.txt -o requirements-gcp.txt
	@$(PIN) pyproject.toml --extra gcp --extra machine --group dev -c requirements-gcp.txt -c requirements-machine.txt -o requirements-dev.txt
	@$(PIN) --group tools -o requirements-tools.txt

PIN = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command "make pins"

build: .venv-tools/.installed ## Build the Lambda package into .aws-sam
	@PATH="$(CURDIR)/$(TOOLS):$$PATH" $(TOOLS)/sam build --parameter-overrides Runtime=$(RUNTIME)
	@$(TOOLS)/python -m compileall -q --invalidation-mode unchecked-hash .aws-sam/build

# Compiled, since Lambda can't keep what Python compiles there: each cold start would do it again, for half its time.
# sam needs the very Python that the function is to run with: the one at hand, unless another is named.
RUNTIME ?= $(shell $(TOOLS)/python -c 'import sys; print("python%d.%d" % sys.version_info[:2])')

build-gcp: ## Lay out in build/gcp what Google builds the function from
	@rm -rf build/gcp && mkdir -p build/gcp
	@cp -R functions/main.py functions/config.yaml functions/ringback build/gcp
	@cp requirements-gcp.txt build/gcp/requirements.txt
	@find build/gcp -name __pycache__ -prune -exec rm -rf {} +

deploy-aws: build .venv/.installed ## Check the configuration, then deploy to AWS; asks what it needs
	@RINGBACK_CONFIG=functions/config.yaml RINGBACK_QUEUE=sqs:the-stack RINGBACK_DEAD_LETTER_QUEUE=the-stack \
		RINGBACK_COUNTS=the-stack $(BIN)/ringback check --without-secrets
	@$(TOOLS)/sam deploy --guided --parameter-overrides Runtime=$(RUNTIME)

deploy-gcp: build-gcp .venv/.installed ## Check the configuration, then deploy to Google Cloud, showing each command
	@RINGBACK_CONFIG=functions/config.yaml RINGBACK_QUEUE=cloud-tasks:projects/the/locations/that/queues/is-made \
		RINGBACK_COUNTS=the-database $(BIN)/ringback check --without-secrets
	@deploy/gcp.sh

bench: .venv/.installed ## Measure the time it takes
	@$(BIN)/python -m tests.bench

EVENTS ?= 20000

soak: .venv/.installed ## Send 20,000 events while everything goes wrong in turn (EVENTS=20000; a quarter of an hour)
	@RINGBACK_SOAK=$(EVENTS) $(BIN)/python -m pytest -q -s tests/test_soak.py

clean: ## Remove what the other targets have made
	rm -rf .venv .venv-tools .aws-sam build .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache

# Said in words here, since what Python itself says about it helps nobody.
define NEED_PYTHON
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo >&2 \
	"Ringback needs Python 3.11 or newer, and '$(PYTHON)' is not. Name another: make PYTHON=python3.12 ..."; exit 1; }
@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo >&2 \
	"'$(PYTHON)' can't make virtual environments. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
endef

# The lists are complete and carry hashes, so nothing has to be resolved, and nothing else gets in.
INSTALL = -m pip install --quiet --disable-pip-version-check --no-input --no-deps

.venv/.installed: requirements-dev.txt pyproject.toml
	$(NEED_PYTHON)
	@echo "Installing into .venv ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python $(INSTALL) -r requirements-dev.txt
	@$(BIN)/python $(INSTALL) --no-build-isolation --editable .
	@touch $@

.venv-tools/.installed: requirements-tools.txt
	$(NEED_PYTHON)
	@echo "Installing sam and the Cloud Tasks emulator into .venv-tools ..."
	@$(PYTHON) -m venv .venv-tools
	@$(TOOLS)/python $(INSTALL) -r requirements-tools.txt
	@touch $@
