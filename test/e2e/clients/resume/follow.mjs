// Follows the changes of heroes with every client, and prints a line of JSON for each: {client, kind,
// id, version}, and {client, ready: true} when a client has its first message. It ends with its
// standard input.
//
//   FORGE_URL   where Forge runs, with AUTH=on and demo data
//   PROXIES     the addresses by which the clients reach it: {"apollo": "http://127.0.0.1:1234", …}
import { createRequire } from 'node:module';
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client';
import runtime from 'relay-runtime';
import { Client, cacheExchange, fetchExchange } from 'urql';
import WebSocket from 'ws';
import { forgeLink } from '../generated/resume/apollo.js';
import { byEventSource } from '../generated/resume/eventsource.js';
import { overEvents } from '../generated/resume/graphql-sse.js';
import { overWebSocket } from '../generated/resume/graphql-ws.js';
import { keep } from '../generated/resume/keep.js';
import { forgeSubscribe, getDataID } from '../generated/resume/relay.js';
import { forgeExchange } from '../generated/resume/urql.js';

const { FORGE_URL, PROXIES } = process.env;
const url = Object.fromEntries(Object.entries(JSON.parse(PROXIES)).map(([name, proxy]) => [name, `${proxy}/graphql`]));

let signingIn = null;

// token returns an access token that has not expired yet. It may do so at any moment.
async function token() {
  const { accessToken, expiresAt } = (await signingIn?.catch(() => null)) ?? {};
  if (accessToken && Date.parse(expiresAt) > Date.now()) {
    return accessToken;
  }
  signingIn = signIn();
  return (await signingIn).accessToken;
}

async function signIn() {
  const input = { login: 'user', password: 'forge-demo-user' };
  const { signIn: tokens } = await ask('mutation($input: SignInInput!) { signIn(input: $input) { accessToken expiresAt } }', { input });
  return tokens;
}

async function ask(query, variables) {
  const response = await fetch(new URL('/graphql', FORGE_URL), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) {
    throw new Error(errors[0].message);
  }
  return data;
}

const text = (client) => `subscription HeroChanges_${client} { heroChanges { cursor changes { kind id hero { id version } } } }`;

// sink prints what a client gets.
function sink(client) {
  let ready = false;
  const print = (line) => console.log(JSON.stringify({ client, ...line }));
  const end = (reason) => print({ ended: String(reason?.message ?? JSON.stringify(reason)) });
  return {
    next({ data, errors, error }) {
      if (errors || error) {
        return end(errors ?? error);
      }
      if (!ready) {
        print({ ready: true });
        ready = true;
      }
      for (const { kind, id, hero } of data.heroChanges.changes) {
        print({ kind, id, version: hero?.version });
      }
    },
    error: end,
    complete: () => end('complete'),
  };
}

const { next: apply, error: failed } = sink('graphqlWs');
const subscribe = overWebSocket(url.graphqlWs.replace(/^http/, 'ws'), token, WebSocket);
const cursors = [];
keep({
  read: async () => {
    const { changeCursor } = await ask('{ changeCursor }');
    cursors.push(changeCursor);
    return changeCursor;
  },
  // The first cursor counts as lost, so that everything is read anew.
  subscribe: (request, sink) => {
    if (cursors.length > 1) {
      return subscribe(request, sink);
    }
    sink.next({ data: null, errors: [{ extensions: { code: 'CURSOR_LOST' } }] });
    return () => {};
  },
  request: (after) => ({
    query: `subscription HeroChanges_graphqlWs($after: ChangeCursor!) {
      heroChanges(after: $after) { cursor changes { kind id hero { id version } } }
    }`,
    variables: { after },
  }),
  apply: (data) => (apply({ data }), true),
  failed,
});
overEvents(url.graphqlSse, token)({ query: text('graphqlSse') }, sink('graphqlSse'));
byEventSource(url.eventSource, token, { query: text('eventSource') }, sink('eventSource'));

new ApolloClient({
  link: forgeLink(url.apollo, token, new HttpLink({ uri: url.apollo }), WebSocket),
  cache: new InMemoryCache({ typePolicies: { HeroChange: { keyFields: false } } }),
})
  .subscribe({ query: gql(text('apollo')) })
  .subscribe(sink('apollo'));

const { next } = sink('urql');
new Client({ url: url.urql, exchanges: [cacheExchange, forgeExchange(url.urql, token, WebSocket), fetchExchange], preferGetMethod: false })
  .subscription(text('urql'), {})
  .subscribe(next);

const { Environment, Network, RecordSource, Store, requestSubscription } = runtime;
const subscription = createRequire(import.meta.url)('../generated/relay/HeroChangesRelaySubscription.graphql.js');
const relay = sink('relay');
requestSubscription(
  new Environment({
    network: Network.create(() => Promise.reject(new Error('no queries')), forgeSubscribe(url.relay, token, WebSocket)),
    store: new Store(new RecordSource()),
    getDataID,
  }),
  { subscription, variables: {}, onNext: (data) => relay.next({ data }), onError: relay.error, onCompleted: relay.complete },
);

process.stdin.resume().on('end', () => process.exit());
