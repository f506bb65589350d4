// Sends operations as whoever is signed in.
import { accessToken, refreshed } from '../../playground/src/session.js';
import { answerOf, send } from '../../playground/src/wire.js';
import { capital, shortID } from './words.js';

// ApiError holds the errors of an answer.
export class ApiError extends Error {
  constructor(errors) {
    super(errors.map(sentence).join(' '));
    this.errors = errors;
    this.code = errors[0]?.extensions?.code;
  }

  // at returns the messages by the paths of the fields that they are about, and the others under ''.
  at(argument = 'input') {
    const found = {};
    for (const error of this.errors) {
      const field = error.extensions?.field ?? '';
      const path = field === argument ? '' : field.startsWith(`${argument}.`) ? field.slice(argument.length + 1) : field;
      (found[path] ??= []).push(sentence(error));
    }
    return found;
  }
}

function sentence({ message }) {
  const text = message.replace(/^[a-z]+(?= )/, capital).replace(/\b[a-z][a-z\d_]*_[\da-hjkmnp-tv-z]{26}\b/g, nameOf); // names stay as they are
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

// nameOf returns what a row with an ID is called, if it was shown, and otherwise the end of the ID.
const nameOf = (id) => names.get(id) ?? shortID(id);

let names = new Map(); // what the rows are called that were shown, by their IDs

// nameRow keeps what a row is called, for errors that name its ID. It keeps some thousands.
export function nameRow(id, name) {
  if (names.size > 5000) {
    names = new Map();
  }
  names.set(id, name);
}

// forgetNames forgets what rows are called, as when somebody signs out.
export const forgetNames = () => (names = new Map());

let changing = 0; // mutations that are under way
let changedAt = -Infinity; // when the last one ended

// changesHere reports whether this page changes something now, or has just done so. A change that
// is heard of then is most probably its own.
export const changesHere = () => changing > 0 || performance.now() - changedAt < 3000;

// api returns the data of an operation, or throws an ApiError, or an Error if there is no answer.
export async function api(query, variables = {}) {
  const changes = query.startsWith('mutation') ? 1 : 0;
  changing += changes;
  const { data, errors } = await answer({ query, variables }).finally(() => {
    changing -= changes;
    if (changes > 0) changedAt = performance.now();
  });
  // Values that the viewer may not see are null, and the rest of the answer is good.
  const hidden = ({ path, extensions }) => extensions?.code === 'FORBIDDEN' && path?.length !== 1; // of many errors, the last one has no path
  if (errors?.length > 0 && !(data && errors.every(hidden))) {
    throw new ApiError(errors);
  }
  return data;
}

async function answer(operation) {
  const token = accessToken();
  let response = await send(operation, bearer(token)).catch(unreachable);
  // A token that does not hold is refused before anything is done, so that the operation can be sent once more.
  if (token && response.status === 401 && (await refreshed(token))) {
    response = await send(operation, bearer(accessToken())).catch(unreachable);
  }
  return answerOf(response);
}

function unreachable() {
  throw new Error('The server cannot be reached. Try again in a moment.');
}

const bearer = (token) => (token ? { Authorization: `Bearer ${token}` } : {});

// load returns a JSON file of the server, asked for as whoever is signed in. If the server refuses,
// the error has the status.
export async function load(path) {
  const token = accessToken();
  let response = await fetch(path, { headers: bearer(token) }).catch(unreachable);
  if (token && response.status === 401 && (await refreshed(token))) {
    response = await fetch(path, { headers: bearer(accessToken()) }).catch(unreachable);
  }
  if (!response.ok) {
    throw Object.assign(new Error(await response.text()), { status: response.status });
  }
  return response.json();
}
