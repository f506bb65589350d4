// The operator's corner: what the server and its database are doing.
import { useQuery } from '@tanstack/react-query';
import { api } from './api.js';
import { Failure } from './ui.jsx';
import { Table, Times } from './table.jsx';

// Each part is asked for by itself, so that one that fails leaves the others.
const parts = {
  health: 'version startedAt health { ready reason writable database requestsInFlight connections { most open inUse waited } replicas { name usable reason lagSeconds reads } }',
  migrations: 'migrations { applied { name appliedAt changed } pending problem drift notCompared }',
  activity: 'activity { sizeBytes sessions { application state since transaction waitsFor blockedBy statement } }',
  mails: 'mails { waiting oldestAt givenUp newest { template createdAt failedAt failures lastError } }',
  operations: 'operations(first: 50) { name count failed meanMs p50Ms p99Ms statements databaseMs retries } refusals { limit count }',
};

function usePart(name) {
  return useQuery({
    queryKey: ['server', name],
    queryFn: async () => (await api(`query ConsoleServer { server { ${parts[name]} } }`)).server,
    refetchInterval: 5_000,
    retry: false,
  });
}

export default function Server() {
  return (
    <>
      <h1>Server</h1>
      <p className="help">This server, since it started. It is looked at again every 5 seconds.</p>
      <Part name="health" title="Health" Shown={Health} />
      <Part name="activity" title="Activity of the database" Shown={Activity} />
      <Part name="mails" title="Mails" Shown={Mails} />
      <Part name="operations" title="Slowest operations" Shown={Operations} />
      <Part name="migrations" title="Migrations" Shown={Migrations} />
    </>
  );
}

function Part({ name, title, Shown }) {
  const { data, error } = usePart(name);
  return (
    <section aria-labelledby={name}>
      <h2 id={name}>{title}</h2>
      {error && <Failure error={error} />}
      {data ? <Shown server={data} /> : !error && <p>Loading…</p>}
    </section>
  );
}

function Health({ server: { version, startedAt, health } }) {
  const { connections } = health;
  return (
    <>
      <dl>
        <Value name="Ready">{health.ready ? 'Yes' : <span className="error">No: {health.reason}</span>}</Value>
        <Value name="Writes">{health.writable ? 'Yes' : <span className="error">No, only reads</span>}</Value>
        <Value name="Version">{version}, since <Times at={startedAt} /></Value>
        <Value name="Database">{{ postgres: 'PostgreSQL', sqlite3: 'SQLite' }[health.database] ?? health.database}</Value>
        <Value name="Requests now">{health.requestsInFlight}</Value>
        <Value name="Connections">{connections.inUse} in use, {connections.open} open, {connections.most > 0 ? `${connections.most} at most` : 'no bound'}; {connections.waited} waits</Value>
      </dl>
      {health.replicas.length > 0 && (
        <Table
          label="Replicas"
          head={['Replica', 'Read from', 'Behind', 'Queries']}
          rows={health.replicas.map((r) => [r.name, r.usable ? 'Yes' : `No: ${r.reason}`, r.lagSeconds === null ? '—' : `${r.lagSeconds.toFixed(1)} s`, number(r.reads)])}
        />
      )}
    </>
  );
}

function Value({ name, children }) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

function Migrations({ server: { migrations: m } }) {
  return (
    <>
      {m.problem && <p className="error">{m.problem}</p>}
      {m.notCompared && <p>The schema was not compared: {m.notCompared}</p>}
      {m.drift.length > 0 ? <><p>The schema is not as the migrations left it:</p><ul>{m.drift.map((line) => <li key={line}>{line}</li>)}</ul></> : !m.notCompared && <p>The schema is as the migrations left it.</p>}
      <Table
        label="Applied and pending"
        head={['Migration', 'Applied']}
        rows={[...m.pending.map((name) => [name, <strong key="p">Pending: run migrate up</strong>]), ...m.applied.toReversed().map((v) => [v.name, <>{<Times at={v.appliedAt} />}{v.changed && <strong>, its file has changed since</strong>}</>])]}
      />
    </>
  );
}

function Activity({ server: { activity } }) {
  return (
    <>
      <p>{(activity.sizeBytes / 1e6).toLocaleString(undefined, { maximumFractionDigits: 1 })} MB</p>
      {activity.sessions.length === 0 ? (
        <p>No connections to show: SQLite runs within the server.</p>
      ) : (
        <Table
          label="Connections to the database"
          head={['Program', 'State', 'Since', 'Waits for', 'Last statement']}
          rows={activity.sessions.map((s) => [s.application || '—', s.state, <Times key="t" at={s.since} />, s.blockedBy > 0 ? `${s.waitsFor} (${s.blockedBy} in front)` : (s.waitsFor ?? '—'), <code key="s" title={s.statement}>{s.statement}</code>])}
        />
      )}
    </>
  );
}

function Mails({ server: { mails: m } }) {
  return (
    <>
      <p>{m.waiting === 0 ? 'None waits to be sent.' : <>{count(m.waiting, 'waits', 'wait')} to be sent, since <Times at={m.oldestAt} /> at the latest.</>}</p>
      {m.givenUp > 0 && (
        <>
          <p className="error">{count(m.givenUp, 'was', 'were')} given up, and will not be sent.</p>
          <Table
            label="Mails that were given up"
            head={['Template', 'Queued', 'Given up', 'Attempts', 'Why']}
            rows={m.newest.map((each) => [each.template, <Times key="c" at={each.createdAt} />, <Times key="f" at={each.failedAt} />, number(each.failures), each.lastError ?? '—'])}
          />
        </>
      )}
    </>
  );
}

const count = (n, one, several) => (n === 1 ? `One ${one}` : `${number(n)} ${several}`);

function Operations({ server: { operations, refusals } }) {
  return (
    <>
      <Table
        label="Times of operations"
        head={['Operation', 'Answers', 'With errors', 'Median', '99 of 100 within', 'Statements each', 'Database each']}
        numbers={1}
        rows={operations.map((o) => [o.name, number(o.count), number(o.failed), ms(o.p50Ms), ms(o.p99Ms), (o.statements / o.count).toFixed(1), ms(o.databaseMs / o.count)])}
      />
      <h3>Refused by limits</h3>
      {refusals.length === 0 ? <p>Nothing was refused.</p> : <Table label="Refused by limits" head={['Limit', 'Requests']} numbers={1} rows={refusals.map((r) => [r.limit, number(r.count)])} />}
    </>
  );
}

const number = (value) => value.toLocaleString();
const ms = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString()} ms`;
