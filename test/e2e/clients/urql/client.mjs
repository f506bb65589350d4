// urql as an application sets it up for Forge, with its normalized cache.
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { getIntrospectionQuery } from 'graphql';
import { Client, fetchExchange } from 'urql';
import { ask, endpoint, results, wire } from '../forge.mjs';

const resolvers = { Query: { heroes: relayPagination() }, User: { heroes: relayPagination() } };
const schema = await ask(getIntrospectionQuery());

// newClient returns a client with an empty cache that knows the schema, and the list of what it exchanges with the server.
export function newClient({ cache = {}, before = [], options } = {}) {
  const { fetch, exchanges } = wire();
  const client = new Client({
    url: endpoint,
    fetch,
    exchanges: [cacheExchange({ schema, resolvers, ...cache }), ...before, fetchExchange],
    preferGetMethod: false,
    ...options,
  });
  return { client, exchanges };
}

// watch runs a query and goes on watching what the client shows of it.
export function watch(client, query, variables) {
  return results((show) => client.query(query, variables).subscribe(show).unsubscribe);
}
