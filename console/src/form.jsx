// The forms to create a row and to change one.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { ApiError, api } from './api.js';
import { Conflict } from './conflict.jsx';
import { draftsOf, inputOf } from './drafts.js';
import { Field } from './inputs.jsx';
import { RowContext, useModel, useStatus } from './model.jsx';
import { brief, mutationOf, payloadOf, rowQuery, titleOf } from './queries.js';
import { go, href, segment } from './router.js';
import { Failure, Loading } from './ui.jsx';
import { lower, uncapital } from './words.js';

// Create is the view with the form for a new row.
export function Create({ entity }) {
  const fields = entity.inputs.create;
  const model = useModel();
  const status = useStatus();
  const cache = useQueryClient();
  const send = async (input) => {
    const { query, variables } = mutationOf(model, [{ name: entity.create.name, values: { input } }], payloadOf(entity));
    const { m0 } = await api(query, variables);
    await cache.invalidateQueries();
    status(`The ${lower(entity.one)} was created.`);
    const id = m0[uncapital(entity.name)]?.id;
    go(id ? href([segment(entity), id]) : href([segment(entity)]));
  };
  return (
    <>
      <p className="crumbs"><a href={href([segment(entity)])}>{entity.label}</a></p>
      <h1>New {lower(entity.one)}</h1>
      <Form fields={fields} creating submit={`Create ${lower(entity.one)}`} send={send} cancel={href([segment(entity)])} />
    </>
  );
}

// formSelection returns what is asked of a row before it is changed.
function formSelection(model, entity, fields) {
  const parts = ['id', ...(entity.versioned ? ['version'] : []), ...brief(model, entity.name).split(' ')];
  for (const { column, kind, target } of fields) {
    if (column?.kind === 'value') parts.push(column.name);
    if (column?.kind === 'file') parts.push(`${column.name} { id url name contentType }`);
    if (['one', 'rows'].includes(column?.kind) && kind === 'reference') parts.push(`${column.name} { ${brief(model, target)} }`);
  }
  return [...new Set(parts)].join(' ');
}

// Edit is the view with the form of a row.
export function Edit({ entity, id }) {
  const model = useModel();
  const fields = entity.inputs.update;
  const { data: row, error } = useQuery({
    queryKey: ['edited', entity.name, id],
    queryFn: async () => (await api(rowQuery(entity, formSelection(model, entity, fields)), { id })).row,
    gcTime: 0,
    refetchOnWindowFocus: false,
    staleTime: Infinity, // what is typed must not be lost
  });
  if (error) {
    return <><h1>Change {lower(entity.one)}</h1><Failure error={error} /></>;
  }
  if (row === undefined) {
    return <Loading title={`Change ${lower(entity.one)}`} />;
  }
  return row ? <Change key={row.id} entity={entity} row={row} fields={fields} /> : <><h1>Not there</h1><p>There is no such {lower(entity.one)}, or it was deleted. <a href={href([segment(entity)])}>All {lower(entity.label)}</a></p></>;
}

function Change({ entity, row, fields }) {
  const model = useModel();
  const status = useStatus();
  const cache = useQueryClient();
  const [conflict, setConflict] = useState(null);
  const back = href([segment(entity), row.id]);
  const versioned = entity.update.args.some(({ name }) => name === 'expectedVersion');
  const send = async (input, version = row.version) => {
    if (Object.keys(input).length === 0) {
      status('Nothing was changed.');
      go(back);
      return;
    }
    const values = { id: row.id, input, ...(versioned && version ? { expectedVersion: version } : {}) };
    const { query, variables } = mutationOf(model, [{ name: entity.update.name, values }], payloadOf(entity));
    try {
      await api(query, variables);
    } catch (error) {
      const current = error.errors?.[0].extensions;
      if (error.code !== 'CONFLICT' || current.currentVersion === undefined) {
        throw error;
      }
      setConflict({ input, current: current.current ?? {}, version: current.currentVersion });
      return;
    }
    await cache.invalidateQueries();
    await cache.refetchQueries({ queryKey: ['row', entity.name, row.id] }); // the view shows it as it is now
    status('Your changes are stored.');
    go(back);
  };
  return (
    <>
      <p className="crumbs"><a href={back}>{titleOf(model, entity.name, row)}</a></p>
      <h1>Change {titleOf(model, entity.name, row)}</h1>
      <RowContext value={{ entity, id: row.id }}><Form fields={fields} row={row} submit="Save changes" send={send} cancel={back} /></RowContext>
      {conflict && <Conflict entity={entity} fields={fields} {...conflict} close={() => setConflict(null)} send={async (input) => { setConflict(null); await send(input, conflict.version); }} />}
    </>
  );
}

// Form shows fields, and sends what was changed in them. send has the cache read anew what it changed.
export function Form({ fields, row, creating, submit, send, cancel, argument = 'input' }) {
  const model = useModel();
  const [before] = useState(() => draftsOf(fields, row));
  const [drafts, setDrafts] = useState(before);
  const [errors, setErrors] = useState({});
  const [busy, setBusy] = useState(false);
  const form = useRef(null);
  useEffect(() => {
    form.current.querySelector('[aria-invalid=true]')?.focus();
  }, [errors]);
  const save = async (event) => {
    event.preventDefault();
    const { input, errors: found } = inputOf(model, fields, drafts, before, creating);
    setErrors(found);
    if (Object.keys(found).length > 0) {
      return;
    }
    setBusy(true);
    try {
      await send(input);
    } catch (error) {
      setErrors(error instanceof ApiError ? error.at(argument) : { '': [error.message] });
    }
    setBusy(false);
  };
  const elsewhere = Object.entries(errors).filter(([path]) => !fields.some(({ name }) => path === name || path.startsWith(`${name}.`)));
  return (
    <form ref={form} onSubmit={save} noValidate className={typeof cancel === 'string' ? 'form panel' : 'form'}>
      {elsewhere.map(([path, all]) => <p key={path} className="error" role="alert">{all.join(' ')}</p>)}
      {fields.map((field) => (
        <Field key={field.name} field={!creating && !field.column && field.kind === 'value' ? { ...field, help: `${field.help} Leave it empty to keep it as it is.`.trim() } : field} draft={drafts[field.name]} errors={errors} onChange={(draft) => setDrafts((all) => ({ ...all, [field.name]: draft }))} />
      ))}
      {fields.some(({ required }) => required) && <p className="empty">* has to be filled in</p>}
      <div className="row">
        <button type="submit" className="primary" disabled={busy}>{submit}</button>
        {typeof cancel === 'string' ? <a className="button" href={cancel}>Cancel</a> : cancel && <button type="button" onClick={cancel}>Cancel</button>}
      </div>
    </form>
  );
}
