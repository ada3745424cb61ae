# make test: everything that needs no root, on loopback only. Each target sets itself up.
.DEFAULT_GOAL := help
.PHONY: help setup node-tools debians javascript lint format golden quick test storms rule rule-pages figures test-system faults fuzz dist skill bench clean

PYTHON := .cache/dev/bin/python
NODE_TOOLS := .cache/node-tools
# Empty where the machine has a Node.js that is fit.
export PATH := $(CURDIR)/.cache/nodejs/bin:$(PATH)
# As some containers set it: then each worker and each run of skillgen compiles all sources anew.
unexport PYTHONDONTWRITEBYTECODE
DEBIANS := .cache/debians
NODE_FILES := tests/node-tools/package.json tests/node-tools/.npmrc
SOURCES := skill add modify tests
TESTS ?= tests
# A worker for each processor; two where half of the time is waiting for bots and servers.
WORKERS := $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); [ $$n -lt 8 ] || n=8; echo $$n)
test storms: WORKERS := $(shell n=$$((2 * $(WORKERS))); [ $$n -lt 8 ] || n=8; echo $$n)
PYTEST_ARGS ?= -n $(WORKERS) --dist worksteal

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile

setup: .cache/dev/skillgen-stamp.toml $(NODE_TOOLS)/.done ## the Python and node tools of the tests, in .cache/

# The launcher knows which Python fits and what to say when none does.
.cache/dev/skillgen-stamp.toml: pyproject.toml
	@./skillgen --set-up .cache/dev --group dev

node-tools: $(NODE_TOOLS)/.done ## typescript, prettier, vitest, Baileys and pm2, in .cache/node-tools

.cache/nodejs/.done: tests/node-tools/find-node | .cache/dev/skillgen-stamp.toml
	@tests/node-tools/find-node .cache/nodejs $(PYTHON)

$(NODE_TOOLS)/.done: $(NODE_FILES) | .cache/nodejs/.done
	@mkdir -p $(NODE_TOOLS)
	@rm -f $@
	@cp $(NODE_FILES) $(NODE_TOOLS)/
	npm install --prefix $(NODE_TOOLS) --loglevel=error
	@touch $@

debians: $(DEBIANS)/.done ## systemd as Debian 12 and 13 have it, unpacked in .cache/debians (on a Debian)

$(DEBIANS)/.done: tests/slow/supervisors/debian.sh
	@rm -f $@
	tests/slow/supervisors/debian.sh $(DEBIANS) bookworm trixie
	@touch $@

javascript: node-tools ## add/channel/javascript/, from the TypeScript beside it
	node add/channel/to-javascript.mjs add/channel/typescript add/channel/javascript $(NODE_TOOLS)/node_modules

lint: .cache/dev/skillgen-stamp.toml ## ruff, ruff format --check, mypy --strict, import-linter
	$(PYTHON) -m ruff check $(SOURCES)
	$(PYTHON) -m ruff format --check $(SOURCES)
	$(PYTHON) -m mypy
	.cache/dev/bin/lint-imports

format: .cache/dev/skillgen-stamp.toml
	$(PYTHON) -m ruff check --fix $(SOURCES)
	$(PYTHON) -m ruff format $(SOURCES)

golden: .cache/dev/skillgen-stamp.toml ## what is planned for every input of the tests is as it was (ACCEPT=1, AGAINST=REVISION)
	$(PYTHON) -m tests.golden $(if $(ACCEPT),--accept) $(if $(AGAINST),--against $(AGAINST))

quick: .cache/dev/skillgen-stamp.toml ## the tests that need no Node and start no process: within a minute
	$(PYTHON) -m pytest tests/quick -m "not system" -q -p tests.progress -p no:cacheprovider $(PYTEST_ARGS)

# Each start of node reads these certificates, for 0.05 s; all but one test talk to loopback only.
test: setup ## everything that needs no root
	@scratch=$$(tests/scratch) && \
	env -u NODE_EXTRA_CA_CERTS REGISTRY_CA_CERTS="$$NODE_EXTRA_CA_CERTS" \
	$(PYTHON) -m pytest $(TESTS) -m "not system and not storms" -p tests.durations $(PYTEST_ARGS) --basetemp="$$scratch/t" && \
	rm -rf "$$scratch" || { echo "make: what the failed tests wrote is in $$scratch" >&2; exit 1; }

storms: setup ## every scenario for every fixture host and variation, and what tests/slow/real holds
	$(PYTHON) -m pytest $(TESTS) -m storms $(PYTEST_ARGS)

rule-pages: .cache/dev/skillgen-stamp.toml ## docs/rules/, from the rules' own pages and examples
	$(PYTHON) -m tests.quick.docs.rule_pages

rule: .cache/dev/skillgen-stamp.toml ## a new rule and its test (NAME=my-rule KIND=baileys-channel)
	@$(PYTHON) -m tests.quick.rules.new_rule "$(NAME)" "$(KIND)"

figures: setup ## the chart docs/storms.svg and the table of README.md, from a fixture host
	$(PYTHON) -m tests.slow.docs.figures

test-system: setup debians ## real systemd, full disks and refused system calls (root, Linux)
	@[ "$$(id -u)" = 0 ] && [ "$$(uname -s)" = Linux ] || { echo "make: test-system needs root on Linux; use make test" >&2; exit 2; }
	@[ -x /lib/systemd/systemd ] && command -v systemd-analyze >/dev/null && command -v nsenter >/dev/null || { echo "make: test-system needs systemd; install it (apt install systemd util-linux)" >&2; exit 2; }
	@command -v strace >/dev/null || { echo "make: test-system needs strace; install it (apt install strace)" >&2; exit 2; }
	$(PYTHON) -m pytest $(TESTS) -m system -p tests.durations

faults: .cache/dev/skillgen-stamp.toml ## a kill and each error at every call that changes a file, (root, Linux; FAULTS=--lasting: errors that stay)
	@[ "$$(id -u)" = 0 ] && [ "$$(uname -s)" = Linux ] || { echo "make: faults needs root on Linux" >&2; exit 2; }
	@command -v strace >/dev/null || { echo "make: faults needs strace; install it (apt install strace)" >&2; exit 2; }
	$(PYTHON) -m tests.slow.faults $(FAULTS)

fuzz: .cache/dev/skillgen-stamp.toml ## hosts and files of any content: new examples, FUZZ_FACTOR (20) times as many
	FUZZ_FACTOR=$${FUZZ_FACTOR:-20} HYPOTHESIS_PROFILE=new $(PYTHON) -m pytest tests/slow/fuzz $(PYTEST_ARGS)

dist: .cache/dev/skillgen-stamp.toml ## wheel and sources in dist/, installed and run with pip, pipx and uv
	$(PYTHON) -m tests.slow.setup.dist

skill: ## skills/harden-whatsapp/, where plugins and skill managers look for it, from SKILL.md
	cp SKILL.md skills/harden-whatsapp/SKILL.md

bench: setup ## measures, asserts no time
	$(PYTHON) -m tests.bench

clean: ## removes what the targets above made
	rm -rf .cache .venv dist
