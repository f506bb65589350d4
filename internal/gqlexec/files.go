package gqlexec

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/graphqlhttp"
	"forge/internal/ids"
	"forge/internal/write"
)

// Files are what the API needs of the files that clients upload.
type Files interface {
	graphqlhttp.Files
	// Prepare has those of the files looked at that the viewer has uploaded. It returns why some
	// cannot be used.
	Prepare(ctx context.Context, all []uuid.UUID) (map[uuid.UUID]error, error)
}

// maxFiles is how many files the arguments of a mutation are searched for.
const maxFiles = 1000

// prepareFiles has the uploads looked at that a mutation names. This may take seconds, so it comes
// before the unit of work, which holds a connection. It returns an error if the files cannot be
// read now.
func (e *executor) prepareFiles(ctx context.Context, op *graphql.OperationContext) (context.Context, error) {
	of := entity.FilesOf(e.api.Entities)
	if e.options.Files == nil || of == nil || op.Operation.Operation != ast.Mutation {
		return ctx, nil
	}
	s := search{prefix: of.Prefix + "_"}
	for _, f := range graphql.CollectFields(op, op.Operation.SelectionSet, []string{e.schema.Schema().Mutation.Name}) {
		s.value(f.ArgumentMap(op.Variables))
	}
	if len(s.found) == 0 {
		return ctx, nil
	}
	faults, err := e.options.Files.Prepare(ctx, s.found)
	return write.WithFileFaults(ctx, faults), err
}

// search looks for IDs of files in arguments.
type search struct {
	prefix string
	found  []uuid.UUID
}

func (s *search) value(value any) {
	switch value := value.(type) {
	case map[string]any:
		for _, of := range value {
			s.value(of)
		}
	case []any:
		for _, of := range value {
			s.value(of)
		}
	case string:
		var id ids.ID
		if strings.HasPrefix(value, s.prefix) && len(s.found) < maxFiles && id.UnmarshalGQL(value) == nil {
			s.found = append(s.found, id.UUID)
		}
	}
}
