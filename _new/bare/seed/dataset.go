package seed

// About says what each step of the scale adds.
const About = "20 users for each step"

// dataset holds all rows of a scale.
type dataset struct {
	users []userRow
}

// generate makes the rows for a scale. The same scale always results in the same rows.
func generate(scale int) *dataset {
	return &dataset{users: users(20 * scale)}
}
