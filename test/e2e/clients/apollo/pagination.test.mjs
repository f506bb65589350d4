// Lists that are read page by page and merged by Apollo Client's relayStylePagination.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gql } from '@apollo/client';
import { heroIds, makeTeam } from '../forge.mjs';
import { newClient, watch } from './client.mjs';

const teamHeroes = gql`
  query TeamHeroes($teamId: ID!, $first: Int, $after: Cursor, $last: Int, $before: Cursor) {
    heroes(
      first: $first
      after: $after
      last: $last
      before: $before
      where: { teamId: $teamId }
      orderBy: [{ field: AGE, direction: DESC }]
    ) {
      edges {
        cursor
        node {
          id
          name
          age
        }
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
      totalCount
    }
  }
`;
const ids = (connection) => connection.edges.map(({ node }) => node.id);

test('three pages forward are the list that one page is', async () => {
  const { teamId } = await makeTeam(25);
  const { client, exchanges } = newClient();
  const shown = await watch(client, { query: teamHeroes, variables: { teamId, first: 10 } });
  let { pageInfo } = shown.first.data.heroes;
  for (let page = 2; page <= 3; page++) {
    const { data } = await shown.query.fetchMore({ variables: { teamId, first: 10, after: pageInfo.endCursor } });
    ({ pageInfo } = data.heroes);
  }

  const { data } = await shown.next(({ data }) => data.heroes.edges.length === 25);
  assert.deepEqual(ids(data.heroes), await heroIds(teamId));
  assert.equal(data.heroes.totalCount, 25);
  assert.equal(data.heroes.pageInfo.hasNextPage, false);
  const pages = exchanges.map(({ answer }) => answer.data.heroes);
  assert.deepEqual(pages.map(({ edges, pageInfo }) => [edges.length, pageInfo.hasNextPage]), [[10, true], [10, true], [5, false]]);
  shown.stop();
});

test('pages backward are put in front', async () => {
  const { teamId } = await makeTeam(12);
  const { client, exchanges } = newClient();
  const shown = await watch(client, { query: teamHeroes, variables: { teamId, last: 5 } });
  let { pageInfo } = shown.first.data.heroes;
  for (let page = 2; page <= 3; page++) {
    const { data } = await shown.query.fetchMore({ variables: { teamId, last: 5, before: pageInfo.startCursor } });
    ({ pageInfo } = data.heroes);
  }

  const { data } = await shown.next(({ data }) => data.heroes.edges.length === 12);
  assert.deepEqual(ids(data.heroes), await heroIds(teamId));
  assert.equal(data.heroes.pageInfo.hasPreviousPage, false);
  const pages = exchanges.map(({ answer }) => answer.data.heroes);
  assert.deepEqual(pages.map(({ edges, pageInfo }) => [edges.length, pageInfo.hasPreviousPage]), [[5, true], [5, true], [2, false]]);
  shown.stop();
});

test('a list inside of an object grows where the object is, and other lists stay', async () => {
  const [mine, other] = [await makeTeam(7), await makeTeam(7)];
  const owners = [mine.ownerId, other.ownerId];
  const { client, exchanges } = newClient();
  const query = gql`
    query Owners($owners: [ID!]!) {
      users(where: { idIn: $owners }) {
        nodes {
          id
          username
          heroes(first: 3) {
            ...Page
          }
        }
      }
    }
    fragment Page on HeroConnection {
      edges {
        cursor
        node {
          id
          name
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  `;
  const more = gql`
    query MoreOfOwner($id: ID!, $after: Cursor) {
      node(id: $id) {
        id
        ... on User {
          heroes(first: 3, after: $after) {
            edges {
              cursor
              node {
                id
                name
              }
            }
            pageInfo {
              hasNextPage
              endCursor
            }
          }
        }
      }
    }
  `;
  const { data } = await client.query({ query, variables: { owners } });
  const start = data.users.nodes.find(({ id }) => id === mine.ownerId);
  let { pageInfo } = start.heroes;
  for (let page = 2; page <= 3; page++) {
    const { data } = await client.query({ query: more, variables: { id: mine.ownerId, after: pageInfo.endCursor }, fetchPolicy: 'network-only' });
    ({ pageInfo } = data.node.heroes);
  }
  assert.equal(pageInfo.hasNextPage, false);

  const merged = client.readQuery({ query, variables: { owners } });
  const names = Object.fromEntries(merged.users.nodes.map(({ id, heroes }) => [id, heroes.edges.map(({ node }) => node.name)]));
  const expected = Array.from({ length: 7 }, (_, i) => `Hero 00${i}`);
  assert.deepEqual(names, { [mine.ownerId]: expected, [other.ownerId]: expected.slice(0, 3) });
  assert.equal(exchanges.length, 3);
});
