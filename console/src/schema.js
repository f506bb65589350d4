// The schema, as the server offers it to whoever is signed in, and what the console makes of it.
import { capital, fileHelp, label, moneyHelp, participle, plain, typesIn, uncapital, upper } from './words.js';

// named returns the name of a type without lists and marks: [User!]! is User.
export const named = (type) => type.replace(/[[\]!]/g, '');
export const isList = (type) => type.startsWith('[');
export const isRequired = (type) => type.endsWith('!');

const pairs = [['firstName', 'lastName'], ['givenName', 'familyName']];
const titles = ['name', 'title', 'username', 'displayName', 'fullName', 'label', 'subject', 'sku', 'code', 'email'];

// modelOf returns the entities of an offered schema. An entity is what a field of Query has a
// connection of, or what such a row refers to.
export function modelOf({ role, types }) {
  const model = { role, types, entities: new Map(), rootFields: (name) => types[name]?.fields ?? [] };
  for (const field of model.rootFields('Query')) {
    const connection = types[named(field.type)];
    const nodes = connection?.fields?.find(({ name }) => name === 'nodes');
    if (nodes && connection.fields.some(({ name }) => name === 'pageInfo') && !model.entities.has(named(nodes.type))) {
      model.entities.set(named(nodes.type), { name: named(nodes.type), list: field });
    }
  }
  for (const [name, type] of Object.entries(types)) {
    if (type.kind === 'OBJECT' && !model.entities.has(name) && refersByID(model, name)) {
      model.entities.set(name, { name, list: null });
    }
  }
  for (const entity of model.entities.values()) {
    Object.assign(entity, described(model, entity));
  }
  for (const entity of model.entities.values()) {
    entity.inputs = inputsOf(model, entity);
    entity.actions = actionsOf(model, entity);
  }
  return model;
}

// refersByID reports whether there is a field of Query for one row of the type.
function refersByID(model, name) {
  return model.rootFields('Query').some(({ type, args }) => named(type) === name && !isList(type) && args?.length === 1 && args[0].name === 'id');
}

function described(model, { name, list }) {
  const { types } = model;
  const type = types[name];
  const mutation = (wanted) => model.rootFields('Mutation').find((field) => field.name === wanted);
  const argument = (wanted) => list?.args?.find((arg) => arg.name === wanted);
  const connection = list && types[named(list.type)];
  const fields = (type.fields ?? []).filter((field) => !(field.args ?? []).some((arg) => isRequired(arg.type) && arg.default === undefined));
  const columns = withAmounts(fields.map((field) => columnOf(model, field)).filter(Boolean));
  const called = titlesOf(columns);
  return {
    type,
    columns,
    label: list ? label(list.name) : label(name),
    one: label(name),
    description: plain(type.description),
    abstract: type.kind !== 'OBJECT',
    query: model.rootFields('Query').find(({ type: t, args }) => named(t) === name && !isList(t) && args?.length === 1 && args[0].name === 'id'),
    where: argument('where') && named(argument('where').type),
    order: orderOf(types, argument('orderBy')),
    search: argument('search'),
    deleted: argument('deleted'),
    offset: Boolean(argument('offset')),
    total: Boolean(connection?.fields.some((field) => field.name === 'totalCount')),
    aggregate: connection?.fields.find((field) => field.name === 'aggregate'),
    groups: connection?.fields.find((field) => field.name === 'groups'),
    versioned: columns.some((column) => column.name === 'version'),
    titles: called,
    title: called[0],
    create: mutation(`create${name}`),
    update: mutation(`update${name}`),
    remove: mutation(`delete${name}`),
    restore: mutation(`restore${name}`),
    updateMany: bulk(model, 'update', argument('where')),
    deleteMany: bulk(model, 'delete', argument('where')),
    changes: model.rootFields('Subscription').find((field) => field.name === `${uncapital(name)}Changes`),
  };
}

// withAmounts marks the columns, or the fields of a form, that are amounts of money in hundredths:
// whole numbers whose names end in Cents. "Price cents" is called "Price", unless something else
// is.
export function withAmounts(all) {
  return all.map((one) => {
    if (!/(^c|[a-z\d]C)ents$/.test(one.name) || !/^(Int|BigInt)$/.test(one.scalar) || one.list) {
      return one;
    }
    const short = label(one.name.replace(/cents$/i, '')) || 'Amount';
    return { ...one, money: true, label: all.some((other) => other.label === short) ? one.label : short, help: moneyHelp(one.help) };
  });
}

// titlesOf returns the columns that say what a row is called.
function titlesOf(columns) {
  const has = (wanted) => columns.some(({ name, scalar, list }) => name === wanted && scalar === 'String' && !list);
  return pairs.find((pair) => pair.every(has)) ?? titles.filter(has).slice(0, 1);
}

// bulk returns the mutation that changes all rows of a condition.
function bulk(model, verb, where) {
  return where && model.rootFields('Mutation').find(({ name, args }) => name.startsWith(verb) && args?.some((arg) => arg.name === 'where' && named(arg.type) === named(where.type)));
}

// columnOf returns a field as a column, or null if rows cannot show it.
//   kind: 'value' (scalar or enum), 'one' (a row), 'many' (a connection), 'rows' (a list of rows), 'file'
function columnOf(model, field) {
  const { types, entities } = model;
  const target = named(field.type);
  const base = { name: field.name, label: label(field.name), help: plain(field.description), list: isList(field.type), required: isRequired(field.type), scalar: target };
  const type = types[target];
  if (type?.kind === 'SCALAR') {
    return { ...base, kind: 'value' };
  }
  if (type?.kind === 'ENUM') {
    return { ...base, kind: 'value', values: type.values };
  }
  if (target === 'File' && type?.fields?.some(({ name }) => name === 'url')) {
    return { ...base, kind: 'file' };
  }
  if (entities.has(target)) {
    return { ...base, kind: base.list ? 'rows' : 'one', target };
  }
  const nodes = type?.fields?.find(({ name }) => name === 'nodes');
  if (nodes && entities.has(named(nodes.type)) && type.fields.some(({ name }) => name === 'pageInfo')) {
    return { ...base, kind: 'many', target: named(nodes.type), args: new Set((field.args ?? []).map((arg) => arg.name)), total: type.fields.some(({ name }) => name === 'totalCount') };
  }
  return null;
}

// orderOf returns the values by which a list can be ordered.
function orderOf(types, argument) {
  const order = argument && types[named(argument.type)];
  const field = order?.fields.find(({ name }) => name === 'field');
  return new Set((field ? types[named(field.type)].values : []).map(({ name }) => name));
}

// sortOf returns the value that orders a list by a column, if there is one.
export function sortOf(model, entity, column) {
  const own = upper(column.name);
  if (column.kind === 'many' || column.kind === 'rows') {
    return entity.order.has(`${own}_COUNT`) ? `${own}_COUNT` : undefined;
  }
  if (column.kind === 'one') {
    const title = model.entities.get(column.target)?.title;
    const exact = title && `${own}_${upper(title)}`;
    return entity.order.has(exact) ? exact : [...entity.order].find((value) => value.startsWith(`${own}_`));
  }
  return entity.order.has(own) ? own : undefined;
}

// inputsOf returns the fields of the forms to create a row, to change one and to change many.
function inputsOf(model, entity) {
  const of = (mutation) => {
    const argument = mutation?.args?.find(({ name }) => name === 'input');
    return argument ? inputFields(model, named(argument.type), entity) : null;
  };
  return { create: of(entity.create), update: of(entity.update), updateMany: of(entity.updateMany) };
}

// inputFields returns the fields of an input type. entity is what the input is about, if that is known.
export function inputFields(model, name, entity) {
  const fields = model.types[name]?.fields ?? [];
  const names = new Set(fields.map((field) => field.name));
  return withAmounts(fields.filter((field) => !(names.has(`${field.name}Id`) && model.types[named(field.type)]?.kind === 'INPUT_OBJECT')).map((field) => inputField(model, field, entity)));
}

function inputField(model, field, entity) {
  const { types } = model;
  const target = named(field.type);
  const base = { name: field.name, label: label(field.name), help: plain(field.description), required: isRequired(field.type) && field.default === undefined, nullable: !isRequired(field.type), initial: field.default, list: isList(field.type), scalar: target, column: entity?.columns.find((column) => column.name === field.name) };
  base.help ||= base.column?.help ?? '';
  if (target === 'ID') {
    const found = reference(model, field.name, entity);
    return found.kind === 'file' ? { ...base, ...found, help: fileHelp(field.description), accept: typesIn(field.description).join() } : { ...base, ...found };
  }
  const type = types[target];
  if (type?.kind === 'ENUM') {
    return { ...base, kind: 'value', values: type.values };
  }
  if (type?.kind !== 'INPUT_OBJECT') {
    return { ...base, kind: 'value' };
  }
  const parts = Object.fromEntries(type.fields.map((part) => [part.name, part]));
  if (parts.connect) {
    const related = base.column?.target;
    return { ...base, kind: isList(parts.connect.type) ? 'edges' : 'edge', target: related, parts, known: Boolean(related), files: base.column?.kind === 'file', owner: entity?.name };
  }
  return { ...base, kind: 'inputs', input: target };
}

// reference tells which row, or which file, an ID in an input is of.
function reference(model, name, entity) {
  const edge = name.replace(/Ids?$/, '');
  const column = entity?.columns.find((each) => each.name === edge || each.name === `${edge}s`);
  if (column?.kind === 'file' || (!column && model.types.File && /(file|picture|image|photo|avatar|document)$/i.test(edge))) {
    return { kind: 'file', column, label: label(column?.name ?? edge) };
  }
  const target = column?.target ?? (model.entities.has(capital(edge)) ? capital(edge) : undefined);
  return target ? { kind: 'reference', target, column, label: label(column?.name ?? edge) } : { kind: 'value' };
}

// entityOfInput returns the entity that an input such as CreateOrderItemInput is about.
export function entityOfInput(model, name) {
  return model.entities.get(name.replace(/^(Create|Update)/, '').replace(/Input$/, ''));
}

const spoken = (value) => value.toLowerCase().replaceAll('_', ' ');

const standard = /^(create|update|delete|restore)/;

// actionsOf returns the other mutations that are about one row: payOrder(id:), adjustStock(productId:, …).
function actionsOf(model, entity) {
  const own = `${uncapital(entity.name)}Id`;
  return model.rootFields('Mutation').flatMap((mutation) => {
    const { name, args = [] } = mutation;
    const [id] = args.filter((arg) => arg.type === 'ID!' && (arg.name === own || (arg.name === 'id' && name.endsWith(entity.name))));
    if (!id || (standard.test(name) && id.name === 'id')) {
      return [];
    }
    const verb = id.name === 'id' ? name.slice(0, -entity.name.length) : name;
    const status = entity.columns.find((column) => column.values && participle(verb, column.values.map((value) => value.name)));
    const becomes = status && participle(verb, status.values.map((value) => value.name));
    const rest = args.filter((arg) => arg !== id && arg.name !== 'expectedVersion');
    return [{
      name,
      id: id.name,
      label: becomes ? `Mark as ${spoken(becomes)}` : label(verb),
      asks: becomes && ((what) => `Mark ${what} as ${spoken(becomes)}`),
      help: plain(mutation.description),
      past: becomes && `marked as ${spoken(becomes)}`,
      versioned: args.some((arg) => arg.name === 'expectedVersion'),
      fields: withAmounts(rest.map((arg) => inputField(model, arg, entity))),
      args: rest,
      done: becomes && { column: status.name, value: becomes },
      payload: named(mutation.type),
    }];
  });
}
