package seed

import "forge/ent/user"

// tables are in an order in which no row refers to a row of a later table.
var tables = []table{
	{user.Table, []string{user.FieldID, user.FieldCreatedAt, user.FieldUpdatedAt, user.FieldVersion, user.FieldUsername,
		user.FieldEmail, user.FieldEmailKey, user.FieldHashedPassword, user.FieldRole, user.FieldIsActive}, eachUser},
}

func eachUser(d *dataset, yield func(...any)) {
	for _, x := range d.users {
		yield(x.id, x.created, x.updated, x.version, x.username, x.email, x.email, x.hash, x.role, x.active)
	}
}
