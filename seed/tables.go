package seed

import (
	"forge/ent/hero"
	"forge/ent/inventory"
	"forge/ent/order"
	"forge/ent/orderitem"
	"forge/ent/product"
	"forge/ent/team"
	"forge/ent/user"
)

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
