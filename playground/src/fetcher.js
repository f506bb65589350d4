import { getOperationAST, parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { remember } from './asked.js';
import { accessToken, refreshed } from './session.js';
import { answerOf, send } from './wire.js';

// fetcher sends one operation to the API, as whoever is signed in. It returns the answer, or the
// answers of a subscription. Headers that the reader typed win.
export async function fetcher({ query, variables, operationName }, { headers } = {}) {
  const operation = { query, variables, operationName: definesOperation(query, operationName) ? operationName : null };
  if (kindOf(operation) === 'subscription') {
    return answersTo(operation, headers);
  }
  const answer = await answerOf(await sent(operation, headers));
  remember(answer, operation, headers);
  return answer;
}

// explain asks once more what an answer was to, and returns the statements of the query: with the
// wish sql their texts, with plan their plans as well. It throws an error with a sentence.
export async function explain({ operation, headers }, wish) {
  const { errors, extensions } = await answerOf(await sent(operation, { ...headers, 'Forge-Explain': wish }));
  if (!extensions?.explain) {
    throw new Error(errors?.[0]?.message ?? 'The server does not say.');
  }
  return extensions.explain;
}

// sent returns the response to an operation, as whoever is signed in.
async function sent(operation, headers) {
  const token = typed(headers) ? null : accessToken();
  const response = await send(operation, withToken(token, headers));
  // A token that does not hold is refused before anything is done, so that the operation can be sent once more.
  if (token && response.status === 401 && (await refreshed(token))) {
    return send(operation, withToken(accessToken(), headers));
  }
  return response;
}

// kindOf returns query, mutation or subscription, and undefined if the server has to say what is
// wrong.
export function kindOf({ query, operationName }) {
  try {
    return getOperationAST(parse(query), operationName)?.operation;
  } catch {
    return undefined;
  }
}

// answersTo returns the answers of a subscription, over a WebSocket of its own. After the
// connection was lost it goes on with the cursor of the last answer.
function answersTo(operation, headers) {
  const extensions = {};
  const { subscribe } = createClient({
    url: `${location.origin.replace('http', 'ws')}/graphql`,
    connectionParams: () => ({ authorization: typed(headers) ?? (accessToken() && `Bearer ${accessToken()}`) }),
    shouldRetry: ({ code }) => code !== 4403 || !typed(headers), // another token would have to be typed
    on: {
      message: ({ type, payload }) => {
        if (type === 'next') {
          extensions.after = payload.extensions?.cursor;
        }
      },
    },
  });
  return {
    subscribe: (sink) => {
      const error = (reason) => sink.error(reason.reason ? new Error(`The connection was closed: ${reason.code}, ${reason.reason}`) : reason);
      return { unsubscribe: subscribe({ ...operation, extensions }, { ...sink, error }) };
    },
  };
}

// typed returns the token that the reader typed among the headers, if there is one.
function typed(headers) {
  return Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
}

function withToken(token, headers) {
  return token ? { Authorization: `Bearer ${token}`, ...headers } : headers;
}

// For a moment after a change of tabs GraphiQL still gives the name of the operation in the tab before.
function definesOperation(query, name) {
  return new RegExp(`\\b(query|mutation|subscription)\\s+${name}\\b`).test(query);
}
