import { useEffect, useRef, useState } from 'react';
import { useConfig } from './config.js';
import { completeSignIn, signIn, signOut, useSession } from './session.js';

// SignIn shows who is signed in, and a panel to sign in. It shows nothing where the server does not ask who somebody is.
export function SignIn() {
  const config = useConfig();
  const { user, notice } = useSession();
  const panel = useRef(null);
  const [visit, setVisit] = useState(0); // each time that the panel opens its form is empty
  useEffect(() => {
    if (notice) {
      panel.current?.showModal();
    }
  }, [notice]);
  if (!config?.signIn) {
    return null;
  }
  return (
    <div className="sign-in">
      {user ? (
        <>
          <span role="status">
            Signed in as <strong>{user.username}</strong> ({user.role})
          </span>
          <button type="button" className="graphiql-button" onClick={signOut}>
            Sign out
          </button>
        </>
      ) : (
        <button type="button" className="graphiql-button" aria-haspopup="dialog" onClick={() => panel.current.showModal()}>
          Sign in
        </button>
      )}
      <dialog ref={panel} className="forge-panel sign-in-panel" aria-labelledby="sign-in-title" onClose={() => setVisit(visit + 1)}>
        <Form key={visit} accounts={config.accounts ?? []} notice={notice} close={() => panel.current.close()} />
      </dialog>
    </div>
  );
}

// Form is what the panel holds. Keys that are pressed in it are not for the editors around it.
function Form({ accounts, notice, close }) {
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const [due, setDue] = useState(null); // the second factor that is asked for
  async function submit(event) {
    event.preventDefault();
    setBusy(true);
    setError('');
    try {
      await signIn(login, password);
      close();
    } catch (reason) {
      if (reason.secondFactor) {
        setDue(reason.secondFactor);
      } else {
        setError(reason.message);
      }
    }
    setPassword('');
    setBusy(false);
  }
  if (due) {
    return <SecondFactor token={due.token} close={close} again={(why) => (setDue(null), setError(why))} />;
  }
  return (
    <form onSubmit={submit} onKeyDown={(event) => event.stopPropagation()}>
      <h2 id="sign-in-title">Sign in</h2>
      <label>
        Username or email
        <input name="login" autoComplete="username" required value={login} onChange={(event) => setLogin(event.target.value)} />
      </label>
      <label>
        Password
        <input
          name="password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </label>
      <p role="alert">{error || notice}</p>
      <div className="sign-in-actions">
        <button type="submit" className="graphiql-button" disabled={busy}>
          Sign in
        </button>
        <button type="button" className="graphiql-button" onClick={close}>
          Cancel
        </button>
      </div>
      {accounts.length > 0 && (
        <fieldset>
          <legend>Demo users</legend>
          {accounts.map((account) => (
            <button
              key={account.username}
              type="button"
              className="graphiql-button"
              onClick={() => {
                setLogin(account.username);
                setPassword(account.password);
              }}
            >
              {account.username} ({account.role}), password <code>{account.password}</code>
            </button>
          ))}
        </fieldset>
      )}
    </form>
  );
}

// SecondFactor asks for a code of the authenticator app, or a recovery code. After too many tries
// it goes back to the password.
function SecondFactor({ token, close, again }) {
  const [code, setCode] = useState('');
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  async function submit(event) {
    event.preventDefault();
    setBusy(true);
    setError('');
    try {
      await completeSignIn(token, code.trim());
      close();
    } catch (reason) {
      if (reason.code === 'UNAUTHENTICATED') {
        again('The code came too late, or after too many tries. Sign in again.');
        return;
      }
      setError(reason.code === 'BAD_USER_INPUT' ? 'That code is wrong. Take the one that the app shows now, or a recovery code.' : reason.message);
      setCode('');
    }
    setBusy(false);
  }
  return (
    <form onSubmit={submit} onKeyDown={(event) => event.stopPropagation()}>
      <h2 id="sign-in-title">Second factor</h2>
      <label>
        Code of the authenticator app, or a recovery code
        <input
          name="code"
          autoComplete="one-time-code"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          required
          value={code}
          onChange={(event) => setCode(event.target.value)}
        />
      </label>
      <p role="alert">{error}</p>
      <div className="sign-in-actions">
        <button type="submit" className="graphiql-button" disabled={busy}>
          Go on
        </button>
        <button type="button" className="graphiql-button" onClick={close}>
          Cancel
        </button>
      </div>
    </form>
  );
}
