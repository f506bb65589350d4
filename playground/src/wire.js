// send posts one operation to the API. The options are those of fetch.
export function send(operation, headers, options) {
  return fetch('/graphql', {
    ...options,
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/graphql-response+json, application/json;q=0.9',
      ...headers,
    },
    body: JSON.stringify(operation),
  });
}

// answerOf returns a response's answer. One that is not GraphQL, say from a proxy in between, is thrown as an error that names the HTTP status.
export async function answerOf(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`HTTP ${response.status} ${response.statusText}: ${text.slice(0, 500)}`);
  }
}
