import { useEffect, useRef, useState } from 'react';
import { signIn, signOut, useSession } from './session.js';

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
      <dialog ref={panel} className="sign-in-panel" aria-labelledby="sign-in-title" onClose={() => setVisit(visit + 1)}>
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
  async function submit(event) {
    event.preventDefault();
    setBusy(true);
    setError('');
    try {
      await signIn(login, password);
      close();
    } catch (reason) {
      setError(reason.message);
    }
    setPassword('');
    setBusy(false);
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

// useConfig returns what the server tells the page, once it is there.
function useConfig() {
  const [config, setConfig] = useState(null);
  useEffect(() => {
    fetch('/config.json')
      .then((response) => response.json())
      .then(setConfig, () => {}); // without it there is no panel, and the rest works
  }, []);
  return config;
}
