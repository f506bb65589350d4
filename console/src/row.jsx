// One row: its values, the rows that it refers to and those that belong to it, and what can be done.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Actions } from './actions.jsx';
import { api, changesHere } from './api.js';
import { backTo } from './filters.js';
import { useLive } from './live.js';
import { useModel } from './model.jsx';
import { rowQuery, selection, titleOf } from './queries.js';
import { go, href, segment } from './router.js';
import { Failure, Loading } from './ui.jsx';
import { Cell, Files, isNumber } from './values.jsx';
import { lower } from './words.js';

export function Row({ entity, id }) {
  const model = useModel();
  const cache = useQueryClient();
  const [fresh, setFresh] = useState(false);
  const columns = entity.columns.filter(({ name, kind }) => kind !== 'many' && kind !== 'rows' && name !== 'id');
  const [own, about] = [columns.filter(({ name }) => !keptByServer(name)), columns.filter(({ name }) => keptByServer(name))];
  const inline = entity.columns.filter(({ kind }) => kind === 'rows');
  const fields = `${selection(model, entity, columns)} ${inline.map((column) => `${column.name} { ${selection(model, model.entities.get(column.target), shortColumns(model, column, entity))} }`).join(' ')}`;
  const { data: row, error } = useQuery({ queryKey: ['row', entity.name, id, fields], queryFn: async () => (await api(rowQuery(entity, fields), { id })).row });
  useLive(entity, [id], async () => {
    const own = changesHere();
    await cache.invalidateQueries({ queryKey: ['row', entity.name, id] });
    cache.invalidateQueries({ queryKey: ['related', entity.name, id] });
    setFresh(!own);
  });
  if (error) {
    return <><h1>{entity.one}</h1><Failure error={error} /></>;
  }
  if (row === undefined) {
    return <Loading title={entity.one} />;
  }
  if (row === null) {
    return <><h1>Not there</h1><p>There is no such {lower(entity.one)}, or it was deleted. <a href={href([segment(entity)])}>All {lower(entity.label)}</a></p></>;
  }
  return (
    <article>
      <p className="crumbs"><a href={href([segment(entity)])}>{entity.label}</a></p>
      <header className="bar">
        <h1>{titleOf(model, entity.name, row)}</h1>
        {entity.inputs.update && <a className="button primary" href={href([segment(entity), id, 'edit'])}>Edit</a>}
        <Actions entity={entity} rows={[row]} done={({ past }) => past === 'deleted' && go(href([segment(entity)]))} />
      </header>
      <p role="status" className="help">{fresh && 'This has just changed, and is shown as it is now.'}</p>
      <dl>
        {own.map((column) => (
          <div key={column.name}>
            <dt title={column.help}>{column.label}</dt>
            <dd>
              {column.kind === 'file' && row[column.name] ? <Files value={row[column.name]} /> : <Cell model={model} column={column} value={row[column.name]} />}
            </dd>
          </div>
        ))}
      </dl>
      <dl className="about">
        {about.map((column) => <div key={column.name}><dt title={column.help}>{column.label}</dt><dd><Cell model={model} column={column} value={row[column.name]} /></dd></div>)}
        <div><dt>ID</dt><dd><code>{row.id}</code></dd></div>
      </dl>
      {inline.map((column) => <Section key={column.name} column={column}><Rows model={model} column={column} rows={row[column.name] ?? []} columns={shortColumns(model, column, entity)} /></Section>)}
      {entity.columns.filter(({ kind }) => kind === 'many').map((column) => <Many key={column.name} entity={entity} id={id} column={column} />)}
    </article>
  );
}

// keptByServer reports whether a column says something about the row itself, and nothing of what
// it is about.
const keptByServer = (name) => /^(version|createdAt|updatedAt)$/.test(name);

// shortColumns returns what is shown of related rows: their title and a few values, but not the row
// that they belong to.
function shortColumns(model, { target }, owner) {
  const entity = model.entities.get(target);
  const fits = ({ name, kind, list, scalar, target: other }) => (kind === 'one' ? other !== owner.name : kind === 'value') && !list && !/^(id|version|updatedAt)$/.test(name) && !['JSON', 'Bytes'].includes(scalar);
  return entity.columns.filter(fits).toSorted((a, b) => (b.name === entity.title) - (a.name === entity.title)).slice(0, 5);
}

function Section({ column, children }) {
  return (
    <section>
      <h2>{column.label}</h2>
      {column.help && <p className="help">{column.help}</p>}
      {children}
    </section>
  );
}

// Many shows the first rows of a to-many edge, and links to the list of all.
function Many({ entity, id, column }) {
  const model = useModel();
  const columns = shortColumns(model, column, entity);
  const target = model.entities.get(column.target);
  const fields = `id ${column.name}(first: 10) { nodes { ${selection(model, target, columns)} } ${column.total ? 'totalCount' : ''} }`;
  const { data, error } = useQuery({ queryKey: ['related', entity.name, id, column.name], queryFn: async () => (await api(rowQuery(entity, fields), { id })).row?.[column.name] });
  const back = backTo(model, entity, column, id);
  if (error || data === undefined || data === null) {
    return error ? <Section column={column}><Failure error={error} /></Section> : null;
  }
  return (
    <Section column={column}>
      <Rows model={model} column={column} rows={data.nodes} columns={columns} />
      {back && data.totalCount > data.nodes.length && <p><a href={href([segment(target)], { filter: JSON.stringify([back.filter]) })}>All {data.totalCount.toLocaleString()} {lower(column.label)}</a></p>}
    </Section>
  );
}

function Rows({ model, column, rows, columns }) {
  const entity = model.entities.get(column.target);
  if (rows.length === 0) {
    return <p className="empty">None</p>;
  }
  return (
    <div className="scroll" role="region" aria-label={column.label} tabIndex={0}>
      <table>
        <thead><tr>{!entity.title && <th scope="col">{entity.one}</th>}{columns.map((each) => <th key={each.name} scope="col" className={isNumber(each)}>{each.label}</th>)}</tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              {!entity.title && <td>{entity.abstract ? titleOf(model, column.target, row) : <a href={href([segment(entity), row.id])}>{titleOf(model, column.target, row)}</a>}</td>}
              {columns.map((each) => <td key={each.name} className={isNumber(each)}>{each.name === entity.title && !entity.abstract ? <a href={href([segment(entity), row.id])}>{row[each.name] ?? '—'}</a> : <Cell model={model} column={each} value={row[each.name]} />}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

