// What goes wrong, as it reaches the code that uses Apollo Client.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gql } from '@apollo/client';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
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
  const error = await failure(client.mutate({ mutation: rename, variables: { id: teamId, name: ' ' } }));
  assert.deepEqual(error.path, ['updateTeam']);
  assert.deepEqual(error.extensions, { code: 'BAD_USER_INPUT', field: 'input.name' });
});

test('a conflict comes with the current version, which the next attempt goes by', async () => {
  const { teamId } = await makeTeam(0);
  const { client } = newClient();
  const variables = { id: teamId, name: unique('renamed'), version: 7 };
  const { extensions } = await failure(client.mutate({ mutation: rename, variables }));
  assert.deepEqual([extensions.code, extensions.currentVersion, Object.keys(extensions.current)], ['CONFLICT', 1, ['name']]);
  const { data } = await client.mutate({ mutation: rename, variables: { ...variables, version: extensions.currentVersion } });
  assert.equal(data.updateTeam.team.name, variables.name);
});

test('a document that does not fit the schema is an error of GraphQL, though its status is 400', async () => {
  const { client, exchanges } = newClient();
  const { extensions, locations } = await failure(client.query({ query: gql`query Wrong { heroes { nodes { secretName } } }` }));
  assert.equal(extensions.code, 'GRAPHQL_VALIDATION_FAILED');
  assert.equal(typeof locations[0].line, 'number');
  assert.equal(exchanges[0].status, 400);
});

test('with errorPolicy all, data that is there comes beside the errors', async () => {
  const { teamId, ownerId } = await makeTeam(1);
  const { client } = newClient();
  const { data, error } = await client.query({
    query: gql`
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
    variables: { team: teamId, owner: ownerId, first: 101 },
    errorPolicy: 'all',
  });
  assert.equal(data.team.heroes.nodes[0].name, 'Hero 000');
  assert.equal(data.user, null, 'the nearest parent that may be null');
  assert.ok(CombinedGraphQLErrors.is(error), String(error));
  assert.equal(error.errors.length, 1);
  assert.deepEqual(error.errors[0].path, ['user', 'heroes']);
  assert.deepEqual(error.errors[0].extensions, { code: 'BAD_USER_INPUT', field: 'first' });
});

// failure returns the one error that a promise is rejected with.
async function failure(promise) {
  const error = await promise.then(() => assert.fail('there is no error'), (reason) => reason);
  assert.ok(CombinedGraphQLErrors.is(error), error.stack);
  assert.equal(error.errors.length, 1);
  return error.errors[0];
}
