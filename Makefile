# make demo   the whole service on this machine, with seven complaints from beginning to end
# make up     the same service, to stay; Ctrl-C ends it, its data is kept in .redress
# make test   all tests (ARGS="-k words" for some; PROCESSES=2 where there is little memory)
# make check  the daily part of them, in less than 90 seconds
#
# make trial  Redress broken on purpose, and a checker that proves that nothing was lost or doubled
#             (SEED=7 MINUTES=60, ARGS="--part points --only 'disputed, Record#3'")
# make bench  how late deadlines are, beside a poller (ARGS="--cases 500")
# make bench-life           what a life costs beside bare Temporal workflows and the same writes on DBOS
# make bench-investigation  import and investigation, beside bare PostgreSQL (ARGS="--quotes 500000 --orders 50000")
# make bench-reporting      the report on a month of 100,000 cases, its time and memory
# make bench-polling        a handler's pages beside 1,000 customers whose pages ask by themselves
# make bench-reading        lists, inbox, deadlines and search among 200,000 cases
# make bench-sealing        what sealing costs, a payload and a life
# make bench-assessment     how well the first assessment hears, in both languages
#
# Each prepares its own environment in .venv first, which takes a minute once. Needs Python 3.11 or newer:
# make PYTHON=/path/to/python3 demo

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input install --root-user-action=ignore
UV := uv
PROCESSES := 6
# All of these start programs of ours, hundreds of them in the tests: compiled once they start sooner.
unexport PYTHONDONTWRITEBYTECODE

.DELETE_ON_ERROR:
.PHONY: demo up test check trial sbom bench bench-life bench-investigation bench-assessment bench-polling bench-reading bench-reporting bench-sealing lint lock clean

demo: $(READY)
	@$(BIN)/redress demo

up: $(READY)
	@$(BIN)/redress up

test: $(READY)
	@$(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal $(ARGS)

# What most changes break first: style, types and rooms; all rules and sums; every check on the trade log; letters; whole
# lives of cases; old histories. Not here: the other servers, processes that die, the command line, imports into the log.
DAILY := tests/test_quality.py tests/ground tests/clocks tests/rules tests/checks tests/letters \
    tests/case/test_assessment.py tests/case/test_complaint.py tests/case/test_resolution.py \
    tests/case/test_two_persons.py tests/money/test_money.py tests/importing/test_csv.py \
    tests/importing/test_statements.py tests/importing/test_price_readers.py tests/workflows/test_life.py \
    tests/workflows/test_replay.py tests/incidents/test_incident_replay.py

check: $(READY)
	@$(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal $(DAILY) $(ARGS)

trial: $(READY)
	@$(BIN)/python -m trial $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

bench: $(READY)
	@$(BIN)/python -m bench.deadlines $(ARGS)

bench-life: $(READY)
	@$(PIP) --require-hashes -r requirements/bench.txt
	@$(BIN)/python -m bench.life $(ARGS)

bench-assessment: $(READY)
	@$(BIN)/python -m bench.assessment $(ARGS)

bench-investigation: $(READY)
	@$(BIN)/python -m bench.investigation $(ARGS)

bench-sealing: $(READY)
	@$(BIN)/python -m bench.sealing $(ARGS)

bench-polling: $(READY)
	@$(BIN)/python -m bench.polling $(ARGS)

bench-reading: $(READY)
	@$(BIN)/python -m bench.reading $(ARGS)

bench-reporting: $(READY)
	@$(BIN)/python -m bench.reporting $(ARGS)

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# The exact versions and hashes of everything, from pyproject.toml. UV="uv --offline" and the like work too.
lock:
	@command -v $(firstword $(UV)) >/dev/null || { \
	    echo "make lock needs uv: see https://docs.astral.sh/uv, or pip install uv" >&2; exit 1; }
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    pyproject.toml -o requirements/runtime.txt
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --extra embedded --group dev -c requirements/runtime.txt pyproject.toml -o requirements/dev.txt
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --group bench -c requirements/dev.txt -o requirements/bench.txt

# What an installation is made of: a CycloneDX document, and the licences.
sbom: $(READY)
	@.venv/bin/python deploy/sbom.py > redress.cdx.json
	@.venv/bin/python deploy/sbom.py --licences > licences.tsv
	@echo "redress.cdx.json licences.tsv"

# The environment and what the tools leave; not .redress, which holds complaints.
clean:
	@rm -rf $(VENV) dist build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements/dev.txt pyproject.toml
	@rm -f $@
	@python=; \
	for candidate in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
	    if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        python=$$candidate; break; \
	    fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "Redress needs Python 3.11 or newer; $(or $(PYTHON),python3) is $$( \
	        $(or $(PYTHON),python3) --version 2>/dev/null || echo not there)." >&2; \
	    echo "Install one, or name it: make PYTHON=/path/to/python3 $(or $(firstword $(MAKECMDGOALS)),demo)" >&2; \
	    exit 1; \
	fi; \
	echo "Preparing $(VENV) with $$($$python --version), once ..."; \
	$(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	    || $$python -m venv --clear $(VENV)
	@$(PIP) --require-hashes -r requirements/dev.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@
