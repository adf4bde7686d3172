# Every target brings .venv up to date first; nothing is installed outside of it,
# except by root for `make test` and `make bench`: programs that they drive.
SHELL := /bin/sh
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet
NPM := $(VENV)/bin/python labextension/hatch_build.py
LABEXTENSION := $(shell find labextension -path labextension/node_modules -prune -o -path labextension/lib -prune -o -type f ! -name '*.tsbuildinfo' -print)

# Tests and benchmarks of .NET languages bring an SDK along where there is none; the package itself never does.
test image bench: export DOTNET_ROOT = $(shell .ci/dotnet)
test bench: export DOTNET_CLI_TELEMETRY_OPTOUT = 1

.PHONY: help run test check chaos image bench clean
.DELETE_ON_ERROR:

help:  ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 8

run: $(VENV)/all  ## Start the sample Workflow in JupyterLab
	@$(VENV)/bin/coflows server mnt/coflows_config.json

test: $(VENV)/test  ## Run all tests
	@.ci/system-packages chromium curl fonts-dejavu-core libatomic1 postgresql unixodbc libgssapi-krb5-2
	@command -v javac >/dev/null || .ci/system-packages default-jdk-headless
	@.ci/pebble >/dev/null
	$(NPM) test
	$(VENV)/bin/pytest -n auto --maxprocesses 4 --dist loadfile

check: $(VENV)/test  ## Check style, types and layers
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo
	$(NPM) exec -- tsc --noEmit
	$(NPM) run lint
	$(NPM) run format:check

chaos: $(VENV)/test  ## Kill servers while 100,000 ticks come on each database, and writers of M sets 200 times
	@.ci/system-packages postgresql
	@COFLOWS_CHAOS_TICKS=$${COFLOWS_CHAOS_TICKS:-100000} COFLOWS_CHAOS_AGENTS=$${COFLOWS_CHAOS_AGENTS:-400} COFLOWS_CHAOS_KILLS=200 $(VENV)/bin/pytest --timeout 3600 tests/chaos
	@COFLOWS_TEST_WRITES=2000 $(VENV)/bin/pytest --timeout 3600 tests/mset/test_processes.py


image: $(VENV)/test  ## Build the image, run it and push it, as root on Debian; logs are in test-results
	@.ci/system-packages podman buildah runc debootstrap docker-registry
	@COFLOWS_TEST_IMAGE=1 $(VENV)/bin/pytest tests/deploy/test_container.py

bench: $(VENV)/test $(VENV)/gateway/installed $(VENV)/prefect/installed  ## Measure speed against peers
	@.ci/system-packages wrk chromium fonts-dejavu-core
	@$(VENV)/bin/python -m bench.access
	@$(VENV)/bin/python -m bench.agents --prefect $(VENV)/prefect/bin/python
	@$(VENV)/bin/python -m bench.host
	@$(VENV)/bin/python -m bench.http --gateway $(VENV)/gateway/bin/python
	@$(VENV)/bin/python -m bench.reload
	@$(VENV)/bin/python -m bench.runs
	@$(VENV)/bin/python -m bench.lag
	@$(VENV)/bin/python -m bench.interop
	@$(VENV)/bin/python -m bench.start
	@$(VENV)/bin/python -m bench.results
	@$(VENV)/bin/python -m bench.m
	@$(VENV)/bin/python -m bench.widget
	@$(VENV)/bin/python -m bench.schedule

clean:  ## Remove everything that was made
	rm -rf $(VENV) coflows_jupyter/labextension coflows_jupyter/server/static labextension/lib labextension/node_modules

$(VENV)/bin/pip:
	@.ci/venv $(VENV)

$(VENV)/all: pyproject.toml $(LABEXTENSION) | $(VENV)/bin/pip
	@echo "Installing CoFlows for Jupyter into $(VENV), a minute or two …"
	@$(PIP) install --editable '.[all]'
	@touch $@

$(VENV)/test: pyproject.toml $(LABEXTENSION) | $(VENV)/bin/pip
	@echo "Installing CoFlows for Jupyter with its tests into $(VENV), a minute or two …"
	@$(PIP) install --editable '.[test]'
	@$(NPM) --requirements | xargs -r $(PIP) install
	@touch $@ $(VENV)/all

# Peers that do not go with our Jupyter Server have environments of their own.
$(VENV)/gateway/installed: | $(VENV)/bin/pip
	@.ci/venv $(@D)
	@$(@D)/bin/python -m pip --disable-pip-version-check --quiet install jupyter_kernel_gateway ipykernel
	@touch $@

$(VENV)/prefect/installed: | $(VENV)/bin/pip
	@.ci/venv $(@D)
	@$(@D)/bin/python -m pip --disable-pip-version-check --quiet install 'prefect>=3,<4'
	@touch $@
