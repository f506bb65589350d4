// The normalized cache: an object is one entry, whatever query it came by, and what changes it is seen by every query.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gql } from '@apollo/client';
import { makeTeam } from '../forge.mjs';
import { newClient, watch } from './client.mjs';

const team = gql`
  query Team($id: ID!) {
    team(id: $id) {
      id
      name
      heroes(first: 5) {
        edges {
          node {
            id
            name
            version
          }
        }
        totalCount
      }
    }
  }
`;
const names = ({ data }) => data.team.heroes.edges.map(({ node }) => node.name);

test('objects of several queries are one entry, which any of them reads', async () => {
  const { teamId, ownerId } = await makeTeam(2);
  const { client, exchanges } = newClient();
  const { data } = await client.query({ query: team, variables: { id: teamId } });
  const { id } = data.team.heroes.edges[0].node;
  const query = gql`
    query AsNode($id: ID!) {
      node(id: $id) {
        id
        ... on Hero {
          age
          team {
            id
          }
          owner {
            id
            username
          }
        }
      }
    }
  `;
  await client.query({ query, variables: { id } });

  const entries = client.extract();
  const { name, version, age, owner } = entries[`Hero:${id}`];
  assert.deepEqual({ name, version, age, owner }, { name: 'Hero 000', version: 1, age: null, owner: { __ref: `User:${ownerId}` } });
  assert.equal(entries[`Hero:${id}`].team.__ref, `Team:${teamId}`);
  const again = await client.query({ query, variables: { id }, fetchPolicy: 'cache-only' });
  assert.equal(again.data.node.owner.id, ownerId);
  assert.equal(exchanges.length, 2);
});

test('a mutation changes what lists show', async () => {
  const { teamId } = await makeTeam(2);
  const { client, exchanges } = newClient();
  const shown = await watch(client, { query: team, variables: { id: teamId } });
  const { id } = shown.first.data.team.heroes.edges[1].node;
  await client.mutate({
    mutation: gql`
      mutation Rename($id: ID!, $name: String!, $version: Int) {
        updateHero(id: $id, expectedVersion: $version, input: { name: $name }) {
          hero {
            id
            name
            version
          }
        }
      }
    `,
    variables: { id, name: 'Renamed', version: 1 },
  });
  const after = await shown.next((result) => names(result).includes('Renamed'));
  assert.deepEqual(names(after), ['Hero 000', 'Renamed']);
  assert.equal(after.data.team.heroes.edges[1].node.version, 2);
  assert.equal(exchanges.length, 2, 'the list was not read again');
  shown.stop();
});

test('an optimistic answer shows at once, and the server\'s takes its place', async () => {
  const { teamId } = await makeTeam(1);
  const { client } = newClient();
  const shown = await watch(client, { query: team, variables: { id: teamId } });
  const done = create(client, teamId, { name: 'Newcomer' }, { __typename: 'Hero', id: 'optimistic', name: 'Newcomer (saving)', version: 0 });
  assert.deepEqual(names(await shown.next((result) => names(result).length === 2)), ['Hero 000', 'Newcomer (saving)']);
  const { data } = await done;
  const last = await shown.next((result) => names(result)[1] === 'Newcomer');
  assert.equal(last.data.team.heroes.edges[1].node.id, data.createHero.hero.id);
  assert.match(data.createHero.hero.id, /^hero_/);

  const { data: fresh } = await client.query({ query: team, variables: { id: teamId }, fetchPolicy: 'network-only' });
  assert.equal(fresh.team.heroes.totalCount, 2);
  assert.equal(fresh.team.heroes.edges[1].node.id, data.createHero.hero.id);
  shown.stop();
});

test('an optimistic answer goes away when the server refuses', async () => {
  const { teamId } = await makeTeam(1);
  const { client } = newClient();
  const shown = await watch(client, { query: team, variables: { id: teamId } });
  const done = create(client, teamId, { name: 'Too young', age: -1 }, { __typename: 'Hero', id: 'optimistic', name: 'Too young', version: 0 });
  const refused = assert.rejects(done, (error) => error.errors[0].extensions.code === 'BAD_USER_INPUT');
  await shown.next((result) => names(result).length === 2);
  await shown.next((result) => names(result).length === 1);
  await refused;
  shown.stop();
});

test('what is deleted goes from lists', async () => {
  const { teamId } = await makeTeam(2);
  const { client } = newClient();
  const shown = await watch(client, { query: team, variables: { id: teamId } });
  const { id } = shown.first.data.team.heroes.edges[0].node;
  await client.mutate({
    mutation: gql`
      mutation Delete($id: ID!) {
        deleteHero(id: $id) {
          deletedId
        }
      }
    `,
    variables: { id },
    update(cache, { data: { deleteHero } }) {
      cache.modify({
        id: cache.identify({ __typename: 'Team', id: teamId }),
        fields: {
          heroes: (connection, { readField }) => ({
            ...connection,
            edges: connection.edges.filter(({ node }) => readField('id', node) !== deleteHero.deletedId),
          }),
        },
      });
      cache.evict({ id: cache.identify({ __typename: 'Hero', id: deleteHero.deletedId }) });
    },
  });
  assert.deepEqual(names(await shown.next((result) => names(result).length === 1)), ['Hero 001']);
  assert.equal(client.extract()[`Hero:${id}`], undefined);
  shown.stop();
});

// create makes a hero of the team and appends it to the team's list.
function create(client, teamId, input, optimistic) {
  return client.mutate({
    mutation: gql`
      mutation Create($input: CreateHeroInput!) {
        createHero(input: $input) {
          hero {
            id
            name
            version
          }
        }
      }
    `,
    variables: { input: { ...input, teamId } },
    optimisticResponse: { createHero: { __typename: 'CreateHeroPayload', hero: optimistic } },
    update(cache, { data: { createHero } }) {
      cache.updateQuery({ query: team, variables: { id: teamId } }, (data) => {
        const { heroes } = data.team;
        const edges = [...heroes.edges, { __typename: 'HeroEdge', node: createHero.hero }];
        return { team: { ...data.team, heroes: { ...heroes, edges, totalCount: heroes.totalCount + 1 } } };
      });
    },
  });
}
