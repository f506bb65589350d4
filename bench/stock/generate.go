package main

//go:generate mkdir -p graph
//go:generate go run ./gen
//go:generate go tool gqlgen generate
