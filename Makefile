# What a developer runs. CI runs .ci/run, which calls make test.

.PHONY: run test soak lint generate needs

run: ## serve on SQLite, with demo data
	go run .

test: needs ## all tests, on SQLite and on PostgreSQL; RACE=-race for the race detector
	go vet ./...
	go test $(RACE) -timeout 20m $$(go list ./... | grep -v /faults$$)
	go test $(RACE) -timeout 20m ./faults # by itself: it measures under load

soak: needs ## the long forms of the tests of faults and concurrency
	FORGE_SOAK=1 go test -timeout 90m -count=1 ./faults/... ./graph/... ./internal/unit/...

lint: ## what CI checks beside the tests
	test -z "$$(gofmt -l $$(git ls-files '*.go'))"
	go tool staticcheck ./...

generate: ## all generated code: ent, gqlgen, the playground
	go generate ./...
	cd playground && npm ci --no-audit --no-fund && npm run build

# Tests need PostgreSQL's programs, unless TEST_DATABASE_URL names a server; the browser test needs Node.js and Chromium.
needs:
	@.ci/needs
