package main

import (
	"bytes"
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// shop answers requests from a database.
type shop struct{ pool *pgxpool.Pool }

// querier is a pool or a connection.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// each calls do with the columns of each row, in PostgreSQL's binary form. The columns are valid
// until do returns.
func each(ctx context.Context, db querier, do func(columns [][]byte), sql string, args ...any) error {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		do(rows.RawValues())
	}
	return rows.Err()
}

func (s shop) user(ctx context.Context, v *variables, b []byte) ([]byte, error) {
	b = append(b, `{"user":`...)
	empty := len(b)
	err := each(ctx, s.pool, func(c [][]byte) { b = appendUser(b, c) },
		`SELECT id, username, email FROM users WHERE id = $1 AND deleted_at IS NULL`, v.ID)
	if len(b) == empty {
		b = append(b, "null"...)
	}
	return append(b, '}'), err
}

// appendUser appends a user with the columns of c: the ID, the username, and perhaps the email.
func appendUser(b []byte, c [][]byte) []byte {
	b = appendID(append(b, `{"id":`...), "user_", c[0])
	b = appendText(append(b, `,"username":`...), c[1])
	if len(c) > 2 {
		b = appendText(append(b, `,"email":`...), c[2])
	}
	return append(b, '}')
}

// paged is a statement that reads a page of users: the first one, or the one after a key.
type paged struct{ first, after string }

// pagedBy completes a statement that ends its conditions on users with the word PAGE.
func pagedBy(sql string) paged {
	return paged{strings.Replace(sql, "PAGE", "", 1), strings.Replace(sql, "PAGE", "AND id > $1", 1)}
}

// each is the function each for the page that is asked for.
func (p *paged) each(ctx context.Context, db querier, v *variables, do func(columns [][]byte)) error {
	if v.After == nil {
		return each(ctx, db, do, p.first)
	}
	return each(ctx, db, do, p.after, *v.After)
}

var (
	pageOfUsers = pagedBy(`SELECT id, username, email FROM users WHERE deleted_at IS NULL PAGE ORDER BY id LIMIT 50`)
	pageOfNames = pagedBy(`SELECT id, username FROM users WHERE deleted_at IS NULL PAGE ORDER BY id LIMIT 50`)
)

func (s shop) users(ctx context.Context, v *variables, b []byte) ([]byte, error) {
	return s.page(ctx, v, b, &pageOfUsers)
}

func (s shop) names(ctx context.Context, v *variables, b []byte) ([]byte, error) {
	return s.page(ctx, v, b, &pageOfNames)
}

func (s shop) page(ctx context.Context, v *variables, b []byte, p *paged) ([]byte, error) {
	b = append(b, `{"users":{"edges":[`...)
	var n int
	err := p.each(ctx, s.pool, v, func(c [][]byte) {
		b = append(appendUser(append(next(b, n), `{"node":`...), c), '}')
		n++
	})
	return append(b, `]}}`...), err
}

// next appends a comma before every element of a list except the first one, which has n = 0.
func next(b []byte, n int) []byte {
	if n > 0 {
		b = append(b, ',')
	}
	return b
}

// hero holds a row until the row of its team has been read.
type hero struct {
	owner    int // the index of the user, from 1
	id, team uuid
	name     []byte
}

var ownersOfHeroes = pagedBy(`SELECT id, username FROM users WHERE deleted_at IS NULL PAGE ORDER BY id LIMIT 20`)

// heroes appends users with their heroes and their teams. It reads each level with one statement.
// The heroes come in the order of the users, so they need not be looked up.
func (s shop) heroes(ctx context.Context, v *variables, b []byte) ([]byte, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return b, err
	}
	defer conn.Release()
	users := make([]uuid, 0, 20)
	names := make([][]byte, 0, 20)
	err = ownersOfHeroes.each(ctx, conn, v, func(c [][]byte) {
		users, names = append(users, uuid(c[0])), append(names, bytes.Clone(c[1]))
	})
	if err != nil {
		return b, err
	}
	heroes, teams := make([]hero, 0, 200), make(map[uuid][]byte, 200)
	err = each(ctx, conn, func(c [][]byte) {
		h := hero{owner: place(c[0]), id: uuid(c[1]), name: bytes.Clone(c[2])}
		if c[3] != nil {
			h.team = uuid(c[3])
			teams[h.team] = nil
		}
		heroes = append(heroes, h)
	}, `SELECT owner.nr, h.id, h.name, h.team_id FROM unnest($1::uuid[]) WITH ORDINALITY AS owner (id, nr)
		CROSS JOIN LATERAL (SELECT id, name, team_id FROM heroes WHERE owner_id = owner.id ORDER BY id LIMIT 10) h`, users)
	if err != nil {
		return b, err
	}
	keys := make([]uuid, 0, len(teams))
	for key := range teams {
		keys = append(keys, key)
	}
	err = each(ctx, conn, func(c [][]byte) { teams[uuid(c[0])] = bytes.Clone(c[1]) },
		`SELECT id, name FROM teams WHERE id = ANY ($1)`, keys)
	if err != nil {
		return b, err
	}
	b = append(b, `{"users":{"edges":[`...)
	for i, user := range users {
		b = appendID(append(next(b, i), `{"node":{"id":`...), "user_", user[:])
		b = appendText(append(b, `,"username":`...), names[i])
		b = append(b, `,"heroes":{"edges":[`...)
		for j := 0; len(heroes) > 0 && heroes[0].owner == i+1; j++ {
			b = appendHero(next(b, j), heroes[0].id[:], heroes[0].name, teams[heroes[0].team])
			heroes = heroes[1:]
		}
		b = append(b, `]}}}`...)
	}
	return append(b, `]}}`...), nil
}

// appendHero appends a hero. The name of its team is nil if there is none.
func appendHero(b, id, name, team []byte) []byte {
	b = appendID(append(b, `{"node":{"id":`...), "hero_", id)
	b = appendText(append(b, `,"name":`...), name)
	if team != nil {
		b = appendText(append(b, `,"team":{"name":`...), team)
		return append(b, `}}}`...)
	}
	return append(b, `,"team":null}}`...)
}
