// A table of plain rows, and a point in time.

// Table shows rows of cells. numbers is the first column that has numbers, if there are such.
export function Table({ label, head, rows, numbers = Infinity }) {
  const of = (index) => (index >= numbers ? 'number' : undefined);
  return (
    <div className="scroll" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead><tr>{head.map((text, index) => <th key={text} scope="col" className={of(index)}>{text}</th>)}</tr></thead>
        <tbody>
          {rows.map((cells, row) => <tr key={row}>{cells.map((cell, index) => <td key={head[index]} className={of(index)}>{cell}</td>)}</tr>)}
        </tbody>
      </table>
    </div>
  );
}

export function Times({ at }) {
  return at ? <time dateTime={at} title={at}>{new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' })}</time> : '—';
}
