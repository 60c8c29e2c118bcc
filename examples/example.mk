# What every example can do; its Makefile says how. `make` lists it.

# The clone, whose environment the examples share: nothing is installed for an example alone.
CLONE ?= $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/..)
NAME  := $(notdir $(CURDIR))
ARGS  ?=
# What comes before each of them; the tests leave it out, since they run in an environment that is ready.
READY ?= ready

export PATH := $(CLONE)/.venv/bin:$(PATH)
export JOBMILL_LOG_FORMAT ?= console

.DEFAULT_GOAL := help
.SUFFIXES:
.PHONY: help up full test load demo-failure clean ready

help:
	@echo '  make up            run it here, embedded: no server is needed'
	@echo '  make full          run it on RabbitMQ and PostgreSQL, in containers'
	@echo '  make test          test it'
	@echo '  make load          put it under load; ARGS=5000 says how much'
	@echo '  make demo-failure  watch a job fail, be retried, become a dead letter, and be requeued'
	@echo '  make clean         forget the jobs and data of make up'

# The image of Jobmill itself comes first: that of the example may stand upon it.
full:
	docker build -t jobmill:0.1.0 $(CLONE)
	docker compose up --build

test: $(READY)
	@cd $(CLONE) && .venv/bin/python -m pytest -q examples/$(NAME)

load: $(READY)
	@python -m $(PACKAGE).load $(ARGS)

demo-failure: $(READY)
	@python -m $(PACKAGE).demo_failure

clean:
	rm -rf .jobmill

ready:
	@$(MAKE) --no-print-directory -s -C $(CLONE) .venv/.dev-ready
