# make demo   the whole promise on real servers, told line by line       make test   every test        make lint   ruff, mypy
# make demo-deploy   two bare hosts become mail servers
# make shell  a shell among the same servers                             make bench  figures           make clean  forget all
# make try    a throw-away mail server on a laptop
#
# Each target sets up what it needs first (.ci/setup): Debian packages when root or sudo may install them, and a venv.
SHELL := /bin/bash
VENV ?= .venv
PYTHON := $(VENV)/bin/python
ENTER := tests/lab/enter.sh

.PHONY: help demo demo-deploy test lint shell try bench clean setup
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p' Makefile

setup:
	@.ci/setup $(VENV)

demo: setup
	@$(ENTER) $(PYTHON) -m tests.lab.demo

demo-deploy: setup
	@$(ENTER) $(PYTHON) -m tests.lab.demo_deploy

test: setup
	@if [ -n "$(ARGS)" ]; then $(ENTER) $(PYTHON) -m pytest $(ARGS); else .ci/parts $(PYTHON); fi

lint: setup
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

shell: setup
	@$(ENTER) $(PYTHON) -m tests.lab.shell

bench: setup
	@$(ENTER) $(PYTHON) -m tests.bench

try: setup
	@$(VENV)/bin/mailsrv try

clean:
	rm -rf $(VENV) .lab dist .mypy_cache .ruff_cache .pytest_cache
