# make help lists what there is to make.
.DEFAULT_GOAL := help
.PHONY: help demo split test lint format quality bench bench-full drills attacks image-test split-bench deploy-check requirements clean
SHELL := /bin/bash
PORT ?= 8000
DATA ?= ../shared/data
PYTHON ?= python3
BIN := .venv/bin
unexport PYTHONDONTWRITEBYTECODE

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/demo  ## load real groceries, train, and serve on http://127.0.0.1:8000 (PORT=)
	@$(BIN)/python -m runtime.local demo --port $(PORT)

split: .venv/demo  ## the same, each component as a process of its own; TLS=1: behind NGINX, with mutual TLS
	@$(BIN)/python -m runtime.local split --port $(PORT) $(if $(TLS),--tls)

test: .venv/dev  ## the test suite, on private servers; what needs a missing server is skipped
	@$(BIN)/python -m pytest

# mypy and lint-imports load Django's settings; nothing is connected to.
lint: export MULTIRECO_SECRET_KEY = nothing-is-signed-by-a-look-at-code
lint: export MULTIRECO_DATABASE_URL = postgresql://none@127.0.0.1/none
lint: export MULTIRECO_BROKER_URL = redis://127.0.0.1/0
lint: export MULTIRECO_MODEL_DIR = build/models
lint: .venv/dev  ## format, style, types, borders, templates, shell
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet src
	$(BIN)/shellcheck deploy/*.sh .ci/run

format: .venv/dev  ## write the code in its one format
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

quality: .venv/dev  ## measure the ranking on the files of DATA=FOLDER; build/quality.json
	@$(BIN)/python -m bench.quality $(DATA)

bench: .venv/dev  ## measure speed, with the logs of DATA=FOLDER; build/bench.json
	@DATA=$(DATA) $(BIN)/python -m bench

bench-full: .venv/dev  ## what takes longer than that
	@DATA=$(DATA) $(BIN)/python -m bench --full

drills: .venv/dev  ## break one thing at a time beneath load; build/drills.json
	@$(BIN)/python -m bench.drills

split-bench: .venv/dev  ## the split system behind NGINX: overload, its cost, a soak; build/split.json
	@$(BIN)/python -m bench.split

attacks: .venv/dev  ## attack the split system behind its gateway; build/attacks.json
	@$(BIN)/python -m bench.attacks

image-test: .venv/dev build/deploy-tools  ## build the image and bring compose's services up (root, docker.io, debootstrap)
	@$(BIN)/python -m pytest -m image tests/deploy --timeout 1200

deploy-check: .venv/dev build/deploy-tools  ## every static check of what is deployed
	@build/deploy-tools/bin/python deploy/check.py

build/deploy-tools: requirements/deploy.txt | .venv/bin/uv
	@$(PYTHON) -m venv $@
	@$(subst $(BIN)/python,$@/bin/python,$(install)) --quiet --require-hashes -r $<
	@touch $@

# Pins with hashes, for every platform and Python we support.
compile = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--python-version 3.11 --custom-compile-command 'make requirements' pyproject.toml
requirements: .venv/dev  ## pin the newest versions that pyproject.toml allows
	echo uv | $(subst pyproject.toml,-,$(compile)) --upgrade --output-file requirements/uv.txt
	$(compile) --upgrade --output-file requirements/base.txt
	$(compile) --upgrade --extra demo --output-file requirements/demo.txt
	$(compile) --upgrade --extra demo --extra dev --extra spark --output-file requirements/dev.txt
	$(compile) --upgrade --extra spark --output-file requirements/spark.txt
	$(subst pyproject.toml,requirements/deploy.in,$(compile)) --upgrade --output-file requirements/deploy.txt

clean:  ## remove the environment and what was built; .data/ stays
	rm -rf .venv build

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("multireco needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; name another with PYTHON=") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv .venv

# uv installs three times as fast as pip; it takes the package index that pip is set up with.
.venv/bin/uv: requirements/uv.txt | .venv/bin/python
	@$(BIN)/pip install --disable-pip-version-check -q --require-hashes -r $<
	@touch $@

install = index=$$($(BIN)/pip config get global.index-url 2>/dev/null); \
	$${index:+env UV_DEFAULT_INDEX=$$index} $(BIN)/uv pip install --python $(BIN)/python

.venv/%: requirements/%.txt pyproject.toml | .venv/bin/uv
	@echo "Installing the pinned requirements of requirements/$*.txt"
	@$(install) --compile-bytecode --require-hashes -r $<
	@$(install) --quiet --no-deps --no-build-isolation -e .
	@touch $@
