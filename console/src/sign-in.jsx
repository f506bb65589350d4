// The view to sign in: by a password, and in whatever other ways the server offers. A second factor
// is asked for where it is due.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { completeSignIn, signIn } from '../../playground/src/session.js';
import { byCode, byPasskey, providers, sendCode, toProvider } from './ways.js';
import { label } from './words.js';

// SignIn shows the view. failure is an error of a sign-in at a provider that has just ended.
export function SignIn({ config, notice, failure }) {
  const [login, setLogin] = useState('');
  const [secret, setSecret] = useState(''); // the password, or a code
  const [factor, setFactor] = useState(failure?.secondFactor ?? null); // the second factor that is due
  const [sent, setSent] = useState(false); // whether a code was sent by mail
  const [error, setError] = useState(failure?.secondFactor ? '' : (failure?.message ?? ''));
  const [busy, setBusy] = useState(false);
  const run = async (act) => {
    setBusy(true);
    setError('');
    try {
      await act();
    } catch (reason) {
      if (reason.secondFactor) {
        setFactor(reason.secondFactor);
      } else {
        setError(reason.message);
        if (reason.code === 'UNAUTHENTICATED') setFactor(null);
      }
    }
    setSecret('');
    setBusy(false);
  };
  const send = () => (factor ? completeSignIn(factor.token, secret) : sent ? byCode(login, secret) : signIn(login, secret));
  const back = () => { setFactor(null); setSent(false); setError(''); };
  const mail = () => {
    if (!login) throw new Error('Say your username or email first.');
    return sendCode(login).then(() => setSent(true));
  };
  const ways = !factor && !sent && <Ways config={config} run={run} mail={mail} busy={busy} />;
  return (
    <main className="sign-in">
      <h1>Sign in</h1>
      <form className="form panel" onSubmit={(event) => { event.preventDefault(); run(send); }}>
        {factor || sent ? (
          <label className="field">{factor ? 'Code of your authenticator app, or a recovery code' : 'Code of the mail'}
            <input key={factor ? 'factor' : 'mail'} autoFocus autoComplete="one-time-code" required value={secret} onChange={(event) => setSecret(event.target.value)} />
            {!factor && <small>If there is such a user with an email, a code was sent to it.</small>}
          </label>
        ) : (
          <>
            <label className="field">Username or email
              <input autoComplete="username" autoCapitalize="none" spellCheck={false} required value={login} onChange={(event) => setLogin(event.target.value)} />
            </label>
            <label className="field">Password
              <input type="password" autoComplete="current-password" required value={secret} onChange={(event) => setSecret(event.target.value)} />
            </label>
          </>
        )}
        <p role="alert" className="error">{error || notice}</p>
        <div className="row">
          <button type="submit" className="primary" disabled={busy}>Sign in</button>
          {(factor || sent) && <button type="button" onClick={back}>Back</button>}
        </div>
        {ways}
      </form>
      {config.accounts?.length > 0 && !factor && !sent && (
        <fieldset className="panel">
          <legend>Demo users</legend>
          {config.accounts.map((account) => (
            <button key={account.username} type="button" onClick={() => { setLogin(account.username); setSecret(account.password); }}>
              <span>{account.username} ({account.role}), password <code>{account.password}</code></span>
            </button>
          ))}
        </fieldset>
      )}
    </main>
  );
}

// Ways has a button for each way that needs no password.
function Ways({ config, run, mail, busy }) {
  const { data: offered = [] } = useQuery({ queryKey: ['providers'], queryFn: providers, retry: false, staleTime: Infinity });
  const ways = [
    ...(config.passkeys && globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON ? [['With a passkey', byPasskey]] : []),
    ...(config.codes ? [['With a code by mail', mail]] : []),
    ...offered.map(({ name, startUrl }) => [`With ${label(name)}`, () => toProvider(startUrl)]),
  ];
  return ways.length > 0 && (
    <div className="ways" role="group" aria-label="Other ways to sign in">
      {ways.map(([text, act]) => <button key={text} type="button" disabled={busy} onClick={() => run(async () => act())}>{text}</button>)}
    </div>
  );
}
