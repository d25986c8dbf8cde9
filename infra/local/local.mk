# The local stack's targets. The Makefile includes this and defines STACK, the command behind them.

STACK ?= python3 -m infra.local.stack

.PHONY: up down env test-local

up: ## Start the local stack and deploy the template to it
	@$(STACK) up

down: ## End the local stack (PURGE=1: remove its data and what was installed, too)
	@$(STACK) down $(if $(PURGE),--purge)

env: ## Print the exports for aws, psql and bin/backfill: eval "$$(make env)"
	@$(STACK) env

test-local: ## Test the local stack itself
	@"$$($(STACK) tool python)" -m pytest -q infra/local/tests
