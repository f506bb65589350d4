// fetcher sends one operation to the API and returns its answer. An answer that is not GraphQL,
// say from a proxy in between, is thrown as an error that names the HTTP status.
export async function fetcher({ query, variables, operationName }, { headers } = {}) {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/graphql-response+json, application/json;q=0.9',
      ...headers,
    },
    body: JSON.stringify({ query, variables, operationName: definesOperation(query, operationName) ? operationName : null }),
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`HTTP ${response.status} ${response.statusText}: ${text.slice(0, 500)}`);
  }
}

// For a moment after a change of tabs GraphiQL still gives the name of the operation in the tab before.
function definesOperation(query, name) {
  return new RegExp(`\\b(query|mutation|subscription)\\s+${name}\\b`).test(query);
}
