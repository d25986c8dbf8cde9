# What a developer runs. `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

TOOLS := .local/bin
STACK := python3 -m infra.local.stack

# The local stack: up, down, env, test-local.
-include infra/local/local.mk

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ gsub(/[$$][$$]/, "$$", $$2); printf "  %-13s %s\n", $$1, $$2 }'

# --- Build. ---

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT ?= $(shell git rev-parse HEAD 2>/dev/null)
BUILD_COMMAND = CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)'
SBOM_VERSION := v1.10.0
SBOM = CGO_ENABLED=0 $(CURDIR)/$(TOOLS)/cyclonedx-gomod-$(SBOM_VERSION) app -json -licenses -noserial -notimestamp

.PHONY: build
build: ## Build the operators' command, bin/backfill
	@$(BUILD_COMMAND) -o bin/backfill ./cmd/backfill

.PHONY: man
man: ## Make the manual pages, bin/man/man1
	@SOURCE_DATE_EPOCH="$$(git log -1 --format=%ct 2>/dev/null || echo 0)" go run ./infra/man bin/man/man1 $(VERSION)

.PHONY: schedules
schedules: ## Write infra/schedules/schedules.yaml into template.yaml
	@go run ./infra/schedules infra/schedules/schedules.yaml template.yaml

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

# --- A release: what can be deployed without Go. The same commit and the same Go give the same bytes (make package-twice). ---

PACKAGE := bin/package
PACKAGE_FUNCTIONS := Planner Worker Governor Control
PACKAGE_COMMANDS := linux-amd64 linux-arm64 darwin-amd64 darwin-arm64

.PHONY: package
package: $(TOOLS)/cyclonedx-gomod-$(SBOM_VERSION) ## Make what can be deployed without Go, the command for four systems, an SBOM of each program, and hashes
	@rm -rf $(PACKAGE); mkdir -p $(PACKAGE)/build/cli $(PACKAGE)/sbom
	@for system in $(PACKAGE_COMMANDS); do \
		export GOOS="$${system%-*}" GOARCH="$${system#*-}"; \
		$(BUILD_COMMAND) -o "$(PACKAGE)/build/cli/backfill-$$system" ./cmd/backfill; \
		$(SBOM) -main cmd/backfill -output "$(PACKAGE)/sbom/backfill-$$system.cdx.json"; \
	done
	@$(MAKE) package-stack ARCHITECTURE=arm64
	@$(MAKE) package-stack ARCHITECTURE=x86_64
	@mv $(PACKAGE)/build/cli/* $(PACKAGE); rm -r $(PACKAGE)/build; cd $(PACKAGE); sha256sum backfill-* sbom/* > SHA256SUMS; cat SHA256SUMS

.PHONY: package-stack
package-stack:
	@for function in $(PACKAGE_FUNCTIONS); do \
		$(MAKE) "build-$${function}Function" ARTIFACTS_DIR="$(PACKAGE)/build/$${function,,}"; \
		GOOS=linux GOARCH=$(GOARCH_$(ARCHITECTURE)) GOFLAGS=-tags=lambda.norpc $(SBOM) -main "functions/$${function,,}" \
			-output "$(PACKAGE)/sbom/$${function,,}-$(ARCHITECTURE).cdx.json"; \
	done
	@go run ./infra/release $(PACKAGE)/build $(ARCHITECTURE) $(PACKAGE)/backfill-stack-$(ARCHITECTURE).zip

# A clone in another folder, with nothing that was built before.
.PHONY: package-twice
package-twice: package ## Make the package once more, in a clone of its own with an empty build cache, and demand the same hashes
	@folder="$$(mktemp -d)"; trap 'rm -rf "$$folder"' EXIT; git clone -q . "$$folder/clone"; mkdir -p "$$folder/clone/$(TOOLS)"; \
	cp $(TOOLS)/cyclonedx-gomod-$(SBOM_VERSION) "$$folder/clone/$(TOOLS)"; \
	GOCACHE="$$folder/cache" $(MAKE) -C "$$folder/clone" package VERSION=$(VERSION) > "$$folder/said"; \
	diff $(PACKAGE)/SHA256SUMS "$$folder/clone/$(PACKAGE)/SHA256SUMS"; echo "the same twice"

# What .github/workflows/release.yaml does with a tag.
.PHONY: publish
publish: ## Publish bin/package as the release of the tag VERSION, by gh
	@gh release create "$(VERSION)" --verify-tag --generate-notes $(PACKAGE)/backfill-* $(PACKAGE)/sbom/* $(PACKAGE)/SHA256SUMS

# --- The example and the tests, on the local stack. An assignment fails where eval would not. ---

.PHONY: run
run: up build ## Set everything up, run the example backfill, check the table's content
	@exports="$$($(STACK) env)"; eval "$$exports"; \
	go build -o $(TOOLS)/demo ./infra/demo; \
	$(TOOLS)/demo

# What tests find servers by. Without PgBouncer (status 3: nothing to fetch it with) its tests are skipped.
SERVERS = exports="$$($(STACK) env)"; eval "$$exports"; \
	older="$$($(STACK) postgres 15)"; newer="$$($(STACK) postgres 18)"; \
	export BACKFILL_TEST_POSTGRES="15=$$older 18=$$newer"; \
	BACKFILL_TEST_DYNAMODB="$$($(STACK) dynamodb)"; export BACKFILL_TEST_DYNAMODB; \
	BACKFILL_TEST_PGBOUNCER="$$($(STACK) tool pgbouncer || [[ $$? == 3 ]])"; export BACKFILL_TEST_PGBOUNCER

# Those that take longest come first, so that no package is at work alone at the end. They need all of two processors by themselves: three packages
# at once, or the stack's own tests beside them, take no less time, and make deadlines tight.
LONGEST = ./internal/e2e ./internal/worker ./internal/faults ./internal/batch ./internal/planner ./internal/canary ./internal/probe

.PHONY: test
test: up ## Set everything up and pass all tests
	@$(SERVERS); \
	go test -count=1 -timeout 30m -p 2 $(LONGEST) ./...
	@$(MAKE) test-local

# Fewer cases that are alike, or each on one version: that is what make test leaves out.
.PHONY: test-whole
test-whole: up ## Pass all tests with every case on every version; up to 90 minutes
	@$(SERVERS); export BACKFILL_TEST_WHOLE=1; \
	go test -count=1 -timeout 80m -p 2 $(LONGEST) ./...
	@$(MAKE) test-local

# The older functions are built by the makefile of their own revision; the database has the new schema already, as after the first beat.
.PHONY: upgrade
upgrade: up ## Deploy this version in the middle of a run that FROM=REVISION began, its workers last; the run must end, exactly once
	@test -n "$(FROM)" || { echo "say which version to come from: make upgrade FROM=v1.0.0" >&2; exit 2; }
	@rm -rf .local/upgrade; mkdir -p .local/upgrade; git archive "$(FROM)" | tar -x -C .local/upgrade
	@$(SERVERS); for function in $(PACKAGE_FUNCTIONS); do \
		$(MAKE) -C .local/upgrade "build-$${function}Function" ARTIFACTS_DIR="$(CURDIR)/.local/upgrade/build/$${function,,}" \
			ARCHITECTURE="$$([[ "$$(go env GOARCH)" == amd64 ]] && echo x86_64 || echo arm64)"; \
	done; \
	BACKFILL_OLDER_BUILD="$(CURDIR)/.local/upgrade/build" go test -count=1 -v -timeout 10m -run TestADeployInTheMiddleOfARun ./internal/e2e
	@rm -rf .local/upgrade

# Whatever the keys and the sizes, and wherever a worker dies: make test tries 25 cases of each.
PROPERTIES := 'PassedOverOnce|EachKeyOnce|TellsItsRows|IsNeverSkipped'

# BACKFILL_USER_WRITES, BACKFILL_CHAOS_KILLS and BACKFILL_POISON_ROWS are how many; BACKFILL_CHAOS_SEED makes the same choices again.
.PHONY: chaos
chaos: up ## Have users make 1,000,000 writes beside runs, kill functions 1,000 times, search 1,000,000 rows for poison; up to 30 minutes
	@$(SERVERS); \
	export BACKFILL_USER_WRITES="$${BACKFILL_USER_WRITES:-1000000}" BACKFILL_CHAOS_KILLS="$${BACKFILL_CHAOS_KILLS:-1000}" \
		BACKFILL_POISON_ROWS="$${BACKFILL_POISON_ROWS:-1000000}"; \
	go test -count=1 -v -timeout 60m -run TestUsersAtWork ./internal/worker | grep -v ' INFO '; \
	go test -count=1 -v -timeout 60m ./internal/poison; \
	go test -count=1 -timeout 60m -run $(PROPERTIES) ./internal/batch ./internal/planner -rapid.checks=500; \
	go test -count=1 -v -timeout 60m -run TestRandomKills ./internal/faults

# The one that needs a real account. What it is given is in docs/deploy.md; ARGS are its flags, as --profile staging --yes.
.PHONY: aws-smoke
aws-smoke: ## Look, on a stack in a real account, at what only AWS can show; asks first, some cents (BACKFILL_STACK, BACKFILL_SMOKE_URL, ARGS)
	@mkdir -p bin; go build -o bin/aws-smoke ./infra/smoke; bin/aws-smoke $(ARGS)

# --- Benchmarks. BACKFILL_BENCH_ROWS, _ROUNDS, _TASKS, _CONTENDERS, _WORKERS and _POSTGRES (majors) narrow them; bench --help says what
# there is. The stack is started where its pipeline takes part. ---

BENCH_STACK := $(if $(BACKFILL_BENCH_CONTENDERS),$(findstring pipeline,$(BACKFILL_BENCH_CONTENDERS)),all)
BENCH_POSTGRES := $(or $(BACKFILL_BENCH_POSTGRES),$(if $(filter bench-full,$(MAKECMDGOALS)),18 15,18))
BENCH_READY = $(if $(BENCH_STACK),exports="$$($(STACK) env)"; eval "$$exports";) \
	servers=; for major in $(BENCH_POSTGRES); do url="$$($(STACK) postgres $$major --durable)"; servers+=" $$url"; done; \
	export BACKFILL_BENCH_SERVERS="$$servers"

.PHONY: bench-build
bench-build: $(if $(BENCH_STACK),up build)
	@go build -ldflags '-X main.version=$(VERSION)' -o $(TOOLS)/bench ./infra/bench

.PHONY: bench
bench: bench-build ## Compare the product with other ways to change a table, as ratios; up to 15 minutes (docs/performance.md)
	@$(BENCH_READY); \
	BACKFILL_BENCH_LIMIT="$${BACKFILL_BENCH_LIMIT:-14m}" $(TOOLS)/bench

.PHONY: bench-full
bench-full: bench-build ## The same with every combination, Postgres 18 and 15, 5 M rows, and 20 M where the disk has room; many hours
	@$(BENCH_READY); \
	BACKFILL_BENCH_ROWS="$${BACKFILL_BENCH_ROWS:-5000000}" $(TOOLS)/bench --full; \
	if [[ -z "$${BACKFILL_BENCH_ROWS:-}$${BACKFILL_BENCH_CONTENDERS:-}" ]]; then \
		$(TOOLS)/bench --rows 20000000 --rounds 1 --tasks value --contenders update,direct,undo,planner,pipeline,pipeline-undo; \
	fi

# It takes seven minutes, and needs no stack: `bench disturb --help`.
.PHONY: disturb
disturb: ## Make a database slow on purpose, beside users and a run; table and plot (docs/disturbance.md)
	@go build -ldflags '-X main.version=$(VERSION)' -o $(TOOLS)/bench ./infra/bench
	@programs="$$($(STACK) tool postgres)"; $(TOOLS)/bench disturb --programs "$$programs"

.PHONY: trace
trace: up ## Draw docs/pictures/trace.svg anew, from what the functions of a local run send to X-Ray
	@$(SERVERS); \
	go test -count=1 -run TestATraceOfARun ./internal/faults -args -picture "$(CURDIR)/docs/pictures/trace.svg"

# --- Lint, with tools that are pinned and live in .local. ---

GOLANGCI_LINT_VERSION := v2.15.0
GOLANGCI_LINT := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Check format, code, direction of imports and template
	@unformatted="$$(git ls-files "*.go" | xargs gofmt -l)"; \
	if [[ -n "$$unformatted" ]]; then echo "gofmt -w these:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(GOLANGCI_LINT) run ./...
	@$(MAKE) lint-template

# Both read their settings in the project's folder: .cfnlintrc and .checkov.yaml. What they are told to pass over is said there, or in
# template.yaml beside the resource, with the reason.
.PHONY: lint-template
lint-template:
	@lint="$$($(STACK) tool cfn-lint)"; "$$lint"; \
	cp template.yaml .local/scheduled.yaml; go run ./infra/schedules infra/schedules/testdata/schedules.yaml .local/scheduled.yaml; \
	"$$lint" --include-checks I --regions us-east-1 --template .local/scheduled.yaml
	@check="$$($(STACK) tool checkov)"; "$$check"

$(GOLANGCI_LINT):
	@echo "building golangci-lint $(GOLANGCI_LINT_VERSION), once"
	GOBIN="$(CURDIR)/$(TOOLS)/new" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	@mv $(TOOLS)/new/golangci-lint $@ && rmdir $(TOOLS)/new

$(TOOLS)/cyclonedx-gomod-$(SBOM_VERSION):
	@echo "building cyclonedx-gomod $(SBOM_VERSION), once"
	GOBIN="$(CURDIR)/$(TOOLS)/new" go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(SBOM_VERSION)
	@mv $(TOOLS)/new/cyclonedx-gomod $@ && rmdir $(TOOLS)/new

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin .aws-sam
