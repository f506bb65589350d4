// Where the reader is, as the fragment of the address says: #/orders/order_1?sort=….
import { useSyncExternalStore } from 'react';

function subscribe(listener) {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
}

// useRoute returns the parts of the path, and the parameters.
export function useRoute() {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  const [path, query] = hash.replace(/^#\/?/, '').split('?');
  return { parts: path.split('/').filter(Boolean).map(decoded), params: new URLSearchParams(query) };
}

// decoded returns a part of a path as it was before href wrote it. One that href has not written
// stays as it is.
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// href returns the address of a view.
export function href(parts, params = {}) {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== undefined && value !== null && value !== ''));
  return `#/${parts.map(encodeURIComponent).join('/')}${query.size > 0 ? `?${query}` : ''}`;
}

export function go(to, { replace = false } = {}) {
  if (replace) {
    location.replace(to);
  } else {
    location.hash = to;
  }
}

// segment returns what an entity is called in addresses.
export const segment = (entity) => entity.list?.name ?? entity.name;

// entityAt returns the entity that an address names.
export function entityAt(model, name) {
  return [...model.entities.values()].find((entity) => segment(entity) === name);
}
