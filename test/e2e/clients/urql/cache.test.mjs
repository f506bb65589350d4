// graphcache: an object is one entry, whatever query it came by, and what changes it is seen by every query.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cacheExchange, fetchExchange, gql } from 'urql';
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
      }
    }
  }
`;
const create = gql`
  mutation Create($input: CreateHeroInput!) {
    createHero(input: $input) {
      hero {
        id
        name
        version
      }
    }
  }
`;
const names = ({ data }) => data.team.heroes.edges.map(({ node }) => node.name);

// appending makes createHero append to its team's list: at once, and again when the server has answered.
const appending = {
  optimistic: {
    createHero: ({ input }) => ({
      __typename: 'CreateHeroPayload',
      hero: { __typename: 'Hero', id: 'optimistic', name: `${input.name} (saving)`, version: 0 },
    }),
  },
  updates: {
    Mutation: {
      createHero({ createHero }, { input }, cache) {
        cache.updateQuery({ query: team, variables: { id: input.teamId } }, (data) => {
          data.team.heroes.edges.push({ __typename: 'HeroEdge', node: createHero.hero });
          return data;
        });
      },
    },
  },
};

test('an object that came by one query answers another', async () => {
  const { teamId } = await makeTeam(1);
  const { client, exchanges } = newClient({
    cache: { resolvers: { Query: { node: (_, { id }) => ({ __typename: 'Hero', id }) } } },
  });
  const { data } = await client.query(team, { id: teamId });
  const { id } = data.team.heroes.edges[0].node;
  const again = await client.query(
    gql`
      query AsNode($id: ID!) {
        node(id: $id) {
          id
          ... on Hero {
            name
          }
        }
      }
    `,
    { id },
  );
  assert.equal(again.data.node.name, 'Hero 000');
  assert.equal(exchanges.length, 1);
});

test('a mutation changes what lists show', async () => {
  const { teamId } = await makeTeam(2);
  const { client, exchanges } = newClient();
  const shown = watch(client, team, { id: teamId });
  const { data } = await shown.next(({ data }) => data);
  const { id } = data.team.heroes.edges[1].node;
  await client.mutation(
    gql`
      mutation Rename($id: ID!, $name: String!) {
        updateHero(id: $id, expectedVersion: 1, input: { name: $name }) {
          hero {
            id
            name
            version
          }
        }
      }
    `,
    { id, name: 'Renamed' },
  );
  const after = await shown.next((result) => names(result).includes('Renamed'));
  assert.deepEqual(names(after), ['Hero 000', 'Renamed']);
  assert.equal(after.data.team.heroes.edges[1].node.version, 2);
  assert.equal(exchanges.length, 2, 'the list was not read again');
  shown.stop();
});

test('an optimistic answer shows at once, and the server\'s takes its place', async () => {
  const { teamId } = await makeTeam(1);
  const { client } = newClient({ cache: appending });
  const shown = watch(client, team, { id: teamId });
  await shown.next(({ data }) => data);
  const done = client.mutation(create, { input: { name: 'Newcomer', teamId } }).toPromise();
  assert.deepEqual(names(await shown.next((result) => names(result).length === 2)), ['Hero 000', 'Newcomer (saving)']);
  const { data } = await done;
  const last = await shown.next((result) => names(result)[1] === 'Newcomer');
  assert.equal(last.data.team.heroes.edges[1].node.id, data.createHero.hero.id);
  shown.stop();
});

test('an optimistic answer goes away when the server refuses', async () => {
  const { teamId } = await makeTeam(1);
  const { client } = newClient({ cache: appending });
  const shown = watch(client, team, { id: teamId });
  await shown.next(({ data }) => data);
  const done = client.mutation(create, { input: { name: 'Too young', age: -1, teamId } }).toPromise();
  await shown.next((result) => names(result).length === 2);
  const { error } = await done;
  assert.equal(error.graphQLErrors[0].extensions.code, 'BAD_USER_INPUT');
  await shown.next((result) => names(result).length === 1);
  shown.stop();
});

test('what is deleted goes from lists', async () => {
  const { teamId } = await makeTeam(2);
  const updates = {
    Mutation: {
      deleteHero: ({ deleteHero }, _, cache) => cache.invalidate({ __typename: 'Hero', id: deleteHero.deletedId }),
    },
  };
  const { client } = newClient({ cache: { updates } });
  const shown = watch(client, team, { id: teamId });
  const { data } = await shown.next(({ data }) => data);
  const { id } = data.team.heroes.edges[0].node;
  await client.mutation(gql`mutation Delete($id: ID!) { deleteHero(id: $id) { deletedId } }`, { id });
  assert.deepEqual(names(await shown.next((result) => names(result).length === 1)), ['Hero 001']);
  shown.stop();
});

test('the document cache reads a list again once a mutation has answered with one of its types', async () => {
  const { teamId } = await makeTeam(1);
  const { client, exchanges } = newClient({ options: { exchanges: [cacheExchange, fetchExchange] } });
  const shown = watch(client, team, { id: teamId });
  await shown.next(({ data }) => data);
  await client.mutation(create, { input: { name: 'Newcomer', teamId } });
  assert.deepEqual(names(await shown.next((result) => names(result).length === 2)), ['Hero 000', 'Newcomer']);
  assert.equal(exchanges.length, 3);
  shown.stop();
});
