// What goes wrong, as it reaches the code that uses urql.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CombinedError, gql } from 'urql';
import { makeTeam, unique } from '../forge.mjs';
import { newClient } from './client.mjs';

const rename = gql`
  mutation Rename($id: ID!, $name: String!, $version: Int) {
    updateTeam(id: $id, expectedVersion: $version, input: { name: $name }) {
      team {
        id
        name
      }
    }
  }
`;

test('a refused value comes with its code and the argument at fault', async () => {
  const { teamId } = await makeTeam(0);
  const { client } = newClient();
  const { path, extensions } = failure(await client.mutation(rename, { id: teamId, name: ' ' }));
  assert.deepEqual(path, ['updateTeam']);
  assert.deepEqual(extensions, { code: 'BAD_USER_INPUT', field: 'input.name' });
});

test('a conflict comes with the current version, which the next attempt goes by', async () => {
  const { teamId } = await makeTeam(0);
  const { client } = newClient();
  const variables = { id: teamId, name: unique('renamed'), version: 7 };
  const { extensions } = failure(await client.mutation(rename, variables));
  assert.deepEqual([extensions.code, extensions.currentVersion, Object.keys(extensions.current)], ['CONFLICT', 1, ['name']]);
  const { data, error } = await client.mutation(rename, { ...variables, version: extensions.currentVersion });
  assert.equal(error, undefined);
  assert.equal(data.updateTeam.team.name, variables.name);
});

test('a value that does not fit its type is an error of GraphQL, though its status is 400', async () => {
  const { client, exchanges } = newClient();
  const query = gql`query Page($first: Int) { heroes(first: $first) { nodes { id } } }`;
  const { extensions } = failure(await client.query(query, { first: 'ten' }));
  assert.match(extensions.code, /^(BAD_USER_INPUT|GRAPHQL_VALIDATION_FAILED)$/);
  assert.equal(exchanges[0].status, 400);
});

test('data that is there comes beside the errors', async () => {
  const { teamId, ownerId } = await makeTeam(1);
  const { client } = newClient();
  const result = await client.query(
    gql`
      query Partial($team: ID!, $owner: ID!, $first: Int) {
        team(id: $team) {
          id
          heroes(first: 1) {
            nodes {
              id
              name
            }
          }
        }
        user(id: $owner) {
          id
          heroes(first: $first) {
            nodes {
              id
            }
          }
        }
      }
    `,
    { team: teamId, owner: ownerId, first: 101 },
  );
  const { path, extensions } = failure(result);
  assert.deepEqual(path, ['user', 'heroes']);
  assert.deepEqual(extensions, { code: 'BAD_USER_INPUT', field: 'first' });
  assert.equal(result.data.team.heroes.nodes[0].name, 'Hero 000');
  assert.equal(result.data.user, null, 'the nearest parent that may be null');
});

// failure returns the one error of a result.
function failure({ error }) {
  assert.ok(error instanceof CombinedError, String(error));
  assert.equal(error.networkError, undefined);
  assert.equal(error.graphQLErrors.length, 1);
  return error.graphQLErrors[0];
}
