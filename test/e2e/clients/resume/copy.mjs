// An application that keeps a copy of all heroes, as docs/subscriptions.md says. For each line on
// its standard input, it prints the copy as JSON: the names of the heroes, by their IDs. It ends
// with its standard input.
//
//   FORGE_URL   the address by which it reaches Forge, with AUTH=on and demo data
import { createInterface } from 'node:readline';
import WebSocket from 'ws';
import { overWebSocket } from '../generated/resume/graphql-ws.js';
import { keep } from '../generated/resume/keep.js';

const url = `${process.env.FORGE_URL}/graphql`;
let heroes = new Map();
let session = null;

async function ask(query, variables, authorization) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(authorization && { authorization }) },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(5_000),
  });
  const { data, errors } = await response.json();
  if (errors) {
    throw new Error(errors[0].message);
  }
  return data;
}

// token returns an access token that has not expired yet.
async function token() {
  if (!session || Date.parse(session.expiresAt) < Date.now() + 500) {
    const input = { login: 'user', password: 'forge-demo-user' };
    const { signIn } = await ask('mutation($input: SignInInput!) { signIn(input: $input) { accessToken expiresAt } }', { input });
    session = signIn;
  }
  return session.accessToken;
}

// read reads all heroes. The cursor is that of the first page: changes while the others are read
// come once more.
async function read() {
  const all = new Map();
  const query = 'query($after: Cursor) { changeCursor heroes(first: 100, after: $after) { nodes { id name } pageInfo { hasNextPage endCursor } } }';
  let cursor, page;
  do {
    const { changeCursor, heroes } = await ask(query, { after: page?.endCursor }, `Bearer ${await token()}`);
    cursor ??= changeCursor;
    page = heroes.pageInfo;
    heroes.nodes.forEach(({ id, name }) => all.set(id, name));
  } while (page.hasNextPage);
  heroes = all;
  return cursor;
}

keep({
  read,
  subscribe: overWebSocket(url.replace(/^http/, 'ws'), token, WebSocket),
  request: (after) => ({
    query: `subscription Copy($after: ChangeCursor!) {
      heroChanges(after: $after) { cursor changes { kind id hero { name } } }
    }`,
    variables: { after },
  }),
  apply({ heroChanges: { changes } }) {
    for (const { id, hero } of changes) {
      hero ? heroes.set(id, hero.name) : heroes.delete(id);
    }
    return changes.every(({ kind }) => kind !== 'MANY');
  },
  failed: (reason) => console.error(String(reason?.message ?? JSON.stringify(reason))),
});

createInterface({ input: process.stdin })
  .on('line', () => console.log(JSON.stringify(Object.fromEntries(heroes))))
  .on('close', () => process.exit());
