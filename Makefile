# Thin: each target is one or two commands; the work is in scripts/.
.DEFAULT_GOAL := help
.PHONY: help setup demo run test check bench fmt words update screenshots notice clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: ## install everything the tests need
	scripts/setup test

demo: ## the whole product on this machine, with a replayed switchboard; for real phones too: make demo DEMO=--lan
	scripts/setup demo
	.venv/bin/visio15 demo $(DEMO)

run: ## the server with the settings of the environment
	scripts/setup demo
	.venv/bin/visio15 serve

test: ## install what the tests need, then run all of them
	scripts/setup test
	scripts/test

check: ## formats, types, imports, schema (no tests)
	scripts/setup test
	scripts/check

bench: ## measure, each figure beside its floor
	scripts/setup test
	scripts/bench

fmt: ## format and repair what a machine can
	.venv/bin/ruff check -q --fix-only .
	.venv/bin/ruff format -q .

words: ## let the catalogues of the caller's languages follow the sentences
	scripts/setup demo
	scripts/words

update: ## take the newest allowed dependencies into the lock, then run everything
	scripts/update

screenshots: ## make the pictures of the docs again
	scripts/setup test
	scripts/screenshots

notice: ## print the one-page notice for regulators again
	scripts/setup test
	scripts/notice

clean: ## remove what was installed and made
	rm -rf .venv node_modules build dist var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
