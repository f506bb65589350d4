// A server that trusts the manifest of Apollo's generate-persisted-query-manifest, and Apollo Client with that manifest.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import { generatePersistedQueryIdsFromManifest } from '@apollo/persisted-query-lists';
import { makeTeam, trustedEndpoint } from '../forge.mjs';
import { newClient } from './client.mjs';
import { heroes, rename } from './operations.mjs';

const options = { skip: !trustedEndpoint && 'FORGE_TRUSTED_URL is not set' };
const http = { uri: trustedEndpoint };

for (const useGETForHashedQueries of [false, true]) {
  test(`operations of the manifest run by their IDs, queries by ${useGETForHashedQueries ? 'GET' : 'POST'}`, options, async () => {
    const { teamId } = await makeTeam(5);
    const { client, exchanges } = newClient({ http, before: manifestLink(useGETForHashedQueries) });
    const { data } = await client.query({ query: heroes, variables: { teamId, first: 3 } });
    const variables = { teamId, first: 3, after: data.heroes.pageInfo.endCursor };
    const { data: both } = await client.query({ query: heroes, variables, fetchPolicy: 'network-only' });
    assert.equal(both.heroes.edges.length, 5, 'the cache makes one list of the pages');
    const { id } = data.heroes.edges[0].node;
    const { data: renamed } = await client.mutate({ mutation: rename, variables: { id, name: 'Renamed' } });
    assert.deepEqual(renamed.updateHero.hero, { __typename: 'Hero', id, name: 'Renamed', version: 2 });
    assert.ok(exchanges.every(({ sent }) => !('query' in sent)), 'no text was sent');
    const query = useGETForHashedQueries ? 'GET' : 'POST';
    assert.deepEqual(exchanges.map(({ method }) => method), [query, query, 'POST']);
  });
}

test('an operation that is not in the manifest is refused, by text and by hash', options, async () => {
  const query = gql`query Untrusted { viewer { id } }`;
  const unknown = new PersistedQueryLink({ generateHash: () => '0'.repeat(64) });
  for (const before of [undefined, unknown]) {
    const { client, exchanges } = newClient({ http, before });
    await assert.rejects(client.query({ query }), (error) => CombinedGraphQLErrors.is(error));
    assert.ok(exchanges.every(({ answer }) => !('data' in answer)));
  }
});

function manifestLink(useGETForHashedQueries) {
  const loadManifest = () => JSON.parse(readFileSync(new URL('../generated/apollo-manifest.json', import.meta.url)));
  return new PersistedQueryLink({ ...generatePersistedQueryIdsFromManifest({ loadManifest }), useGETForHashedQueries });
}
