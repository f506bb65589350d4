// Apollo Client where a server reads on a replica that is behind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gql } from '@apollo/client';
import { noReplica, replicaEndpoint, unique } from '../forge.mjs';
import { positions } from '../positions.mjs';
import { newClient } from './client.mjs';

test('a client that keeps positions reads what it wrote, and another does not', { skip: noReplica }, async () => {
  for (const [fetch, found] of [[positions(), true], [globalThis.fetch, false]]) {
    const { client } = newClient({ http: { uri: replicaEndpoint, fetch } });
    const create = gql`mutation($name: String!) { createTeam(input: { name: $name }) { team { id } } }`;
    const made = await client.mutate({ mutation: create, variables: { name: unique('Team') } });
    const query = gql`query($id: ID!) { team(id: $id) { id } }`;
    const { data } = await client.query({ query, variables: { id: made.data.createTeam.team.id }, fetchPolicy: 'network-only' });
    assert.equal(data.team !== null, found);
  }
});
