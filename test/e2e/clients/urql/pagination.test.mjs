// Lists that are read page by page and merged by graphcache's relayPagination.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gql } from 'urql';
import { heroIds, makeTeam } from '../forge.mjs';
import { newClient } from './client.mjs';

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
    }
  }
`;
const ids = (connection) => connection.edges.map(({ node }) => node.id);

test('three pages forward are the list that one page is', async () => {
  const { teamId } = await makeTeam(25);
  const { client, exchanges } = newClient();
  let heroes = await read(client, { teamId, first: 10 });
  for (let page = 2; page <= 3; page++) {
    heroes = await read(client, { teamId, first: 10, after: heroes.pageInfo.endCursor });
  }
  assert.deepEqual(ids(heroes), await heroIds(teamId));
  assert.equal(heroes.pageInfo.hasNextPage, false);
  const pages = exchanges.map(({ answer }) => answer.data.heroes);
  assert.deepEqual(pages.map(({ edges, pageInfo }) => [edges.length, pageInfo.hasNextPage]), [[10, true], [10, true], [5, false]]);
});

test('pages backward are put in front', async () => {
  const { teamId } = await makeTeam(12);
  const { client, exchanges } = newClient();
  let heroes = await read(client, { teamId, last: 5 });
  for (let page = 2; page <= 3; page++) {
    heroes = await read(client, { teamId, last: 5, before: heroes.pageInfo.startCursor });
  }
  assert.deepEqual(ids(heroes), await heroIds(teamId));
  assert.equal(heroes.pageInfo.hasPreviousPage, false);
  const pages = exchanges.map(({ answer }) => answer.data.heroes);
  assert.deepEqual(pages.map(({ edges, pageInfo }) => [edges.length, pageInfo.hasPreviousPage]), [[5, true], [5, true], [2, false]]);
});

test('a list inside of an object grows where the object is', async () => {
  const { ownerId } = await makeTeam(7);
  const { client, exchanges } = newClient();
  const query = gql`
    query Owner($id: ID!, $after: Cursor) {
      user(id: $id) {
        id
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
  `;
  let user;
  for (let page = 1; page <= 3; page++) {
    const { data, error } = await client.query(query, { id: ownerId, after: user?.heroes.pageInfo.endCursor });
    assert.equal(error, undefined);
    ({ user } = data);
  }
  assert.equal(user.heroes.pageInfo.hasNextPage, false);
  assert.deepEqual(user.heroes.edges.map(({ node }) => node.name), Array.from({ length: 7 }, (_, i) => `Hero 00${i}`));
  assert.equal(exchanges.length, 3);
});

// read asks for a page, and returns what the cache makes of all pages so far.
async function read(client, variables) {
  const { data, error } = await client.query(teamHeroes, variables);
  assert.equal(error, undefined);
  return data.heroes;
}
