import { accessToken, refreshed } from './session.js';
import { answerOf, send } from './wire.js';

// fetcher sends one operation to the API, as whoever is signed in, and returns its answer. Headers that the reader typed win.
export async function fetcher({ query, variables, operationName }, { headers } = {}) {
  const operation = { query, variables, operationName: definesOperation(query, operationName) ? operationName : null };
  const own = Object.keys(headers ?? {}).some((name) => name.toLowerCase() === 'authorization');
  const token = own ? null : accessToken();
  let response = await send(operation, withToken(token, headers));
  // A token that does not hold is refused before anything is done, so that the operation can be sent once more.
  if (token && response.status === 401 && (await refreshed(token))) {
    response = await send(operation, withToken(accessToken(), headers));
  }
  return answerOf(response);
}

function withToken(token, headers) {
  return token ? { Authorization: `Bearer ${token}`, ...headers } : headers;
}

// For a moment after a change of tabs GraphiQL still gives the name of the operation in the tab before.
function definesOperation(query, name) {
  return new RegExp(`\\b(query|mutation|subscription)\\s+${name}\\b`).test(query);
}
