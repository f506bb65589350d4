// Apollo Client with an access token that expires every few seconds, and goes on with the next one.
import { test } from 'node:test';
import { ApolloLink, gql, Observable } from '@apollo/client';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { sessionEndpoint } from '../forge.mjs';
import { noServer, signedIn, survives } from '../sessions.mjs';
import { newClient } from './client.mjs';

// withSession sends the session's token along. An operation whose token is refused has not begun: it is sent once more with the next.
function withSession(session) {
  const authorize = new SetContextLink(({ headers }) => ({
    accessToken: session.accessToken,
    headers: { ...headers, authorization: `Bearer ${session.accessToken}` },
  }));
  const retry = new ErrorLink(({ error, operation, forward }) => {
    const refused = CombinedGraphQLErrors.is(error) && error.errors[0].extensions?.code === 'UNAUTHENTICATED';
    if (refused) {
      return new Observable((observer) => {
        session.renew(operation.getContext().accessToken).then(
          () => forward(operation).subscribe(observer),
          (ended) => observer.error(ended),
        );
      });
    }
  });
  return ApolloLink.from([retry, authorize]);
}

test('no request is lost when tokens expire, and each is refreshed once', { skip: noServer }, async (t) => {
  const { restore, ...signed } = await signedIn();
  t.after(restore);
  const { client, exchanges } = newClient({ before: withSession(signed.session), http: { uri: sessionEndpoint } });
  await survives({
    ...signed,
    exchanges,
    async read() {
      const query = gql`query Viewer { viewer { id username } }`;
      const { data } = await client.query({ query, fetchPolicy: 'network-only', context: { queryDeduplication: false } });
      return data.viewer.username;
    },
    async write(name) {
      const mutation = gql`mutation Make($name: String!) { createTeam(input: { name: $name }) { team { id name } } }`;
      const { data } = await client.mutate({ mutation, variables: { name } });
      return data.createTeam.team.name;
    },
  });
});
