import { useGraphiQL } from '@graphiql/react';
import { useRef, useState } from 'react';
import { askedFor } from './asked.js';
import { useConfig } from './config.js';
import { explain, kindOf } from './fetcher.js';

// SqlCost shows the statements, their time and the cost of the answer on screen, and opens their
// plan. It shows nothing when the answer does not say, which is the case in production.
export function SqlCost() {
  const response = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.response);
  const panel = useRef(null);
  const [visit, setVisit] = useState(0); // each time that the panel opens it begins anew
  const explained = useConfig()?.explain;
  const extensions = extensionsOf(response);
  const text = Number.isInteger(extensions?.sql?.statements) ? costs(extensions) : '';
  if (!text) {
    return null;
  }
  const asked = askedFor(response);
  return (
    <>
      <div className="sql-cost" role="status" title="What the database was asked for this answer">
        {text}
      </div>
      {explained && asked && kindOf(asked.operation) === 'query' && extensions.sql.statements > 0 && (
        <button
          type="button"
          className="graphiql-button sql-plan-button"
          aria-haspopup="dialog"
          onClick={() => {
            setVisit(visit + 1);
            panel.current.showModal();
          }}
        >
          SQL and plan
        </button>
      )}
      <dialog ref={panel} className="forge-panel sql-plan" aria-labelledby="sql-plan-title">
        {visit > 0 && asked && <Plan key={visit} asked={asked} close={() => panel.current.close()} />}
      </dialog>
    </>
  );
}

// Plan asks for the statements of a query, and for their plans on a click.
function Plan({ asked, close }) {
  const [wish, setWish] = useState('sql');
  const [{ of, statements, error }, setFound] = useState({});
  const asking = useRef('');
  if (asking.current !== wish) {
    asking.current = wish;
    explain(asked, wish).then(
      (found) => setFound({ of: wish, statements: found }),
      (reason) => setFound({ of: wish, error: reason.message }),
    );
  }
  return (
    <div onKeyDown={(event) => event.key !== 'Escape' && event.stopPropagation()}>
      <h2 id="sql-plan-title">SQL of this query</h2>
      <p>
        The query runs again for this. “Explain” has PostgreSQL run each statement once more, in a transaction that only reads and is undone; SQLite only
        plans it. Values are left out.
      </p>
      <p role="alert">{error}</p>
      <div className="sql-statements" aria-busy={of !== wish}>
        {statements?.map(({ sql, plan, error: failed }, index) => (
          <section key={index} aria-label={`Statement ${index + 1}`}>
            <pre tabIndex={0}>{broken(sql)}</pre>
            {plan && (
              <pre tabIndex={0} className="sql-plan-text" aria-label={`Plan ${index + 1}`}>
                {plan}
              </pre>
            )}
            {failed && <p>There is no plan: {failed}</p>}
          </section>
        ))}
      </div>
      <div className="sign-in-actions">
        <button type="button" className="graphiql-button" disabled={wish === 'plan'} onClick={() => setWish('plan')}>
          Explain
        </button>
        <button type="button" className="graphiql-button" onClick={close}>
          Close
        </button>
      </div>
    </div>
  );
}

// broken begins a new line before the larger parts of a statement.
function broken(sql) {
  return sql.replace(/ (?=(?:FROM|LEFT JOIN|JOIN|WHERE|GROUP BY|ORDER BY|LIMIT|UNION ALL)\b)/g, '\n');
}

function costs({ sql, cost }) {
  const parts = [`${sql.statements} SQL ${sql.statements === 1 ? 'statement' : 'statements'}`];
  if (typeof sql.durationMs === 'number') {
    parts.push(`${sql.durationMs.toFixed(1)} ms`);
  }
  if (typeof cost?.actual === 'number') {
    parts.push(`cost ${cost.actual}${cost.limit > 0 ? ` of ${cost.limit}` : ''}`);
  }
  if (sql.replica) {
    parts.push(`from ${sql.replica}`);
  }
  return parts.join(' · ');
}

function extensionsOf(response) {
  try {
    return JSON.parse(response)?.extensions;
  } catch {
    return null; // no answer yet, or an error message instead of one
  }
}
