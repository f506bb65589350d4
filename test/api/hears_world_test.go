package api_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"forge/ent"
	"forge/ent/hero"
	"forge/internal/changes"
	"forge/internal/entity"
	"forge/internal/ids"
)

// stock is a row as it is stored: what the log of changes counts of it.
type stock struct {
	hidden bool   // it is marked as deleted
	owner  string // the ID of the user who owns it, if the rule of its entity asks for one
	refs   string // the IDs in its foreign keys
	values string
}

// shelf are the rows of random changes, by their IDs.
type shelf map[string]stock

// hearsWorld makes random changes of its own rows.
type hearsWorld struct {
	t    *rapid.T
	made map[string][]uuid.UUID // by the prefixes of IDs; also those that are gone
}

func (w *hearsWorld) add(prefix string, id uuid.UUID) { w.made[prefix] = append(w.made[prefix], id) }

// some returns the ID of a row that was made, or nil.
func (w *hearsWorld) some(prefix string) *uuid.UUID {
	n := rapid.IntRange(-1, len(w.made[prefix])-1).Draw(w.t, prefix)
	if n < 0 {
		return nil
	}
	return &w.made[prefix][n]
}

// name returns a name that no row has, also of another run.
func (w *hearsWorld) name() string { return uuid.NewString() }

// rows returns how the rows are stored.
func (w *hearsWorld) rows(ctx context.Context, db *ent.Client) shelf {
	all := shelf{}
	id := func(prefix string, key uuid.UUID) string { return ids.ID{Prefix: prefix, UUID: key}.String() }
	ref := func(prefix string, key *uuid.UUID) string {
		if key == nil {
			return ""
		}
		return id(prefix, *key)
	}
	for _, u := range db.User.Query().AllX(entity.WithDeleted(ctx)) {
		all[id("user", u.ID)] = stock{hidden: u.DeletedAt != nil, values: fmt.Sprint(u.Username, u.Version)}
	}
	for _, t := range db.Team.Query().AllX(ctx) {
		all[id("team", t.ID)] = stock{values: fmt.Sprint(t.Name, t.Version)}
	}
	for _, h := range db.Hero.Query().AllX(ctx) {
		refs := ref("team", h.TeamID) + " " + ref("user", h.OwnerID)
		all[id("hero", h.ID)] = stock{refs: refs, values: fmt.Sprint(h.Name, h.Version)}
	}
	for _, p := range db.Product.Query().WithInventory().AllX(ctx) {
		all[id("product", p.ID)] = stock{values: fmt.Sprint(p.Name, p.Version, p.Edges.Inventory)}
	}
	for _, o := range db.Order.Query().WithItems().AllX(ctx) {
		owner := ref("user", o.UserID)
		all[id("order", o.ID)] = stock{owner: owner, refs: owner, values: fmt.Sprint(o.Status, o.TotalCents, o.Version, o.Edges.Items)}
	}
	maps.DeleteFunc(all, func(text string, _ stock) bool {
		known, err := ids.Parse(text)
		return err != nil || !slices.Contains(w.made[known.Prefix], known.UUID)
	})
	return all
}

// change makes one random change. It may find nothing to change.
func (w *hearsWorld) change(ctx context.Context, db *ent.Client) {
	all := []func(context.Context, *ent.Client){w.changeUser, w.changeTeam, w.changeHero, w.changeProduct, w.changeOrder, w.changeOrder}
	all[rapid.IntRange(0, len(all)-1).Draw(w.t, "entity")](ctx, db)
}

// what draws one of several ways to change.
func (w *hearsWorld) what(ways ...string) string { return rapid.SampledFrom(ways).Draw(w.t, "change") }

// changeUser leaves the first two users alone as far as deletions go: they are viewers.
func (w *hearsWorld) changeUser(ctx context.Context, db *ent.Client) {
	all := entity.WithDeleted(ctx)
	id := w.some("user")
	what := w.what("rename", "mark", "restore", "password", "remove")
	switch viewers := w.made["user"][:2]; {
	case id == nil:
		w.add("user", db.User.Create().SetUsername(w.name()).SaveX(ctx).ID)
	case what == "rename":
		db.User.Update().Where(byID(*id)).SetUsername(w.name()).ExecX(ctx)
	case what == "password":
		db.User.Update().Where(byID(*id)).SetHashedPassword(w.name()).ExecX(all)
	case what == "restore":
		db.User.Update().Where(byID(*id)).ClearDeletedAt().ExecX(all)
	case slices.Contains(viewers, *id):
	case what == "mark":
		db.User.Update().Where(byID(*id)).SetDeletedAt(time.Now()).ExecX(ctx)
	default:
		db.User.Delete().Where(byID(*id)).ExecX(all)
	}
}

func (w *hearsWorld) changeTeam(ctx context.Context, db *ent.Client) {
	id := w.some("team")
	switch {
	case id == nil:
		w.add("team", db.Team.Create().SetName(w.name()).SaveX(ctx).ID)
	case w.what("rename", "remove") == "rename":
		db.Team.Update().Where(byID(*id)).SetName(w.name()).ExecX(ctx)
	default:
		db.Team.Delete().Where(byID(*id)).ExecX(ctx)
	}
}

func (w *hearsWorld) changeHero(ctx context.Context, db *ent.Client) {
	id := w.some("hero")
	what := w.what("move", "give", "secret", "many", "remove")
	switch team, owner := w.live(ctx, db, "team"), w.live(ctx, db, "user"); {
	case id == nil:
		w.add("hero", db.Hero.Create().SetName(w.name()).SetNillableTeamID(team).SetNillableOwnerID(owner).SaveX(ctx).ID)
	case what == "move" && team == nil:
		db.Hero.Update().Where(byID(*id)).ClearTeamID().ExecX(ctx)
	case what == "move":
		db.Hero.Update().Where(byID(*id)).SetTeamID(*team).ExecX(ctx)
	case what == "give":
		db.Hero.Update().Where(byID(*id)).SetNillableOwnerID(owner).ExecX(ctx)
	case what == "secret":
		db.Hero.Update().Where(byID(*id)).SetSecretName(w.name()).ExecX(ctx)
	case what == "many":
		db.Hero.Update().Where(hero.IDIn(w.made["hero"]...)).AddAge(1).SetName(w.name()).ExecX(ctx)
	default:
		db.Hero.Delete().Where(byID(*id)).ExecX(ctx)
	}
}

func (w *hearsWorld) changeProduct(ctx context.Context, db *ent.Client) {
	id := w.live(ctx, db, "product")
	switch {
	case id == nil:
		product := db.Product.Create().SetSku(uuid.NewString()).SetName(w.name()).SetPriceCents(1).SaveX(ctx).ID
		w.add("product", product)
	case w.what("rename", "stock") == "rename":
		db.Product.Update().Where(byID(*id)).SetName(w.name()).ExecX(ctx)
	case db.Inventory.Update().Where(ofProduct(*id)).AddQuantity(1).SaveX(ctx) == 0:
		db.Inventory.Create().SetProductID(*id).SetQuantity(1).ExecX(ctx)
	}
}

func (w *hearsWorld) changeOrder(ctx context.Context, db *ent.Client) {
	id := w.some("order")
	what := w.what("give", "give", "item", "item", "take", "pay", "remove")
	switch owner, product := w.live(ctx, db, "user"), w.live(ctx, db, "product"); {
	case id == nil || db.Order.Query().Where(byID(*id)).CountX(ctx) == 0:
		w.add("order", db.Order.Create().SetNillableUserID(owner).SetTotalCents(1).SaveX(ctx).ID)
	case what == "give" && owner == nil:
		db.Order.Update().Where(byID(*id)).ClearUserID().ExecX(ctx)
	case what == "give":
		db.Order.Update().Where(byID(*id)).SetUserID(*owner).ExecX(ctx)
	case what == "item" && product != nil:
		db.OrderItem.Create().SetOrderID(*id).SetProductID(*product).SetQuantity(1).SetUnitPriceCents(1).ExecX(ctx)
	case what == "take":
		db.OrderItem.Delete().Where(ofOrder(*id)).ExecX(ctx)
	case what == "remove":
		db.Order.Delete().Where(byID(*id)).ExecX(ctx)
	default:
		db.Order.Update().Where(byID(*id)).AddTotalCents(1).ExecX(ctx)
	}
}

// live returns the ID of a row that is there, or nil.
func (w *hearsWorld) live(ctx context.Context, db *ent.Client, prefix string) *uuid.UUID {
	id := w.some(prefix)
	if id == nil {
		return nil
	}
	count := map[string]func(context.Context) int{
		"team":    db.Team.Query().Where(byID(*id)).CountX,
		"user":    db.User.Query().Where(byID(*id)).CountX,
		"product": db.Product.Query().Where(byID(*id)).CountX,
	}
	if count[prefix](entity.WithDeleted(ctx)) == 0 {
		return nil
	}
	return id
}

// sees reports whether a row is shown to a viewer, who is given by the ID as a user, "admin" or "".
func (s stock) sees(viewer, id string) bool {
	known, err := ids.Parse(id)
	return err == nil && !s.hidden && (known.Prefix != "order" || viewer == "admin" || viewer != "" && s.owner == viewer)
}

// differing returns the IDs of the rows that a change has changed.
func differing(before, after shelf) (all []string) {
	for id := range before {
		if before[id] != after[id] {
			all = append(all, id)
		}
	}
	for id := range after {
		if _, had := before[id]; !had {
			all = append(all, id)
		}
	}
	return all
}

// opOfRow returns what a change did to a row, as far as everybody is concerned.
func opOfRow(before, after shelf, id string) changes.Op {
	was, had := before[id]
	is, has := after[id]
	switch {
	case (!had || was.hidden) && has && !is.hidden:
		return changes.Created
	case had && !was.hidden && (!has || is.hidden):
		return changes.Removed
	}
	return changes.Updated
}

func byID(id uuid.UUID) func(*sql.Selector)      { return where("id", id) }
func ofOrder(id uuid.UUID) func(*sql.Selector)   { return where("order_id", id) }
func ofProduct(id uuid.UUID) func(*sql.Selector) { return where("product_id", id) }

func where(column string, id uuid.UUID) func(*sql.Selector) {
	return func(s *sql.Selector) { s.Where(sql.EQ(s.C(column), id)) }
}
