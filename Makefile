# `make` alone lists the targets. `make demo` and `make test` do all set-up by themselves.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# A pair known to import together; pip takes CPU or CUDA builds as the machine's index offers.
TORCH ?= torch==2.14.1 torchvision==0.29.1

.DEFAULT_GOAL := help
.PHONY: help demo serve screenshots test lint types unit docs serve-docs bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.core pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[train,weights,parquet,batch,cluster,openvino,video,report,web,postgres]' \
		$$($(BIN)/python -c "import tomllib; g = tomllib.load(open('pyproject.toml', 'rb'))['dependency-groups']; print(*g['dev'], *g['docs'])")
	@touch $@

$(VENV)/.report: $(VENV)/.core
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[report]'
	@touch $@

demo: $(VENV)/.report ## set up, grade phantom sperm, write a page and a phantom sample's report
	$(BIN)/androscope demo --out demo

$(VENV)/.serve: $(VENV)/.core
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[web,report]'
	@touch $@

serve: $(VENV)/.serve ## set up, then serve the lab's page with phantom samples (Ctrl+C ends it)
	$(BIN)/androscope serve --demo

screenshots: $(VENV)/.dev ## every page, light and dark, wide and narrow, in build/screenshots (chromium)
	$(BIN)/python tools/screenshots.py

test: lint types unit docs ## set up, then run every check and test

lint: $(VENV)/.dev ## ruff and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.dev ## strict type checking
	$(BIN)/mypy

# One worker a core, each with one thread: numeric libraries would take all cores in every worker.
unit: $(VENV)/.dev ## the tests, with coverage
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report=term

docs: $(VENV)/.dev ## build the documentation, strictly
	$(BIN)/mkdocs build --strict -q -d build/site

bench: $(VENV)/.dev ## print every table of speed and size, with this machine's description
	$(BIN)/python benchmarks/all.py

clean: ## remove what the targets made
	rm -rf build dist demo site .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis
