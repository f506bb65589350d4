// The session of a SvelteKit application: hooks.server.js renews the tokens, and gives load
// functions and actions event.locals.forge.
import { ask, options, renewed, signIn, signOut } from './server.mjs';

const url = process.env.FORGE_URL;
const name = '__Host-session';

const browserOf = (event) => ({
  agent: event.request.headers.get('user-agent') ?? '',
  address: event.getClientAddress(),
});

// handle is for hooks.server.js: export { handle } from '$lib/server/sveltekit.mjs'.
export async function handle({ event, resolve }) {
  const browser = browserOf(event);
  let accessToken = null;
  const cookie = event.cookies.get(name);
  if (cookie) {
    const { tokens, changed } = await renewed(url, browser, cookie);
    if (tokens === null) {
      event.cookies.delete(name, options);
    } else if (changed) {
      event.cookies.set(name, JSON.stringify(tokens), options);
    }
    accessToken = tokens?.accessToken;
  }
  event.locals.forge = (query, variables) => ask(url, browser, accessToken, query, variables);
  return resolve(event);
}

// begin and end are for actions.
export async function begin(event, login, password) {
  event.cookies.set(name, await signIn(url, browserOf(event), login, password), options);
}

export async function end(event) {
  const cookie = event.cookies.get(name);
  if (cookie) {
    await signOut(url, browserOf(event), cookie);
    event.cookies.delete(name, options);
  }
}
