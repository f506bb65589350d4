package seed

import (
	"context"

	entsql "entgo.io/ent/dialect/sql"

	"forge/ent/hero"
	"forge/ent/inventory"
	"forge/ent/order"
	"forge/ent/orderitem"
	"forge/ent/product"
	"forge/ent/team"
	"forge/ent/user"
	"forge/internal/unit"
)

// table describes how the rows of a table are stored. At a large scale, it would take minutes to
// make an entity or a statement for each row with ent.
type table struct {
	name    string
	columns []string
	rows    func(d *dataset, yield func(row ...any))
}

// tables are in an order in which no row refers to a row of a later table.
var tables = []table{
	{user.Table, []string{user.FieldID, user.FieldCreatedAt, user.FieldUpdatedAt, user.FieldVersion, user.FieldUsername,
		user.FieldEmail, user.FieldEmailKey, user.FieldHashedPassword, user.FieldRole, user.FieldIsActive}, eachUser},
	{team.Table, []string{team.FieldID, team.FieldCreatedAt, team.FieldUpdatedAt, team.FieldVersion, team.FieldName,
		team.FieldHeadquarters}, eachTeam},
	{hero.Table, []string{hero.FieldID, hero.FieldCreatedAt, hero.FieldUpdatedAt, hero.FieldVersion, hero.FieldName,
		hero.FieldSecretName, hero.FieldAge, hero.FieldTeamID, hero.FieldOwnerID}, eachHero},
	{product.Table, []string{product.FieldID, product.FieldCreatedAt, product.FieldUpdatedAt, product.FieldVersion,
		product.FieldSku, product.FieldName, product.FieldPriceCents}, eachProduct},
	{inventory.Table, []string{inventory.FieldID, inventory.FieldProductID, inventory.FieldQuantity}, eachInventory},
	{order.Table, []string{order.FieldID, order.FieldCreatedAt, order.FieldUpdatedAt, order.FieldVersion, order.FieldStatus,
		order.FieldTotalCents, order.FieldUserID}, eachOrder},
	{orderitem.Table, []string{orderitem.FieldID, orderitem.FieldOrderID, orderitem.FieldProductID, orderitem.FieldQuantity,
		orderitem.FieldUnitPriceCents}, eachItem},
}

// maxArgs is the largest number of values in one statement. SQLite allows 32,766 and PostgreSQL
// 65,535. More than a few thousand do not make it faster.
const maxArgs = 6000

func store(ctx context.Context, u *unit.Unit, d *dataset) error {
	for _, t := range tables {
		if err := t.store(ctx, u, d); err != nil {
			return err
		}
	}
	return nil
}

// store stores the rows of a table, as many with each statement as fit into it.
func (t table) store(ctx context.Context, u *unit.Unit, d *dataset) (err error) {
	var rows [][]any
	insert := func() {
		if err != nil || len(rows) == 0 {
			return
		}
		into := entsql.Dialect(u.Dialect()).Insert(t.name).Columns(t.columns...)
		for _, row := range rows {
			into.Values(row...)
		}
		query, args := into.Query()
		_, err = u.Exec(ctx, query, args...)
		rows = rows[:0]
	}
	t.rows(d, func(row ...any) {
		if rows = append(rows, row); len(rows) == maxArgs/len(t.columns) {
			insert()
		}
	})
	insert()
	return err
}

func eachUser(d *dataset, yield func(...any)) {
	for _, x := range d.users {
		yield(x.id, x.created, x.updated, x.version, x.username, x.email, x.email, x.hash, x.role, x.active)
	}
}

func eachTeam(d *dataset, yield func(...any)) {
	for _, x := range d.teams {
		yield(x.id, x.created, x.updated, x.version, x.name, x.headquarters)
	}
}

func eachHero(d *dataset, yield func(...any)) {
	for _, x := range d.heroes {
		yield(x.id, x.created, x.updated, x.version, x.name, x.secretName, x.age, x.team, x.owner)
	}
}

func eachProduct(d *dataset, yield func(...any)) {
	for _, x := range d.products {
		yield(x.id, x.created, x.updated, x.version, x.sku, x.name, x.priceCents)
	}
}

func eachInventory(d *dataset, yield func(...any)) {
	for _, x := range d.products {
		yield(x.inventory, x.id, x.stock)
	}
}

func eachOrder(d *dataset, yield func(...any)) {
	for _, x := range d.orders {
		yield(x.id, x.created, x.updated, x.version, x.status, x.totalCents, x.user)
	}
}

func eachItem(d *dataset, yield func(...any)) {
	for _, o := range d.orders {
		for _, x := range o.items {
			yield(x.id, o.id, x.product, x.quantity, x.unitPriceCents)
		}
	}
}
