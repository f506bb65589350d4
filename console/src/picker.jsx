// Picker finds a row to refer to: a text box with a list of what it finds, for mouse and keyboard.
import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useState } from 'react';
import { api } from './api.js';
import { listQuery, relatedQuery, titleOf } from './queries.js';
import { useModel } from './model.jsx';
import { lower } from './words.js';

// within is an edge of a row, if only rows are found that it leads to: { entity, id, column }.
export function Picker({ target, value, onChange, id, invalid, describedBy, nullable, labelledBy, label, within }) {
  const model = useModel();
  const entity = model.entities.get(target);
  const [text, setText] = useState(null); // null: nothing is typed, the choice is shown
  const [at, setAt] = useState(0);
  const [due, setDue] = useState(false); // Enter was pressed before the rows of the text were there
  const list = useId();
  const { data: rows = [], error, isPlaceholderData, isPending } = useFound(model, entity, text, within);
  const choose = (row) => {
    onChange(row);
    setText(null);
  };
  const late = isPlaceholderData || isPending; // the rows are not yet those of the text
  useEffect(() => {
    if (due && !late) {
      setDue(false);
      if (text !== null && rows[at]) choose(rows[at]);
    }
  }, [due, late]);
  if (!entity?.list) {
    return <input id={id} aria-labelledby={labelledBy} value={value?.id ?? ''} aria-invalid={invalid} aria-describedby={describedBy} onChange={({ target: { value: v } }) => onChange(v ? { id: v } : null)} />;
  }
  const keys = (event) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) {
      event.preventDefault();
      setText(text ?? '');
      setAt((at + move + rows.length) % Math.max(rows.length, 1));
    } else if (event.key === 'Enter' && text !== null && (late || rows[at])) {
      event.preventDefault();
      setDue(true);
    } else if (event.key === 'Escape' && text !== null) {
      event.preventDefault();
      event.stopPropagation();
      setText(null);
    }
  };
  const open = text !== null;
  return (
    <div className="picker">
      <input
        id={id}
        role="combobox"
        aria-expanded={open}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={open && rows[at] ? `${list}-${at}` : undefined}
        aria-invalid={invalid}
        aria-describedby={describedBy}
        aria-labelledby={labelledBy}
        aria-label={label}
        autoComplete="off"
        placeholder={`Search ${lower(entity.label)}…`}
        value={text ?? (value ? titleOf(model, target, value) : '')}
        onFocus={(event) => event.target.select()}
        onClick={() => setText(text ?? '')}
        onChange={(event) => { setText(event.target.value); setAt(0); setDue(false); }}
        onKeyDown={keys}
        onBlur={() => due || setText(null)}
      />
      {value && nullable && <button type="button" className="quiet" onClick={() => choose(null)} aria-label="Clear">×</button>}
      <ul id={list} role="listbox" aria-label={entity.label} hidden={!open}>
        {rows.map((row, index) => (
          <li key={row.id} id={`${list}-${index}`} role="option" aria-selected={index === at} onPointerDown={(event) => { event.preventDefault(); choose(row); }}>
            {titleOf(model, target, row)}
          </li>
        ))}
        {rows.length === 0 && <li role="option" aria-selected="false" aria-disabled="true">{error ? error.message : 'Nothing found'}</li>}
      </ul>
    </div>
  );
}

// useFound returns the rows that fit a text, ten at most.
function useFound(model, entity, text, within) {
  const typed = text?.trim() ?? '';
  const fields = new Set((model.types[entity?.where]?.fields ?? []).map(({ name }) => name));
  const ending = ['ContainsFold', 'HasPrefix', ''].find((each) => fields.has(`${entity?.title}${each}`));
  const narrowed = entity?.search || !typed ? {} : ending === undefined ? { where: fields.has('id') && typed.includes('_') ? { id: typed } : undefined } : { where: { [entity.title + ending]: typed } };
  return useQuery({
    queryKey: ['found', entity?.name, typed, within?.id, within?.column.name],
    enabled: text !== null && Boolean(entity?.list),
    placeholderData: (before) => before,
    queryFn: async () => {
      if (within) {
        const related = relatedQuery(model, within, { search: entity.search && typed, ...narrowed });
        return (await api(related.query, related.variables)).row?.related.nodes ?? [];
      }
      const { query, variables } = listQuery(model, entity, { columns: [], page: { first: 10 }, search: entity.search && typed, ...narrowed });
      return (await api(query, variables)).list.nodes;
    },
  });
}
