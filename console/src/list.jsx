// The list of an entity: pages, order, filters, search, columns, totals and groups.
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Actions, BulkEdit, canBulkEdit, rowActions } from './actions.jsx';
import { api } from './api.js';
import { FilterBar } from './filter-bar.jsx';
import { whereOf } from './filters.js';
import { Groups } from './groups.jsx';
import { useLive } from './live.js';
import { useModel } from './model.jsx';
import { listQuery, titleOf } from './queries.js';
import { go, href, segment } from './router.js';
import { sortOf } from './schema.js';
import { Failure } from './ui.jsx';
import { Cell, isNumber } from './values.jsx';
import { lower } from './words.js';

const pageSize = 50;
const chosen = (entity) => `forge:console:columns:${entity.name}`;

// columnsOf returns the columns that a list has if nothing else is chosen: the title and what is short.
function columnsOf(entity) {
  const long = /(Id|version|At|url|Url)$|^(id|version)$/;
  const rank = ({ name, kind, values }) => (name === entity.title ? 0 : kind === 'one' ? 1 : values ? 2 : 3);
  const shown = entity.columns.filter(({ name, kind, list, scalar }) => !long.test(name) && !list && kind !== 'many' && kind !== 'rows' && !['JSON', 'Bytes'].includes(scalar));
  const created = entity.columns.filter(({ name }) => name === 'createdAt');
  return [...shown.toSorted((a, b) => rank(a) - rank(b)).slice(0, 7), ...created].map(({ name }) => name);
}

function useColumns(entity) {
  const [names, setNames] = useState(() => JSON.parse(localStorage.getItem(chosen(entity))) ?? columnsOf(entity)); // only the console writes it
  const set = (next) => {
    localStorage.setItem(chosen(entity), JSON.stringify(next));
    setNames(next);
  };
  return [entity.columns.filter(({ name }) => names.includes(name)).toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name)), names, set];
}

// filtersOf reads filters from an address, which anybody may have typed.
function filtersOf(text) {
  try {
    const filters = JSON.parse(text ?? '[]');
    return filters.every(({ path, field }) => Array.isArray(path) && typeof field === 'string') ? filters : [];
  } catch {
    return [];
  }
}

// stateOf reads what an address says of a list.
function stateOf(entity, params) {
  const [asked, direction] = (params.get('sort') ?? '').split(' ');
  const field = entity.order.has(asked) && ['ASC', 'DESC'].includes(direction) ? asked : null;
  return {
    filters: filtersOf(params.get('filter')),
    search: params.get('search') ?? '',
    sort: field ? { field, direction } : null,
    order: field ? { field, direction } : !entity.title && entity.order.has('CREATED_AT') ? { field: 'CREATED_AT', direction: 'DESC' } : null, // what has no name is looked for by its time
    deleted: params.get('deleted') === 'yes',
    from: Number(params.get('from')) || 0,
    page: params.has('before') ? { last: pageSize, before: params.get('before') } : { first: pageSize, after: params.get('after') },
  };
}

// narrowing returns the parameters of an address that say which rows a list has, without the page.
function narrowing({ filters, search, sort, deleted }) {
  return { filter: filters.length > 0 ? JSON.stringify(filters) : '', search, sort: sort ? `${sort.field} ${sort.direction}` : '', deleted: deleted ? 'yes' : '' };
}

export function List({ entity, params }) {
  const model = useModel();
  const cache = useQueryClient();
  const state = stateOf(entity, params);
  const [columns, names, setNames] = useColumns(entity);
  const [selected, setSelected] = useState(new Set());
  const [panel, setPanel] = useState(null);
  const [recent, setRecent] = useState(new Set());
  const where = whereOf(state.filters);
  const asked = listQuery(model, entity, { columns, page: state.page, where, search: state.search, sort: state.order, deleted: state.deleted });
  const { data: list, error, isPlaceholderData } = useQuery({
    queryKey: ['list', entity.name, asked],
    queryFn: async () => (await api(asked.query, asked.variables)).list,
    placeholderData: keepPreviousData,
  });
  const move = (change) => go(href([segment(entity)], { ...narrowing({ ...state, ...change }), ...change.to }));
  useFollowing(entity, cache, setRecent);
  useEffect(() => setSelected(new Set()), [params.toString()]);
  const rows = list?.nodes ?? [];
  const all = rows.filter(({ id }) => selected.has(id)); // as they are now, and not as they were when they were selected
  const done = () => { setSelected(new Set()); setPanel(null); };
  const bulk = !entity.abstract && (rowActions(entity, state.deleted).length > 0 || canBulkEdit(model, entity));
  return (
    <>
      <header className="bar">
        <h1>{state.deleted ? `Deleted ${lower(entity.label)}` : entity.label}</h1>
        {entity.create && !state.deleted && <a className="button primary" href={href([segment(entity), 'new'])}>New {lower(entity.one)}</a>}
      </header>
      {entity.description && <p className="help">{entity.description}</p>}
      <div className="bar tools">
        {entity.search && <Search label={entity.label} value={state.search} help={entity.search.description} onSearch={(search) => move({ search })} />}
        {entity.where && !state.deleted && <button type="button" aria-expanded={panel === 'filter'} onClick={() => setPanel(panel === 'filter' ? null : 'filter')}>Filter{state.filters.length > 0 ? ` (${state.filters.length})` : ''}</button>}
        <button type="button" aria-expanded={panel === 'columns'} onClick={() => setPanel(panel === 'columns' ? null : 'columns')}>Columns</button>
        {(entity.aggregate || entity.groups) && !state.deleted && <button type="button" aria-expanded={panel === 'totals'} onClick={() => setPanel(panel === 'totals' ? null : 'totals')}>Totals</button>}
        {entity.deleted && (entity.restore || model.role === 'ADMIN') && <button type="button" onClick={() => move({ deleted: !state.deleted, filters: [] })}>{state.deleted ? `Back to ${lower(entity.label)}` : 'Show deleted'}</button>}
      </div>
      {panel === 'filter' && <FilterBar entity={entity} filters={state.filters} onChange={(filters) => move({ filters })} />}
      {panel === 'columns' && <Columns model={model} entity={entity} names={names} onChange={setNames} />}
      {panel === 'totals' && <Groups entity={entity} where={where} search={state.search} />}
      {error && <Failure error={error} />}
      {all.length > 0 && (
        <div className="bar selection" role="group" aria-label="What to do with the selected rows">
          <strong>{all.length} selected</strong>
          <Actions entity={entity} rows={all} deleted={state.deleted} done={done} />
          {!state.deleted && canBulkEdit(model, entity) && <button type="button" onClick={() => setPanel('bulk')}>Change…</button>}
        </div>
      )}
      {panel === 'bulk' && <BulkEdit entity={entity} rows={all} close={() => setPanel(null)} done={done} />}
      {list && <Table {...{ model, entity, columns, rows, state, move, selected, setSelected, recent, bulk }} busy={isPlaceholderData} done={done} />}
      {list ? <Pages list={list} rows={rows} state={state} move={move} busy={isPlaceholderData} /> : !error && <p role="status">Loading…</p>}
    </>
  );
}

// useFollowing reads the list anew when rows change elsewhere, and marks them for a moment.
function useFollowing(entity, cache, setRecent) {
  useLive(entity, undefined, async (ids) => {
    await cache.invalidateQueries({ queryKey: ['list', entity.name] });
    cache.invalidateQueries({ queryKey: ['groups', entity.name] });
    setRecent(new Set(ids));
  });
}

function Search({ label, value, help, onSearch }) {
  const [text, setText] = useState(value);
  const asked = useRef(value); // what was searched for here: it comes back as the value, and must not undo what was typed since
  useEffect(() => {
    if (value !== asked.current) setText(value);
    asked.current = value;
  }, [value]);
  const search = (wanted) => {
    asked.current = wanted;
    onSearch(wanted);
  };
  return (
    <form role="search" className="row" onSubmit={(event) => { event.preventDefault(); search(text); }}>
      <input type="search" aria-label={`Search ${lower(label)}`} placeholder={`Search ${lower(label)}`} title={help} value={text} onChange={(event) => { setText(event.target.value); if (event.target.value === '') search(''); }} />
      <button type="submit">Search</button>
    </form>
  );
}

function Columns({ model, entity, names, onChange }) {
  const offered = entity.columns.filter((column) => column.kind !== 'many' || column.total);
  return (
    <fieldset className="panel columns">
      <legend>Columns</legend>
      {offered.map(({ name, label, help }) => (
        <label key={name} className="check" title={help}>
          <input type="checkbox" checked={names.includes(name)} onChange={(event) => onChange(event.target.checked ? [...names, name] : names.filter((each) => each !== name))} /> {label}
        </label>
      ))}
      <button type="button" className="quiet" onClick={() => onChange(columnsOf(entity))}>The usual ones</button>
    </fieldset>
  );
}

function Table({ model, entity, columns, rows, state, move, selected, setSelected, recent, bulk, busy, done }) {
  const toggle = ({ id }, on) => {
    const next = new Set(selected);
    on ? next.add(id) : next.delete(id);
    setSelected(next);
  };
  const linked = columns.find(({ kind, name }) => name === entity.title || kind === 'value');
  return (
    <div className="scroll" role="region" aria-label={`${entity.label}, a table`} tabIndex={0} aria-busy={busy}>
      <table>
        <thead>
          <tr>
            {bulk && <th className="tick"><input type="checkbox" aria-label="Select all on this page" checked={rows.length > 0 && rows.every(({ id }) => selected.has(id))} onChange={(event) => setSelected(event.target.checked ? new Set(rows.map(({ id }) => id)) : new Set())} /></th>}
            {state.deleted && <th scope="col">Restore</th>}
            {!entity.title && <th scope="col">{entity.one}</th>}
            {columns.map((column) => <Heading key={column.name} number={isNumber(column)} column={column} field={sortOf(model, entity, column)} sort={state.order} move={move} />)}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id} className={recent.has(row.id) ? 'recent' : undefined}>
              {bulk && <td className="tick"><input type="checkbox" aria-label={`Select ${titleOf(model, entity.name, row)}`} checked={selected.has(row.id)} onChange={(event) => toggle(row, event.target.checked)} /></td>}
              {state.deleted && <td><Actions entity={entity} rows={[row]} deleted done={done} /></td>}
              {!entity.title && <td><Opens model={model} entity={entity} row={row} deleted={state.deleted}>{titleOf(model, entity.name, row)}</Opens></td>}
              {columns.map((column) => (
                <td key={column.name} className={isNumber(column)}>
                  {entity.title && column === linked ? <Opens model={model} entity={entity} row={row} deleted={state.deleted}><Cell plain model={model} column={column} value={row[column.name]} /></Opens> : <Cell model={model} column={column} value={row[column.name]} />}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <p className="empty">{state.filters.length > 0 || state.search ? 'Nothing matches.' : `There are no ${state.deleted ? 'deleted ' : ''}${lower(entity.label)}${state.deleted ? '' : ' yet'}.`}</p>}
    </div>
  );
}

// Opens links to the view of a row. A deleted row has none.
function Opens({ model, entity, row, deleted, children }) {
  const own = model.entities.get(row.__typename ?? entity.name);
  return deleted || !own || own.abstract ? children : <a href={href([segment(own), row.id])}>{children}</a>;
}

function Heading({ column, field, sort, move, number }) {
  if (!field) {
    return <th scope="col" className={number}>{column.label}</th>;
  }
  const now = sort?.field === field ? sort.direction : null;
  const next = now === 'ASC' ? { field, direction: 'DESC' } : now === 'DESC' ? null : { field, direction: 'ASC' };
  return (
    <th scope="col" className={number} aria-sort={now ? (now === 'ASC' ? 'ascending' : 'descending') : undefined}>
      <button type="button" className="quiet" onClick={() => move({ sort: next })}>{column.label} <span aria-hidden="true">{now === 'ASC' ? '▲' : now === 'DESC' ? '▼' : '↕'}</span></button>
    </th>
  );
}

// Pages leads to the pages before and after. While the rows are those of another page, their cursors
// lead elsewhere.
function Pages({ list: { pageInfo, totalCount }, rows, state, move, busy }) {
  const { from } = state;
  const total = totalCount ?? undefined;
  const leads = (there, go) => ({ disabled: !there, 'aria-disabled': busy || undefined, onClick: () => busy || go() }); // disabled, it would lose the focus
  return (
    <nav className="bar pages" aria-label="Pages">
      <button type="button" {...leads(pageInfo.hasPreviousPage, () => move({ to: {} }))}>First</button>
      <button type="button" {...leads(pageInfo.hasPreviousPage, () => move({ to: { before: pageInfo.startCursor, from: Math.max(0, from - pageSize) || '' } }))}>Previous</button>
      <span role="status">{rows.length === 0 ? 'No rows' : `${from + 1}–${from + rows.length}${total === undefined ? '' : ` of ${total.toLocaleString()}`}`}</span>
      <button type="button" {...leads(pageInfo.hasNextPage, () => move({ to: { after: pageInfo.endCursor, from: from + rows.length } }))}>Next</button>
    </nav>
  );
}
