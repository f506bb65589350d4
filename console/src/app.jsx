// The console: who is signed in, the navigation, and the view that the address names.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { resume, signOut, useSession } from '../../playground/src/session.js';
import icon from './icon.svg';
import { api, forgetNames, load } from './api.js';
import { Create, Edit } from './form.jsx';
import { setUploadTypes } from './inputs.jsx';
import { List } from './list.jsx';
import { disconnect } from './live.js';
import { ModelContext, StatusContext } from './model.jsx';
import { pages } from './pages.jsx';
import { entityAt, href, segment, useRoute } from './router.js';
import { Row } from './row.jsx';
import { modelOf } from './schema.js';
import { SignIn } from './sign-in.jsx';
import { Boundary, Failure, Loading } from './ui.jsx';
import { fromProvider } from './ways.js';

// App asks who is there, and shows the console to whoever may see it.
export function App() {
  const { data: config, error } = useQuery({ queryKey: ['config'], queryFn: configured, staleTime: Infinity });
  const { user, notice } = useSession();
  if (error) {
    return <main><h1>The console cannot start</h1><Failure error={error} /></main>;
  }
  if (!config) {
    return <main><Loading title="Console" /></main>;
  }
  return config.signIn && !user ? <SignIn config={config} notice={notice} failure={config.failure} /> : <Offered user={user} key={user?.username} />;
}

// configured returns what the server says of itself. If the browser comes back from a provider, it
// signs in; failure is the error if that fails. If a cookie has a session, it goes on.
async function configured() {
  const config = await load('/console/config.json');
  try {
    if (config.signIn && !(await fromProvider()) && config.cookie) {
      await resume();
    }
  } catch (failure) {
    return { ...config, failure };
  }
  return config;
}

function Offered({ user }) {
  const cache = useQueryClient();
  useEffect(() => () => { disconnect(); forgetNames(); cache.removeQueries({ predicate: ({ queryKey: [name] }) => name !== 'config' }); }, [cache]);
  const { data: model, error } = useQuery({
    queryKey: ['schema', user?.username],
    queryFn: async () => modelOf(await load('/console/schema.json')),
    staleTime: Infinity,
    structuralSharing: false,
    retry: false,
  });
  if (error) {
    return (
      <main>
        <h1>{error.status === 403 ? 'Only administrators may use the console' : 'The console cannot start'}</h1>
        {error.status !== 403 && <Failure error={error} />}
        {user && <button type="button" onClick={signOut}>Sign out</button>}
      </main>
    );
  }
  if (!model) {
    return <main><Loading title="Console" /></main>;
  }
  setUploadTypes(model.types);
  return <ModelContext value={model}><Frame model={model} user={user} /></ModelContext>;
}

function Frame({ model, user }) {
  const route = useRoute();
  const [message, setMessage] = useState('');
  const [menu, setMenu] = useState(false);
  const main = useRef(null);
  const status = useCallback((text) => { setMessage(''); setTimeout(() => setMessage(text)); }, []);
  const address = route.parts.join('/');
  const shownBefore = useRef(address);
  useEffect(() => {
    setMenu(false);
    scrollTo(0, 0);
    // A link that is gone with its view takes the focus with it: the next view begins where it was.
    if (shownBefore.current !== address && document.activeElement === document.body) {
      main.current.focus({ preventScroll: true });
    }
    shownBefore.current = address;
  }, [address]);
  useEffect(() => {
    const timer = setTimeout(() => setMessage(''), 8000);
    return () => clearTimeout(timer);
  }, [message]);
  const listed = [...model.entities.values()].filter(({ list }) => list);
  const shown = pages.filter(({ allowed }) => !allowed || allowed(model));
  const link = (to, text) => <a href={href([to])} aria-current={route.parts[0] === to ? 'page' : undefined}>{text}</a>;
  return (
    <StatusContext value={status}>
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current.focus(); }}>Skip to the content</a>
      <header className="top">
        <a className="brand" href="#/"><img src={icon} alt="" /> Console</a>
        <button type="button" className="menu" aria-expanded={menu} aria-controls="navigation" onClick={() => setMenu(!menu)}>Menu</button>
        <span className="spacer" />
        {user && <><span className="who">{user.username}</span><button type="button" onClick={signOut}>Sign out</button></>}
      </header>
      <nav id="navigation" className={menu ? 'side open' : 'side'} aria-label="All there is">
        <ul>{listed.map((entity) => <li key={entity.name}>{link(segment(entity), entity.label)}</li>)}</ul>
        {shown.length > 0 && <ul>{shown.map(({ path, label }) => <li key={path}>{link(path, label)}</li>)}</ul>}
      </nav>
      <main ref={main} id="main" tabIndex={-1}><Boundary key={address}><View model={model} route={route} listed={listed} shown={shown} /></Boundary></main>
      <div className="toast" role="status">{message}</div>
    </StatusContext>
  );
}

function View({ model, route: { parts, params }, listed, shown }) {
  const [first, id, verb] = parts;
  const page = shown.find(({ path }) => path === first);
  const entity = first && entityAt(model, first);
  useEffect(() => {
    document.title = `${entity?.label ?? page?.label ?? 'Home'} · Forge console`;
  }, [entity, page]);
  if (!first) {
    return <Home model={model} listed={listed} />;
  }
  if (page) {
    return <page.Component parts={parts.slice(1)} params={params} />;
  }
  const key = parts.join('/');
  if (entity && !id && entity.list) return <List key={entity.name} entity={entity} params={params} />;
  if (entity && id === 'new' && entity.inputs.create) return <Create key={key} entity={entity} />;
  if (entity && id && verb === 'edit' && entity.inputs.update) return <Edit key={key} entity={entity} id={id} />;
  if (entity && id && !verb) return <Row key={key} entity={entity} id={id} />;
  return <><h1>Nothing is here</h1><p><a href="#/">To the beginning</a></p></>;
}

// Home shows what there is, and how much of it.
function Home({ model, listed }) {
  const counted = listed.filter(({ total }) => total).slice(0, 10); // root fields in one operation
  const { data } = useQuery({
    queryKey: ['list', 'home'],
    enabled: counted.length > 0,
    queryFn: () => api(`query ConsoleHome { ${counted.map(({ list }) => `${list.name}(first: 0) { totalCount }`).join(' ')} }`),
  });
  return (
    <>
      <h1>What is here</h1>
      <ul className="cards">
        {listed.map((entity) => (
          <li key={entity.name}>
            <a href={href([segment(entity)])}><strong>{entity.label}</strong> {data?.[entity.list.name] && <span>{data[entity.list.name].totalCount.toLocaleString()}</span>}</a>
            <p className="help">{entity.description}</p>
          </li>
        ))}
      </ul>
      {listed.length === 0 && <p>{model.role === 'ADMIN' ? 'The schema has no lists of rows.' : 'There is nothing that you may see.'}</p>}
    </>
  );
}
