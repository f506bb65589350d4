// The session of an app made with Expo. The access token is in memory, and the refresh token in the
// secure store of the phone: new Session(url, SecureStore), after
// import * as SecureStore from 'expo-secure-store'.
const key = 'forge-refresh';

export class Session {
  #url;
  #store;
  #accessToken = null;
  #renewing = null;

  constructor(url, store) {
    this.#url = url;
    this.#store = store;
  }

  // resume goes on with the session that is stored, as after a start. It returns whether there is
  // one.
  async resume() {
    const refreshToken = await this.#store.getItemAsync(key);
    return refreshToken !== null && (await this.#renew(null));
  }

  async signIn(login, password) {
    const { data, errors } = await this.#begin('signIn', 'SignInInput!', { login, password });
    if (!data) {
      throw new Error(errors[0].message);
    }
  }

  async signOut() {
    const refreshToken = await this.#store.getItemAsync(key);
    await this.#store.deleteItemAsync(key);
    this.#accessToken = null;
    const query = 'mutation($t: String!) { signOut(input: { refreshToken: $t }) { ok } }';
    await this.#send(query, { t: refreshToken });
  }

  async request(query, variables) {
    const used = this.#accessToken;
    const answer = await this.#send(query, variables, used);
    const refused = used !== null && answer.errors?.[0].extensions?.code === 'UNAUTHENTICATED';
    if (!refused || !(await this.#renew(used))) {
      return answer;
    }
    return this.#send(query, variables, this.#accessToken);
  }

  // #renew gets the next tokens, once for all requests that need them. It returns false if the
  // session has ended. It throws if there is no answer: the phone may be in a tunnel, and the token
  // is sent again later.
  async #renew(used) {
    if (used === this.#accessToken) {
      this.#renewing ??= this.#exchange().finally(() => (this.#renewing = null));
      await this.#renewing;
    }
    return this.#accessToken !== null;
  }

  async #exchange() {
    const refreshToken = await this.#store.getItemAsync(key);
    const { errors } = await this.#begin('refreshSession', 'RefreshSessionInput!', { refreshToken });
    if (errors?.[0].extensions?.code === 'UNAUTHENTICATED') {
      this.#accessToken = null;
      await this.#store.deleteItemAsync(key);
    } else if (errors) {
      throw new Error(errors[0].message);
    }
  }

  async #begin(name, type, input) {
    const field = `tokens: ${name}(input: $i) { accessToken refreshToken }`;
    const query = `mutation($i: ${type}) { ${field} }`;
    const answer = await this.#send(query, { i: input });
    if (answer.data) {
      await this.#store.setItemAsync(key, answer.data.tokens.refreshToken);
      this.#accessToken = answer.data.tokens.accessToken;
    }
    return answer;
  }

  async #send(query, variables, accessToken) {
    const headers = { 'Content-Type': 'application/json', 'Forge-Session': 'token' };
    if (accessToken) {
      headers.Authorization = `Bearer ${accessToken}`;
    }
    const body = JSON.stringify({ query, variables });
    const request = { method: 'POST', credentials: 'omit', headers, body };
    return (await fetch(this.#url, request)).json();
  }
}
