// The view to sign in. A second factor is asked for where it is due.
import { useState } from 'react';
import { completeSignIn, signIn } from '../../playground/src/session.js';

export function SignIn({ accounts, notice }) {
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const [factor, setFactor] = useState(null);
  const [code, setCode] = useState('');
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError('');
    try {
      await (factor ? completeSignIn(factor.token, code) : signIn(login, password));
    } catch (reason) {
      if (reason.secondFactor) {
        setFactor(reason.secondFactor);
      } else {
        setError(reason.message);
        if (reason.code === 'UNAUTHENTICATED') setFactor(null);
      }
    }
    setPassword('');
    setCode('');
    setBusy(false);
  };
  return (
    <main className="sign-in">
      <h1>Sign in</h1>
      <form className="form" onSubmit={submit}>
        {factor ? (
          <label className="field">Code of your authenticator app, or a recovery code
            <input key="code" autoFocus autoComplete="one-time-code" required value={code} onChange={(event) => setCode(event.target.value)} />
          </label>
        ) : (
          <>
            <label className="field">Username or email
              <input autoComplete="username" required value={login} onChange={(event) => setLogin(event.target.value)} />
            </label>
            <label className="field">Password
              <input type="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.target.value)} />
            </label>
          </>
        )}
        <p role="alert" className="error">{error || notice}</p>
        <div className="row">
          <button type="submit" className="primary" disabled={busy}>Sign in</button>
          {factor && <button type="button" onClick={() => setFactor(null)}>Back</button>}
        </div>
      </form>
      {accounts?.length > 0 && !factor && (
        <fieldset className="panel">
          <legend>Demo users</legend>
          {accounts.map((account) => (
            <button key={account.username} type="button" onClick={() => { setLogin(account.username); setPassword(account.password); }}>
              <span>{account.username} ({account.role}), password <code>{account.password}</code></span>
            </button>
          ))}
        </fieldset>
      )}
    </main>
  );
}
