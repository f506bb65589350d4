import { subscriptionExchange } from 'urql';
import { overWebSocket } from './graphql-ws.js';

// forgeExchange sends subscriptions over a WebSocket. It stands before fetchExchange. A
// cacheExchange of graphcache needs keys with { HeroChanges: () => null, HeroChange: () => null },
// because several changes of one hero have the same ID.
export function forgeExchange(
  url: string,
  token: () => Promise<string>,
  webSocketImpl?: unknown,
) {
  const subscribe = overWebSocket(url.replace(/^http/, 'ws'), token, webSocketImpl);
  return subscriptionExchange({
    forwardSubscription: ({ query = '', variables, extensions }) => ({
      subscribe: (sink) => ({ unsubscribe: subscribe({ query, variables, extensions }, sink) }),
    }),
  });
}
