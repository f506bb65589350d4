// Which operation an answer on screen is to. GraphiQL keeps the text of an answer with its tab, and
// nothing else.
const most = 50;
const operations = new Map(); // by the text of the answer

// remember keeps the operation and the headers that an answer is to.
export function remember(answer, operation, headers) {
  operations.set(JSON.stringify(answer, null, 2), { operation, headers });
  if (operations.size > most) {
    operations.delete(operations.keys().next().value);
  }
}

// askedFor returns what the answer with this text is to, or undefined.
export function askedFor(text) {
  return operations.get(text);
}
