// What stands behind the schema: lists of rows by type, each with the IDs of others that it refers to.
import { GraphQLError } from 'graphql';

// resolvers gives the schema's fields what answers them. Fields without one are read from the row.
export function resolvers(schema, world) {
  const rows = new Map(Object.entries(world).flatMap(([type, list]) => list.map((row) => [row.id, { ...row, __typename: type }])));
  const all = (type) => world[type].map((row) => rows.get(row.id));
  const find = (type) => (_, { id }) => {
    about(type, [id]);
    return rows.get(id) ?? null;
  };

  for (const type of Object.keys(world)) {
    if (type === 'OrderItem') continue;
    const [one, many] = { Hero: ['hero', 'heroes'] }[type] ?? [type.toLowerCase(), type.toLowerCase() + 's'];
    const query = schema.getQueryType().getFields();
    query[one].resolve = find(type);
    query[many].resolve = (_, args) => page(type, all(type), args);
  }
  const fields = (type) => schema.getType(type).getFields();
  schema.getQueryType().getFields().node.resolve = (_, { id }) => rows.get(id) ?? null;
  schema.getQueryType().getFields().nodes.resolve = (_, { ids }) => ids.map((id) => rows.get(id) ?? null);
  schema.getType('Node').resolveType = (row) => row.__typename;

  const refer = (type, field) => (fields(type)[field].resolve = (row) => (row[field] ? rows.get(row[field].id) : null));
  refer('Hero', 'team');
  refer('Hero', 'owner');
  refer('Order', 'user');
  refer('OrderItem', 'product');
  fields('Order').items.resolve = (row) => row.items.map(({ id }) => rows.get(id));
  const below = (type, field, child, edge) =>
    (fields(type)[field].resolve = (row, args) => page(child, all(child).filter((other) => other[edge]?.id === row.id), args));
  below('User', 'heroes', 'Hero', 'owner');
  below('User', 'orders', 'Order', 'user');
  below('Team', 'heroes', 'Hero', 'team');
}

// about refuses IDs of other types than the one that is wanted.
function about(type, ids) {
  const prefix = type === 'OrderItem' ? 'item_' : type.toLowerCase() + '_';
  for (const id of ids) if (id && !id.startsWith(prefix)) throw new GraphQLError(`${id} is not of type ${type}`);
}

// check does so for the IDs in conditions.
function check(type, where) {
  for (const [name, value] of Object.entries(where ?? {})) {
    if (name === 'id' || name === 'idIn') about(type, [value].flat());
    if (['not', 'and', 'or'].includes(name)) [value].flat().forEach((of) => check(type, of));
  }
}

// page returns a connection: what of the rows matches, in the order and the part that is asked for.
function page(type, rows, { first, last, offset, where, orderBy }) {
  for (const size of [first, last]) if (size > 100 || size < 0) throw new GraphQLError('no such page');
  if (offset < 0 || (first != null && last != null)) throw new GraphQLError('no such page');
  check(type, where);
  let list = rows.filter((row) => matches(row, where));
  for (const { field, direction } of [...(orderBy ?? [])].reverse()) {
    const column = field.toLowerCase().replace(/_(.)/g, (_, c) => c.toUpperCase());
    const sign = direction === 'DESC' ? -1 : 1;
    list = list.toSorted((a, b) => sign * (a[column] < b[column] ? -1 : a[column] > b[column] ? 1 : 0));
  }
  const total = list.length;
  const skip = offset ?? 0;
  const [start, end] = last == null ? [skip, skip + (first ?? 20)] : [Math.max(0, total - skip - last), Math.max(0, total - skip)];
  const nodes = list.slice(start, end);
  return {
    nodes,
    edges: nodes.map((node) => ({ node })),
    totalCount: total,
    pageInfo: { hasNextPage: end < total, hasPreviousPage: start > 0 && total > 0 },
  };
}

// empty is whether there is no condition in what is given as some.
function empty(where) {
  return Object.entries(where).every(
    ([name, value]) => value === null || (name === 'not' && empty(value)) || (name === 'and' && value.every(empty)),
  );
}

// matches is whether all conditions hold that are not null.
function matches(row, where) {
  return Object.entries(where ?? {}).every(([name, value]) => {
    if (value === null) return true;
    switch (name) {
      case 'not': return empty(value) || !matches(row, value);
      case 'and': return value.every((of) => matches(row, of));
      case 'or': return value.some((of) => matches(row, of));
    }
    const [, column, operator] = /^(.*?)(GT|GTE|LT|LTE|In|HasPrefix|IsNil)?$/.exec(name);
    const has = row[column];
    switch (operator) {
      case 'GT': return has > value;
      case 'GTE': return has >= value;
      case 'LT': return has < value;
      case 'LTE': return has <= value;
      case 'In': return value.includes(has);
      case 'HasPrefix': return has.startsWith(value);
      case 'IsNil': return (has === null) === value;
      default: return has === value;
    }
  });
}
