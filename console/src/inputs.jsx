// Inputs for every kind of value.
import { cloneElement, useContext, useId, useState } from 'react';
import { api } from './api.js';
import { RowContext, useModel } from './model.jsx';
import { amount } from './money.js';
import { Picker } from './picker.jsx';
import { titleOf } from './queries.js';
import { entityOfInput, inputFields, named } from './schema.js';
import { FilePreview, draftOf, isValues } from './values.jsx';
import { label, lower } from './words.js';

// Field is an input with its label, its help and its errors, which are lists of sentences by path.
export function Field({ field, path = field.name, draft, onChange, errors = {} }) {
  const id = useId();
  const own = errors[path] ?? [];
  const grouped = ['inputs', 'edges', 'edge'].includes(field.kind) || isValues(field);
  const described = [field.help && `${id}-help`, own.length > 0 && `${id}-error`].filter(Boolean).join(' ') || undefined;
  const attributes = { id, invalid: own.length > 0 || undefined, describedBy: described };
  const notes = (
    <>
      {field.help && <small id={`${id}-help`}>{field.help}</small>}
      {own.length > 0 && <p id={`${id}-error`} className="error" role="alert">{own.map((text) => saidOf(field, text)).join(' ')}</p>}
    </>
  );
  const title = <>{field.label}{field.required && <span aria-hidden="true" className="required"> *</span>}</>;
  if (grouped) {
    return (
      <fieldset className="field" aria-describedby={described}>
        <legend>{title}</legend>
        <Group field={field} path={path} draft={draft} onChange={onChange} errors={errors} />
        {notes}
      </fieldset>
    );
  }
  if (field.scalar === 'Boolean' && !field.nullable) {
    return (
      <div className="field">
        <label className="check">
          <input type="checkbox" id={id} checked={draft === true} aria-describedby={described} onChange={(event) => onChange(event.target.checked)} /> {field.label}
        </label>
        {notes}
      </div>
    );
  }
  return (
    <div className="field">
      <label htmlFor={id}>{title}</label>
      <Single field={field} draft={draft} onChange={onChange} {...attributes} />
      {notes}
    </div>
  );
}

// saidOf returns an error that begins with the name of a field, with its label, and with amounts in
// the place of hundredths.
function saidOf({ name, label: text, money }, error) {
  if (!error.toLowerCase().startsWith(`${name.toLowerCase()} `)) {
    return error;
  }
  const rest = error.slice(name.length);
  return text + (money ? rest.replace(/-?\d+/g, (digits) => amount(digits)) : rest);
}

function Group({ field, ...rest }) {
  if (field.kind === 'inputs') {
    return field.list ? <Inputs field={field} {...rest} /> : <SubForm input={field.input} {...rest} />;
  }
  if (isValues(field)) {
    return <Values field={field} {...rest} />;
  }
  return <Edges field={field} {...rest} />;
}

// Single is the input of one value.
export function Single({ field, draft, onChange, id, invalid, describedBy, label: aria }) {
  const common = { id, 'aria-invalid': invalid, 'aria-describedby': describedBy, 'aria-label': aria };
  const change = (event) => onChange(event.target.value);
  if (field.kind === 'reference') {
    return <Picker label={aria} target={field.target} value={draft} onChange={onChange} id={id} invalid={invalid} describedBy={describedBy} nullable={field.nullable} />;
  }
  if (field.kind === 'file') {
    return <FileInput {...common} accept={field.accept || undefined} draft={draft} onChange={onChange} nullable={field.nullable} />;
  }
  if (field.values || field.scalar === 'Boolean') {
    const options = field.values?.map(({ name }) => [name, label(name)]) ?? [['true', 'Yes'], ['false', 'No']];
    return (
      <select {...common} value={String(draft)} onChange={change}>
        {(field.nullable || draft === '') && <option value="">{field.nullable ? '—' : 'Choose…'}</option>}
        {options.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
      </select>
    );
  }
  if (field.scalar === 'Bytes') {
    return <BytesInput {...common} draft={draft} onChange={onChange} />;
  }
  if (field.scalar === 'JSON' || (field.scalar === 'String' && (draft.includes('\n') || draft.length > 80 || /(description|text|body|story|notes?|bio|content|comment|message)$/i.test(field.name)))) {
    return <textarea {...common} rows={Math.min(12, Math.max(3, draft.split('\n').length))} spellCheck={field.scalar === 'String'} className={field.scalar === 'JSON' ? 'code' : undefined} value={draft} onChange={change} />;
  }
  return <input {...common} {...typeOf(field)} value={draft} onChange={change} />;
}

function typeOf({ scalar, name, column, money }) {
  switch (money ? 'Decimal' : scalar) {
    case 'Int':
    case 'BigInt':
      return { inputMode: 'numeric' };
    case 'Float':
    case 'Decimal':
      return { inputMode: 'decimal' };
    case 'Time':
      return { type: 'datetime-local', step: 1 };
    case 'Date':
      return { type: 'date' };
    case 'LocalTime':
      return { type: 'time', step: 1 };
    case 'Duration':
      return { placeholder: 'such as PT1H30M' };
    default:
      return !column && /password|secret/i.test(name) ? { type: 'password', autoComplete: 'new-password' } : { autoComplete: 'off' };
  }
}

// BytesInput takes bytes as Base64, or from a file.
function BytesInput({ draft, onChange, ...common }) {
  const read = async ([file]) => {
    if (file) {
      const url = await new Promise((done, failed) => {
        const reader = Object.assign(new FileReader(), { onload: () => done(reader.result), onerror: failed });
        reader.readAsDataURL(file);
      });
      onChange(url.slice(url.indexOf(',') + 1));
    }
  };
  return (
    <div className="row">
      <input {...common} className="code" value={draft} placeholder="Base64" onChange={(event) => onChange(event.target.value)} />
      <input type="file" aria-label="Take the bytes of a file" onChange={(event) => read(event.target.files)} />
    </div>
  );
}

const uploadQuery = `mutation ConsoleUpload($input: CreateUploadInput!) {
  createUpload(input: $input) { upload { fileId url method headers expiresAt } }
}`;

// FileInput uploads a file past GraphQL, and holds its ID.
function FileInput({ draft, onChange, nullable, ...common }) {
  const [state, setState] = useState('');
  const upload = async ([file]) => {
    if (!file) {
      return;
    }
    setState(`Uploading ${file.name}…`);
    try {
      const input = { name: file.name, contentType: file.type || 'application/octet-stream', size: file.size };
      const { createUpload: { upload: to } } = await api(uploadQuery.replace('headers ', await headersSelection()), { input });
      const response = await fetch(to.url, { method: to.method ?? 'PUT', headers: headersOf(to.headers), body: file });
      if (!response.ok) {
        throw new Error(`The upload was refused (HTTP ${response.status}).`);
      }
      onChange({ id: to.fileId, name: file.name, contentType: file.type, url: URL.createObjectURL(file) });
      setState('');
    } catch (error) {
      setState(error.message);
    }
  };
  return (
    <div className="row">
      {draft && <FilePreview file={draft} />}
      <input {...common} type="file" onChange={(event) => upload(event.target.files)} />
      {draft && nullable && <button type="button" className="quiet" onClick={() => onChange(null)}>Remove</button>}
      <span role="status">{state}</span>
    </div>
  );
}

let uploadType; // the types of the schema, to see whether headers are a scalar or a list of pairs
export const setUploadTypes = (types) => (uploadType = types);

async function headersSelection() {
  const field = Object.values(uploadType ?? {}).flatMap(({ fields = [] }) => (fields.some(({ name }) => name === 'fileId') ? fields : [])).find(({ name }) => name === 'headers');
  const type = field && uploadType[named(field.type)];
  return !field ? '' : type?.kind === 'OBJECT' ? `headers { ${type.fields.map(({ name }) => name).join(' ')} } ` : 'headers ';
}

// headersOf returns headers that are an object, or a list of names and values.
function headersOf(headers) {
  return Array.isArray(headers) ? Object.fromEntries(headers.map(({ name, value }) => [name, value])) : (headers ?? {});
}

// Values is the input of a list of values.
function Values({ field, path, draft, onChange, errors }) {
  const entry = { ...field, list: false, nullable: false };
  const all = draft ?? [];
  return (
    <>
      {all.map((value, index) => (
        <div className="row" key={index}>
          <Single field={entry} draft={value} invalid={errors[`${path}.${index}`] ? true : undefined} label={`${field.label} ${index + 1}`} onChange={(changed) => onChange(all.with(index, changed))} />
          <button type="button" className="quiet" aria-label={`Remove entry ${index + 1} of ${lower(field.label)}`} onClick={() => onChange(all.toSpliced(index, 1))}>×</button>
          {errors[`${path}.${index}`] && <p className="error" role="alert">{errors[`${path}.${index}`].join(' ')}</p>}
        </div>
      ))}
      <div className="row">
        <button type="button" className="quiet" onClick={() => onChange([...all, draftOf(entry, undefined)])}>Add an entry</button>
        {draft !== null && field.nullable && <button type="button" className="quiet" onClick={() => onChange(null)}>Clear</button>}
        {draft === null && <span className="empty">none</span>}
      </div>
    </>
  );
}

// SubForm is the form of an input within another one.
function SubForm({ input, entity, owner, path, draft, onChange, errors }) {
  const model = useModel();
  // What belongs to the row around it need not say so.
  const fields = inputFields(model, input, entity ?? entityOfInput(model, input)).filter((field) => !owner || field.target !== owner || field.required);
  return fields.map((field) => (
    <Field key={field.name} field={field} path={`${path}.${field.name}`} errors={errors} draft={draft?.[field.name] ?? draftOf(field, undefined)} onChange={(value) => onChange({ ...draft, [field.name]: value })} />
  ));
}

// Inputs is a list of sub-forms.
function Inputs({ field, path, draft, onChange, errors, entity, add }) {
  const all = draft ?? [];
  return (
    <>
      {all.map((entry, index) => (
        <div className="entry" key={index}>
          <SubForm input={field.input} entity={entity} owner={field.owner} path={`${path}.${index}`} draft={entry} errors={errors} onChange={(changed) => onChange(all.with(index, changed))} />
          <button type="button" className="quiet" onClick={() => onChange(all.toSpliced(index, 1))}>Remove entry {index + 1}</button>
        </div>
      ))}
      <button type="button" className="quiet" onClick={() => onChange([...all, {}])}>{add ?? `Add ${all.length > 0 ? 'another' : 'an'} entry`}</button>
    </>
  );
}

// Edges chooses related rows: those to connect, those to disconnect, and new ones.
function Edges({ field, path, draft, onChange, errors }) {
  const model = useModel();
  const row = useContext(RowContext);
  const { connect = [], disconnect = [], create = [] } = draft ?? {};
  const current = Array.isArray(draft) ? draft : (draft?.current ?? []); // files that the row has
  const set = (part) => onChange({ connect, disconnect, create, current, ...part });
  const creates = !field.files && field.parts.create && named(field.parts.create.type);
  const chips = (rows, text, key) => rows.map((row) => (
    <li key={row.id}>
      {text} {field.files ? row.name : titleOf(model, field.target, row)} <button type="button" className="quiet" aria-label={`Do not ${text.toLowerCase()} it`} onClick={() => set({ [key]: rows.filter(({ id }) => id !== row.id) })}>×</button>
    </li>
  ));
  const add = (key, rows) => (row) => row && !rows.some(({ id }) => id === row.id) && set({ [key]: field.kind === 'edge' ? [row] : [...rows, row] });
  return (
    <>
      <ul className="chips">{chips(connect, 'Add', 'connect')}{chips(disconnect, 'Remove', 'disconnect')}</ul>
      {field.files && (
        <>
          {field.parts.disconnect && current.filter(({ id }) => !disconnect.some((gone) => gone.id === id)).map((file) => (
            <div className="row" key={file.id}>
              <FilePreview file={file} small /> <button type="button" className="quiet" onClick={() => set({ disconnect: [...disconnect, file] })}>Remove {file.name}</button>
            </div>
          ))}
          <FileInput aria-label={`Add a file to ${lower(field.label)}`} draft={null} onChange={add('connect', connect)} />
        </>
      )}
      {field.known && <Labelled text="Add an existing one"><Picker target={field.target} value={null} onChange={add('connect', connect)} /></Labelled>}
      {field.known && field.parts.disconnect && <Labelled text="Remove one"><Picker target={field.target} value={null} onChange={add('disconnect', disconnect)} within={row && path === field.name && field.column.args?.has('first') ? { ...row, column: field.column } : undefined} /></Labelled>}
      {creates && <Inputs add="Make a new one" field={{ ...field, input: creates }} entity={model.entities.get(field.target)} path={`${path}.create`} draft={create} errors={errors} onChange={(value) => set({ create: field.kind === 'edge' ? value.slice(-1) : value })} />}
    </>
  );
}

function Labelled({ text, children }) {
  const id = useId();
  return (
    <div className="field">
      <span id={id}>{text}</span>
      {cloneElement(children, { labelledBy: id })}
    </div>
  );
}
