# make run    set up everything and serve the dashboard (HOST and PORT are read)
# make test   set up everything, lint, check types, run all tests
# make test-gpu  the tests of networks on cuda:0, or on LATERNA_TEST_DEVICE; installs nothing
# make test-busy  all tests, files in any order (SEED), beside four busy loops
# make lint | format | lock | messages | bench | bench-quality | accuracy | contact-sheet | clean

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
export UV_LINK_MODE ?= hardlink
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The first Python that really starts and has what is needed.
PYTHON ?= $(shell for p in python3.12 python3.11 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' \
	>/dev/null 2>&1 && { echo $$p; break; }; done)
TOOLS := .tools
UV := $(TOOLS)/bin/uv
PY := .venv/bin/python
# Whatever Python has torch: this checkout's, else the machine's.
GPU_PY ?= $(if $(wildcard $(PY)),$(PY),python3)
GPU_TESTS ?= tests/zoo tests/vision tests/studio/makers
COMPILE := $(UV) pip compile --universal --generate-hashes --no-header --quiet --python-version 3.11

.PHONY: help run test test-gpu test-busy lint format lock messages bench bench-quality accuracy contact-sheet browser clean

help:
	@sed -n 's/^# //p' Makefile | head -5

# In development the photographs beside the checkout are a collection, where there are any.
run: export LATERNA_COLLECTIONS ?= $(wildcard ../shared/photos)
run: .venv/.run
	@exec $(PY) -m app

# What lint says comes at the end: it works where tests wait.
PYTEST := $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder
test: .venv/.dev browser
	mkdir -p .cache; $(MAKE) --no-print-directory lint >.cache/lint.log 2>&1 & lint=$$!; \
	failed=0; $(PYTEST) || failed=1; wait $$lint || failed=1; cat .cache/lint.log; exit $$failed

# All tests once more, files in an order by chance, beside four loops that take what time they get.
SEED ?= $(shell echo $$RANDOM)
test-busy: .venv/.dev browser
	loops=(); trap 'kill "$${loops[@]}"' EXIT; \
	for _ in 1 2 3 4; do while :; do :; done & loops+=("$$!"); done; \
	$(PYTEST) --any-order $(SEED)

# Of zoo, vision and makers, on a CUDA device; needs torch, torchvision, timm, pillow, numpy, pytest and
# nothing of the web: what else a test wants and is not there skips it.
# LATERNA_TEST_DEVICE=cpu, or =pretended, runs the same without a GPU.
test-gpu: export LATERNA_TEST_DEVICE ?= cuda:0
test-gpu:
	$(GPU_PY) -m pytest -p tests.sparse -o addopts="-ra --strict-markers" \
		-W "ignore:Unknown config option" $(GPU_TESTS)

lint: .venv/.dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/hadolint Dockerfile

format: .venv/.dev
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

# Debian's chromium drives the browser tests; where it cannot be had they are skipped, in CI they fail.
browser:
	@command -v chromium >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null && exit 0; \
	fi; \
	echo "Browser tests are skipped: there is no chromium. 'sudo apt-get install chromium' brings it."

lock: $(UV)
	$(COMPILE) pyproject.toml -o requirements/run.txt
	$(COMPILE) --extra dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt
	echo uv | $(COMPILE) - -o requirements/tools.txt

messages: .venv/.dev
	$(PY) -m tests.web.extraction

bench: .venv/.dev
	$(PY) -m benchmarks

# What others see in the pictures, what reconstructions keep: an hour and more; goes on where it was.
bench-quality: .venv/.dev
	$(PY) -m benchmarks.quality $(ARGS)

ARGS ?= --photos ../shared/photos --weights ../shared/weights
accuracy: .venv/.dev
	$(PY) -m benchmarks.accuracy $(ARGS)

contact-sheet: .venv/.dev
	$(PY) -m benchmarks.contact_sheet

clean:
	rm -rf .venv $(TOOLS) .cache

$(UV): requirements/tools.txt
	@test -n "$(PYTHON)" || { echo "Laterna needs Python 3.11 or 3.12 with venv (Debian: apt-get install python3 python3-venv)."; exit 1; }
	$(PYTHON) -m venv --clear $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --require-hashes -r requirements/tools.txt
	@touch $(UV)

.venv/pyvenv.cfg: | $(UV)
	$(UV) venv --quiet --python $(PYTHON) .venv

.venv/.run: requirements/run.txt .venv/pyvenv.cfg
	$(UV) pip install --quiet --python $(PY) --require-hashes -r requirements/run.txt
	@touch $@

.venv/.dev: requirements/dev.txt .venv/pyvenv.cfg
	$(UV) pip install --quiet --python $(PY) --require-hashes -r requirements/dev.txt
	@touch $@ .venv/.run
