package scaffold

import (
	"strings"
	"testing"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	entschema "entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/index"

	forge "forge/ent/schema"
	"forge/internal/entity"
	"forge/internal/rule"
)

// Report has one file, and a list of files.
type Report struct{ ent.Schema }

func (Report) Annotations() []entschema.Annotation {
	return []entschema.Annotation{entity.Annotation{Logged: true, ShownToAll: []string{"id", "print", "scans"}}}
}

func (Report) Mixin() []ent.Mixin {
	return []ent.Mixin{forge.Identified{Prefix: "report"}, forge.OneFile{Name: "print", Limits: entity.FileLimits{MaxBytes: 5000, ContentTypes: []string{"application/pdf"}}}}
}

func (Report) Edges() []ent.Edge {
	return []ent.Edge{edge.To("scans", File.Type).Annotations(entsql.OnDelete(entsql.SetNull), entity.Annotation{Files: &entity.FileLimits{Most: 3}})}
}

func (Report) Policy() ent.Policy {
	return rule.Policy{Read: rule.Everyone, Create: rule.Admins, Update: rule.Admins}
}

// File is that of Forge.
type File struct{ forge.File }

func (File) Edges() []ent.Edge {
	return []ent.Edge{edge.From("report_of_scans", Report.Type).Ref("scans").Unique()}
}

func (File) Indexes() []ent.Index { return []ent.Index{index.Edges("report_of_scans")} }

// TestFiles writes the API of rows with files. Files have no list, mutations or conditions of their
// own, and nobody waits for changes by the ID of a file.
func TestFiles(t *testing.T) {
	t.Parallel()
	s := library(t, Report{}, File{})
	s.SDL = write(t, library(t)).SDL + "\ntype File {\n  id: ID!\n  url: String\n}\n"
	sdl := write(t, s).SDL
	for name, wants := range map[string][]string{
		"Report":                 {"\n  print: File\n", "\n  scans: [File!]!\n"},
		"ReportWhereInput":       {"\n  hasPrint: Boolean\n", "\n  hasScans: Boolean\n"},
		"CreateReportInput":      {"At most 5,000 bytes, application/pdf.", "\n  printId: ID\n", "\n  scans: CreateReportScansInput\n"},
		"UpdateReportScansInput": {" 3 of them at most.\"\n  connect: [ID!]\n", "\n  disconnect: [ID!]\n", " 3 of them at most.\"\n  set: [ID!]\n"},
		"Subscription":           {"reportChanges("},
	} {
		for _, want := range wants {
			if got := definition(sdl, name) + "\n"; !strings.Contains(got, want) {
				t.Errorf("%s lacks %q:\n%s", name, want, got)
			}
		}
	}
	for _, unwanted := range []string{"printIds", "FileWhereInput", "createFile", "files(", "hasPrintWith", "FILE\n"} {
		if strings.Contains(sdl, unwanted) {
			t.Errorf("the schema has %s", unwanted)
		}
	}
}
