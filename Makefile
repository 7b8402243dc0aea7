# Every target makes .venv by itself on first use, and is quick on the second.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check docs compatible bench

demo: .venv/installed
	$(BIN)/graphcast demo --output demo-output --overwrite

# Most programs of the tests take longer to compile than to run. Those marked `optimised` are
# compiled as a user's are.
TWO := --numprocesses 2 --dist loadfile --no-loadscope-reorder
test: .venv/installed
	XLA_FLAGS=--xla_backend_optimization_level=0 $(BIN)/python -m pytest $(TWO) -m "not optimised"
	$(BIN)/python -m pytest $(TWO) -m optimised

docs: .venv/installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --site-dir site

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The core's tests on another Python, with the JAX that it gets: make compatible OTHER=python3.12
compatible: .venv-other/installed
	.venv-other/bin/python -m pytest --numprocesses 2 --dist loadfile -m "not slow" \
		tests/mesh tests/verification tests/graphcast/network tests/graphcast/test_rollout.py \
		tests/graphcast/test_parity.py::test_predictions_are_deepminds

bench: .venv/installed
	$(BIN)/python benchmarks/graph_construction.py
	for size in A B; do for precision in float32 mixed bfloat16; do \
		$(BIN)/python benchmarks/step.py --size $$size --precision $$precision || exit 1; \
	done; done
	for size in A B; do $(BIN)/python benchmarks/step.py --size $$size --what gradient || exit 1; done
	$(BIN)/python benchmarks/rollout.py --size B --repeats 3
	$(BIN)/python benchmarks/growth.py --size A --levels 2 3 4
	$(BIN)/python benchmarks/preparation.py
	$(BIN)/python benchmarks/codecs.py
	for devices in 1 2; do $(BIN)/python benchmarks/training.py --devices $$devices || exit 1; done
	$(BIN)/python benchmarks/startup.py

.venv/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

.venv-other/installed: pyproject.toml
	$(OTHER) -m venv .venv-other
	.venv-other/bin/pip install --quiet --disable-pip-version-check --editable '.' \
		beartype hypothesis pytest pytest-xdist
	touch $@
