// Filters of a list: each says a column, what about it, and a value.
import { useState } from 'react';
import { conditionsOf } from './filters.js';
import { Single } from './inputs.jsx';
import { useModel } from './model.jsx';
import { amount } from './money.js';
import { titleOf } from './queries.js';
import { draftOf, valueOf } from './values.jsx';
import { label } from './words.js';

export function FilterBar({ entity, filters, onChange }) {
  const model = useModel();
  const conditions = conditionsOf(model, entity, 2);
  const [added, setAdded] = useState(0);
  return (
    <div className="panel" role="group" aria-label="Filters">
      <ul className="chips">
        {filters.map((filter, index) => (
          <li key={JSON.stringify(filter)}>
            {textOf(conditions, filter)} <button type="button" className="quiet" aria-label={`Remove the filter ${textOf(conditions, filter)}`} onClick={() => onChange(filters.toSpliced(index, 1))}>×</button>
          </li>
        ))}
      </ul>
      <Adder key={added} entity={entity} conditions={conditions} add={(filter) => { setAdded(added + 1); onChange([...filters, filter]); }} />
    </div>
  );
}

function textOf(conditions, { path, field, value, text }) {
  const condition = conditions.find((each) => each.path.join() === path.join() && each.operators.some((operator) => operator.field === field));
  const operator = condition?.operators.find((each) => each.field === field);
  return operator ? [condition.label, operator.label, operator.unary ? '' : (text ?? valueText(condition, value))].join(' ').trim() : label(field);
}

const valueText = (condition, value) => (condition.column?.money ? amount(value) : condition.column?.values ? label(String(value)) : typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value));

const many = 12; // columns, with more of which there is a search

// named returns the columns whose names have each word of a text.
function named(conditions, text) {
  const words = text.toLowerCase().split(/\s+/);
  return conditions.filter(({ label: name }) => words.every((word) => name.toLowerCase().includes(word)));
}

// Choices has columns as options: those of the rows themselves, and then those of each kind of
// related rows.
function Choices({ entity, found }) {
  const option = (each) => <option key={each.key} value={each.key}>{each.label}</option>;
  const groups = Map.groupBy(found, ({ path, label: name }) => (path.length > 0 ? name.slice(0, name.lastIndexOf(' → ')) : entity.one));
  if (found.length === 0) {
    return <option value="">No column is called so</option>;
  }
  return groups.size > 1 ? [...groups].map(([name, all]) => <optgroup key={name} label={name}>{all.map(option)}</optgroup>) : found.map(option);
}

// Adder makes a filter.
function Adder({ entity, conditions, add }) {
  const model = useModel();
  const [key, setKey] = useState(conditions[0]?.key);
  const [text, setText] = useState('');
  const [field, setField] = useState(null);
  const [draft, setDraft] = useState(null);
  const [error, setError] = useState('');
  const condition = conditions.find((each) => each.key === key);
  if (!condition) {
    return null;
  }
  const operator = condition.operators.find((each) => each.field === field) ?? condition.operators[0];
  const input = { name: operator.field, kind: condition.target ? 'reference' : 'value', target: condition.target, scalar: operator.scalar, values: condition.column?.values, money: condition.column?.money, nullable: false, label: 'Value' };
  const now = draft ?? (input.kind === 'reference' ? null : operator.scalar === 'Boolean' ? '' : draftOf(input, undefined));
  const choose = (next) => { setKey(next); setField(null); setDraft(null); setError(''); };
  const find = (event) => {
    setText(event.target.value);
    const found = named(conditions, event.target.value);
    if (found.length > 0 && !found.some((each) => each.key === key)) choose(found[0].key);
  };
  const submit = (event) => {
    event.preventDefault();
    try {
      const value = operator.unary ? true : valueOf(input, now);
      if (value === null || value === '') {
        throw new Error('Say which value.');
      }
      add({ path: condition.path, field: operator.field, value, ...(input.kind === 'reference' ? { text: titleOf(model, condition.target, now) } : {}) });
    } catch (reason) {
      setError(reason.message);
    }
  };
  return (
    <form className="row" onSubmit={submit} noValidate>
      {conditions.length > many && <input type="search" className="find" aria-label="Find a column" placeholder="Find a column" value={text} onChange={find} />}
      <select aria-label="Column" value={key} onChange={(event) => choose(event.target.value)}>
        <Choices entity={entity} found={named(conditions, text)} />
      </select>
      <select aria-label="Condition" value={operator.field} onChange={(event) => setField(event.target.value)}>
        {condition.operators.map((each) => <option key={each.field} value={each.field}>{each.label}</option>)}
      </select>
      {!operator.unary && <Single key={key} field={input} draft={now} label="Value" onChange={setDraft} invalid={error ? true : undefined} />}
      <button type="submit">Add filter</button>
      {error && <p className="error" role="alert">{error}</p>}
    </form>
  );
}
