package program

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"forge/ent/schema"
	"forge/test/gqltest"
)

// stored stores secrets, reads and filters by them, and breaks their rules.
func (p *prober) stored() {
	p.t.Helper()
	user := map[string]any{"username": secret("Username"), "email": secret("Email") + "@example.com", "password": secret("Password")}
	p.op("", createUser, map[string]any{"i": user}, "Username")
	p.op("CONFLICT", createUser, map[string]any{"i": user})
	p.op("CONFLICT", createUser, map[string]any{"i": map[string]any{"username": "other", "email": strings.ToUpper(secret("Email")) + "@example.com"}})
	p.op("", createHero, map[string]any{"i": map[string]any{"name": secret("Hero"), "secretName": secret("SecretName"), "age": number}})
	p.op("", `mutation { createTeam(input: {name: "`+secret("Team")+`", headquarters: "`+secret("Headquarters")+`"}) { team { id } } }`, nil)
	p.op("CONFLICT", `mutation { createTeam(input: {name: "`+secret("Team")+`"}) { team { id } } }`, nil)
	product := map[string]any{"i": map[string]any{"sku": secret("Sku"), "name": secret("Product"), "priceCents": number, "stock": number}}
	const createProduct = `mutation($i: CreateProductInput!) { createProduct(input: $i) { product { id } } }`
	p.op("", createProduct, product)
	p.op("CONFLICT", createProduct, product)
	heroes := []map[string]any{{"name": secret("Bulk"), "secretName": secret("BulkSecret")}, {"name": secret("Bulk") + "\x00", "age": -number}}
	p.op("BAD_USER_INPUT", `mutation($i: [CreateHeroInput!]!) { createHeroes(input: $i, onError: SKIP) { heroes { id } errors { code message } } }`,
		map[string]any{"i": heroes}, "1717391")
	for _, where := range []string{
		`users(where: {username: "` + secret("FilterLiteral") + `"}) { totalCount nodes { id } }`,
		`heroes(where: {ageGT: 1717391}) { totalCount nodes { id } }`,
		`heroes(where: {hasTeamWith: [{nameHasPrefix: "` + secret("FilterRelated") + `"}]}) { totalCount nodes { id team { name heroes(first: 1) { nodes { id } } } } }`,
	} {
		p.op("", "{ "+where+" }", nil)
	}
	p.op("", `query($n: String) { users(where: {usernameHasPrefix: $n}) { totalCount nodes { id } } }`, map[string]any{"n": secret("FilterVariable")})
	p.op("", `query($n: String) { users(where: {usernameHasPrefix: $n}) { nodes { username email heroes(first: 2) { nodes { name } } } } }`,
		map[string]any{"n": mark}, "Username", "Email")
	p.op("NOT_FOUND", `mutation($id: ID!) { deleteHero(id: $id) { deletedId } }`, map[string]any{"id": "hero_01h455vb4pex5vsknk084sn02q"})
}

// badValues sends values that are not allowed, in variables and in the document.
func (p *prober) badValues() {
	p.t.Helper()
	for _, user := range []map[string]any{
		{"username": secret("Long") + strings.Repeat("x", schema.UsernameLength)},
		{"username": secret("Control") + "\n" + secret("Control")},
		{"username": "a", "email": secret("NoEmail")},
		{"username": "a", "password": "zq5ec"},
		{"username": "a", secret("Field"): 1},
		{"username": []string{secret("List")}},
	} {
		p.op("BAD_USER_INPUT", createUser, map[string]any{"i": user}, "Field")
	}
	for _, id := range []string{secret("Id"), "user_" + secret("UserId"), "team_01h455vb4pex5vsknk084sn02q"} {
		p.op("BAD_USER_INPUT", `mutation($id: ID!) { deleteUser(id: $id) { deletedId } }`, map[string]any{"id": id}, "Id", "UserId")
	}
	p.op("BAD_USER_INPUT", `query($c: Cursor) { users(after: $c) { totalCount } }`, map[string]any{"c": secret("Cursor")}, "Cursor")
	p.op("BAD_USER_INPUT", `query($n: Int) { users(first: $n) { totalCount } }`, map[string]any{"n": secret("Int")})
	p.op("BAD_USER_INPUT", `query($n: Int) { users(first: $n) { totalCount } }`, map[string]any{"n": number}, "1717391")
	p.op("BAD_USER_INPUT", `query($d: OrderDirection!) { heroes(orderBy: [{field: NAME, direction: $d}]) { totalCount } }`, map[string]any{"d": secret("Enum")}, "Enum")
	p.body(`{"query":"query($n: String) { users(where: {username: $n}) { totalCount } }","variables":{"n":"\u0000` + secret("Null") + `"}}`)
	p.body(`{"query":"query($n: String) { users(where: {usernameHasPrefix: $n}) { totalCount } }","variables":{"n":"\ud800` + secret("Surrogate") + `"}}`)
}

// badDocuments sends operations that are refused before they run.
func (p *prober) badDocuments() {
	p.t.Helper()
	deep := strings.Repeat("heroes(first: 1) { nodes { team { ", 5) + "id" + strings.Repeat(" } } }", 5)
	for query, code := range map[string]string{
		`{ ` + secret("Unknown") + ` }`:                                                                                        "GRAPHQL_VALIDATION_FAILED",
		`{ users(` + secret("Argument") + `: 1) { totalCount } }`:                                                              "GRAPHQL_VALIDATION_FAILED",
		`{ users(first: "` + secret("Literal") + `") { totalCount } }`:                                                         "GRAPHQL_VALIDATION_FAILED",
		`{ users { totalCount } } "` + secret("Parse"):                                                                         "GRAPHQL_PARSE_FAILED",
		`{ users { ` + deep + ` a` + secret("Alias") + `: totalCount } }`:                                                      "GRAPHQL_VALIDATION_FAILED",
		`{ __schema { types { name } } users(where: {username: "` + secret("Asked") + `"}) { totalCount } }`:                   "GRAPHQL_VALIDATION_FAILED",
		strings.Repeat("{ a "+`# `+secret("Comment")+"\n", 200):                                                                "QUERY_TOO_DEEP",
		`{ users(first: 100, where: {username: "` + secret("Cost") + `"}) { nodes { heroes(first: 100) { nodes { id } } } } }`: "QUERY_TOO_COMPLEX",
	} {
		answer := p.SendRequest(p.t.Context(), gqltest.Request{Query: query, OperationName: secret("OperationName")})
		p.checkAnswer(query, answer.String(), "Unknown", "Argument", "Literal", "Parse", "OperationName")
		p.op(code, query, nil, "Unknown", "Argument", "Literal", "Parse")
	}
}

// body posts a body and checks the answer.
func (p *prober) body(text string, header ...string) gqltest.Answer {
	p.t.Helper()
	got := p.With(header...).SendBody(p.t.Context(), []byte(text))
	if got.Status == 0 {
		p.t.Fatal(got)
	}
	p.checkAnswer("POST /graphql", got.Body)
	return got
}

// badRequests sends bodies and URLs without an operation.
func (p *prober) badRequests() {
	p.t.Helper()
	for body, want := range map[string]int{
		secret("NotJSON"):                                                                       400,
		`{"query":"` + secret("CutOff"):                                                         400,
		`[{"query":"` + secret("Batch") + `"}]`:                                                 400,
		`"` + secret("String") + `"`:                                                            400,
		`{"` + secret("Member") + `":1}`:                                                        400,
		`{"query":["` + secret("Array") + `"]}`:                                                 400,
		`{"query":"a","query":"` + secret("Twice") + `"}`:                                       400,
		`{"query":"{a}","variables":"` + secret("Text") + `"}`:                                  400,
		`{"query":"` + strings.Repeat(secret("Large"), 9999):                                    413,
		`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + secret("Hash") + `"}}}`: 200,
	} {
		if got := p.body(body); got.Status != want {
			p.t.Errorf("%.80s: %s, want %d", body, got, want)
		}
	}
	for _, path := range []string{
		"/graphql?query=" + secret("Query"), "/graphql?query={users{totalCount}}&token=" + secret("Parameter"), "/graphql?variables=" + secret("Variables"),
		"/graphql?query=%zz" + secret("Escape"), "/" + secret("Path"), "/graphql/" + secret("Path"), "/healthz/" + secret("Path"),
		"/metrics?name[]=" + secret("MetricName"), "/readyz?x=" + secret("Probe"),
	} {
		p.checkAnswer(path, p.Get(path).Body, "Query")
	}
}

// headers puts secrets into headers, well-formed or not.
func (p *prober) headers() {
	p.t.Helper()
	body, err := json.Marshal(map[string]any{"query": createHero, "variables": map[string]any{"i": map[string]any{"name": secret("Keyed")}}})
	if err != nil {
		p.t.Fatal(err)
	}
	other := strings.Replace(string(body), "Keyed", "Other", 1)
	for _, header := range [][]string{
		{"Idempotency-Key", secret("Key")},
		{"Idempotency-Key", secret("Key") + strings.Repeat("x", 300)},
		{"Authorization", secret("Scheme")},
		{"Origin", "https://" + secret("Origin") + ".example"},
		{"Sec-Fetch-Site", secret("Site")},
		{"Content-Type", secret("Type") + "/x"},
		{"Content-Encoding", secret("Coding")},
		{"Accept", secret("Accept") + "/x"},
		{"Accept-Encoding", secret("AcceptCoding")},
		{"User-Agent", secret("Agent")},
		{"Referer", "https://example.com/" + secret("Referer")},
		{"X-Forwarded-For", secret("Forwarded")},
		{"Traceparent", secret("Trace")},
		{"Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Tracestate", "x=" + secret("State"), "Baggage", "x=" + secret("Baggage")},
		{"X-Request-Id", secret("RequestId") + " with a blank"},
		{"X-Api-Key", secret("ApiKey")},
		{"X-Large", strings.Repeat(secret("Header"), 2000)},
		{"Apollo-Require-Preflight", secret("Preflight")},
	} {
		p.body(string(body), header...)
		p.body(other, header...)
	}
}

// raw sends bytes that no client library would.
func (p *prober) raw() {
	p.t.Helper()
	for _, request := range []string{
		"GET /" + secret("Line") + "\r\n\r\n",
		secret("Method") + " /graphql HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"GET /graphql HTTP/1.1\r\nHost: " + secret("Host") + "\r\n\r\n",
		"GET /graphql HTTP/1.1\r\nHost: localhost\r\nX-" + secret("Colonless") + "\r\n\r\n",
		"GET /graphql HTTP/1.1\r\nHost: localhost\r\nX-A: \x01" + secret("Value") + "\r\n\r\n",
		"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + secret("Length") + "\r\n\r\n",
		"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"query\":\"" + secret("HungUp"),
		"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + secret("Chunk") + "\r\n",
		"\x16\x03\x01" + secret("Handshake") + "\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.server.url, "http://"))
		if err != nil {
			p.t.Fatal(err)
		}
		if _, err := io.WriteString(conn, request); err != nil {
			p.t.Fatal(err)
		}
		_ = conn.(*net.TCPConn).CloseWrite() // and the server may have closed it as well
		b, _ := io.ReadAll(bufio.NewReader(conn))
		conn.Close()
		p.checkAnswer(fmt.Sprintf("%.40q", request), string(bytes.ToValidUTF8(b, nil)))
	}
}

// broken adds constraints and triggers that Forge does not know, so that the database fails with
// messages that contain values.
func (p *prober) broken() {
	p.t.Helper()
	if !strings.HasPrefix(p.address, "postgres") {
		mustExec(p.t, p.address, `CREATE TRIGGER no_heroes BEFORE INSERT ON heroes WHEN NEW.name LIKE '%Refused' BEGIN SELECT RAISE(ABORT, 'no such heroes'); END`)
		p.op("BAD_USER_INPUT", createHero, map[string]any{"i": map[string]any{"name": secret("Refused"), "secretName": secret("SecretName")}})
		return
	}
	mustExec(p.t, p.address, `ALTER TABLE heroes ADD CONSTRAINT no_such CHECK (name NOT LIKE '%Checked')`)
	mustExec(p.t, p.address, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE n int; BEGIN
		IF NEW.name LIKE '%Raised' THEN RAISE EXCEPTION 'not %', NEW.name USING DETAIL = NEW.secret_name; END IF;
		IF NEW.name LIKE '%Cast' THEN n := NEW.name::int; END IF;
		IF NEW.name LIKE '%Sized' THEN n := (NEW.age::text || '1717391')::bigint; END IF;
		RETURN NEW; END $$`)
	mustExec(p.t, p.address, `CREATE TRIGGER refuse BEFORE INSERT ON heroes FOR EACH ROW EXECUTE FUNCTION refuse()`)
	for name, code := range map[string]string{
		"Checked": "BAD_USER_INPUT", "Raised": "INTERNAL", "Cast": "BAD_USER_INPUT", "Sized": "BAD_USER_INPUT",
	} {
		p.op(code, createHero, map[string]any{"i": map[string]any{"name": secret(name), "secretName": secret("SecretName"), "age": 1717391}})
	}
}

// stopped holds a lock while requests wait for it: one client gives up, and the others time out.
func (p *prober) stopped() {
	p.t.Helper()
	db, err := sql.Open("postgres", p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec("LOCK TABLE heroes, users IN ACCESS EXCLUSIVE MODE"); err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), 300*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.server.url+"/graphql?query="+url.QueryEscape(`{ heroes(where: {name: "`+secret("Cancelled")+`"}) { totalCount } }`), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if res, err := http.DefaultClient.Do(r); err == nil || !errors.Is(err, context.DeadlineExceeded) {
		p.t.Errorf("given up: %v %v", res, err)
	}
	p.op("TIMEOUT", `query($n: String) { users(where: {username: $n}) { totalCount nodes { id } } }`, map[string]any{"n": secret("Slow")})
	p.op("TIMEOUT", createHero, map[string]any{"i": map[string]any{"name": secret("SlowHero"), "secretName": secret("SlowSecret")}})
}
