package seed

// dataset holds all rows of a scale.
type dataset struct {
	users    []userRow
	teams    []teamRow
	heroes   []heroRow
	products []productRow
	orders   []orderRow
}

// generate makes the rows for a scale. The same scale always results in the same rows.
func generate(scale int) *dataset {
	d := &dataset{users: users(20 * scale), teams: teams(scale), products: products(5 * scale)}
	d.heroes = heroes(d.users, d.teams, 10)
	d.orders = orders(d.users, d.products, 5, 3)
	return d
}
