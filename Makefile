# Everything runs from a fresh clone: each target does its own set-up first (see tools/setup.py).
.PHONY: demo serve test oldest check bench faults canary dist setup docs clean
PY := .venv/bin/python
OUT ?= demo-out
# The rooms without IO: every branch of them is covered by their own tests.
GROUND := errors wire tlog parcel demand law plan roster cases report audit

demo:
	@python3 tools/setup.py dev synapse
	@$(PY) -m dueprocess demo --out $(OUT)

serve:
	@python3 tools/setup.py dev
	@$(PY) -m dueprocess serve --install $(OUT)/install

test:
	@python3 tools/setup.py dev base case synapse spark debian
	@$(PY) -m pytest -n 2 --dist loadfile $(GROUND:%=tests/%) $(GROUND:%=--cov=dueprocess.%) --cov-branch \
		--cov-report=term-missing:skip-covered --cov-fail-under=100
	@$(PY) -m pytest -n 2 --dist loadfile $(GROUND:%=--ignore=tests/%)

oldest:
	@python3 tools/setup.py oldest
	@.venv-oldest/bin/python -m pytest -n 2 --dist loadfile $(GROUND:%=tests/%) tests/library tests/steps tests/history

check:
	@python3 tools/setup.py dev
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

bench:
	@python3 tools/setup.py dev server debian
	@$(PY) bench/run.py

faults:
	@python3 tools/setup.py dev debian
	@$(PY) tests/faults/run.py --full --write docs/faults.md

canary:
	@python3 tools/setup.py dev spark debian
	@$(PY) tests/canary/all.py

dist:
	@python3 tools/setup.py dev
	@$(PY) -m build --wheel --no-isolation --outdir dist .

docs:
	@python3 tools/setup.py dev
	@$(PY) tools/write_docs.py

clean:
	rm -rf dist build demo-out .stamps .mypy_cache .ruff_cache .pytest_cache
