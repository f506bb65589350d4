// Filters: what the conditions of a list are called, and how they become its `where`.
import { isList, named } from './schema.js';
import { capital, label } from './words.js';

// operators are the endings of the names in a WhereInput, the longest first.
const operators = [
  ['ContainsFold', 'contains'], ['EqualFold', 'is, in any case'], ['HasPrefix', 'begins with'], ['HasSuffix', 'ends with'],
  ['Contains', 'contains exactly'], ['NotNil', 'is not empty'], ['IsEmpty', 'has no entries'], ['HasKey', 'has the key'],
  ['IsNil', 'is empty'], ['NEQ', 'is not'], ['GTE', 'is at least'], ['LTE', 'is at most'],
  ['GT', 'is more than'], ['LT', 'is less than'], ['Has', 'has the entry'], ['', 'is'],
];
const order = ['ContainsFold', '', 'NEQ', 'GTE', 'LTE', 'GT', 'LT', 'HasPrefix'];
const rank = (operator) => (order.indexOf(operator) + 99) % 99;
const times = { GTE: 'is on or after', LTE: 'is on or before', GT: 'is after', LT: 'is before' };

// conditionsOf returns what rows of an entity can be filtered by, those of related rows included:
// { key, path, label, operators: [{ field, label, type, unary }] }. path leads to the related row.
export function conditionsOf(model, entity, depth = 1) {
  const fields = model.types[entity.where]?.fields ?? [];
  const byName = new Map(fields.map((field) => [field.name, field]));
  const bases = basesOf(entity, byName);
  const own = bases.map(({ base, column }) => ({
    key: base,
    path: [],
    label: ['one', 'value'].includes(column.kind) ? column.label : label(base),
    column,
    target: base.endsWith('Id') && column?.kind === 'one' ? column.target : undefined,
    operators: operators
      .filter(([ending]) => byName.has(base + ending) && !isList(byName.get(base + ending).type))
      .filter(([ending]) => ending !== 'Contains' || !byName.has(`${base}ContainsFold`))
      .map(([ending, text]) => operatorOf(byName.get(base + ending), ending, text))
      .sort((a, b) => rank(a.ending) - rank(b.ending)),
  })).filter((condition) => condition.operators.length > 0).sort((a, b) => (a.key === 'id') - (b.key === 'id'));
  return [...own, ...related(model, entity, byName, depth)];
}

function operatorOf(field, ending, text) {
  const scalar = named(field.type);
  const timely = scalar === 'Time' || scalar === 'Date';
  return { ending, field: field.name, label: (timely && times[ending]) || text, scalar, unary: ['IsNil', 'NotNil', 'IsEmpty'].includes(ending) };
}

// basesOf returns the columns that a WhereInput knows.
function basesOf(entity, byName) {
  const found = [];
  for (const column of entity.columns) {
    const names = column.kind === 'one' ? [`${column.name}Id`] : column.kind === 'many' || column.kind === 'rows' ? [`${column.name}Count`] : [column.name];
    for (const base of names) {
      if ([...byName.keys()].some((name) => name === base || operators.some(([ending]) => ending && name === base + ending))) {
        found.push({ base, column });
      }
    }
  }
  return found;
}

// related returns the conditions over related rows: hasTeamWith, of a hero.
function related(model, entity, byName, depth) {
  if (depth === 0) {
    return [];
  }
  return entity.columns.filter(({ name, target }) => target && byName.has(`has${capital(name)}With`)).flatMap((column) => {
    const target = { ...model.entities.get(column.target), where: named(byName.get(`has${capital(column.name)}With`).type) };
    return conditionsOf(model, target, depth - 1).map((condition) => ({
      ...condition,
      key: `${column.name}.${condition.key}`,
      path: [column.name, ...condition.path],
      label: `${column.label} → ${condition.label}`,
    }));
  });
}

// whereOf returns the `where` of filters, which are { path, field, value }.
export function whereOf(filters) {
  const all = filters.filter(({ value }) => value !== '' && value !== null && value !== undefined).map(({ path, field, value }) =>
    path.reduceRight((inner, edge) => ({ [`has${capital(edge)}With`]: [inner] }), { [field]: value }),
  );
  return all.length === 0 ? undefined : all.length === 1 ? all[0] : { and: all };
}

// backTo returns the filter that lists the rows of a to-many edge: the target's rows that refer to the row.
export function backTo(model, entity, column, id) {
  const target = model.entities.get(column.target);
  const edges = target?.list ? target.columns.filter((each) => each.kind === 'one' && each.target === entity.name) : [];
  const fields = new Set((model.types[target?.where]?.fields ?? []).map(({ name }) => name));
  const [edge] = edges.filter((each) => fields.has(`${each.name}Id`));
  return edges.length === 1 && edge ? { edge, filter: { path: [], field: `${edge.name}Id`, value: id } } : null;
}
