package edges

import "entgo.io/ent/dialect/sql"

func desc(o *sql.OrderTermOptions)          { o.Desc = true }
func descNullsLast(o *sql.OrderTermOptions) { o.Desc, o.NullsLast = true, true }
