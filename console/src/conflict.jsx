// Somebody else has changed the row meanwhile: both versions are shown, and the reader chooses.
import { useState } from 'react';
import { useModel } from './model.jsx';
import { titleOf } from './queries.js';
import { Dialog } from './ui.jsx';
import { draftOf } from './values.jsx';

export function Conflict({ fields, input, current, close, send }) {
  const model = useModel();
  const both = fields.filter(({ name }) => name in current && name in input);
  const [theirs, setTheirs] = useState({});
  const text = (field, value) => (value && typeof value === 'object' && value.id ? titleOf(model, field.target, value) : String(draftOf({ ...field, kind: 'value' }, value) ?? '') || '—');
  const choose = (event) => {
    event.preventDefault();
    send(Object.fromEntries(Object.entries(input).filter(([name]) => !theirs[name])));
  };
  return (
    <Dialog title="Somebody else has changed this meanwhile" close={close}>
      <form onSubmit={choose}>
        {both.length === 0 && <p>They have changed other fields than you. Your changes can be stored beside theirs.</p>}
        {both.map((field) => (
          <fieldset key={field.name} className="field">
            <legend>{field.label}</legend>
            {[[false, 'Yours', input[field.name]], [true, 'Theirs', current[field.name]]].map(([value, who, shown]) => (
              <label key={who} className="check">
                <input type="radio" name={field.name} checked={Boolean(theirs[field.name]) === value} onChange={() => setTheirs({ ...theirs, [field.name]: value })} /> {who}: <strong>{text(field, shown)}</strong>
              </label>
            ))}
          </fieldset>
        ))}
        <div className="row">
          <button type="submit" className="primary">Save what is chosen</button>
          <button type="button" onClick={close}>Back to the form</button>
        </div>
      </form>
    </Dialog>
  );
}
