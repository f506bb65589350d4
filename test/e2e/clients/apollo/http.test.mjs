// How Apollo Client's links reach the server: queries by GET, and persisted queries.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { makeTeam, unique } from '../forge.mjs';
import { newClient } from './client.mjs';

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const update = gql`
  mutation Move($id: ID!, $to: String!) {
    updateTeam(id: $id, input: { headquarters: $to }) {
      team {
        id
        headquarters
      }
    }
  }
`;

test('queries go by GET where that is asked for, mutations by POST', async () => {
  const { teamId } = await makeTeam(1);
  const { client, exchanges } = newClient({ http: { useGETForQueries: true } });
  const query = gql`
    query Team($id: ID!, $where: HeroWhereInput) {
      team(id: $id) {
        id
        headquarters
        heroes(where: $where) {
          totalCount
        }
      }
    }
  `;
  const variables = { id: teamId, where: { or: [{ nameHasPrefix: 'Hero & 100 % +ü' }, { name: 'Hero 000' }] } };
  const { data } = await client.query({ query, variables });
  assert.equal(data.team.heroes.totalCount, 1);
  await client.mutate({ mutation: update, variables: { id: teamId, to: 'Elsewhere' } });
  const after = await client.query({ query, variables, fetchPolicy: 'network-only' });
  assert.equal(after.data.team.headquarters, 'Elsewhere');
  assert.deepEqual(exchanges.map(({ method, status }) => `${method} ${status}`), ['GET 200', 'POST 200', 'GET 200']);
});

for (const useGETForHashedQueries of [false, true]) {
  const method = useGETForHashedQueries ? 'GET' : 'POST';

  test(`a query's hash by ${method} is not known at first, and does later, for any client`, async () => {
    const name = unique('Persisted');
    const query = gql`
      query ${name}($first: Int) {
        heroes(first: $first) {
          nodes {
            id
          }
        }
      }
    `;
    const first = persistedClient(useGETForHashedQueries);
    const { data } = await first.client.query({ query, variables: { first: 2 } });
    assert.equal(data.heroes.nodes.length, 2);
    assert.deepEqual(first.exchanges.map(said), [
      { method, hash: true, text: false, code: 'PERSISTED_QUERY_NOT_FOUND' },
      { method: 'POST', hash: true, text: true, code: undefined },
    ]);

    const second = persistedClient(useGETForHashedQueries);
    const again = await second.client.query({ query, variables: { first: 3 } });
    assert.equal(again.data.heroes.nodes.length, 3);
    assert.deepEqual(second.exchanges.map(said), [{ method, hash: true, text: false, code: undefined }]);
  });
}

test('a mutation can be sent by its hash, never by GET', async () => {
  const { teamId } = await makeTeam(0);
  const { client, exchanges } = persistedClient(true);
  for (let i = 0; i < 2; i++) {
    const { data } = await client.mutate({ mutation: update, variables: { id: teamId, to: 'Elsewhere' } });
    assert.equal(data.updateTeam.team.headquarters, 'Elsewhere');
  }
  assert.ok(exchanges.every(({ method }) => method === 'POST'));
  assert.equal(said(exchanges.at(-1)).text, false, 'the second time the hash is enough');
});

test('a hash that is not its query\'s is refused', async () => {
  const before = new PersistedQueryLink({ sha256: (text) => sha256(`${text} `), disable: () => false });
  const { client, exchanges } = newClient({ before });
  await assert.rejects(client.query({ query: gql`query ${unique('Forged')} { viewer { id } }` }));
  assert.equal(exchanges.at(-1).answer.data, undefined);
  assert.match(exchanges.at(-1).answer.errors[0].message, /hash/i);
});

function persistedClient(useGETForHashedQueries) {
  const before = new PersistedQueryLink({ sha256, useGETForHashedQueries });
  return newClient({ before });
}

// said sums up an exchange: how the query was named, and the code of what came back.
function said({ method, sent, answer }) {
  const { sha256Hash } = sent.extensions.persistedQuery;
  return { method, hash: /^[0-9a-f]{64}$/.test(sha256Hash), text: 'query' in sent, code: answer.errors?.[0].extensions?.code };
}
