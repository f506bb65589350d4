// What is asked of a client whose access token expires while it works, whichever client it is.
import assert from 'node:assert/strict';
import { sessionEndpoint, unique } from './forge.mjs';
import { Session } from './session.mjs';

export const noServer = sessionEndpoint ? false : 'FORGE_AUTH_URL is not set';

// signedIn returns a session of the demo data's administrator, and what it knows about its refreshes.
export async function signedIn() {
  const refreshes = { done: 0, running: 0, most: 0 };
  const session = new Session(sessionEndpoint);
  await session.signIn('admin', 'forge-demo-admin');
  const { fetch } = globalThis;
  globalThis.fetch = async (url, init) => {
    if (!init?.body?.includes('refreshSession')) {
      return fetch(url, init);
    }
    refreshes.running += 1;
    refreshes.most = Math.max(refreshes.most, refreshes.running);
    const response = await fetch(url, init);
    refreshes.running -= 1;
    refreshes.done += 1;
    return response;
  };
  return { session, refreshes, restore: () => (globalThis.fetch = fetch) };
}

// survives has a client read and write before and just after each of three expiries, and checks that all was answered, that each mutation was done once, and that
// each token that was refused was replaced by one refresh. read returns the viewer's username, write(name) the name of a team that it made.
export async function survives({ session, refreshes, exchanges, read, write }) {
  const prefix = unique('session');
  const made = [];
  async function several() {
    const jobs = Array.from({ length: 4 }, () => {
      made.push(`${prefix} ${made.length}`);
      return [read(), write(made.at(-1))];
    });
    const answers = await Promise.all(jobs.flat());
    const asked = made.slice(-jobs.length).flatMap((name) => ['admin', name]);
    assert.deepEqual(answers, asked);
  }
  for (let expiry = 1; expiry <= 3; expiry += 1) {
    await several();
    const stale = session.accessToken;
    await expired(stale);
    await several();
    await session.renew(stale); // as a request does that is refused late
  }
  const refused = exchanges.filter(({ status }) => status === 401).map(({ authorization }) => authorization);
  assert.ok(refused.length >= 6, `${refused.length} requests met an expired token`);
  assert.equal(refreshes.done, new Set(refused).size, 'one refresh for each token that expired');
  assert.equal(refreshes.most, 1, 'one at a time');

  const query = 'query Made($prefix: String!) { teams(first: 100, where: { nameHasPrefix: $prefix }) { nodes { name } } }';
  const { data } = await ask(session.accessToken, query, { prefix });
  assert.deepEqual(data.teams.nodes.map(({ name }) => name).sort(), made.sort(), 'each mutation was done once');
}

// expired returns once the server refuses a token.
async function expired(token) {
  while ((await ask(token, '{ __typename }')).status !== 401) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function ask(token, query, variables) {
  const response = await fetch(sessionEndpoint, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  return { status: response.status, ...(await response.json()) };
}
