# Two commands are all a newcomer needs: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# pip keeps downloads in the home folder; nothing is written outside of this one.
export PIP_NO_CACHE_DIR := 1

.PHONY: demo test lint bench clean

demo: .venv/runtime
	$(BIN)/uploader demo

# Some tests need PostgreSQL and PgBouncer: as root on Debian they are installed, elsewhere a line says how.
# Folder by folder, so that the files that take seconds come last: a long one at the end would leave a core idle. Three
# at a time, for two cores: many tests wait for a disk, a server or a process of their own. What hangs shows where, and
# fails: the longest takes five minutes.
test: .venv/test lint
	$(BIN)/python -m tests.support.servers
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --timeout 1500 -o faulthandler_timeout=1200

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --processes 0 --disable-progress-bar models tests/sql

# Hours with a million events; BENCH_EVENTS, BENCH_ROUNDS and BENCH_ONLY make it less: see benchmarks/__main__.py.
bench: .venv/runtime .venv-bench/installed
	$(BIN)/python -m benchmarks

# What others send with, which nothing else needs.
.venv-bench/installed: benchmarks/requirements.lock
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --require-hashes -r benchmarks/requirements.lock
	touch $@

# A stamp that is newer than the lock means: installed. The test lock contains the runtime lock.
.venv/runtime: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

.venv/test: requirements-test.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-test.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch .venv/runtime $@

clean:
	rm -rf .venv .venv-bench target logs
