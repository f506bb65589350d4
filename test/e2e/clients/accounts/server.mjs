// What the server side of an application needs of Forge. The tokens are in the answers, because the
// application keeps them in a cookie of its own; see next.mjs and sveltekit.mjs.

// ask sends an operation for a browser. It passes the browser's address and User-Agent on, by which
// Forge tells clients apart: the address of this server has to be in TRUSTED_PROXIES.
export async function ask(url, browser, accessToken, query, variables) {
  const headers = {
    'Content-Type': 'application/json',
    'Forge-Session': 'token',
    'User-Agent': browser.agent,
    'X-Forwarded-For': browser.address,
  };
  if (accessToken) {
    headers.Authorization = `Bearer ${accessToken}`;
  }
  const body = JSON.stringify({ query, variables });
  return (await fetch(url, { method: 'POST', headers, body })).json();
}

const tokens = '{ accessToken expiresAt refreshToken }';

// signIn returns the tokens of a new session, as a text for a cookie.
export async function signIn(url, browser, login, password) {
  const query = `mutation($i: SignInInput!) { tokens: signIn(input: $i) ${tokens} }`;
  const { data, errors } = await ask(url, browser, null, query, { i: { login, password } });
  if (errors) {
    throw new Error(errors[0].message);
  }
  return JSON.stringify(data.tokens);
}

// signOut ends the session of a cookie.
export async function signOut(url, browser, cookie) {
  const { refreshToken } = JSON.parse(cookie);
  const query = 'mutation($t: String!) { signOut(input: { refreshToken: $t }) { ok } }';
  await ask(url, browser, null, query, { t: refreshToken });
}

// renewed returns the tokens of a cookie. If the access token expires within ten seconds, they are
// the next ones, and changed says so. They are null if the session has ended.
export async function renewed(url, browser, cookie) {
  const now = JSON.parse(cookie);
  if (new Date(now.expiresAt) - Date.now() > 10_000) {
    return { tokens: now, changed: false };
  }
  const field = `tokens: refreshSession(input: { refreshToken: $t }) ${tokens}`;
  const query = `mutation($t: String!) { ${field} }`;
  const { data, errors } = await ask(url, browser, null, query, { t: now.refreshToken });
  if (errors && errors[0].extensions?.code !== 'UNAUTHENTICATED') {
    throw new Error(errors[0].message); // Forge is away: the session may go on later
  }
  return { tokens: data?.tokens ?? null, changed: true };
}

// options are those of the application's cookie. A browser sends it to this application alone.
export const options = {
  httpOnly: true,
  secure: true,
  sameSite: 'lax',
  path: '/',
  maxAge: 30 * 24 * 3600,
};
