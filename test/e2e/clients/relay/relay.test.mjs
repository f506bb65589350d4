// Relay's store over a running server: pages, refetches and mutations, by what relay-compiler wrote.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { heroIds, makeTeam, trustedEndpoint } from '../forge.mjs';
import { load, loadMore, mutate, newEnvironment, read, refetch, watch } from './client.mjs';

const require = createRequire(import.meta.url);
const artifact = (name) => require(`../generated/relay/${name}.graphql.js`);
const ids = (connection) => connection.edges.map(({ node }) => node.id);

const ways = [{ name: 'by their texts' }, { name: 'by their IDs, trusted', url: trustedEndpoint, byID: true, skip: !trustedEndpoint }];

for (const { name, skip, ...way } of ways) {
  test(`operations ${name}`, { skip: skip && 'FORGE_TRUSTED_URL is not set' }, async (t) => {
    await t.test('a fragment\'s connection grows page by page, through node(id:)', async () => {
      const { teamId } = await makeTeam(25);
      const { environment, exchanges } = newEnvironment(way);
      const page = await load(environment, artifact('TeamPageQuery'), { id: teamId, count: 10 });
      const fragment = artifact('TeamPage_team');
      const team = () => read(environment, fragment, page().team);
      assert.equal(ids(team().heroes).length, 10);
      await loadMore(environment, fragment, page().team, 'forward', 10);
      await loadMore(environment, fragment, page().team, 'forward', 10);
      assert.deepEqual(ids(team().heroes), await heroIds(teamId));
      assert.equal(team().heroes.pageInfo.hasNextPage, false);
      assert.deepEqual(exchanges.map(({ answer: { data } }) => (data.team ?? data.node).heroes.edges.length), [10, 10, 5]);
      for (const { node } of team().heroes.edges) {
        assert.match(read(environment, artifact('HeroCard_hero'), node).name, /^Hero \d{3}$/);
      }
    });

    await t.test('a connection of Query grows in both directions', async () => {
      const { teamId } = await makeTeam(12);
      const all = await heroIds(teamId);
      const fragment = artifact('HeroList_query');
      for (const direction of ['forward', 'backward']) {
        const { environment, exchanges } = newEnvironment(way);
        const size = direction === 'forward' ? { first: 5 } : { last: 5 };
        const query = await load(environment, artifact('HeroListQuery'), { teamId, ...size });
        const heroes = () => read(environment, fragment, query()).heroes;
        assert.deepEqual(ids(heroes()), direction === 'forward' ? all.slice(0, 5) : all.slice(-5));
        await loadMore(environment, fragment, query(), direction, 5);
        await loadMore(environment, fragment, query(), direction, 5);
        assert.deepEqual(ids(heroes()), all);
        assert.equal(heroes().totalCount, 12);
        assert.equal(direction === 'forward' ? heroes().pageInfo.hasNextPage : heroes().pageInfo.hasPreviousPage, false);
        assert.equal(exchanges.length, 3);
      }
    });

    await t.test('a refetch through node(id:) brings what has changed meanwhile', async () => {
      const { teamId } = await makeTeam(1);
      const { environment } = newEnvironment(way);
      const other = newEnvironment(way).environment;
      const page = await load(environment, artifact('TeamPageQuery'), { id: teamId, count: 1 });
      const [{ node }] = read(environment, artifact('TeamPage_team'), page().team).heroes.edges;
      const card = artifact('HeroCard_hero');
      const seen = [];
      const stop = watch(environment, card, node, ({ name, version }) => seen.push({ name, version }));
      await mutate(other, artifact('HeroCardRenameMutation'), { id: node.id, name: 'Renamed', version: 1 });
      assert.equal(read(environment, card, node).name, 'Hero 000');
      await refetch(environment, card, node);
      assert.equal(read(environment, card, node).name, 'Renamed');
      assert.deepEqual(seen, [{ name: 'Renamed', version: 2 }]);
      stop();
    });

    await t.test('mutations change records and edges', async () => {
      const { teamId } = await makeTeam(1);
      const { environment, exchanges } = newEnvironment(way);
      const page = await load(environment, artifact('TeamPageQuery'), { id: teamId, count: 5 });
      const heroes = () => read(environment, artifact('TeamPage_team'), page().team).heroes;
      const card = (edge) => read(environment, artifact('HeroCard_hero'), edge.node);
      const connections = [heroes().__id];

      await mutate(environment, artifact('HeroCardCreateMutation'), { input: { name: 'Newcomer', teamId }, connections });
      assert.deepEqual(heroes().edges.map((edge) => card(edge).name), ['Hero 000', 'Newcomer']);

      const { id } = heroes().edges[1].node;
      const shown = [];
      const stop = watch(environment, artifact('HeroCard_hero'), heroes().edges[1].node, ({ name }) => shown.push(name));
      const optimisticResponse = { updateHero: { hero: { id, name: 'Veteran (saving)', version: 1 } } };
      await mutate(environment, artifact('HeroCardRenameMutation'), { id, name: 'Veteran', version: 1 }, { optimisticResponse });
      assert.deepEqual(shown, ['Veteran (saving)', 'Veteran']);
      stop();

      await mutate(environment, artifact('HeroCardDeleteMutation'), { id: heroes().edges[0].node.id, connections });
      assert.deepEqual(heroes().edges.map((edge) => card(edge).name), ['Veteran']);
      assert.equal(exchanges.length, 4, 'nothing was read again');
    });

    await t.test('a refused mutation leaves the store as it was, and says why', async () => {
      const { teamId } = await makeTeam(1);
      const { environment, exchanges } = newEnvironment(way);
      const page = await load(environment, artifact('TeamPageQuery'), { id: teamId, count: 1 });
      const [{ node }] = read(environment, artifact('TeamPage_team'), page().team).heroes.edges;
      const optimisticResponse = { updateHero: { hero: { id: node.id, name: ' ', version: 1 } } };
      const done = mutate(environment, artifact('HeroCardRenameMutation'), { id: node.id, name: ' ', version: 1 }, { optimisticResponse });
      assert.equal(read(environment, artifact('HeroCard_hero'), node).name, ' ');
      await assert.rejects(done, /name must not be blank/);
      assert.equal(read(environment, artifact('HeroCard_hero'), node).name, 'Hero 000');
      assert.deepEqual(exchanges.at(-1).answer.errors[0].extensions, { code: 'BAD_USER_INPUT', field: 'input.name' });
    });

    await t.test('@catch gets the error of its field, other fields their data', async () => {
      const { teamId, ownerId } = await makeTeam(1);
      const { environment } = newEnvironment(way);
      const query = await load(environment, artifact('HeroListPartialQuery'), { team: teamId, owner: ownerId, first: 101 });
      const { team, user } = query();
      assert.match(team.name, /^team_/);
      assert.equal(user.ok, false);
      assert.deepEqual(user.errors[0].path, ['heroes'], 'from the caught field on');
    });
  });
}

test('a trusting server refuses what is not in the manifest', { skip: !trustedEndpoint && 'FORGE_TRUSTED_URL is not set' }, async () => {
  const { id, text } = artifact('TeamPageQuery').params;
  const { teamId } = await makeTeam(1);
  const variables = { id: teamId, count: 1 };
  const known = await post({ documentId: id, variables });
  assert.equal(known.answer.data.team.id, teamId);
  for (const body of [
    { query: '{ viewer { id } }' },
    { documentId: id.replace(/^./, (c) => (c === '0' ? '1' : '0')), variables },
    { query: text.replace('name', 'headquarters'), variables },
    { query: text.replace('name', 'headquarters'), documentId: id, variables },
  ]) {
    const { status, answer } = await post(body);
    assert.equal(answer.data, undefined, JSON.stringify(answer));
    assert.equal(typeof answer.errors[0].extensions.code, 'string');
    assert.ok(status >= 400 && status < 500, `status ${status}`);
  }
});

async function post(body) {
  const response = await fetch(trustedEndpoint, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, answer: await response.json() };
}
