// What the tests of all clients share: the server's address, a fetch that keeps what went over the wire, and data to read.
import assert from 'node:assert/strict';

const { FORGE_URL, FORGE_TRUSTED_URL, FORGE_AUTH_URL, FORGE_REPLICA_URL } = process.env;
if (!FORGE_URL) {
  throw new Error('FORGE_URL is not set: start a server, then run `FORGE_URL=http://127.0.0.1:8080 npm run apollo`');
}
export const endpoint = new URL('/graphql', FORGE_URL).href;

// trustedEndpoint is where another Forge serves the same database, but only the operations of the client's manifest; undefined if there is none.
export const trustedEndpoint = FORGE_TRUSTED_URL && new URL('/graphql', FORGE_TRUSTED_URL).href;

// sessionEndpoint is where another Forge serves the demo data of a first start in development, with AUTH=on and ACCESS_TOKEN_TTL=2s; undefined if there is none.
export const sessionEndpoint = FORGE_AUTH_URL && new URL('/graphql', FORGE_AUTH_URL).href;

// replicaEndpoint is where another Forge reads on a replica that does not go on; undefined if there
// is none.
export const replicaEndpoint = FORGE_REPLICA_URL && new URL('/graphql', FORGE_REPLICA_URL).href;
export const noReplica = !replicaEndpoint && 'FORGE_REPLICA_URL is not set';

// wire returns a fetch for a client, and a list that fills with what the client sent and what came back.
export function wire() {
  const exchanges = [];
  async function recordingFetch(input, init = {}) {
    const response = await fetch(input, init);
    const url = new URL(input);
    exchanges.push({
      method: init.method ?? 'GET',
      authorization: new Headers(init.headers).get('Authorization'),
      sent: init.body ? JSON.parse(init.body) : fromSearch(url.searchParams),
      status: response.status,
      answer: await response.clone().json(),
    });
    return response;
  }
  return { fetch: recordingFetch, exchanges };
}

function fromSearch(search) {
  const sent = Object.fromEntries(search);
  for (const name of ['variables', 'extensions'].filter((name) => name in sent)) {
    sent[name] = JSON.parse(sent[name]);
  }
  return sent;
}

// ask sends an operation without any client, and returns its data.
export async function ask(query, variables) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

// results collects what a client shows of a query. It takes what subscribes to the query and returns what ends that, and returns next, which waits
// for the first result, among those not yet looked at, that is as wanted, and stop.
export function results(subscribe) {
  const waiting = [];
  let wake = () => {};
  const stop = subscribe((result) => {
    waiting.push(result);
    wake();
  });
  async function next(wanted) {
    for (;;) {
      while (waiting.length > 0) {
        const result = waiting.shift();
        if (wanted(result)) {
          return result;
        }
      }
      await new Promise((resolve) => (wake = resolve));
    }
  }
  return { next, stop };
}

let made = 0;

// unique returns a name that nothing else has: for what has to be so, and for documents that the server has not seen.
export function unique(prefix) {
  made += 1;
  return `${prefix}_${process.pid}_${Date.now()}_${made}`;
}

// makeTeam makes a team of so many heroes, some of them of one age and every fifth of none, and an owner for all of them.
export async function makeTeam(size) {
  const { createTeam, createUser } = await ask(
    `mutation MakeTeam($team: String!, $user: String!) {
      createTeam(input: { name: $team }) { team { id } }
      createUser(input: { username: $user }) { user { id } }
    }`,
    { team: unique('team'), user: unique('user') },
  );
  const teamId = createTeam.team.id;
  const ownerId = createUser.user.id;
  const input = Array.from({ length: size }, (_, i) => ({
    name: `Hero ${String(i).padStart(3, '0')}`,
    age: i % 5 === 0 ? null : 20 + (i % 7),
    teamId,
    ownerId,
  }));
  await ask('mutation MakeHeroes($input: [CreateHeroInput!]!) { createHeroes(input: $input) { heroes { id } } }', { input });
  return { teamId, ownerId };
}

// heroIds returns the IDs of a team's heroes as one page has them. The oldest come first; among those of an age the order is by ID.
export async function heroIds(teamId) {
  const data = await ask(
    `query HeroIds($teamId: ID!) {
      heroes(first: 100, where: { teamId: $teamId }, orderBy: [{ field: AGE, direction: DESC }]) { nodes { id } }
    }`,
    { teamId },
  );
  return data.heroes.nodes.map(({ id }) => id);
}
