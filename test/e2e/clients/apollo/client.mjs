// Apollo Client as an application sets it up for Forge.
import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client';
import { relayStylePagination } from '@apollo/client/utilities';
import { endpoint, results, wire } from '../forge.mjs';

// newClient returns a client with an empty cache, and the list of what it exchanges with the server.
export function newClient({ http = {}, before, options } = {}) {
  const { fetch, exchanges } = wire();
  const link = new HttpLink({ uri: endpoint, fetch, ...http });
  const client = new ApolloClient({ link: before ? before.concat(link) : link, cache: newCache(), ...options });
  return { client, exchanges };
}

// newCache returns a cache that makes one list of a connection's pages, and knows that everything with an ID is a Node.
export function newCache() {
  const connection = relayStylePagination(['where', 'orderBy']);
  return new InMemoryCache({
    possibleTypes: { Node: ['User', 'Team', 'Hero', 'Product', 'Order', 'OrderItem'] },
    typePolicies: {
      Query: { fields: { heroes: connection } },
      User: { fields: { heroes: connection } },
    },
  });
}

// watch reads a query and goes on watching it. It returns the first whole result, and what results returns for the later ones.
export async function watch(client, options) {
  const query = client.watchQuery(options);
  const shown = results((show) => {
    const subscription = query.subscribe(show);
    return () => subscription.unsubscribe();
  });
  const first = await shown.next(({ dataState }) => dataState === 'complete');
  await new Promise(setImmediate); // what changes the cache while Apollo Client still delivers a result is not shown by itself
  return { query, first, ...shown };
}
