package rule

import (
	"fmt"
	"slices"
	"strings"

	"forge/internal/entity"
	"forge/internal/schema"
)

// CheckTenants returns what is wrong with the indexes of tables whose rows belong to tenants, as
// sentences. An index begins with the tenant, so that the rows of one are found. Values are unique
// for a tenant alone: a unique index over all tenants would tell one what others have.
func CheckTenants(entities []*entity.Entity, tables []*schema.Table) (findings []string) {
	for _, e := range entities {
		at := slices.IndexFunc(tables, func(t *schema.Table) bool { return t.Name == e.Table })
		for _, p := range Of(e) {
			if p.Tenant != "" && at >= 0 {
				findings = append(findings, tenantIndexes(e.Name, p.Tenant, tables[at])...)
			}
		}
	}
	return findings
}

func tenantIndexes(name, tenant string, t *schema.Table) (findings []string) {
	begins := false
	for _, index := range t.Indexes {
		switch {
		case index.Columns[0].Name == tenant:
			begins = true
		case index.Unique && !refers(t, index.Columns):
			findings = append(findings, uniqueFinding(name, tenant, columnNames(index.Columns)))
		}
	}
	for _, c := range t.Columns {
		if c.Unique && !slices.Contains(t.PrimaryKey, c) && !refers(t, []*schema.Column{c}) {
			findings = append(findings, uniqueFinding(name, tenant, []string{c.Name}))
		}
	}
	if !begins {
		findings = append(findings, fmt.Sprintf(`%s: no index begins with its Tenant, the column %s, so that the rows of all tenants are read; add index.Fields("%[2]s", "id")`, name, tenant))
	}
	return findings
}

// refers reports whether the columns are the key of another row, which belongs to a tenant itself.
func refers(t *schema.Table, columns []*schema.Column) bool {
	return slices.ContainsFunc(t.ForeignKeys, func(key *schema.ForeignKey) bool { return slices.Equal(key.Columns, columns) })
}

func columnNames(columns []*schema.Column) (names []string) {
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return names
}

func uniqueFinding(name, tenant string, columns []string) string {
	return fmt.Sprintf(`%s: %s is unique for all tenants together, so that one learns what others have; make it unique for each, by index.Fields("%s", "%s").Unique()`,
		name, strings.Join(columns, ", "), tenant, strings.Join(columns, `", "`))
}
