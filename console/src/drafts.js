// From the drafts of a form to the input of a mutation.
import { entityOfInput, inputFields, isList, named } from './schema.js';
import { draftOf, valueOf } from './values.jsx';

// draftsOf returns the drafts of a form's fields. row has the values that the API has given.
export function draftsOf(fields, row) {
  return Object.fromEntries(fields.map((field) => [field.name, draftOf(field, row && (field.column ? row[field.column.name] : undefined))]));
}

// inputOf returns the input for those drafts that differ from the ones at the beginning, and the
// errors in them by path. Where a row is created, required fields are always in the input.
export function inputOf(model, fields, drafts, before, creating, path = '') {
  const input = {};
  const errors = {};
  for (const field of fields) {
    const draft = drafts?.[field.name] ?? draftOf(field, undefined);
    const changed = JSON.stringify(draft) !== JSON.stringify(before?.[field.name] ?? draftOf(field, undefined));
    if (!changed && !(creating && field.required)) {
      continue;
    }
    const at = `${path}${field.name}`;
    try {
      input[field.name] = whole(model, field, draft, at, errors);
      if (creating && field.required && (input[field.name] === null || input[field.name] === '') && field.scalar !== 'Bytes') {
        throw new Error('This has to be filled in.');
      }
    } catch (error) {
      errors[at] = [error.message];
    }
  }
  return { input, errors };
}

function whole(model, field, draft, path, errors) {
  if (field.kind === 'inputs') {
    const one = (entry, at) => nested(model, field.input, entityOfInput(model, field.input), entry, at, errors);
    return field.list ? (draft ?? []).map((entry, index) => one(entry, `${path}.${index}.`)) : one(draft, `${path}.`);
  }
  if (field.kind === 'edges' || field.kind === 'edge') {
    return edges(model, field, draft ?? {}, path, errors);
  }
  return valueOf(field, draft);
}

function nested(model, name, entity, draft, path, errors) {
  const { input, errors: found } = inputOf(model, inputFields(model, name, entity), draft, undefined, true, path);
  Object.assign(errors, found);
  return input;
}

function edges(model, field, { connect = [], disconnect = [], create = [] }, path, errors) {
  const { parts } = field;
  const listed = (name, all) => (isList(parts[name].type) ? all : all.at(-1));
  const entity = model.entities.get(field.target);
  const value = {};
  if (connect.length > 0) value.connect = listed('connect', connect.map(({ id }) => id));
  if (disconnect.length > 0) value.disconnect = listed('disconnect', disconnect.map(({ id }) => id));
  if (create.length > 0) {
    value.create = listed('create', create.map((entry, index) => nested(model, named(parts.create.type), entity, entry, `${path}.create.${index}.`, errors)));
  }
  return value;
}
