// formErrors maps what an operation failed with to a form. See index.d.ts.
export function formErrors(failure, { argument = 'input' } = {}) {
  const result = { fields: {}, form: [], more: 0, outcomeUnknown: false };
  if (failure === undefined || failure === null) {
    return result;
  }
  const errors = listOf(failure);
  if (errors.length === 0) {
    result.form.push(String(failure.message ?? failure));
  }
  for (const { message, extensions = {} } of errors) {
    const path = fieldOf(extensions.field, argument);
    if (path) {
      (result.fields[path] ??= []).push(message);
    } else {
      result.form.push(message);
    }
    result.code ??= extensions.code;
    result.retryAfter ??= extensions.retryAfter;
    result.more += extensions.more ?? 0;
    result.outcomeUnknown ||= extensions.outcome === 'unknown';
    if (extensions.currentVersion !== undefined) {
      result.conflict ??= { version: extensions.currentVersion, current: extensions.current ?? {} };
    }
  }
  return result;
}

// setFormErrors shows the errors with setError of React Hook Form. See index.d.ts.
export function setFormErrors(setError, { fields, form }) {
  for (const [path, messages] of Object.entries(fields)) {
    setError(path, { type: 'server', message: messages.join('\n') });
  }
  if (form.length > 0) {
    setError('root.server', { type: 'server', message: form.join('\n') });
  }
}

// listOf returns the GraphQL errors in an answer, or in the error of a client.
function listOf(failure) {
  for (const list of [failure, failure.graphQLErrors, failure.errors, failure.error?.graphQLErrors, failure.error?.errors]) {
    if (Array.isArray(list) && list.length > 0) {
      return list;
    }
  }
  try {
    return JSON.parse(failure.bodyText).errors ?? []; // Apollo Client's error of a status such as 503
  } catch {
    return [];
  }
}

// fieldOf returns the path of a field in the form, or undefined if the path is of something else.
function fieldOf(path, argument) {
  if (!path || argument === '') {
    return path || undefined;
  }
  return path.startsWith(argument + '.') ? path.slice(argument.length + 1) : undefined;
}
