// Makes a passkey with a virtual authenticator, and signs in with it, on a page of a server on
// localhost with AUTH=on, PASSKEYS=on and the demo data of a first start in development.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { addAuthenticator, forge, open } from './browser.mjs';

let browser, page, foreign, complaints;

before(async () => {
  ({ browser, page, foreign, complaints } = await open());
  await addAuthenticator(page);
  await page.goto(forge.href);
});

after(() => browser?.close());

// ask sends a query from the page.
function ask(query, variables = {}, token = undefined) {
  return page.evaluate(
    async ([query, variables, token]) => {
      const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
      const { data, errors } = await (await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify({ query, variables }) })).json();
      if (errors) {
        throw new Error(JSON.stringify(errors));
      }
      return Object.values(data)[0];
    },
    [query, variables, token],
  );
}

test('a passkey is made, and signs its user in', async () => {
  const { accessToken } = await ask('mutation { signIn(input: {login: "user", password: "forge-demo-user"}) { accessToken } }');
  const { options } = await ask('mutation { beginPasskey { options } }', {}, accessToken);
  const made = await page.evaluate(async (options) => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return (await navigator.credentials.create({ publicKey })).toJSON();
  }, options);
  const finish = 'mutation($response: JSON!) { finishPasskey(response: $response, name: "this browser") { passkey { id name } } }';
  const { passkey } = await ask(finish, { response: made }, accessToken);
  assert.equal(passkey.name, 'this browser');

  for (let times = 0; times < 2; times++) {
    const begun = await ask('mutation { beginPasskeySignIn { options } }');
    const signed = await page.evaluate(async (options) => {
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
      return (await navigator.credentials.get({ publicKey })).toJSON();
    }, begun.options);
    const signIn = 'mutation($response: JSON!) { signInWithPasskey(response: $response) { accessToken user { username } secondFactor { token } } }';
    const session = await ask(signIn, { response: signed });
    assert.equal(session.user.username, 'user');
    assert.equal(session.secondFactor, null);
    assert.ok((await ask('{ viewer { passkeys { lastUsedAt } } }', {}, session.accessToken)).passkeys[0].lastUsedAt);
    await assert.rejects(ask(signIn, { response: signed }), /UNAUTHENTICATED/); // it is good once
  }
  assert.deepEqual({ foreign, complaints }, { foreign: [], complaints: [] });
});
