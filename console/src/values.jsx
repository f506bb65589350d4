// How values are shown, and how they are typed in: the draft of a value is what an input holds.
import { amount, amounts, hundredths, money } from './money.js';
import { href, segment } from './router.js';
import { titleOf } from './queries.js';
import { label } from './words.js';

// isNumber returns the class of the cells of a column of numbers.
export const isNumber = ({ scalar, kind }) => (/^(Int|Float|BigInt|Decimal)$/.test(scalar) || kind === 'many' ? 'number' : undefined);

// Cell shows the value of a column. What is plain is within a link, and has none.
export function Cell({ model, column, value, plain }) {
  if (value === null || value === undefined) {
    return <span className="empty">—</span>;
  }
  switch (column.kind) {
    case 'one':
      return <RowLink model={model} name={column.target} row={value} />;
    case 'many':
      return value.totalCount;
    case 'rows':
      return value.length;
    case 'file':
      return <Files value={value} small />;
    default:
      if (column.money) {
        return amount(value);
      }
      return column.list ? value.map((entry) => scalarText(column, entry)).join(', ') || <span className="empty">—</span> : <Scalar column={column} value={value} plain={plain} />;
  }
}

export function RowLink({ model, name, row }) {
  const entity = model.entities.get(row.__typename ?? name);
  const text = titleOf(model, name, row);
  return entity && !entity.abstract ? <a href={href([segment(entity), row.id])}>{text}</a> : text;
}

function Scalar({ column, value, plain }) {
  if (column.values) {
    return <span className={`badge tint${column.values.findIndex(({ name }) => name === value) % 6}`}>{label(value)}</span>;
  }
  if (column.scalar === 'Time') {
    return <time dateTime={value} title={value}>{timeText(value)}</time>;
  }
  if (column.scalar === 'JSON') {
    return <code>{shortened(JSON.stringify(value), 120)}</code>;
  }
  if (!plain && column.scalar === 'String' && /^https?:\/\/\S+$/.test(value)) {
    return <a href={value} target="_blank" rel="noreferrer">{shortened(value, 60)}</a>;
  }
  return scalarText(column, value);
}

function scalarText({ scalar, values }, value) {
  if (values) return label(value);
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (scalar === 'Time') return timeText(value);
  if (scalar === 'Date') return dateText(value);
  if (scalar === 'Bytes') return `${Math.floor((value.replace(/=+$/, '').length * 3) / 4)} bytes`;
  if (scalar === 'JSON') return JSON.stringify(value);
  return String(value);
}

const timeText = (value) => new Date(value).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });

// dateText returns a day as people read it. One that the browser does not know stays as it is.
function dateText(value) {
  const at = new Date(`${value}T00:00:00Z`);
  return Number.isNaN(at.getTime()) ? value : at.toLocaleDateString(undefined, { dateStyle: 'medium', timeZone: 'UTC' });
}

const shortened = (text, length) => (text.length > length ? `${text.slice(0, length)}…` : text);

// Files shows a file, or a list of them.
export function Files({ value, small }) {
  const all = [value].flat();
  return all.length > 0 ? <span className="row">{all.map((file) => <FilePreview key={file.id} file={file} small={small} />)}</span> : <span className="empty">—</span>;
}

const pictures = /^image\/(png|jpe?g|gif|webp|avif)$/;

export function FilePreview({ file, small = false }) {
  const text = file.name ?? 'File';
  return (
    <a href={file.url} target="_blank" rel="noreferrer" className={small ? 'file small' : 'file'}>
      {pictures.test(file.contentType ?? '') ? <img src={file.url} alt={text} loading="lazy" /> : text}
    </a>
  );
}

// isValues reports whether a field has a list of values, of files or of rows that are there.
export const isValues = ({ list, kind }) => list && ['value', 'file', 'reference'].includes(kind);

// draftOf returns the draft of a value that the API has given, or of none.
export function draftOf(field, value) {
  if (isValues(field)) {
    return value?.map((entry) => draftOf({ ...field, list: false, nullable: false }, entry)) ?? (field.nullable ? null : []);
  }
  if (field.kind !== 'value') {
    return value ?? (field.kind === 'inputs' && field.list ? (field.required ? [{}] : []) : null);
  }
  if (value === null || value === undefined) {
    return field.scalar === 'Boolean' && !field.nullable ? field.initial === 'true' : '';
  }
  if (field.money) {
    return money(value);
  }
  switch (field.scalar) {
    case 'Boolean':
      return field.nullable ? String(value) : value;
    case 'Time':
      return localTime(value);
    case 'JSON':
      return JSON.stringify(value, null, 2);
    default:
      return String(value);
  }
}

// localTime returns a moment as an input of the type datetime-local has it.
function localTime(value) {
  const at = new Date(value);
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19);
}

// valueOf returns the value of a draft, or throws an Error with a sentence for the reader.
export function valueOf(field, draft) {
  if (isValues(field)) {
    return draft === null ? null : draft.map((entry) => valueOf({ ...field, list: false, nullable: false }, entry)).filter((entry) => entry !== null);
  }
  if (field.kind === 'reference' || field.kind === 'file') {
    return draft?.id ?? null;
  }
  if (typeof draft === 'boolean') {
    return draft;
  }
  if (draft === '') {
    return ['String', 'Bytes'].includes(field.scalar) && !field.nullable ? '' : nothing(field);
  }
  const value = parsers[field.money ? 'Money' : field.scalar]?.(draft) ?? draft;
  return field.money && field.scalar === 'Int' ? Number(value) : value;
}

function nothing(field) {
  if (!field.nullable) {
    throw new Error('This has to be filled in.');
  }
  return null;
}

const parsers = {
  Int: (draft) => number(draft, /^\s*[+-]?\d+\s*$/, 'a whole number, such as 12'),
  Float: (draft) => number(draft, /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i, 'a number, such as 12.5'),
  BigInt: (draft) => text(draft, /^[+-]?\d+$/, 'a whole number, such as 12'),
  Money: (draft) => hundredths(text(draft, amounts, 'an amount, such as 12.50')),
  Decimal: (draft) => text(draft, /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i, 'a number, such as 12.50'),
  UUID: (draft) => text(draft, /^[\da-f]{8}-([\da-f]{4}-){3}[\da-f]{12}$/i, 'a UUID, such as 123e4567-e89b-12d3-a456-426614174000'),
  Time: (draft) => new Date(draft).toISOString(),
  LocalTime: (draft) => (/^\d\d:\d\d$/.test(draft) ? `${draft}:00` : draft),
  Boolean: (draft) => draft === 'true',
  JSON: (draft) => {
    try {
      return JSON.parse(draft);
    } catch (error) {
      throw new Error(`This is not JSON: ${error.message}.`);
    }
  },
};

function text(draft, pattern, wanted) {
  if (!pattern.test(draft.trim())) {
    throw new Error(`This has to be ${wanted}.`);
  }
  return draft.trim();
}

const number = (draft, pattern, wanted) => Number(text(draft, pattern, wanted));
