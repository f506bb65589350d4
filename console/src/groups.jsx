// Totals over all rows of a list, and groups of them with a chart.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from './api.js';
import { useModel } from './model.jsx';
import { amount } from './money.js';
import { brief, listQuery, titleOf } from './queries.js';
import { named } from './schema.js';
import { Failure } from './ui.jsx';
import { camel, label, lower, upper } from './words.js';

const kinds = ['sum', 'avg', 'min', 'max'];
const kindLabels = { sum: 'Sum', avg: 'Average', min: 'Smallest', max: 'Largest' };

// measuresOf returns what is computed of the numbers of an entity: { kind, fields }.
function measuresOf(model, entity) {
  const fields = (entity.aggregate && model.types[named(entity.aggregate.type)].fields) || [];
  return kinds.flatMap((kind) => {
    const field = fields.find(({ name }) => name === kind);
    const numbers = (field ? model.types[named(field.type)].fields : []).filter(({ type }) => /^(Int|Float|BigInt|Decimal)!?$/.test(type)).map(({ name }) => name);
    return numbers.length > 0 ? [{ kind, fields: numbers }] : [];
  });
}

// columnOf returns the column of an entity with a name, or what stands for one that rows do not
// show.
const columnOf = (entity, name) => entity.columns.find((column) => column.name === name) ?? { label: label(name) };

export function Groups({ entity, where, search }) {
  const model = useModel();
  const totals = measuresOf(model, entity);
  return (
    <div className="panel">
      {entity.aggregate && <Totals entity={entity} totals={totals} where={where} search={search} />}
      {entity.groups && <Grouped entity={entity} totals={totals} where={where} search={search} />}
    </div>
  );
}

function Totals({ entity, totals, where, search }) {
  const model = useModel();
  const asked = listQuery(model, entity, { page: {}, where, search, totals: totals.length > 0 ? totals : [{ kind: '__typename #', fields: [] }] });
  const { data, error } = useQuery({ queryKey: ['groups', entity.name, asked], enabled: totals.length > 0, queryFn: async () => (await api(asked.query, asked.variables)).list.aggregate });
  if (totals.length === 0) {
    return null;
  }
  const columns = [...new Set(totals.flatMap(({ fields }) => fields))];
  return (
    <>
      <h2>Totals</h2>
      {error && <Failure error={error} />}
      <div className="scroll" role="region" aria-label="Totals" tabIndex={0}>
        <table>
          <thead><tr><th scope="col">Of all that match</th>{totals.map(({ kind }) => <th key={kind} scope="col" className="number">{kindLabels[kind]}</th>)}</tr></thead>
          <tbody>
            {columns.map((column) => (
              <tr key={column}><th scope="row">{columnOf(entity, column).label}</th>{totals.map(({ kind, fields }) => <td key={kind} className="number">{fields.includes(column) ? numberText(data?.[kind]?.[column], columnOf(entity, column).money) : ''}</td>)}</tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function numberText(value, money) {
  if (value === null || value === undefined) return '—';
  if (money) return amount(value);
  if (typeof value === 'number') return value.toLocaleString(undefined, { maximumFractionDigits: 2 });
  return /^-?\d+$/.test(value) ? BigInt(value).toLocaleString() : value; // a BigInt is a text
}

// Grouped shows groups by one column.
function Grouped({ entity, totals, where, search }) {
  const model = useModel();
  const by = model.types[named(entity.groups.args.find(({ name }) => name === 'by').type)].fields;
  const group = model.types[named(entity.groups.type)];
  const keys = model.types[named(group.fields.find(({ name }) => name === 'key').type)].fields;
  const fields = model.types[named(by.find(({ name }) => name === 'field').type)].values.map(({ name }) => name).filter((name) => keys.some((key) => key.name === camel(name)) && !keys.some((key) => `${upper(key.name)}_ID` === name));
  const first = fields.find((name) => model.types[named(keys.find((key) => key.name === camel(name)).type)]?.kind === 'ENUM') ?? fields.find((name) => name === 'CREATED_AT') ?? fields[0];
  const [field, setField] = useState(first);
  const [bucket, setBucket] = useState('MONTH');
  const [measure, setMeasure] = useState('count');
  const key = keys.find(({ name }) => name === camel(field));
  const buckets = by.find(({ name }) => name === 'bucket');
  const timely = buckets && ['Time', 'Date'].includes(named(key.type));
  const units = timely ? model.types[named(buckets.type)].values.map(({ name }) => name) : [];
  const target = model.entities.has(named(key.type)) ? named(key.type) : null;
  const orders = entity.groups.args.find(({ name }) => name === 'orderBy');
  const orderFields = orders ? model.types[named(model.types[named(orders.type)].fields.find(({ name }) => name === 'field').type)].values.map(({ name }) => name) : [];
  const [kind, column] = measure.split('.');
  const wanted = timely ? field : column ? `${upper(kind)}_${upper(column)}` : 'COUNT';
  const asked = listQuery(model, entity, {
    page: {}, where, search,
    group: {
      by: { field, ...(timely ? { bucket, ...(by.some(({ name }) => name === 'timeZone') ? { timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone } : {}) } : {}) },
      key: target ? `${key.name} { ${brief(model, target)} }` : key.name,
      measure: column ? `count ${kind} { ${column} }` : 'count',
      order: orderFields.includes(wanted) ? { field: wanted, direction: 'DESC' } : null,
      first: 24,
    },
  });
  const { data = [], error } = useQuery({ queryKey: ['groups', entity.name, asked], queryFn: async () => (await api(asked.query, asked.variables)).list.groups });
  const shown = data.map(({ key: of, aggregate }) => ({ text: keyText(model, target, key, of[key.name], timely && bucket), value: column ? aggregate[kind]?.[column] : aggregate.count }));
  const measured = column && columnOf(entity, column);
  const title = `${column ? `${kindLabels[kind]} of ${lower(measured.label)}` : 'Number'} by ${lower(label(key.name))}`;
  return (
    <>
      <h2>Groups</h2>
      <div className="row">
        <label>By <select aria-label="Group by" value={field} onChange={(event) => setField(event.target.value)}>{fields.map((name) => <option key={name} value={name}>{label(camel(name))}</option>)}</select></label>
        {timely && <label>for each <select aria-label="Unit of time" value={bucket} onChange={(event) => setBucket(event.target.value)}>{units.map((unit) => <option key={unit} value={unit}>{lower(label(unit))}</option>)}</select></label>}
        <label>show <select aria-label="What is shown" value={measure} onChange={(event) => setMeasure(event.target.value)}>
          <option value="count">number of {lower(entity.label)}</option>
          {totals.flatMap(({ kind: k, fields: all }) => all.map((name) => <option key={`${k}.${name}`} value={`${k}.${name}`}>{lower(kindLabels[k])} of {lower(columnOf(entity, name).label)}</option>))}
        </select></label>
      </div>
      {error ? <Failure error={error} /> : <Chart title={title} money={measured?.money} rows={timely ? shown.toReversed() : shown} />}
    </>
  );
}

function keyText(model, target, key, value, bucket) {
  if (value === null || value === undefined) return 'none';
  if (target) return titleOf(model, target, value);
  if (bucket) {
    const unit = { HOUR: { dateStyle: 'short', timeStyle: 'short' }, MONTH: { month: 'short', year: 'numeric' }, QUARTER: { month: 'short', year: 'numeric' }, YEAR: { year: 'numeric' } }[bucket] ?? { dateStyle: 'medium' };
    return new Date(value).toLocaleString(undefined, unit);
  }
  if (model.types[named(key.type)]?.kind === 'ENUM') return label(value);
  return typeof value === 'boolean' ? (value ? 'Yes' : 'No') : String(value);
}

// Chart is a table whose last column is drawn: it can be seen, and be read aloud.
function Chart({ title, money, rows }) {
  const most = Math.max(...rows.map(({ value }) => Math.abs(Number(value ?? 0))), 0) || 1;
  return (
    <div className="scroll" role="region" aria-label={title} tabIndex={0}>
      <table className="chart">
        <caption>{title}</caption>
        <tbody>
          {rows.map(({ text, value }, index) => (
            <tr key={index}>
              <th scope="row">{text}</th>
              <td className="number">{numberText(value, money)}</td>
              <td className="bar-cell"><svg aria-hidden="true" width="100%" height="16"><rect width={`${(Math.abs(Number(value ?? 0)) / most) * 100}%`} height="16" rx="3" /></svg></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
