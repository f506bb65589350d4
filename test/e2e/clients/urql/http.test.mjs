// How urql's exchanges reach the server: queries by GET, and persisted queries.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { persistedExchange } from '@urql/exchange-persisted';
import { gql } from 'urql';
import { makeTeam, unique } from '../forge.mjs';
import { newClient } from './client.mjs';

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
const requests = (exchanges) => exchanges.map(({ method, status }) => `${method} ${status}`);

test('queries go by GET where that is preferred, mutations and long queries by POST', async () => {
  const { teamId } = await makeTeam(1);
  const { client, exchanges } = newClient({ options: { preferGetMethod: true } });
  const query = gql`
    query Team($id: ID!, $where: HeroWhereInput) {
      team(id: $id) {
        id
        heroes(where: $where) {
          totalCount
        }
      }
    }
  `;
  const where = { or: [{ nameHasPrefix: 'Hero & 100 % +ü' }, { name: 'Hero 000' }] };
  const { data, error } = await client.query(query, { id: teamId, where });
  assert.equal(error, undefined);
  assert.equal(data.team.heroes.totalCount, 1);
  await client.mutation(update, { id: teamId, to: 'Elsewhere' });
  const long = await client.query(query, { id: teamId, where: { nameIn: Array.from({ length: 200 }, (_, i) => `Name number ${i}`) } });
  assert.equal(long.data.team.heroes.totalCount, 0);
  assert.deepEqual(requests(exchanges), ['GET 200', 'POST 200', 'POST 200']);
});

for (const [method, preferGetForPersistedQueries] of [['GET', true], ['POST', false]]) {
  test(`a query's hash by ${method} is not known at first, and does later, for any client`, async () => {
    const query = gql`query ${unique('Persisted')}($first: Int) { heroes(first: $first) { nodes { id } } }`;
    const first = newClient({ before: [persistedExchange({ preferGetForPersistedQueries })] });
    const { data, error } = await first.client.query(query, { first: 2 });
    assert.equal(error, undefined);
    assert.equal(data.heroes.nodes.length, 2);
    assert.deepEqual(first.exchanges.map(said), [
      { method, hash: true, text: false, code: 'PERSISTED_QUERY_NOT_FOUND' },
      { method, hash: true, text: true, code: undefined },
    ]);

    const second = newClient({ before: [persistedExchange({ preferGetForPersistedQueries })] });
    const again = await second.client.query(query, { first: 3 });
    assert.equal(again.data.heroes.nodes.length, 3);
    assert.deepEqual(second.exchanges.map(said), [{ method, hash: true, text: false, code: undefined }]);
  });
}

test('a mutation can be sent by its hash, never by GET', async () => {
  const { teamId } = await makeTeam(0);
  const { client, exchanges } = newClient({ before: [persistedExchange({ enableForMutation: true, preferGetForPersistedQueries: true })] });
  for (let i = 0; i < 2; i++) {
    const { data, error } = await client.mutation(update, { id: teamId, to: 'Elsewhere' });
    assert.equal(error, undefined);
    assert.equal(data.updateTeam.team.headquarters, 'Elsewhere');
  }
  assert.ok(exchanges.every(({ method }) => method === 'POST'));
  assert.equal(said(exchanges.at(-1)).text, false, 'the second time the hash is enough');
});

// said sums up an exchange: how the query was named, and the code of what came back.
function said({ method, sent, answer }) {
  const { sha256Hash } = sent.extensions.persistedQuery;
  return { method, hash: /^[0-9a-f]{64}$/.test(sha256Hash), text: Boolean(sent.query), code: answer.errors?.[0].extensions?.code };
}
