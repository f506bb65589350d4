// Everything that GraphiQL remembers (tabs, theme, history) is kept under a prefix of our own:
// another project's GraphiQL, tried on the same port last week, would otherwise leave its tabs here.
const prefix = 'forge:';

// What GraphiQL's history writes has the headers of each operation, whatever is said about keeping them, and a token may be among them.
const histories = new Set(['graphiql:queries', 'graphiql:favorites']);

function withoutHeaders(value) {
  return JSON.stringify(JSON.parse(value), (key, part) => (key === 'headers' ? undefined : part));
}

function keys() {
  return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
}

export const storage = {
  getItem: (key) => localStorage.getItem(prefix + key),
  setItem: (key, value) => localStorage.setItem(prefix + key, histories.has(key) ? withoutHeaders(value) : value),
  removeItem: (key) => localStorage.removeItem(prefix + key),
  clear: () => keys().forEach((key) => localStorage.removeItem(key)),
  get length() {
    return keys().length;
  },
};
