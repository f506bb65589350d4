const queries = import.meta.glob('./examples/*.graphql', { query: '?raw', import: 'default', eager: true });
const variables = import.meta.glob('./examples/*.json', { query: '?raw', import: 'default', eager: true });

// The tabs of a first visit: one for each file in examples/, in the order of their names, with the
// .json file of the same name, if there is one, as its variables. A tab is titled by its operation.
export const examples = Object.keys(queries)
  .sort()
  .map((path) => ({
    query: queries[path].trimEnd(),
    variables: variables[path.replace(/graphql$/, 'json')]?.trimEnd() ?? null,
  }));
