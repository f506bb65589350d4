package main

// peer is another GraphQL server. It was compared with hand-written handlers (net/http, pgx,
// prepared statements) that had the same rows, clients and processors. ratio is the peer's requests
// per second divided by those of the handlers, for each workload.
type peer struct {
	name  string
	ratio map[string]float64
}

// measured says when and how the peers were measured.
const measured = "other servers: each beside hand-written handlers of its own run, 22 November 2026, PostgreSQL 15, 2 cores, 16 clients"

var peers = []peer{
	{"GraphJin 3.1", map[string]float64{"w1": .778, "w2": .556, "w3": .375, "w4": .326, "w5": .619, "w6": .875, "w7": .783}},
	{"GraphQL Yoga, dataloader", map[string]float64{"w1": .305, "w2": .304, "w3": .477, "w4": .408, "w5": .276, "w6": .350, "w7": .264}},
	{"PostGraphile 5", map[string]float64{"w1": .318, "w2": .270, "w3": .425, "w4": .357, "w5": .265, "w6": .395, "w7": .445}},
	{"gqlgen with entgql", map[string]float64{"w1": .413, "w2": .171, "w3": .124, "w4": .111}},
}
