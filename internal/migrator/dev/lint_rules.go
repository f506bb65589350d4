package dev

import (
	"maps"
	"slices"
)

// A rule describes a kind of finding.
type rule struct {
	why, safe    string
	safePostgres string // the advice for PostgreSQL, if it differs
}

// These sentences are used by more than one rule.
const (
	failsOnRows = "it fails if there are rows that are against it"
	breaksOld   = "the build before this one may still write such rows"
	readsAll    = "the whole table is read while nobody may write to it"
	rewritesAll = "the whole table is written anew while nobody may use it"
	inSteps     = "add a new one, write both, fill it, read the new one, and drop the old one in a later release"
)

var rules = map[string]rule{
	"drop-table": {
		why:  "its rows are lost, and the build before this one still uses it",
		safe: "drop it in the release after the one that no longer uses it",
	},
	"drop-column": {
		why:  "what is in it is lost, and the build before this one still uses it",
		safe: "drop it in the release after the one that no longer uses it",
	},
	"rename-table":  {why: "the build before this one fails: it knows only the old name", safe: inSteps},
	"rename-column": {why: "the build before this one fails: it knows only the old name", safe: inSteps},
	"add-not-null-column": {
		why:  "it fails if the table has rows, and so does each insert by the build before this one, which leaves the column out",
		safe: "give it a default, or let it be NULL until every row has a value",
	},
	"set-not-null": {
		safe: "fill the rows first, and let the build before this one no longer write NULL",
		safePostgres: "in files of their own: add CHECK (… IS NOT NULL) NOT VALID, fill the rows, VALIDATE CONSTRAINT; " +
			"then SET NOT NULL reads nothing, and the check can go",
	},
	"change-type": {safe: inSteps},
	"add-check": {
		safe:         "correct the rows first, and let the build before this one no longer write such rows",
		safePostgres: "add it NOT VALID, correct the rows, and VALIDATE CONSTRAINT in a file of its own",
	},
	"change-check": {
		safe:         "correct the rows first, and let the build before this one no longer write such rows",
		safePostgres: "add it NOT VALID, correct the rows, and VALIDATE CONSTRAINT in a file of its own",
	},
	"add-foreign-key": {
		safe:         "correct the rows first, and let the build before this one no longer write such rows",
		safePostgres: "add it NOT VALID, correct the rows, and VALIDATE CONSTRAINT in a file of its own",
	},
	"add-unique-index": {
		safe:         "look for duplicates first, and let the build before this one no longer write them",
		safePostgres: "look for duplicates first; then CREATE UNIQUE INDEX CONCURRENTLY in a file of its own",
	},
	"change-primary-key": {safe: "make a new table with the key, and copy the rows while both are written"},
	"create-index": {
		why:  "nobody can write to the table while the index is built",
		safe: "CREATE INDEX CONCURRENTLY in a file of its own that begins with -- +goose NO TRANSACTION",
	},
	"volatile-default": {
		why:  rewritesAll + ", since each row gets a value of its own",
		safe: "add the column without it, SET DEFAULT for new rows, and fill the old ones in batches",
	},
	"concurrently-in-transaction": {
		why:  "CONCURRENTLY fails within a transaction",
		safe: "put the statement into a file of its own that begins with -- +goose NO TRANSACTION",
	},
	"several-statements": {
		why:  "the file runs outside of a transaction, so those before one that fails are done and cannot be repeated",
		safe: "a file for each statement",
	},
	"truncate":    {why: "the rows are lost", safe: "keep them until a release no longer needs them; then delete in batches"},
	"delete-rows": {why: "the rows are lost", safe: "keep them until a release no longer needs them; then delete in batches"},
	"update-all-rows": {
		why:  "what was there is lost, and all rows are locked until the migration is done",
		safe: "change only rows that need it (WHERE), in batches",
	},
	"drop-cascade": {why: "it also drops what nobody has named", safe: "drop each thing by its name"},
}

// Rules returns the sorted names of Lint's rules.
func Rules() []string { return slices.Sorted(maps.Keys(rules)) }

// These rules are about comments that acknowledge findings, and about another one. They cannot be
// acknowledged themselves.
const (
	badAllow    = "bad-allow"
	unusedAllow = "unused-allow"
	badServes   = "bad-serves" // about forge:serves
)
