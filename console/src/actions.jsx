// What can be done with one row or with several: the mutations that the schema has for it.
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, api } from './api.js';
import { Form } from './form.jsx';
import { useModel, useStatus } from './model.jsx';
import { mutationOf, payloadOf } from './queries.js';
import { Confirm, Dialog } from './ui.jsx';
import { lower } from './words.js';

// rowActions returns what may be done with rows of an entity: those of the schema, and to delete.
// Deleted rows can be restored, and nothing else.
export function rowActions(entity, deleted) {
  if (deleted) {
    return entity.restore ? [{ name: entity.restore.name, id: 'id', label: 'Restore', asks: (what) => `Restore ${what}`, help: '', fields: [], done: null, past: 'restored' }] : [];
  }
  const remove = entity.remove && {
    name: entity.remove.name, id: 'id', label: 'Delete', asks: (what) => `Delete ${what}`, help: entity.restore ? 'It can be restored later.' : 'This cannot be undone.', fields: [],
    versioned: entity.remove.args.some(({ name }) => name === 'expectedVersion'), danger: true, done: null, past: 'deleted',
  };
  return [...entity.actions, ...(remove ? [remove] : [])];
}

// possible reports whether an action has something left to do: an order that is paid is not marked as paid.
const possible = ({ done }, rows) => !done || rows.some((row) => row[done.column] !== done.value);

// Actions shows a button for each action on the rows, and asks before it is done.
export function Actions({ entity, rows, deleted = false, done = () => {} }) {
  const [open, setOpen] = useState(null); // the action that is asked about, and the rows as they were then
  const close = () => setOpen(null);
  const actions = rowActions(entity, deleted).filter((action) => rows.length < 2 || action.fields.length === 0);
  return (
    <>
      {actions.filter((action) => possible(action, rows)).map((action) => (
        <button key={action.name} type="button" className={action.danger ? 'danger' : undefined} title={action.help || undefined} onClick={() => setOpen({ action, rows: rows.filter((row) => possible(action, [row])) })}>
          {action.label}
        </button>
      ))}
      {open && <Act entity={entity} action={open.action} rows={open.rows} close={close} done={done} />}
    </>
  );
}

function Act({ entity, action, rows, close, done }) {
  const [error, setError] = useState('');
  const run = useRun(entity, action, rows, () => { close(); done(action); });
  const many = rows.length > 1 ? `${rows.length} ${lower(entity.label)}` : `this ${lower(entity.one)}`;
  const title = action.asks ? action.asks(many) : `${action.label}: ${many}`;
  if (action.fields.length > 0) {
    return (
      <Dialog title={title} close={close}>
        {action.help && <p>{action.help}</p>}
        <Form fields={action.fields} creating submit={action.label} send={run} cancel={close} argument="" />
      </Dialog>
    );
  }
  return (
    <Confirm title={`${title}?`} verb={action.label} danger={action.danger} close={close} act={() => run({}).catch((reason) => setError(reason.message))}>
      {action.help && <p>{action.help}</p>}
      {error && <p className="error" role="alert">{error}</p>}
    </Confirm>
  );
}

const most = 10; // root fields in one operation

// useRun returns a function that does an action, with all rows of an operation or with none.
function useRun(entity, action, rows, after) {
  const model = useModel();
  const status = useStatus();
  const cache = useQueryClient();
  return async (values) => {
    for (let from = 0; from < rows.length; from += most) {
      const calls = rows.slice(from, from + most).map((row) => ({
        name: action.name,
        values: { [action.id]: row.id, ...(action.versioned && row.version ? { expectedVersion: row.version } : {}), ...values },
      }));
      const { query, variables } = mutationOf(model, calls, payloadOf(entity));
      await api(query, variables).catch((error) => {
        throw from > 0 && error instanceof ApiError ? Object.assign(error, { message: `${from} are done. ${error.message}` }) : error;
      });
    }
    const were = rows.length > 1 ? `${rows.length} ${lower(entity.label)} were` : `The ${lower(entity.one)} was`;
    after();
    await cache.invalidateQueries(); // what is done next goes with the rows' new versions
    status(action.past ? `${were} ${action.past}.` : `Done: ${lower(action.label)}.`);
  };
}

// BulkEdit changes fields of several rows at once.
export function BulkEdit({ entity, rows, close, done }) {
  const model = useModel();
  const status = useStatus();
  const cache = useQueryClient();
  const send = async (input) => {
    const ids = rows.map(({ id }) => id);
    const where = { idIn: ids };
    const { query, variables } = mutationOf(model, [{ name: entity.updateMany.name, values: { where, input, atMost: ids.length } }], payloadOf(entity));
    await api(query, variables);
    await cache.invalidateQueries(); // what is done next goes with the rows' new versions
    status(ids.length > 1 ? `${ids.length} ${lower(entity.label)} were changed.` : `The ${lower(entity.one)} was changed.`);
    done();
  };
  return (
    <Dialog title={`Change ${rows.length} ${lower(entity.label)}`} close={close}>
      <p>Fields that you leave alone stay as they are.</p>
      <Form fields={entity.inputs.updateMany} submit="Save changes" send={send} cancel={close} />
    </Dialog>
  );
}

// canBulkEdit reports whether rows of an entity can be changed together.
export function canBulkEdit(model, entity) {
  return Boolean(entity.updateMany && entity.inputs.updateMany && model.types[entity.where].fields.some(({ name }) => name === 'idIn'));
}

