package tree

import (
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"forge/internal/usage"
)

// Actions do the work of the commands that change a source tree. Package sourcetree has them.
type Actions struct{ Scaffold, AddField, AddEdge cli.ActionFunc }

// Commands returns the commands that change the source of an application.
func Commands(a Actions) []*cli.Command {
	return []*cli.Command{
		scaffoldCommand(a.Scaffold),
		{Name: "add", Usage: "add a field or an edge to an entity, in all places of a source tree", Action: usage.NeedsCommand,
			Commands: []*cli.Command{addFieldCommand(a.AddField), addEdgeCommand(a.AddEdge)}},
	}
}

// ColumnTypes are the types of columns that can be added, with the types that the API has for them.
var ColumnTypes = map[string]string{
	"string": "String", "text": "String", "int": "Int", "bigint": "BigInt", "float": "Float", "bool": "Boolean", "time": "Time", "date": "Date", "localtime": "LocalTime",
	"duration": "Duration", "decimal": "Decimal", "uuid": "UUID", "json": "JSON", "bytes": "Bytes", "strings": "[String!]", "ints": "[Int!]", "floats": "[Float!]", "enum": "",
}

// FieldTypes returns the names of ColumnTypes.
func FieldTypes() []string { return slices.Sorted(maps.Keys(ColumnTypes)) }

// These are the kinds of edges.
const (
	ToOne      = "to-one"       // a row of Entity leads to one of To, and from there to many
	OneToOne   = "one-to-one"   // rows lead to one in both directions
	ManyToMany = "many-to-many" // rows lead to many in both directions
)

// EdgeKinds are the kinds of edges that can be added.
var EdgeKinds = []string{ToOne, OneToOne, ManyToMany}

func scaffoldCommand(action cli.ActionFunc) *cli.Command {
	return &cli.Command{
		Name: "scaffold", ArgsUsage: "[ENTITY…]",
		Usage: "add the standard part of entities to schema.graphqls and graph/access.go, in a source tree",
		Description: "For the entities named, or all that schema.graphqls does not show: types, conditions, orders, aggregates, inputs and root fields, and who may call " +
			"them, by the entity's policy. Of a named entity that is shown, it adds the fields and edges that its type lacks. What is there is left as it is. " +
			"Then it generates code. It works from ent/schema alone: where generated code does not compile, run go tool forge scaffold. " +
			"The exit status is 0, 2 after a mistake in the arguments, and 1 after any other failure; unless it is 0, nothing was changed.",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "unindexed", Local: true, Usage: "also find and sort rows where no index helps, which reads whole tables"},
			&cli.BoolFlag{Name: "check", Local: true, Usage: "say what of schema.graphqls does not fit ent/schema, and change nothing; the exit status is 1 if something does not"},
		}, flags()...),
		Action: action,
	}
}

// generated ends the descriptions of commands that generate code.
const generated = " Then it generates code; migrate diff plans the migration. Where generated code does not compile, run go tool forge add. " +
	"The exit status is 0, 2 after a mistake in the arguments, and 1 after any other failure; unless it is 0, nothing was changed."

// flags returns the flags that all commands have.
func flags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "dry-run", Local: true, Usage: "print a diff, and change nothing"},
		&cli.BoolFlag{Name: "no-generate", Local: true, Usage: "leave the generated code as it is; go generate ./... makes it anew"},
	}
}

func addFieldCommand(action cli.ActionFunc) *cli.Command {
	return &cli.Command{
		Name: "field", ArgsUsage: "ENTITY NAME:TYPE",
		Usage: "add a column to an entity, such as: add field Book pages:int --min=1",
		Description: "It writes the column, who sees it, its CHECK and its indexes to ent/schema, and to schema.graphqls the field, the inputs that set it, and the conditions " +
			"and orders that an index serves. TYPE is one of " + strings.Join(FieldTypes(), ", ") + "." + generated,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "min", Local: true, Usage: "the smallest number"},
			&cli.StringFlag{Name: "max", Local: true, Usage: "the largest number"},
			&cli.IntFlag{Name: "length", Local: true, Usage: "the most characters of a text; an empty text is then not allowed"},
			&cli.StringSliceFlag{Name: "values", Local: true, Usage: "the values of the type enum, with commas between them"},
			&cli.StringFlag{Name: "default", Local: true, Usage: "the value of rows that are not given one"},
			&cli.StringFlag{Name: "comment", Local: true, Usage: "a sentence about the field, which the API shows"},
			&cli.StringFlag{Name: "shown", Local: true, Value: "all", Usage: "who sees it: all, owners or nobody"},
			&cli.BoolFlag{Name: "optional", Local: true, Usage: "rows may be without a value"},
			&cli.BoolFlag{Name: "unique", Local: true, Usage: "no two rows have the same value"},
			&cli.BoolFlag{Name: "index", Local: true, Usage: "rows are found and put in order by it"},
		}, flags()...),
		Action: action,
	}
}

func addEdgeCommand(action cli.ActionFunc) *cli.Command {
	return &cli.Command{
		Name: "edge", ArgsUsage: "ENTITY NAME:ENTITY",
		Usage: "add a relation between two entities, such as: add edge Book author:Person --inverse=books",
		Description: "It writes the edges of both entities, the column and the index of the key, and who sees them, to ent/schema, and to schema.graphqls the fields, " +
			"the conditions over related rows, and the inputs that relate rows." + generated,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "inverse", Local: true, Required: true, Usage: "the name of the edge in the other direction"},
			&cli.StringFlag{Name: "kind", Local: true, Value: ToOne, Usage: strings.Join(EdgeKinds, ", ") + "; to-one leads to many in the other direction"},
			&cli.BoolFlag{Name: "required", Local: true, Usage: "each row leads to one"},
		}, flags()...),
		Action: action,
	}
}
