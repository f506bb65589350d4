// Pages of the console that are about no entity. Each has:
//
//   path       the first part of its address
//   label      what the navigation calls it
//   allowed    whether the viewer may see it, from the model of the schema
//   Component  the view; it gets the parts of the address after the first one, and the parameters
//
// Their code is loaded when they are opened.
import { lazy, Suspense } from 'react';
import { Loading } from './ui.jsx';

function later(title, load) {
  const Page = lazy(load);
  return (props) => <Suspense fallback={<Loading title={title} />}><Page {...props} /></Suspense>;
}

const asks = (...names) => (model) => names.every((name) => model.rootFields('Query').some((field) => field.name === name));

export const pages = [
  { path: 'map', label: 'Map of the schema', allowed: (model) => model.entities.size > 0, Component: later('Map of the schema', () => import('./map.jsx')) },
  { path: 'server', label: 'Server', allowed: asks('server'), Component: later('Server', () => import('./server.jsx')) },
  { path: 'webhooks', label: 'Webhooks', allowed: asks('webhooks'), Component: later('Webhooks', () => import('./webhooks.jsx')) },
  { path: 'sessions', label: 'Sessions', allowed: (model) => model.role === 'ADMIN' && Boolean(sessionsOf(model)), Component: later('Sessions', () => import('./sessions.jsx')) },
];

// sessionsOf returns the entity whose rows have sessions: the accounts.
export function sessionsOf(model) {
  const listsSessions = (name) => {
    const nodes = model.types[name]?.fields?.find((field) => field.name === 'nodes');
    const session = nodes && model.types[nodes.type.replace(/[[\]!]/g, '')];
    return ['id', 'lastUsedAt', 'current'].every((wanted) => session?.fields?.some((field) => field.name === wanted));
  };
  return [...model.entities.values()].find(({ type }) => type.fields?.some(({ name, type: of }) => name === 'sessions' && listsSessions(of.replace(/[[\]!]/g, ''))));
}
