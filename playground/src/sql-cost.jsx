import { useGraphiQL } from '@graphiql/react';

// SqlCost shows how many SQL statements the answer on screen took. It shows nothing when the answer
// does not say, which is the case in production.
export function SqlCost() {
  const response = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.response);
  const sql = sqlOf(response);
  if (!sql) {
    return null;
  }
  const statements = `${sql.statements} SQL ${sql.statements === 1 ? 'statement' : 'statements'}`;
  const duration = typeof sql.durationMs === 'number' ? ` · ${sql.durationMs.toFixed(1)} ms` : '';
  return (
    <div className="sql-cost" role="status" title="What the database was asked for this answer">
      {statements + duration}
    </div>
  );
}

function sqlOf(response) {
  try {
    const sql = JSON.parse(response)?.extensions?.sql;
    return Number.isInteger(sql?.statements) ? sql : null;
  } catch {
    return null; // no answer yet, or an error message instead of one
  }
}
