// Everything that GraphiQL remembers (tabs, theme, history) is kept under a prefix of our own:
// another project's GraphiQL, tried on the same port last week, would otherwise leave its tabs here.
const prefix = 'forge:';

function keys() {
  return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
}

export const storage = {
  getItem: (key) => localStorage.getItem(prefix + key),
  setItem: (key, value) => localStorage.setItem(prefix + key, value),
  removeItem: (key) => localStorage.removeItem(prefix + key),
  clear: () => keys().forEach((key) => localStorage.removeItem(key)),
  get length() {
    return keys().length;
  },
};
