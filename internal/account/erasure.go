package account

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/ent"
	entfile "forge/ent/file"
	"forge/internal/entity"
	"forge/internal/rule"
	"forge/internal/unit"
)

// These are columns of accounts that the framework has, and what becomes of them.
var ownColumns = map[string]entity.Erase{
	"created_at": entity.Keep, "updated_at": entity.Keep, "version": entity.Keep, "role": entity.Keep, "is_active": entity.Keep,
	"hashed_password": entity.Clear, "email_verified_at": entity.Clear, "erase_at": entity.Clear,
}

// owned is an entity whose rows belong to accounts.
type owned struct {
	*entity.Entity
	steps []rule.Step // lead from a row to the one that has the owner; none if it has it itself
	owner string      // the column of that row with the account
}

// ownedBy returns the entities whose rows belong to accounts. Those whose owner is the farthest
// away come first, so that they are found before the rows between are changed.
func ownedBy(account *entity.Entity, entities []*entity.Entity) (all []owned) {
	for _, e := range entities {
		steps, column := rule.OwnerOf(e, entities)
		if e != account && column != nil && column.Refers == account.Name {
			all = append(all, owned{e, steps, column.Column})
		}
	}
	slices.SortStableFunc(all, func(a, b owned) int { return len(b.steps) - len(a.steps) })
	return all
}

// of returns the condition under which a row belongs to an account. column returns how a column of
// the row is written.
func (o owned) of(account uuid.UUID, dialect string, column func(string) string) *entsql.Predicate {
	from, steps := o.Entity, o.steps
	var leads func(from *entity.Entity, steps []rule.Step, column func(string) string) *entsql.Predicate
	leads = func(from *entity.Entity, steps []rule.Step, column func(string) string) *entsql.Predicate {
		if len(steps) == 0 {
			return entsql.EQ(column(o.owner), account)
		}
		step := steps[0]
		to := tableOf(step.To, dialect).As(fmt.Sprint("o", len(steps)))
		if step.OwnKey {
			query := entsql.Dialect(dialect).Select(to.C(keyOf(step.To))).From(to)
			return entsql.In(column(step.Column), query.Where(leads(step.To, steps[1:], to.C)))
		}
		at, far := to, to.C(step.Column)
		query := entsql.Dialect(dialect).Select().From(at)
		if step.Through != "" {
			join := entsql.Dialect(dialect).Table(step.Through).As(fmt.Sprint("j", len(steps)))
			query.Join(join).On(to.C(keyOf(step.To)), join.C(step.Far))
			far = join.C(step.Column)
		}
		return entsql.In(column(keyOf(from)), query.Select(far).Where(leads(step.To, steps[1:], to.C)))
	}
	return leads(from, steps, column)
}

func keyOf(e *entity.Entity) string { return e.Fields[0].Column }

func tableOf(e *entity.Entity, name string) *entsql.SelectTable {
	t := entsql.Dialect(name).Table(e.Table)
	if name == dialect.Postgres {
		t.Schema(e.Schema)
	}
	return t
}

// Erase erases what is personal of an account and of the rows that it owns, as the annotations of
// the entities say. The account is left as a deleted one, to which the rows that are kept refer.
// Its tokens that are older than validAfter are ended.
func Erase(ctx context.Context, entities []*entity.Entity, id uuid.UUID, now, validAfter time.Time) error {
	account := entity.Account(entities)
	if account == nil {
		return errors.New("no entity has the column erase_at")
	}
	for _, e := range ownedBy(account, entities) {
		err := e.eraseLists(ctx, entity.FilesOf(entities), id)
		if err == nil {
			err = e.erase(ctx, id, now)
		}
		if err != nil {
			return fmt.Errorf("erase what is personal of %s: %w", e.Name, err)
		}
	}
	c := changes{e: account, now: now}
	c.personal(rulesOf(account))
	c.set("tokens_valid_after", validAfter)
	if account.Deleted != "" {
		c.set(account.Deleted, now)
	}
	if err := c.update(ctx, entsql.EQ(keyOf(account), id)); err != nil {
		return fmt.Errorf("erase what is personal of %s: %w", account.Name, err)
	}
	return nil
}

// eraseLists takes the lists of files from the rows of an account that Personal names. The sweep
// then removes the files.
func (o owned) eraseLists(ctx context.Context, files *entity.Entity, account uuid.UUID) error {
	for name, rule := range o.Personal {
		edge := o.FileList(name)
		if edge == nil || rule != entity.Clear {
			continue
		}
		dialect := unit.FromContext(ctx).Dialect()
		rows := tableOf(o.Entity, dialect).As("r")
		mine := entsql.Dialect(dialect).Select(rows.C(keyOf(o.Entity))).From(rows).Where(o.of(account, dialect, rows.C))
		c := changes{e: files}
		c.set(edge.Column, nil)
		if err := c.update(ctx, entsql.In(edge.Column, mine)); err != nil {
			return err
		}
	}
	return nil
}

// erase erases what is personal of the rows of an account.
func (o owned) erase(ctx context.Context, account uuid.UUID, now time.Time) error {
	u := unit.FromContext(ctx)
	mine := o.of(account, u.Dialect(), func(column string) string { return column })
	if o.OwnerErased == entity.Remove {
		del := entsql.Dialect(u.Dialect()).Delete(o.Table).Where(mine)
		if u.Dialect() == dialect.Postgres {
			del.Schema(o.Schema)
		}
		statement, args := del.Query()
		_, err := u.Exec(ctx, statement, args...)
		return err
	}
	rows := []*entsql.Predicate{mine}
	if slices.Contains(slices.Collect(maps.Values(o.Personal)), entity.Replace) {
		keys, err := o.keys(ctx, mine) // each row gets texts of its own
		if err != nil {
			return err
		}
		rows = keys
	}
	for _, where := range rows {
		c := changes{e: o.Entity, now: now}
		if c.personal(o.Personal); o.OwnerErased == entity.Release {
			c.set(o.owner, nil)
		}
		if err := c.update(ctx, where); err != nil {
			return err
		}
	}
	return nil
}

// keys returns a condition for each row that fulfils a condition.
func (o owned) keys(ctx context.Context, where *entsql.Predicate) (each []*entsql.Predicate, err error) {
	u := unit.FromContext(ctx)
	query, args := entsql.Dialect(u.Dialect()).Select(keyOf(o.Entity)).From(tableOf(o.Entity, u.Dialect())).Where(where).Query()
	err = u.Rows(ctx, func(rows *sql.Rows) error {
		for rows.Next() {
			var key any
			if err := rows.Scan(&key); err != nil {
				return err
			}
			each = append(each, entsql.EQ(keyOf(o.Entity), key))
		}
		return nil
	}, query, args...)
	return each, err
}

// eraseFiles has the files removed that the account has uploaded, and that no row has. Of those
// that rows have which stay, it erases who has uploaded them, and what they were called.
func eraseFiles(ctx context.Context, entities []*entity.Entity, id uuid.UUID) error {
	if _, err := ent.FromUnit(ctx).File.Update().Where(entfile.UserID(id), entfile.AttachedAtIsNil()).SetState(entfile.StateRemoved).Save(ctx); err != nil {
		return fmt.Errorf("remove the files of an account: %w", err)
	}
	files := entity.FilesOf(entities)
	c := changes{e: files}
	c.set("user_id", nil)
	c.set("name", "erased")
	if err := c.update(ctx, entsql.EQ("user_id", id)); err != nil {
		return fmt.Errorf("erase what is personal of %s: %w", files.Name, err)
	}
	for _, edge := range entity.Account(entities).Edges {
		if edge.Files == nil || edge.OwnKey {
			continue
		}
		c := changes{e: files}
		c.set(edge.Column, nil)
		if err := c.update(ctx, entsql.EQ(edge.Column, id)); err != nil {
			return fmt.Errorf("erase what is personal of %s: %w", files.Name, err)
		}
	}
	return nil
}

// rulesOf returns what becomes of each column of accounts.
func rulesOf(e *entity.Entity) map[string]entity.Erase {
	rules, keys := map[string]entity.Erase{}, map[string]bool{}
	for _, f := range e.Fields {
		keys[f.MatchBy] = true
	}
	for i, f := range e.Fields {
		own, framework := ownColumns[f.Column]
		declared, said := e.Personal[f.Column]
		switch {
		case i == 0 || keys[f.Column] || f.Kind == entity.ID && !e.HoldsFile(f.Column) || f.Column == "tokens_valid_after" || f.Column == e.Deleted:
			rules[f.Column] = entity.Keep
		case said:
			rules[f.Column] = declared
		case e.HoldsFile(f.Column) && f.Nullable:
			rules[f.Column] = entity.Clear
		case framework:
			rules[f.Column] = own
		case f.Nullable:
			rules[f.Column] = entity.Clear
		case f.Kind == entity.String:
			rules[f.Column] = entity.Replace
		}
	}
	return rules
}

// changes are the changes of rows of an entity.
type changes struct {
	e    *entity.Entity
	now  time.Time
	sets []func(*entsql.UpdateBuilder)
}

// set sets a column to a value.
func (c *changes) set(column string, value any) {
	c.sets = append(c.sets, func(u *entsql.UpdateBuilder) {
		if value == nil {
			u.SetNull(column)
			return
		}
		u.Set(column, value)
	})
}

// personal erases columns by their rules, and the columns by which they are compared.
func (c *changes) personal(rules map[string]entity.Erase) {
	for _, f := range c.e.Fields {
		var value any
		switch rules[f.Column] {
		case entity.Clear:
		case entity.Replace:
			value = "erased_" + strings.ToLower(rand.Text()[:13]) // 65 random bits
		default:
			continue
		}
		c.set(f.Column, value)
		if f.MatchBy != "" {
			c.set(f.MatchBy, value)
		}
	}
}

// update changes the rows that fulfil a condition. They have another version then.
func (c *changes) update(ctx context.Context, where *entsql.Predicate) error {
	if len(c.sets) == 0 {
		return nil
	}
	u := unit.FromContext(ctx)
	update := entsql.Dialect(u.Dialect()).Update(c.e.Table).Where(where)
	if u.Dialect() == dialect.Postgres {
		update.Schema(c.e.Schema)
	}
	if c.e.Column("updated_at") != nil {
		c.set("updated_at", c.now)
	}
	for _, set := range c.sets {
		set(update)
	}
	if c.e.Column("version") != nil {
		update.Set("version", entsql.Expr("version + 1"))
	}
	statement, args := update.Query()
	_, err := u.Exec(ctx, statement, args...)
	return err
}
