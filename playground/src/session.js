// Who is signed in. All of it is in this module's memory alone: not in localStorage or sessionStorage, not in a cookie, not in the address. A reload forgets it.
import { useSyncExternalStore } from 'react';
import { answerOf, send } from './wire.js';

let session = null; // { user, access, refresh }, or null for nobody
let timer; // refreshes the session before its access token expires
let refreshing = null; // the refresh that is under way: a refresh token is good once, so there is one at a time
let shown = { user: null, notice: '' }; // what listeners see, a new object when it changes
const listeners = new Set();

// useSession returns who is signed in ({ username, role }, or null), and why nobody is any more.
export function useSession() {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => shown,
  );
}

// accessToken returns what to send along, or null.
export function accessToken() {
  return session?.access ?? null;
}

// signIn begins a session, or throws an error with a sentence for the reader. If a second factor is due, the error has it as secondFactor.
export async function signIn(login, password) {
  await signInBy('signIn', { login, password }, null);
}

// signInBy begins a session by a mutation that answers as signIn does. Its arguments are those of types, or one input.
export async function signInBy(name, values, types) {
  const answer = await mutate(name, values, signInTokens, types);
  if (!answer.accessToken) {
    const error = new Error('This user has a second factor, which the playground does not ask for. Send signIn and completeSignIn as operations.');
    throw Object.assign(error, { secondFactor: answer.secondFactor });
  }
  begin(answer);
}

// completeSignIn begins the session of a user whose second factor was due.
export async function completeSignIn(token, code) {
  begin(await mutate('completeSignIn', { token, code }, tokens, { token: 'String!', code: 'String!' }));
}

// ask sends a mutation that needs no session, and returns its payload.
export const ask = (name, values, types, fields) => mutate(name, values, fields, types);

// resume goes on with the session of a cookie, as after a reload. It returns whether there is one.
export async function resume() {
  const answer = await mutate('refreshSession', {}, tokens, {}).catch(() => null);
  if (answer) {
    begin(answer);
  }
  return answer !== null;
}

// signOut has the server end the session, and forgets it. A session of a cookie is shown until the
// server has ended it, as a reload would go on with it; one of this module's memory is forgotten at
// once.
export async function signOut() {
  const old = session;
  if (!old) {
    return;
  }
  const ended = mutate('signOut', { refreshToken: old.refresh }, 'ok').then(() => '', ({ message, code }) => (code === 'UNAUTHENTICATED' ? '' : message));
  const why = old.refresh ? '' : await ended;
  end(why && `The server has not ended the session. ${why}`);
}

// refreshed goes on with the next tokens, unless others than this one are there already. It returns whether there are any.
export async function refreshed(stale) {
  if (session && session.access === stale) {
    refreshing ??= refresh(session).finally(() => (refreshing = null));
    await refreshing;
  }
  return session !== null && session.access !== stale;
}

async function refresh(old) {
  try {
    const tokens = await mutate('refreshSession', { refreshToken: old.refresh });
    if (session === old) {
      begin(tokens);
    } else {
      await mutate('signOut', { refreshToken: tokens.refreshToken }, 'ok'); // signed out meanwhile
    }
  } catch (error) {
    if (session === old && error.code === 'UNAUTHENTICATED') {
      end('The session has ended. Sign in again.');
    }
    // Whatever else went wrong may pass: the next operation tries again.
  }
}

function begin({ accessToken, refreshToken, life, user }) {
  session = { user, access: accessToken, refresh: refreshToken };
  clearTimeout(timer);
  timer = setTimeout(() => refreshed(accessToken), life - Math.min(30_000, life / 4));
  show(user, '');
}

function end(why) {
  session = null;
  clearTimeout(timer);
  show(null, why);
}

function show(user, why) {
  shown = { user, notice: why };
  listeners.forEach((listener) => listener());
}

const tokens = 'accessToken refreshToken expiresAt user { username role }';
const signInTokens = `${tokens} secondFactor { token }`;

// mutate sends one of the mutations of sessions, without a token, and returns its payload, with the milliseconds that the access token lives: by the server's
// clock, as this machine's may be wrong.
// Its arguments are those of types, or one input.
async function mutate(name, values, fields = tokens, types = null) {
  const all = Object.entries(types ?? { input: `${name[0].toUpperCase()}${name.slice(1)}Input!` });
  const list = (each) => (all.length > 0 ? `(${all.map(each).join(' ')})` : '');
  const query = `mutation Session${list(([arg, type]) => `$${arg}: ${type}`)} { ${name}${list(([arg]) => `${arg}: $${arg}`)} { ${fields} } }`;
  const options = { keepalive: true, signal: AbortSignal.timeout(30_000) }; // a page that is closed meanwhile does not stop it
  const response = await send({ query, variables: types ? values : { input: values } }, {}, options).catch(() => {
    throw new Error('The server cannot be reached.');
  });
  const { data, errors } = await answerOf(response);
  if (errors?.length > 0) {
    throw explained(errors[0], name, response);
  }
  const payload = data[name];
  const now = Date.parse(response.headers.get('Date')) || Date.now();
  return { ...payload, life: Math.max(1000, Date.parse(payload.expiresAt) - now) };
}

// explained returns an error in words for the reader, with the code.
function explained({ message, extensions }, name, response) {
  const code = extensions?.code;
  let text = `${message[0].toUpperCase()}${message.slice(1)}.`;
  if (code === 'UNAUTHENTICATED' && name === 'signIn') {
    text = 'That login and password do not go together, or the user may not sign in.';
  } else if (response.headers.has('Retry-After')) {
    const seconds = response.headers.get('Retry-After');
    const why = code === 'RATE_LIMITED' ? 'Too many failures in a row' : 'The server has too much to do';
    text = `${why}. Try again in ${seconds} ${seconds === '1' ? 'second' : 'seconds'}.`;
  }
  return Object.assign(new Error(text), { code });
}
