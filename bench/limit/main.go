// Limit gives the same answers as Forge with handlers that were written by hand, one for each
// workload, with net/http and pgx. Forge is compared with it. Every statement is prepared. Each
// level of nested lists is one statement; with ONE_STATEMENT=on a whole query is one statement. The
// handlers write JSON directly from the columns.
//
// The answers are the same as Forge's to the byte, so that both servers do the same work.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// variables are the variables of all workloads. Each workload uses some of them.
type variables struct {
	ID    uuid
	After *uuid // nil for the first page
	Email string
	Input struct {
		UserID uuid
		Items  []item
	}
}

type item struct {
	ProductID uuid
	Quantity  int32
}

// answerer appends the data of an answer to b. It returns the errors of the database.
type answerer func(ctx context.Context, v *variables, b []byte) ([]byte, error)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends. It reads DATABASE_URL, POOL_SIZE, ONE_STATEMENT, and ADDR, the address
// to listen on.
func run(ctx context.Context) error {
	config, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	size, err := strconv.Atoi(os.Getenv("POOL_SIZE"))
	if err != nil {
		return err
	}
	config.MaxConns = int32(size)
	one := os.Getenv("ONE_STATEMENT") == "on"
	if one {
		config.ConnConfig.RuntimeParams["enable_memoize"] = "off" // for the statements of one.go
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close()
	l, err := net.Listen("tcp", os.Getenv("ADDR"))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: routes(shop{pool}, one), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Printf("API http://%s\n", l.Addr())
	if err := server.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}

func routes(s shop, one bool) http.Handler {
	heroes, orders := s.heroes, s.orders
	if one {
		heroes, orders = s.heroesAtOnce, s.ordersAtOnce
	}
	mux := http.NewServeMux()
	for path, answer := range map[string]answerer{
		"/w1": s.user, "/w2": s.users, "/w2d": s.users, "/w3": heroes, "/w3d": heroes, "/w4": orders, "/w4d": orders,
		"/w5": s.names, "/w6": s.updateUser, "/w7": s.createOrder,
	} {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) { serve(w, r, answer) })
	}
	return mux
}

func serve(w http.ResponseWriter, r *http.Request, answer answerer) {
	var request struct{ Variables variables }
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b, err := answer(r.Context(), &request.Variables, append(make([]byte, 0, 4096), `{"data":`...))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	b = append(b, '}')
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b) // the client may be gone
}
