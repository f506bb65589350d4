package seed

// About says what each step of the scale adds.
const About = "20 users, 1 team, 200 heroes, 5 products and 100 orders for each step"

// dataset holds all rows of a scale.
type dataset struct {
	users    []userRow
	teams    []teamRow
	heroes   []heroRow
	products []productRow
	orders   []orderRow
}

// generate makes the rows for a scale. The same scale always results in the same rows. Each user
// has 10 heroes and 5 orders of 3 items.
func generate(scale int) *dataset {
	d := &dataset{users: users(20 * scale), teams: teams(scale), products: products(5 * scale)}
	d.heroes = heroes(d.users, d.teams, 10)
	d.orders = orders(d.users, d.products, 5, 3)
	return d
}
