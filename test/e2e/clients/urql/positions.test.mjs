// urql where a server reads on a replica that is behind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gql } from 'urql';
import { noReplica, replicaEndpoint, unique } from '../forge.mjs';
import { positions } from '../positions.mjs';
import { newClient } from './client.mjs';

test('a client that keeps positions reads what it wrote, and another does not', { skip: noReplica }, async () => {
  const asked = { requestPolicy: 'network-only' };
  for (const [fetch, found] of [[positions(), true], [globalThis.fetch, false]]) {
    const { client } = newClient({ options: { url: replicaEndpoint, fetch } });
    const made = await client.mutation(gql`mutation($name: String!) { createTeam(input: { name: $name }) { team { id } } }`, { name: unique('Team') });
    assert.equal(made.error, undefined);
    const { data, error } = await client.query(gql`query($id: ID!) { team(id: $id) { id } }`, { id: made.data.createTeam.team.id }, asked);
    assert.equal(error, undefined);
    assert.equal(data.team !== null, found);
  }
});

test('a position stays until a request that was sent with it is answered', async () => {
  const sent = [];
  const answers = [];
  const ask = positions((_, { headers }) => {
    sent.push(headers.get('Forge-Read-After'));
    return new Promise((resolve) => answers.push(resolve));
  });
  const answer = (position) => answers.shift()(new Response('{}', { headers: position ? { 'Forge-Read-After': position } : {} }));
  const slow = ask('/graphql');
  const write = ask('/graphql');
  answers.reverse();
  answer('written');
  await write;
  answer('seen before');
  await slow;
  const failed = ask('/graphql');
  answer();
  await failed;
  const next = ask('/graphql');
  answer('seen after');
  await next;
  const refused = ask('/graphql');
  answers.shift()(new Response('{"errors":[{"extensions":{"field":"Forge-Read-After"}}]}', { status: 400 }));
  await refused;
  const last = ask('/graphql');
  answer();
  await last;
  const both = 'written,seen before';
  assert.deepEqual(sent, [null, null, both, both, 'seen after', null]);
});

test('no request has more than 100 positions', async () => {
  const sent = [];
  const answers = [];
  const ask = positions((_, { headers }) => {
    sent.push(headers.get('Forge-Read-After')?.split(',') ?? []);
    return new Promise((resolve, reject) => answers.push({ resolve, reject }));
  });
  const asked = Array.from({ length: 250 }, () => ask('/graphql'));
  assert.equal(sent.length, 100);
  answers[0].reject(new Error('the network is away'));
  await assert.rejects(asked[0]);
  for (let i = 1; i < 250; i++) {
    answers[i].resolve(new Response('{}', { headers: { 'Forge-Read-After': `${i}` } }));
    await asked[i];
  }
  const last = ask('/graphql');
  answers[250].resolve(new Response('{}'));
  await last;
  assert.equal(sent.length, 251);
  assert.ok(sent.every((positions) => positions.length <= 100));
});
