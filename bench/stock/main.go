// Stock is a server with Forge's tables that is built as in the tutorials of ent, entgql and
// gqlgen. Forge is compared with it on SQLite. The schema, the filters, the pagination and the
// eager loading are entgql's, and gqlgen executes the operations. Only the two mutations are
// written by hand.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"entgo.io/contrib/entgql"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	_ "github.com/lib/pq"
	"github.com/vektah/gqlparser/v2/ast"
	_ "modernc.org/sqlite"

	"forge/bench/stock/ent"
	"forge/bench/stock/graph"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends. It reads DATABASE_URL, POOL_SIZE and ADDR, the address to listen on.
func run(ctx context.Context) error {
	client, err := open(os.Getenv("DATABASE_URL"), os.Getenv("POOL_SIZE"))
	if err != nil {
		return err
	}
	defer client.Close()
	l, err := net.Listen("tcp", os.Getenv("ADDR"))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/graphql", newHandler(client))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close() // Serve returns the error
	}()
	fmt.Printf("API http://%s/graphql\n", l.Addr())
	if err := server.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// newHandler returns gqlgen's server with those parts of NewDefaultServer that a POST needs.
func newHandler(client *ent.Client) http.Handler {
	server := handler.New(graph.NewExecutableSchema(graph.Config{Resolvers: &resolver{client}}))
	server.AddTransport(transport.POST{})
	server.SetQueryCache(lru.New[*ast.QueryDocument](1000))
	server.Use(entgql.Transactioner{TxOpener: client})
	return server
}

// open returns a client for a database. The address has the form of DATABASE_URL.
func open(url, poolSize string) (*ent.Client, error) {
	size, err := strconv.Atoi(poolSize)
	if err != nil {
		return nil, err
	}
	// With binary_parameters, keys are sent as bytes.
	driver, dsn, name := "postgres", url+"&binary_parameters=yes", dialect.Postgres
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, name = "sqlite", dialect.SQLite
		// Forge stores times in microseconds. A transaction that reads before it writes must be an
		// immediate one: otherwise it fails if another one writes.
		dsn = "file:" + path + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)&_txlock=immediate" +
			"&_time_integer_format=unix_micro&_inttotime=1"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return ent.NewClient(ent.Driver(entsql.OpenDB(name, db))), nil
}
