// Filters of a list: each says a column, what about it, and a value.
import { useState } from 'react';
import { conditionsOf } from './filters.js';
import { Single } from './inputs.jsx';
import { useModel } from './model.jsx';
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
      <Adder key={added} conditions={conditions} add={(filter) => { setAdded(added + 1); onChange([...filters, filter]); }} />
    </div>
  );
}

function textOf(conditions, { path, field, value, text }) {
  const condition = conditions.find((each) => each.path.join() === path.join() && each.operators.some((operator) => operator.field === field));
  const operator = condition?.operators.find((each) => each.field === field);
  return operator ? [condition.label, operator.label, operator.unary ? '' : (text ?? valueText(condition, value))].join(' ').trim() : label(field);
}

const valueText = (condition, value) => (condition.column?.values ? label(String(value)) : typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value));

// Adder makes a filter.
function Adder({ conditions, add }) {
  const [key, setKey] = useState(conditions[0]?.key);
  const [field, setField] = useState(null);
  const [draft, setDraft] = useState(null);
  const [error, setError] = useState('');
  const condition = conditions.find((each) => each.key === key);
  if (!condition) {
    return null;
  }
  const operator = condition.operators.find((each) => each.field === field) ?? condition.operators[0];
  const input = { name: operator.field, kind: condition.target ? 'reference' : 'value', target: condition.target, scalar: operator.scalar, values: condition.column?.values, nullable: false, label: 'Value' };
  const now = draft ?? (input.kind === 'reference' ? null : operator.scalar === 'Boolean' ? '' : draftOf(input, undefined));
  const submit = (event) => {
    event.preventDefault();
    try {
      const value = operator.unary ? true : valueOf(input, typeof now === 'boolean' ? now : now);
      if (value === null || value === '') {
        throw new Error('Say which value.');
      }
      add({ path: condition.path, field: operator.field, value, ...(input.kind === 'reference' ? { text: now.name ?? now.username ?? now.title ?? now.id } : {}) });
    } catch (reason) {
      setError(reason.message);
    }
  };
  return (
    <form className="row" onSubmit={submit} noValidate>
      <select aria-label="Column" value={key} onChange={(event) => { setKey(event.target.value); setField(null); setDraft(null); }}>
        {conditions.map((each) => <option key={each.key} value={each.key}>{each.label}</option>)}
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
