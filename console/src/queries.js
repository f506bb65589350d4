// The documents that the console sends. Names in them come from the schema alone.
import { nameRow } from './api.js';
import { named } from './schema.js';
import { capital, shortID, uncapital } from './words.js';

// selection returns what is asked of a row, for columns to be shown.
export function selection(model, entity, columns) {
  const parts = ['id'];
  if (entity.abstract) {
    parts.push('__typename');
  }
  if (entity.versioned) {
    parts.push('version');
  }
  for (const name of entity.titles) {
    parts.push(name);
  }
  for (const column of columns) {
    parts.push(columnSelection(model, column));
  }
  return [...new Set(parts.filter(Boolean))].join(' ');
}

function columnSelection(model, column) {
  switch (column.kind) {
    case 'value':
      return column.name;
    case 'file':
      return `${column.name} { id url name contentType size }`;
    case 'many':
      return column.total ? `${column.name}${column.args.has('first') ? '(first: 0)' : ''} { totalCount }` : '';
    default:
      return `${column.name} { ${brief(model, column.target)} }`;
  }
}

// brief returns what is asked of a row that others refer to: what titleOf needs.
export function brief(model, name) {
  const entity = model.entities.get(name);
  return ['id', ...(entity.abstract ? ['__typename'] : []), ...entity.titles].join(' ');
}

// titleOf returns what a row is called.
export function titleOf(model, name, row) {
  const entity = model.entities.get(row.__typename ?? name) ?? model.entities.get(name);
  const text = entity.titles.map((column) => row[column]).filter(Boolean).join(' ') || `${entity.one} ${shortID(row.id)}`;
  nameRow(row.id, text);
  return text;
}

// listQuery returns a query for a page of rows. page has first, last, after, before; filter, search,
// sort and deleted narrow the list. The variables go along with it.
export function listQuery(model, entity, { columns, page, where, search, sort, deleted, totals = [], group }) {
  const types = [];
  const args = [];
  const variables = {};
  const add = (name, type, value) => {
    if (value !== undefined && value !== null && value !== '') {
      types.push(`$${name}: ${type}`);
      args.push(`${name}: $${name}`);
      variables[name] = value;
    }
  };
  for (const name of ['first', 'last', 'offset']) {
    add(name, 'Int', page[name]);
  }
  add('after', 'Cursor', page.after);
  add('before', 'Cursor', page.before);
  add('where', `${entity.where}`, where);
  add('search', 'String', entity.search && search);
  const order = entity.list.args.find(({ name }) => name === 'orderBy');
  add('orderBy', order?.type, order && sort ? [{ field: sort.field, direction: sort.direction }] : null);
  add('deleted', 'Boolean', deleted || null);
  const parts = [];
  if (columns) {
    parts.push(`nodes { ${selection(model, entity, columns)} } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }`);
    if (entity.total) parts.push('totalCount');
  }
  if (totals.length > 0) {
    parts.push(`aggregate { count ${totals.map(({ kind, fields }) => `${kind} { ${fields.join(' ')} }`).join(' ')} }`);
  }
  if (group) {
    const input = entity.groups.args.find(({ name }) => name === 'by').type;
    types.push(`$by: ${input}`);
    variables.by = [group.by];
    const byOrder = entity.groups.args.find(({ name }) => name === 'orderBy');
    const ordered = byOrder && group.order ? (types.push(`$byOrder: ${byOrder.type}`), (variables.byOrder = [group.order]), ', orderBy: $byOrder') : '';
    parts.push(`groups(by: $by, first: ${group.first}${ordered}) { key { ${group.key} } aggregate { ${group.measure} } }`);
  }
  const list = (all) => (all.length > 0 ? `(${all.join(', ')})` : '');
  const query = `query Console${capital(entity.list.name)}${list(types)} { list: ${entity.list.name}${list(args)} { ${parts.join(' ')} } }`;
  return { query, variables };
}

// rowQuery returns a query for one row. types are those of more variables, such as
// ", $where: HeroWhereInput".
export function rowQuery(entity, fields, types = '') {
  const body = entity.query ? `row: ${entity.query.name}(id: $id) { ${fields} }` : `row: node(id: $id) { ... on ${entity.name} { ${fields} } }`;
  return `query Console${entity.name}($id: ID!${types}) { ${body} }`;
}

// relatedQuery returns a query for the first rows of a to-many edge of a row, narrowed as
// listQuery does.
export function relatedQuery(model, { entity, id, column }, { where, search }) {
  const target = model.entities.get(column.target);
  const given = Object.entries({ where, search }).filter(([name, value]) => value && column.args.has(name));
  const types = { where: target.where, search: 'String' };
  const args = ['first: 10', ...given.map(([name]) => `${name}: $${name}`)].join(', ');
  const query = rowQuery(entity, `id related: ${column.name}(${args}) { nodes { ${brief(model, column.target)} } }`, given.map(([name]) => `, $${name}: ${types[name]}`).join(''));
  return { query, variables: { id, ...Object.fromEntries(given) } };
}

// mutationOf returns an operation of one mutation for each entry of calls, which are { name, args }:
// args has the types and the values by the names of the arguments. All of them are one unit of work.
export function mutationOf(model, calls, payload) {
  const types = [];
  const fields = [];
  const variables = {};
  calls.forEach(({ name, values }, index) => {
    const field = model.types.Mutation.fields.find((each) => each.name === name);
    const args = [];
    for (const arg of field.args.filter((each) => values[each.name] !== undefined)) {
      const variable = calls.length > 1 ? `${arg.name}${index}` : arg.name;
      types.push(`$${variable}: ${arg.type}`);
      args.push(`${arg.name}: $${variable}`);
      variables[variable] = values[arg.name];
    }
    fields.push(`m${index}: ${name}(${args.join(', ')}) { ${payload(model.types[named(field.type)])} }`);
  });
  return { query: `mutation Console(${types.join(', ')}) { ${fields.join(' ')} }`, variables };
}

// payloadOf selects what the answer to a mutation has of the row, or anything at all.
export function payloadOf(entity) {
  return (payload) => {
    const own = payload.fields.find((field) => field.name === uncapital(entity.name));
    return own ? `${own.name} { id }` : (payload.fields.find((field) => /^(ID|Int|Boolean|String)!?$/.test(field.type))?.name ?? '__typename');
  };
}
