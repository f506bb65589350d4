package edges

import "entgo.io/ent/dialect/sql"

func nullsLast(o *sql.OrderTermOptions)     { o.NullsLast = true }
func desc(o *sql.OrderTermOptions)          { o.Desc = true }
func descNullsLast(o *sql.OrderTermOptions) { o.Desc, o.NullsLast = true, true }
