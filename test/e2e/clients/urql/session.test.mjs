// urql with an access token that expires every few seconds, and goes on with the next one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authExchange } from '@urql/exchange-auth';
import { gql } from 'urql';
import { sessionEndpoint } from '../forge.mjs';
import { noServer, signedIn, survives } from '../sessions.mjs';
import { newClient } from './client.mjs';

// withSession sends the session's token along. An operation whose token is refused has not begun: it is sent once more with the next.
function withSession(session) {
  let refused;
  return authExchange(async ({ appendHeaders }) => ({
    addAuthToOperation: (operation) => appendHeaders(operation, { Authorization: `Bearer ${session.accessToken}` }),
    didAuthError(error, operation) {
      if (error.graphQLErrors[0]?.extensions.code !== 'UNAUTHENTICATED') {
        return false;
      }
      refused = operation.context.fetchOptions.headers.Authorization.slice('Bearer '.length);
      return true;
    },
    refreshAuth: () => session.renew(refused),
  }));
}

test('no request is lost when tokens expire, and each is refreshed once', { skip: noServer }, async (t) => {
  const { restore, ...signed } = await signedIn();
  t.after(restore);
  const { client, exchanges } = newClient({ before: [withSession(signed.session)], options: { url: sessionEndpoint } });
  await survives({
    ...signed,
    exchanges,
    async read() {
      const query = gql`query Viewer { viewer { id username } }`;
      const { data, error } = await client.query(query, {}, { requestPolicy: 'network-only' });
      assert.ifError(error);
      return data.viewer.username;
    },
    async write(name) {
      const mutation = gql`mutation Make($name: String!) { createTeam(input: { name: $name }) { team { id name } } }`;
      const { data, error } = await client.mutation(mutation, { name });
      assert.ifError(error);
      return data.createTeam.team.name;
    },
  });
});
