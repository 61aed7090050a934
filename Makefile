.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo serve-demo install test test-slow check format fuzz audit bench soak lock clean

help:  ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.installed: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable '.[demo,crypto,plots,server,client,tune]' --group dev
	touch $@

install: $(VENV)/.installed  ## A virtual environment with Mutua and all that its tests need

demo: install  ## The main job on a real shop's data
	$(BIN)/mutua demo

serve-demo: install  ## The demo's shop over HTTP, with shoppers: SPEED=3600 seconds of its time in one, HOUSEHOLDS=N of them
	$(BIN)/mutua live --speed $(or $(SPEED),3600) $(if $(HOUSEHOLDS),--users $(HOUSEHOLDS))

test: install  ## The test suite
	$(BIN)/python -m pytest -m "not slow"

test-slow: install  ## The tests that take longer: kills, large files
	$(BIN)/python -m pytest -m slow

check: install  ## Format, lint, strict types, import contracts, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/docs tests/contracts

format: install  ## Put the code into the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

fuzz: install  ## A million inputs to the parser of events: INPUTS=N
	$(BIN)/python -m tests.events.fuzz $(or $(INPUTS),1000000)

audit: install  ## Known faults in what is pinned; asks a service over the network
	$(BIN)/python -m pip install --quiet --group audit
	$(BIN)/pip-audit --requirement requirements.lock --disable-pip --no-deps

$(VENV)/.bench: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --group bench
	touch $@

bench: $(VENV)/.bench  ## Speed and quality figures against peers; JSON and Markdown under benchmarks/results
	$(BIN)/python -m benchmarks $(BENCH)

soak: $(VENV)/.bench  ## Mixed load on one server: MINUTES=30; errors, slope of memory, growth of latency
	$(BIN)/python -m benchmarks.speed.soak --minutes $(or $(MINUTES),30)

lock:  ## Pin what is installed
	$(BIN)/python -m pip freeze --exclude-editable > requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
