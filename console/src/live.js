// Rows that change elsewhere change here: the console subscribes to the changes of what it shows.
import { createClient } from 'graphql-ws';
import { useEffect, useRef } from 'react';
import { accessToken } from '../../playground/src/session.js';

let client;

function shared() {
  client ??= createClient({
    url: `${location.origin.replace('http', 'ws')}/graphql`,
    connectionParams: () => (accessToken() ? { authorization: `Bearer ${accessToken()}` } : {}),
    retryAttempts: Infinity,
    shouldRetry: () => true,
  });
  return client;
}

// disconnect ends all subscriptions, as when somebody signs out.
export function disconnect() {
  client?.dispose();
  client = undefined;
}

// useLive calls changed with the IDs of rows of an entity that have changed elsewhere, or with null
// if too many have. With ids, only these rows count. It does nothing if the entity is not followed.
export function useLive(entity, ids, changed) {
  const latest = useRef(changed);
  latest.current = changed;
  const key = ids?.join(' ');
  const field = entity?.changes;
  useEffect(() => {
    if (!field) {
      return undefined;
    }
    const variables = ids ? { ids } : {};
    const query = `subscription Console${ids ? '($ids: [ID!])' : ''} { changed: ${field.name}${ids ? '(ids: $ids)' : ''} { changes { kind id } } }`;
    return shared().subscribe({ query, variables }, {
      next: ({ data }) => {
        const changes = data?.changed?.changes ?? [];
        if (changes.length > 0) {
          latest.current(changes.some(({ id }) => !id) ? null : changes.map(({ id }) => id));
        }
      },
      error: () => {}, // the page goes on without: it reads anew when it is looked at again
      complete: () => {},
    });
    // eslint-disable-next-line
  }, [field?.name, key]);
}
