package graphqlhttp

import "github.com/99designs/gqlgen/graphql"

// documentID is the parameter that names a document which the server has. gqlgen has no place for it, so it stands among the extensions.
const documentID = "documentId"

// DocumentID returns the parameter documentId of a request; "" if there is none.
func DocumentID(params *graphql.RawParams) string {
	id, _ := params.Extensions[documentID].(string)
	return id
}

// setDocumentID stores the value of the parameter, if there is one.
func setDocumentID(params *graphql.RawParams, value []byte) *refusal {
	var id string
	refused := setString(&id, documentID, value)
	nameDocument(params, id)
	return refused
}

// nameDocument stores the ID. An extension of that name is none of ours, and goes.
func nameDocument(params *graphql.RawParams, id string) {
	switch {
	case id == "":
		delete(params.Extensions, documentID)
		return
	case params.Extensions == nil:
		params.Extensions = map[string]any{}
	}
	params.Extensions[documentID] = id
}
