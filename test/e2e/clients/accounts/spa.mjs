// The session of a single-page application. The access token is in memory. The refresh token is in
// a cookie of Forge (SESSION_COOKIE=on), which no script can read.
export class Session {
  #url;
  #accessToken = null;
  #renewing = null;

  constructor(url) {
    this.#url = url;
  }

  // resume goes on with the session of the cookie, as after a reload. It returns false if there is
  // none.
  async resume() {
    return this.#renew(null);
  }

  // begin runs a mutation that begins a session and has the name `tokens` in the document, such as
  // `tokens: signUp(input: $i) { accessToken }`. It returns the answer. There is no session yet if
  // a second factor is due: ask for `secondFactor` as well, and run completeSignIn then.
  async begin(query, variables) {
    const answer = await this.#send(query, variables);
    this.#accessToken = answer.data?.tokens.accessToken ?? this.#accessToken;
    return answer;
  }

  // signIn returns the second factor that is due, or null.
  async signIn(login, password) {
    const fields = '{ accessToken secondFactor { token kinds } }';
    const query = `mutation($i: SignInInput!) { tokens: signIn(input: $i) ${fields} }`;
    const { data, errors } = await this.begin(query, { i: { login, password } });
    if (!data) {
      throw new Error(errors[0].message);
    }
    return data.tokens.secondFactor;
  }

  async signOut() {
    this.#accessToken = null;
    await this.#send('mutation { signOut { ok } }');
  }

  // request runs an operation. If the access token has expired, nothing was done, and the operation
  // is sent once more with the next token. headers are sent as well. With the ID of a user, nothing
  // is sent as anybody else: another tab may have signed in as another user. Then request throws.
  async request(query, variables, { headers, user } = {}) {
    if (user && this.#accessToken === null) {
      await this.#renew(null);
    }
    const used = this.#accessToken;
    const answer = await this.#send(query, variables, used, headers, user);
    const refused = used !== null && answer.errors?.[0].extensions?.code === 'UNAUTHENTICATED';
    if (!refused || !(await this.#renew(used)) && !user) {
      return answer;
    }
    return this.#send(query, variables, this.#accessToken, headers, user);
  }

  // #renew gets the next access token, once for all requests that need it. It returns false if the
  // session has ended. It throws if there is no answer: then the session may go on later.
  async #renew(used) {
    if (used === this.#accessToken) {
      this.#renewing ??= this.#exchange().finally(() => (this.#renewing = null));
      await this.#renewing;
    }
    return this.#accessToken !== null;
  }

  async #exchange() {
    const { data, errors } = await this.#send('mutation { tokens: refreshSession { accessToken } }');
    if (errors && errors[0].extensions?.code !== 'UNAUTHENTICATED') {
      throw new Error(errors[0].message);
    }
    this.#accessToken = data?.tokens.accessToken ?? null;
  }

  async #send(query, variables, accessToken, more, user) {
    const headers = { 'Content-Type': 'application/json', ...more };
    if (user && userOf(accessToken) !== user) {
      throw Object.assign(new Error('nobody has signed in, or somebody else'), { name: 'SignedOut' });
    }
    if (accessToken) {
      headers.Authorization = `Bearer ${accessToken}`;
    }
    const body = JSON.stringify({ query, variables });
    const request = { method: 'POST', credentials: 'include', headers, body };
    return (await fetch(this.#url, request)).json();
  }
}

// userOf returns the ID of the user whose access token it is.
function userOf(token) {
  const claims = token?.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
  return claims && JSON.parse(atob(claims)).sub;
}
