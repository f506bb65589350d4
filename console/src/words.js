// Words for people, made of the names of the schema.

// words splits a name: priceCents and PRICE_CENTS become ['price', 'cents'].
function words(name) {
  return name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .split(/[\s_]+/)
    .filter(Boolean)
    .map((word) => (/^[A-Z]{2,3}$/.test(word) && name !== name.toUpperCase() ? word : word.toLowerCase()));
}

const acronyms = new Set(['id', 'url', 'sku', 'uuid', 'ip', 'vat', 'json', 'html', 'api', 'totp']);

// label returns a name as people read it: "Price cents", "Created", "SKU".
export function label(name) {
  const all = words(name).map((word) => (acronyms.has(word) ? word.toUpperCase() : word));
  if (all.length > 1 && all[0] === 'is') {
    all.shift(); // isActive: "Active"
  }
  if (/(ed|en|ld|id)$/.test(all.at(-2)) && all.at(-1) === 'at') {
    all.pop(); // createdAt: "Created"
  }
  const text = all.join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// lower returns a label as it stands within a sentence.
export function lower(text) {
  return /^[A-Z]{2}/.test(text) ? text : text.charAt(0).toLowerCase() + text.slice(1);
}

// upper returns a field's name as enums write it: priceCents becomes PRICE_CENTS.
export function upper(name) {
  return name.replace(/([a-z\d])([A-Z])/g, '$1_$2').replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2').toUpperCase();
}

// camel is the opposite of upper.
export function camel(name) {
  return name.toLowerCase().replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
}

export function capital(name) {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

export function uncapital(name) {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

// shortID returns the end of a long ID, and of a short one such as invoice_12 the number.
export function shortID(id) {
  const key = id.slice(id.lastIndexOf('_') + 1);
  return key.length > 6 ? `…${key.slice(-6)}` : key;
}

// plain returns a description for people: without marks, and without the sentences that say to
// programs which code an error has.
export function plain(description) {
  return (description ?? '').replace(/`[A-Z][A-Z_]+`(,| if| as of) [^.]*\./g, '').replaceAll('`', '').replace(/\s+/g, ' ').trim();
}

// moneyHelp leaves out of a description that a number is in hundredths: people see and type
// amounts.
export function moneyHelp(help) {
  return capital(help.replace(/\b[Ii]n (hundredths|cents)\b[^,.;]*[,.;]?\s*/, ''));
}

// fileHelp returns what the description of a file in an input says to people: its size and types.
export function fileHelp(description) {
  return plain((description ?? '').replace(/[^.]*`createUpload`[^.]*\./, ''))
    .replace(/([\d,]+) bytes/, (whole, digits) => sizeText(Number(digits.replaceAll(',', ''))) ?? whole)
    .replace(/\b(?:image|video|audio|application)\/(\w+)(\+\w+)?/g, (_, kind) => kind.toUpperCase());
}

// typesIn returns the types of content that a description names.
export function typesIn(description) {
  return (description ?? '').match(/\b(image|video|audio|text|application)\/[\w.+*-]*[\w*]/g) ?? [];
}

function sizeText(bytes) {
  const [unit, size] = bytes >= 1 << 20 ? ['MB', 1 << 20] : ['KB', 1 << 10];
  return bytes >= 1 << 10 ? `${Number((bytes / size).toFixed(1))} ${unit}` : null;
}

// an puts the article in front of a word.
export function an(word) {
  return `${/^[aeiou]/i.test(word) && !/^u(s|ni)/i.test(word) ? 'an' : 'a'} ${word}`;
}

const irregular = { pay: 'paid', sell: 'sold', send: 'sent', hold: 'held' };

// participle returns what something is once the verb was done to it, if one of the values says so:
// of pay and PENDING, PAID it is PAID.
export function participle(verb, values) {
  const stem = verb.toUpperCase().replace(/E$/, '');
  const doubled = stem + stem.at(-1);
  const known = irregular[verb]?.toUpperCase();
  return values.find((value) => value === known || value === `${stem}ED` || value === `${doubled}ED` || value === `${stem.replace(/Y$/, 'I')}ED`);
}

const browsers = [['Edge', /Edg/], ['Opera', /OPR/], ['Firefox', /Firefox|FxiOS/], ['Chrome', /Chrome|CriOS/], ['Safari', /Safari/]];
const systems = [['Windows', /Windows/], ['Android', /Android/], ['iOS', /iPhone|iPad/], ['macOS', /Mac OS X/], ['Linux', /Linux|X11/]];

// programName returns the name of a browser and its system, of what it sends as User-Agent. Of other
// programs it returns what they send.
export function programName(agent) {
  const [browser, system] = [browsers, systems].map((names) => names.find(([, pattern]) => pattern.test(agent ?? ''))?.[0]);
  return browser ? browser + (system ? ` on ${system}` : '') : (agent ?? '');
}
