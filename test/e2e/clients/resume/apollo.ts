import { ApolloLink } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import type { Client } from 'graphql-ws';
import { overWebSocket } from './graphql-ws.js';

// forgeLink sends subscriptions over a WebSocket, and all else by http. The cache needs
// typePolicies with { HeroChange: { keyFields: false } }, because several changes of one hero have
// the same ID.
export function forgeLink(
  url: string,
  token: () => Promise<string>,
  http: ApolloLink,
  webSocketImpl?: unknown,
) {
  const subscribe = overWebSocket(url.replace(/^http/, 'ws'), token, webSocketImpl);
  return ApolloLink.split(
    ({ operationType }) => operationType === 'subscription',
    new GraphQLWsLink({ subscribe } as unknown as Client),
    http,
  );
}
