// Ways to sign in without a password: by a passkey, by an account at a provider, or by a code in a
// mail.
import { ask, signInBy } from '../../playground/src/session.js';
import { api } from './api.js';

// byPasskey has the browser sign in with a passkey of the server.
export async function byPasskey() {
  const { options } = await ask('beginPasskeySignIn', {}, {}, 'options');
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const credential = await navigator.credentials.get({ publicKey }).catch(() => {
    throw new Error('No passkey was used. Try again, or sign in in another way.');
  });
  await signInBy('signInWithPasskey', { response: credential.toJSON() }, { response: 'JSON!' });
}

// sendCode has a code sent by mail to the user with a username or an email, if there is one.
export async function sendCode(login) {
  await ask('requestSignInCode', { login }, { login: 'String!' }, 'ok');
}

export async function byCode(login, code) {
  await signInBy('signInWithCode', { login, code }, { login: 'String!', code: 'String!' });
}

// providers returns the providers that people can sign in with: { name, startUrl }.
export async function providers() {
  return (await api('query ConsoleProviders { authProviders { name startUrl } }')).authProviders;
}

const kept = 'forge:console:sign-in'; // in sessionStorage, while the browser is at the provider

// toProvider sends the browser to a provider. It comes back to this page with a code, which is
// worth nothing without the verifier that stays here.
export async function toProvider(startUrl) {
  const verifier = encode(crypto.getRandomValues(new Uint8Array(32)));
  sessionStorage.setItem(kept, JSON.stringify({ verifier, at: location.hash }));
  const challenge = encode(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
  location.assign(`${startUrl}?${new URLSearchParams({ returnTo: `${location.origin}/console`, challenge })}`);
}

// fromProvider signs in if the browser comes back from a provider, and goes on where the person
// was. It returns false if it does not.
export async function fromProvider() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  if (!fragment.has('forgeCode') && !fragment.has('forgeError')) {
    return false;
  }
  const { verifier, at } = JSON.parse(sessionStorage.getItem(kept)) ?? {};
  sessionStorage.removeItem(kept);
  history.replaceState(null, '', location.pathname + (at ?? ''));
  dispatchEvent(new Event('hashchange'));
  if (fragment.has('forgeError')) {
    throw new Error(refusals[fragment.get('forgeError')] ?? 'The sign-in at the provider has failed. Try again.');
  }
  await signInBy('signInWithProvider', { code: fragment.get('forgeCode'), verifier: verifier ?? '' }, { code: 'String!', verifier: 'String!' });
  return true;
}

const refusals = {
  PROVIDER_DENIED: 'The provider says that you did not agree.',
  EMAIL_KNOWN: 'A user has this email, but has not linked the provider. Sign in in another way.',
  SIGN_UP_CLOSED: 'Nobody here has this account of the provider.',
  ACCOUNT_CLOSED: 'This user is not active any more.',
  TRY_AGAIN: 'That does not work at the moment. Try again later.',
};

function encode(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
