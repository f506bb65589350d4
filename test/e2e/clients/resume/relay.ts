import { Observable, type GraphQLResponse, type SubscribeFunction } from 'relay-runtime';
import { overWebSocket } from './graphql-ws.js';

// forgeSubscribe returns the second argument of Network.create.
export function forgeSubscribe(
  url: string,
  token: () => Promise<string>,
  webSocketImpl?: unknown,
): SubscribeFunction {
  const subscribe = overWebSocket(url.replace(/^http/, 'ws'), token, webSocketImpl);
  return ({ text }, variables) =>
    Observable.create<GraphQLResponse>((sink) => subscribe({ query: text ?? '', variables }, sink));
}

// getDataID is an option of the Environment. A change has the ID of what has changed, and Relay
// would take both for one record.
export function getDataID(fields: { id?: unknown }, typename: string) {
  return typename.endsWith('Change') ? undefined : fields.id;
}
