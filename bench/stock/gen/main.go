// Gen generates ent's code and its GraphQL schema.
package main

import (
	"log"

	"entgo.io/contrib/entgql"
	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"
)

func main() {
	ex, err := entgql.NewExtension(
		entgql.WithSchemaGenerator(),
		entgql.WithSchemaPath("graph/ent.graphql"),
		entgql.WithConfigPath("gqlgen.yml"),
		entgql.WithWhereInputs(true),
	)
	if err != nil {
		log.Fatal(err)
	}
	config := &gen.Config{Target: "ent", Package: "forge/bench/stock/ent"}
	if err := entc.Generate("./ent/schema", config, entc.Extensions(ex)); err != nil {
		log.Fatal(err)
	}
}
