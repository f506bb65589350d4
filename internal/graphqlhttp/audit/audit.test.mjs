// Runs the public GraphQL over HTTP audits against a running server, which must allow introspection: some audits ask for it.
//
//   FORGE_URL  where Forge runs, with or without /graphql (required)
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditServer } from 'graphql-http';

const { FORGE_URL } = process.env;
if (!FORGE_URL) {
  throw new Error('FORGE_URL is not set: start a server, then run `FORGE_URL=http://127.0.0.1:8080 npm test`');
}
const audits = 61;

test('every audit is ok', async (t) => {
  const results = await auditServer({ url: new URL('/graphql', FORGE_URL).href });
  const failed = results.filter(({ status }) => status !== 'ok');
  for (const { id, status, name, reason, response } of failed) {
    t.diagnostic(`${status} ${id} ${name}: ${reason} (it is ${response.status})`);
  }
  assert.equal(results.length, audits, 'the suite has another number of audits than it had');
  assert.equal(failed.length, 0, `only ${results.length - failed.length} of ${results.length} audits are ok`);
});
