# What a developer runs. `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

TOOLS := .local/bin
STACK := python3 -m infra.local.stack

# --- The local stack: up, down, env. ---
-include infra/local/local.mk

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-10s %s\n", $$1, $$2 }'

# --- Build. ---

.PHONY: build
build: ## Build the operators' command, bin/backfill
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/backfill ./cmd/backfill

# `sam build` calls these and says where to put the program. It does not say for which processor: give ARCHITECTURE the
# value of the template's parameter Architecture.
ARCHITECTURE ?= arm64
GOARCH_arm64 := arm64
GOARCH_x86_64 := amd64

.PHONY: build-PlannerFunction build-WorkerFunction build-GovernorFunction build-ControlFunction
build-PlannerFunction: FUNCTION := planner
build-WorkerFunction: FUNCTION := worker
build-GovernorFunction: FUNCTION := governor
build-ControlFunction: FUNCTION := control
build-PlannerFunction build-WorkerFunction build-GovernorFunction build-ControlFunction:
	CGO_ENABLED=0 GOOS=linux GOARCH=$(or $(GOARCH_$(ARCHITECTURE)),$(error ARCHITECTURE is arm64 or x86_64)) \
		go build -tags lambda.norpc -trimpath -ldflags '-s -w' -o "$(ARTIFACTS_DIR)/bootstrap" ./functions/$(FUNCTION)

# --- Tests. ---

.PHONY: test
test: ## Set everything up and pass all tests
	@BACKFILL_TEST_POSTGRES="15=$$($(STACK) postgres 15) 18=$$($(STACK) postgres 18)"; \
	BACKFILL_TEST_DYNAMODB="$$($(STACK) dynamodb)"; \
	export BACKFILL_TEST_POSTGRES BACKFILL_TEST_DYNAMODB; \
	go test ./...

# --- Lint, with tools that are pinned and live in .local. ---

GOLANGCI_LINT_VERSION := v2.15.0
GOLANGCI_LINT := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
SAM := .local/tools/sam/bin/sam

.PHONY: lint
lint: $(GOLANGCI_LINT) $(SAM) ## Check format, code, direction of imports and template
	@unformatted="$$(gofmt -l cmd functions infra internal)"; \
	if [[ -n "$$unformatted" ]]; then echo "gofmt -w these:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(GOLANGCI_LINT) run ./...
	AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 $(SAM) validate --lint

$(GOLANGCI_LINT):
	@echo "building golangci-lint $(GOLANGCI_LINT_VERSION), once"
	GOBIN="$(CURDIR)/$(TOOLS)/new" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	@mv $(TOOLS)/new/golangci-lint $@ && rmdir $(TOOLS)/new

$(SAM): infra/local/requirements/sam.txt
	@python3 -c 'from infra.local.stack.folder import Folder; from infra.local.stack.venvs import Venvs; \
	folder = Folder.of_environment(); folder.make(); Venvs(folder).sam()'

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin .aws-sam
