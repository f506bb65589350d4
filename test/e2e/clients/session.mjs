// A session as an application keeps it: both tokens in memory, and one refresh at a time.
//
// A refresh token is good once. Of two requests that find the access token expired, one may refresh; the other waits for it. One that finds it expired and
// comes when the refresh is over goes on with what there is by then.
export class Session {
  #url;
  #refreshToken;
  #refreshing = null;
  accessToken;

  constructor(url) {
    this.#url = url;
  }

  async signIn(login, password) {
    await this.#begin('signIn', { login, password });
  }

  // renew replaces an access token that was refused. It throws when the session has ended: then somebody has to sign in again.
  async renew(refused) {
    if (refused === this.accessToken) {
      this.#refreshing ??= this.#begin('refreshSession', { refreshToken: this.#refreshToken }).finally(() => (this.#refreshing = null));
      await this.#refreshing;
    }
  }

  async #begin(name, input) {
    const type = `${name[0].toUpperCase()}${name.slice(1)}Input`;
    const query = `mutation Session($input: ${type}!) { ${name}(input: $input) { accessToken refreshToken } }`;
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ query, variables: { input } }),
    });
    const { data, errors } = await response.json();
    if (errors) {
      throw new Error(errors[0].message);
    }
    this.accessToken = data[name].accessToken;
    this.#refreshToken = data[name].refreshToken;
  }
}
