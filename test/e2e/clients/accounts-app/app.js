// A single-page application with accounts, written from docs/accounts.md and docs/errors.md. It has
// another origin than Forge, and no framework. /config.js says where Forge is.
import { formErrors } from 'forge-errors';
import { api } from '/config.js';
import { Session } from '/spa.mjs';

const session = new Session(api);

// The tabs of a browser share a session, so they tell each other when it has begun or ended.
const tabs = new BroadcastChannel('session');
tabs.onmessage = ({ data }) => (data === 'begun' || account) && location.reload();

const element = (id) => document.getElementById(id);
const show = (id, shown) => (element(id).hidden = !shown);
const say = (text) => (document.querySelector('[role=status]').textContent = text);

// link is what the link of a mail brought: verify, or reset, with its token. It does not stay in
// the address.
const link = new URLSearchParams(location.hash.slice(1));
history.replaceState(null, '', location.pathname);
addEventListener('hashchange', () => location.reload());

let account = null; // who is signed in
let secondFactor = null; // the token of a sign-in that needs a code

// Forms

// onSubmit has a form run an operation, and shows its faults at their fields, all at once. argument
// is the one that the form fills, or '' if each field is an argument.
function onSubmit(id, argument, run, done) {
  element(id).addEventListener('submit', async (event) => {
    event.preventDefault();
    const form = event.target;
    const values = Object.fromEntries(new FormData(form));
    await busy(form.querySelector('button'), async () => {
      const answer = await run(argument ? { [argument]: values } : values);
      showErrors(form, answer.errors ? formErrors(answer, { argument }) : { fields: {}, form: [] });
      if (answer.errors) {
        return refused(answer);
      }
      form.reset();
      return done(answer.data);
    });
  });
}

// onClick has a button run an operation. What went wrong is said at the top.
function onClick(id, run) {
  element(id).addEventListener('click', (event) => busy(event.target, run));
}

// busy runs a function while its button cannot be used.
async function busy(button, run) {
  button.disabled = true;
  say('');
  try {
    await run();
  } catch (error) {
    say(error.message);
  } finally {
    button.disabled = false;
  }
}

function showErrors(form, { fields, form: whole, retryAfter }) {
  form.querySelectorAll('[role=alert]').forEach((old) => old.remove());
  const rest = retryAfter ? [...whole, `Try again in ${retryAfter} s.`] : [...whole];
  form.querySelectorAll('input').forEach((input) => input.removeAttribute('aria-invalid'));
  for (const [name, messages] of Object.entries(fields)) {
    const input = form.elements.namedItem(name);
    if (!input) {
      rest.push(...messages);
      continue;
    }
    input.setAttribute('aria-invalid', 'true');
    input.parentElement.append(alertOf(messages.join(' ')));
  }
  if (rest.length > 0) {
    form.append(alertOf(rest.join(' ')));
  }
}

function alertOf(text) {
  const alert = document.createElement('strong');
  alert.setAttribute('role', 'alert');
  alert.textContent = text;
  return alert;
}

// must returns the data of an answer, or throws its message.
function must(answer) {
  if (answer.errors) {
    refused(answer);
    throw new Error(answer.errors[0].message);
  }
  return answer.data;
}

// refused shows the forms to sign in if the session, or the second factor's token, has ended.
function refused({ errors }) {
  if (errors[0].extensions?.code === 'UNAUTHENTICATED' && (account || secondFactor)) {
    signedOut();
  }
}

// Who is signed in

const accountQuery = `{
  viewer {
    id username email emailVerifiedAt eraseAt hasTotp
    passkeys { id name }
    sessions { nodes { id method client current } }
  }
}`;

let begun = 0; // counts sessions, so that a late answer of an old one shows nothing

// load shows the account, or the forms to sign in.
async function load() {
  const mine = begun;
  const answer = await session.request(accountQuery);
  if (mine !== begun) {
    return;
  }
  if (answer.data?.viewer) {
    signedIn(answer.data.viewer);
  } else if (!answer.errors || answer.errors[0].extensions?.code === 'UNAUTHENTICATED') {
    signedOut();
  } else {
    throw new Error(answer.errors[0].message);
  }
}

function signedOut() {
  account = null;
  secondFactor = null;
  begun += 1;
  for (const list of ['sessions', 'passkeys', 'recovery-codes']) {
    element(list).replaceChildren();
  }
  element('secret').textContent = '';
  show('confirm-totp', false);
  show('second-factor', false);
  show('signed-in', false);
  show('signed-out', true);
}

function signedIn(viewer) {
  account = viewer;
  element('username').textContent = viewer.username;
  element('email').textContent = !viewer.email ? 'no email' : `${viewer.email}, ${viewer.emailVerifiedAt ? '' : 'not '}confirmed`;
  element('totp').textContent = viewer.hasTotp ? 'Codes are due when you sign in.' : 'None.';
  show('begin-totp', !viewer.hasTotp);
  show('disable-totp', viewer.hasTotp);
  element('erased').textContent = viewer.eraseAt ? `Your account will be erased on ${new Date(viewer.eraseAt).toLocaleDateString()}.` : '';
  show('delete-account', !viewer.eraseAt);
  show('keep-account', viewer.eraseAt);
  list('passkeys', viewer.passkeys, (passkey) => [passkey.name]);
  list('sessions', viewer.sessions.nodes, (other) => [
    `${other.method}, ${other.client ?? 'unknown'}${other.current ? ' (this one)' : ''}`,
    other.current ? '' : endButton(other.id),
  ]);
  show('signed-out', false);
  show('signed-in', true);
}

// list shows items, and leaves what is there alone if it is the same.
function list(id, items, partsOf) {
  const shown = JSON.stringify(items);
  if (element(id).dataset.shown === shown && element(id).children.length === items.length) {
    return;
  }
  element(id).dataset.shown = shown;
  element(id).replaceChildren(
    ...items.map((item) => {
      const entry = document.createElement('li');
      entry.append(...partsOf(item));
      return entry;
    }),
  );
}

function endButton(id) {
  const button = document.createElement('button');
  button.textContent = 'End';
  button.addEventListener('click', () =>
    busy(button, async () => {
      must(await session.request('mutation ($id: ID!) { endSession(id: $id) { deletedId } }', { id }));
      await load();
    }),
  );
  return button;
}

// Sign-in. Each operation calls its field `tokens`.

const tokens = '{ accessToken user { id } secondFactor { token kinds } }';

async function began({ tokens: { secondFactor: due } }) {
  secondFactor = due?.token ?? null;
  show('second-factor', due);
  if (due) {
    return;
  }
  begun += 1;
  tabs.postMessage('begun');
  await load();
  await followLink();
}

onSubmit('sign-in', 'input', (v) => session.begin(`mutation ($input: SignInInput!) { tokens: signIn(input: $input) ${tokens} }`, v), began);

onSubmit(
  'second-factor',
  '',
  (v) =>
    session.begin(`mutation ($token: String!, $code: String!) { tokens: completeSignIn(token: $token, code: $code) ${tokens} }`, {
      token: secondFactor,
      ...v,
    }),
  began,
);

onSubmit(
  'sign-up',
  'input',
  (v) => session.begin('mutation ($input: SignUpInput!) { tokens: signUp(input: $input) { accessToken user { id } } }', v),
  async (data) => {
    await began(data);
    must(await session.request('mutation { requestEmailVerification { ok } }'));
    say('We have sent you a mail: follow its link to confirm your email.');
  },
);

onClick('passkey-sign-in', async () => {
  const { begin } = must(await session.request('mutation { begin: beginPasskeySignIn { options } }'));
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(begin.options);
  const response = (await navigator.credentials.get({ publicKey })).toJSON();
  await began(must(await session.begin(`mutation ($response: JSON!) { tokens: signInWithPasskey(response: $response) ${tokens} }`, { response })));
});

onClick('sign-out', async () => {
  signedOut();
  await session.signOut();
  tabs.postMessage('ended');
});

onClick('end-others', async () => {
  must(await session.request('mutation { endOtherSessions { ended } }'));
  await load();
});

// Mails

onSubmit(
  'lost-password',
  '',
  (v) => session.request('mutation ($email: String!) { requestPasswordReset(email: $email) { ok } }', v),
  () => say('If there is an account with this email, we have sent a mail to it.'),
);

onSubmit(
  'reset-password',
  '',
  (v) =>
    session.request('mutation ($token: String!, $newPassword: String!) { resetPassword(token: $token, newPassword: $newPassword) { ok } }', {
      token: link.get('reset'),
      ...v,
    }),
  () => {
    show('reset-password', false);
    signedOut(); // the reset has ended all sessions
    tabs.postMessage('ended');
    say('You have another password. Sign in with it.');
  },
);

// followLink confirms the email, which needs a sign-in to the account.
async function followLink() {
  const token = link.get('verify');
  if (!token) {
    return;
  }
  if (!account) {
    say('Sign in to confirm your email.');
    return;
  }
  link.delete('verify');
  must(await session.request('mutation ($token: String!) { verifyEmail(token: $token) { ok } }', { token }));
  await load();
  say('Your email is confirmed.');
}

// Factors

onClick('begin-totp', async () => {
  const { beginTotp } = must(await session.request('mutation { beginTotp { secret uri } }'));
  element('secret').textContent = beginTotp.secret;
  show('confirm-totp', true);
});

onSubmit(
  'confirm-totp',
  '',
  (v) => session.request('mutation ($code: String!) { confirmTotp(code: $code) { recoveryCodes } }', v),
  async ({ confirmTotp: { recoveryCodes } }) => {
    show('confirm-totp', false);
    element('secret').textContent = '';
    list('recovery-codes', recoveryCodes, (code) => [code]);
    await load();
    say('Write the recovery codes down: they are shown once.');
  },
);

onSubmit(
  'disable-totp',
  '',
  (v) => session.request('mutation ($code: String!) { disableTotp(code: $code) { ok } }', v),
  async () => {
    element('recovery-codes').replaceChildren();
    await load();
  },
);

onClick('make-passkey', async () => {
  const { begin } = must(await session.request('mutation { begin: beginPasskey { options } }'));
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(begin.options);
  const response = (await navigator.credentials.create({ publicKey })).toJSON();
  must(await session.request('mutation ($response: JSON!) { finishPasskey(response: $response, name: "this browser") { passkey { id } } }', { response }));
  await load();
});

// The end of an account

onSubmit('delete-account', '', (v) => session.request('mutation ($password: String!) { deleteAccount(password: $password) { eraseAt } }', v), load);

onClick('keep-account', async () => {
  must(await session.request('mutation { keepAccount { ok } }'));
  await load();
});

// The start, and every two seconds, so that a session that was ended elsewhere is noticed. If there
// is no answer, the next time may have one.

await session.resume().catch((error) => say(error.message));
await load().catch((error) => say(error.message));
show('reset-password', link.has('reset'));
await followLink().catch((error) => say(error.message));
setInterval(() => account && load().catch((error) => say(error.message)), 2000);
