// What the server tells the page about itself: whether one signs in, whether it explains its
// statements, and which other pages it has.
import { useSyncExternalStore } from 'react';

let config = null;
const listeners = new Set();

// Without an answer there is neither a panel nor a plan nor a link, and the rest works.
fetch('/config.json')
  .then((response) => response.json())
  .then((answer) => {
    config = answer;
    listeners.forEach((listener) => listener());
  })
  .catch(() => {});

// useConfig returns what the server tells, and null until it is there.
export function useConfig() {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => config,
  );
}
