// What GraphQL Code Generator wrote, checked by tsc and run against the server: by text, and by hash where the server trusts persisted-documents.json.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FragmentType, unmask } from '../generated/codegen/index.js';
import { type HeroRowFragment, HeroOrderField, OnError, OrderDirection, Role } from '../generated/codegen/graphql.js';
import { execute, executeByID } from './execute.js';
import { Anything, HeroRow, MakeHeroes, TeamHeroes } from './heroes.js';

const endpoint = new URL('/graphql', process.env.FORGE_URL).href;
const trusted = process.env.FORGE_TRUSTED_URL && new URL('/graphql', process.env.FORGE_TRUSTED_URL).href;

const ways: { name: string; send: typeof execute; url?: string }[] = [
  { name: 'by their texts', send: execute, url: endpoint },
  { name: 'by their hashes, trusted', send: executeByID, url: trusted },
];

for (const { name, send, url = '' } of ways) {
  test(`operations ${name}`, { skip: url === '' && 'FORGE_TRUSTED_URL is not set' }, async () => {
    const prefix = `Typed ${name} ${Date.now()}`;
    const names = ['a', 'b', 'c'].map((suffix) => `${prefix} ${suffix}`);
    const input = names.map((name, age) => ({ name, age }));
    const made = await send(url, MakeHeroes, { input: [...input, { name: '' }], onError: OnError.Skip });
    assert.equal(made.errors, undefined);
    assert.deepEqual(made.data?.createHeroes.errors, [{ index: 3, code: 'BAD_USER_INPUT', field: 'input.3.name' }]);

    const variables = {
      where: { nameHasPrefix: prefix, ageGTE: 0 },
      orderBy: [{ field: HeroOrderField.Age, direction: OrderDirection.Desc }],
      first: 2,
    };
    const first = await send(url, TeamHeroes, variables);
    assert.ok(first.data, JSON.stringify(first.errors));
    const rest = await send(url, TeamHeroes, { ...variables, after: first.data.heroes.pageInfo.endCursor });
    assert.ok(rest.data, JSON.stringify(rest.errors));
    const edges = [...first.data.heroes.edges, ...rest.data.heroes.edges];
    assert.deepEqual(edges.map(({ node }) => title(node)), [`${names[2]} (2)`, `${names[1]} (1)`, `${names[0]} (0)`]);

    const refused = await send(url, TeamHeroes, { ...variables, first: 101 });
    assert.equal(refused.errors?.[0]?.extensions.code, 'BAD_USER_INPUT');
  });
}

test('what an interface turns out to be is told by __typename', async () => {
  const users = await fetch(`${endpoint}?query={users(first:1){nodes{id}}}`, { headers: { Accept: 'application/json' } });
  const { data: found } = (await users.json()) as { data: { users: { nodes: [{ id: string }] } } };
  const { data } = await execute(endpoint, Anything, { id: found.users.nodes[0].id });
  const node = data?.node;
  assert.equal(node?.__typename, 'User');
  const role: Role | null | undefined = node.role;
  assert.ok(role && Object.values(Role).includes(role), `role ${role}`);
});

// title is what a component does with the fragment it is given.
function title(row: FragmentType<typeof HeroRow>): string {
  const { name, age, createdAt }: HeroRowFragment = unmask(HeroRow, row);
  assert.ok(!Number.isNaN(Date.parse(createdAt)), createdAt);
  return `${name} (${age ?? 'ageless'})`;
}
