// The recipes for Next.js and SvelteKit in applications of both, which were built for production
// and are served as in production. FORGE_URL is a Forge server whose access tokens expire after two
// seconds, and which trusts this machine as a proxy.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const password = 'correct horse';

// newUser signs a user up, and returns the name.
async function newUser() {
  const name = `user${Math.random().toString(36).slice(2)}`;
  const query = 'mutation($i: SignUpInput!) { signUp(input: $i) { accessToken } }';
  const body = JSON.stringify({ query, variables: { i: { username: name, password } } });
  const response = await fetch(process.env.FORGE_URL, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  assert.equal((await response.json()).errors, undefined);
  return name;
}

async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

// start runs an application until the test ends, and returns its address once it answers.
async function start(t, command, env) {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const args = command.map((word) => word.replace('PORT', port));
  const more = Object.fromEntries(Object.entries(env).map(([key, value]) => [key, value.replace('PORT', port)]));
  const child = spawn(process.execPath, args, { env: { ...process.env, ...more }, stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = new Promise((exit) => child.once('exit', exit));
  t.after(() => {
    child.kill();
    return ended;
  });
  for (;;) {
    try {
      await fetch(address, { headers: asBrowser });
      return address;
    } catch (error) {
      assert.equal(child.exitCode, null, `the application has ended: ${error}`);
      await sleep(100);
    }
  }
}

// asBrowser are the headers of a browser behind a proxy.
const asBrowser = { Accept: 'text/html', 'User-Agent': 'Browser/2', 'X-Forwarded-For': '192.0.2.7' };

const unescaped = (text) => text.replaceAll('&quot;', '"').replaceAll('&#x27;', "'").replaceAll('&amp;', '&');

// Browser is a browser without scripts: it keeps cookies, follows redirects and sends forms.
class Browser {
  jar = new Map();
  html = '';
  #address;

  constructor(address) {
    this.#address = address;
  }

  get cookie() {
    return [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  async visit(path, init = {}) {
    const cookie = this.jar.size > 0 ? { Cookie: this.cookie } : {};
    const headers = { ...asBrowser, ...cookie, ...init.headers };
    const response = await fetch(this.#address + path, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(/; ?/);
      const has = (name) => attributes.some((a) => a.toLowerCase() === name);
      assert.ok(has('httponly') && has('secure') && has('path=/') && has('samesite=lax') && pair.startsWith('__Host-'), line);
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      this.jar.set(name, value);
      if (attributes.some((a) => /^Max-Age=0$/i.test(a)) || value === '') {
        this.jar.delete(name);
      }
    }
    this.html = await response.text();
    if (response.status === 303) {
      const to = new URL(response.headers.get('Location'), this.#address);
      return this.visit(to.pathname + to.search);
    }
    return { status: response.status, viewer: this.viewer() };
  }

  // viewer returns whom the page shows.
  viewer() {
    const found = /<pre>(.*?)<\/pre>/s.exec(this.html);
    return found ? JSON.parse(unescaped(found[1].replace(/<!--.*?-->/gs, ''))).data.viewer : undefined;
  }

  // submit sends the form of the page whose button has a label, as a page of an origin.
  async submit(label, values = {}, origin = this.#address) {
    const form = [...this.html.matchAll(/<form(.*?)>(.*?)<\/form>/gs)].find(([, , inner]) => inner.includes(label));
    const body = new FormData();
    for (const [tag] of form[2].matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
      body.append(unescaped(/name="(.*?)"/.exec(tag)[1]), unescaped(/value="(.*?)"/.exec(tag)?.[1] ?? ''));
    }
    for (const [name, value] of Object.entries(values)) {
      body.append(name, value);
    }
    const action = unescaped(/action="(.*?)"/.exec(form[1])?.[1] ?? '');
    const path = action.startsWith('?') ? `/${action}` : '/';
    return this.visit(path, { method: 'POST', body, headers: { Origin: origin } });
  }
}

const applications = {
  'Next.js': [['node_modules/next/dist/bin/next', 'start', 'next', '-H', '127.0.0.1', '-p', 'PORT'], {}],
  SvelteKit: [['svelte/build/index.js'], { HOST: '127.0.0.1', PORT: 'PORT', ORIGIN: 'http://127.0.0.1:PORT', ADDRESS_HEADER: 'x-forwarded-for' }],
};

for (const [kind, [command, env]] of Object.entries(applications)) {
  test(`an application of ${kind}`, async (t) => {
    const address = await start(t, command, env);
    const name = await newUser();
    const browser = new Browser(address);
    assert.equal((await browser.visit('/')).viewer, null);

    const foreign = await browser.submit('Sign in', { login: name, password }, 'https://evil.example');
    assert.ok(foreign.status >= 400, `a form of another origin: ${foreign.status}`);
    assert.equal(browser.jar.size, 0);

    await browser.visit('/');
    await browser.submit('Sign in', { login: name, password: 'wrong wrong' });
    assert.match(browser.html, /the login or the password is wrong/);
    assert.equal(browser.jar.size, 0);

    await browser.visit('/');
    const page = await browser.submit('Sign in', { login: name, password });
    assert.equal(page.viewer?.username, name, browser.html);
    const current = page.viewer.sessions.nodes.find((node) => node.current);
    assert.deepEqual([current.client, current.address], ['Browser/2', '192.0.2.7']);
    assert.doesNotMatch(browser.html, /accessToken|refreshToken|eyJ/, 'a token is in the page');
    const before = browser.cookie;
    await browser.visit('/');
    assert.notEqual(browser.cookie, before, 'the tokens were renewed before they expired');

    for (let round = 0; round < 10; round += 1) {
      const tabs = await Promise.all([1, 2, 3, 4].map(() => browser.visit('/')));
      assert.ok(tabs.every((tab) => tab.viewer?.username === name), `round ${round}`);
    }
    await sleep(2500);
    assert.equal((await browser.visit('/')).viewer.username, name);

    const stolen = new Map(browser.jar);
    assert.equal((await browser.submit('Sign out')).viewer, null);
    assert.equal(browser.jar.size, 0);
    browser.jar = stolen;
    assert.equal((await browser.visit('/')).viewer, null);
    assert.equal(browser.jar.size, 0, 'a cookie of a session that has ended is removed');
  });
}
