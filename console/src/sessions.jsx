// Where somebody is signed in, and ending it.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from './api.js';
import { useModel, useStatus } from './model.jsx';
import { sessionsOf } from './pages.jsx';
import { Picker } from './picker.jsx';
import { titleOf } from './queries.js';
import { Times } from './table.jsx';
import { Failure, Loading } from './ui.jsx';
import { lower, programName } from './words.js';

export default function Sessions() {
  const model = useModel();
  const entity = sessionsOf(model);
  const [row, setRow] = useState(null);
  return (
    <>
      <h1>Sessions</h1>
      <div className="field form">
        <label htmlFor="whose">Whose sessions?</label>
        <Picker target={entity.name} id="whose" value={row} onChange={setRow} />
      </div>
      {row ? <Of key={row.id} entity={entity} row={row} /> : <p>Choose a {lower(entity.one)} to see where they are signed in.</p>}
    </>
  );
}

function Of({ entity, row }) {
  const model = useModel();
  const cache = useQueryClient();
  const status = useStatus();
  const [failed, setFailed] = useState(null);
  const key = ['sessions', row.id];
  const query = `query ConsoleSessions($id: ID!) { node(id: $id) { ... on ${entity.name} { sessions { nodes { id createdAt lastUsedAt address client current } } } } }`;
  const { data, error } = useQuery({ queryKey: key, queryFn: async () => (await api(query, { id: row.id })).node?.sessions?.nodes ?? [] });
  const name = titleOf(model, entity.name, row);
  const end = async (ids) => {
    setFailed(null);
    try {
      for (const id of ids) {
        await api('mutation ConsoleEndSession($id: ID!) { endSession(id: $id) { deletedId } }', { id });
      }
      status(ids.length === 1 ? 'The session has ended.' : `${ids.length} sessions have ended.`);
    } catch (reason) {
      setFailed(reason);
    }
    cache.invalidateQueries({ queryKey: key });
  };
  if (error) {
    return <Failure error={error} />;
  }
  if (!data) {
    return <Loading />;
  }
  const others = data.filter(({ current }) => !current);
  return (
    <section aria-labelledby="sessions-of">
      <h2 id="sessions-of">Sessions of {name}</h2>
      {failed && <Failure error={failed} />}
      {data.length === 0 ? <p>{name} is signed in nowhere.</p> : (
        <div className="scroll" role="region" aria-label={`Where ${name} is signed in`} tabIndex={0}>
          <table>
            <thead><tr><th scope="col">Program</th><th scope="col">Address</th><th scope="col">Began</th><th scope="col">Last used</th><th scope="col">End</th></tr></thead>
            <tbody>
              {data.map((s) => (
                <tr key={s.id}>
                  <td title={s.client}>{programName(s.client) || '—'}</td><td>{s.address || '—'}</td><td><Times at={s.createdAt} /></td><td><Times at={s.lastUsedAt} /></td>
                  <td>{s.current ? 'This one' : <button type="button" className="danger" aria-label={`End the session of ${programName(s.client) || 'a program'} that began ${s.createdAt}`} onClick={() => end([s.id])}>End</button>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {others.length > 1 && <p><button type="button" className="danger" onClick={() => end(others.map(({ id }) => id))}>End all {others.length}</button></p>}
      <p className="help">Access tokens that a session has given out are good until they expire, for some minutes.</p>
    </section>
  );
}
