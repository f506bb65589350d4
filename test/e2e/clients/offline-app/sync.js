// A copy of the server's rows and a queue of mutations, both in IndexedDB. All tabs share them.
import Dexie from './dexie.mjs';

// The same mutation may succeed later after errors of these codes.
const later = ['UNAUTHENTICATED', 'UNAVAILABLE', 'TIMEOUT', 'RATE_LIMITED', 'INTERNAL'];

export class Offline {
  // user is the ID of the user whose rows they are. types has the rows to keep, by their types:
  // { Hero: { list: 'heroes', fields: 'name version' } }. mutations are documents by their names.
  // Each has the variables $id, $input and $version that it needs, one root field with the alias
  // `write`, and the row below it, if there still is one, as `row`. send sends an operation with
  // headers, and returns the answer; it throws if there is none.
  constructor({ user, types, mutations, send }) {
    Object.assign(this, { types, mutations, send });
    this.db = new Dexie(`offline ${user}`);
    this.db.version(1).stores({ rows: 'id, type', queue: '++place, row', cursors: 'name' });
  }

  // write adds a mutation of a row to the queue. A row with mutations before it in the queue has
  // the version that the last of them leads to, which is set once that is known.
  async write(mutation, type, row, input) {
    const { rows, queue } = this.db;
    await this.db.transaction('rw', rows, queue, async () => {
      const follows = await queue.where({ row }).count();
      const version = follows ? null : (await rows.get(row))?.version ?? null;
      const key = crypto.randomUUID();
      await queue.add({ mutation, type, row, input, version, key, state: 'waiting' });
    });
  }

  // settle decides about a mutation that was refused: it is sent again, over the row as it is now,
  // or it is dropped together with what follows it for the same row.
  async settle(place, again) {
    const { rows, queue } = this.db;
    await this.db.transaction('rw', rows, queue, async () => {
      const { row } = await queue.get(place);
      if (!again) {
        return queue.where({ row }).delete();
      }
      const version = (await rows.get(row))?.version ?? null;
      const key = crypto.randomUUID();
      return queue.update(place, { key, version, state: 'waiting', sent: false });
    });
  }

  // shown returns the rows of a type as they will be once the queue was sent.
  async shown(type) {
    const kept = await this.db.rows.where({ type }).toArray();
    const rows = new Map(kept.map((row) => [row.id, row]));
    for (const entry of await this.#waiting()) {
      if (entry.type === type && entry.input) {
        rows.set(entry.row, { ...rows.get(entry.row), id: entry.row, ...entry.input });
      } else if (entry.type === type) {
        rows.delete(entry.row);
      }
    }
    return [...rows.values()];
  }

  // sync sends the queue, and then reads what has changed. It throws if something has to be tried
  // later. Of all tabs, one at a time does this.
  sync() {
    return navigator.locks.request(this.db.name, async () => {
      try {
        await this.#push();
      } finally {
        await this.#pull();
      }
    });
  }

  // #waiting returns what is to be sent, in order. A row with a refused mutation has to wait.
  async #waiting() {
    const all = await this.db.queue.orderBy('place').toArray();
    const refused = new Set(all.filter((e) => e.state !== 'waiting').map((e) => e.row));
    return all.filter((e) => !refused.has(e.row));
  }

  async #push() {
    for (let [entry] = await this.#waiting(); entry; [entry] = await this.#waiting()) {
      const { row: id, input, version, key } = entry;
      const query = this.mutations[entry.mutation];
      await this.db.queue.update(entry.place, { sent: true });
      const answer = await this.#send(query, { id, input, version }, { 'Idempotency-Key': key });
      await this.#answered(entry, answer);
    }
  }

  // #answered takes a mutation from the queue that was carried out. If it was sent before, its
  // answer may be older than what was read since, so its row is left to the changes.
  async #answered(entry, { data, errors: [{ message, extensions } = {}] = [] }) {
    const { code, currentVersion, current } = extensions ?? {};
    if (later.includes(code)) {
      throw new Error(message);
    }
    const gone = code === 'NOT_FOUND' && !entry.input; // removed, as was asked
    const same = currentVersion !== undefined && !current && entry.input; // has all the values
    const { rows, queue } = this.db;
    await this.db.transaction('rw', rows, queue, async () => {
      if (!data && !gone && !same) {
        return queue.update(entry.place, { state: 'refused', code, message });
      }
      await queue.delete(entry.place);
      const row = data?.write.row;
      if (row && !entry.sent) {
        await rows.put({ ...row, type: entry.type });
      } else if (!row && !same && !entry.sent) {
        await rows.delete(entry.row);
      }
      // A row that was there already may have been changed since: it began with version 1.
      const version = data?.write.created === false ? 1 : (row?.version ?? currentVersion);
      const next = await queue.where({ row: entry.row }).first();
      return next && queue.update(next.place, { version });
    });
  }

  async #pull() {
    let after = (await this.db.cursors.get('changes'))?.after;
    for (let last; after && after !== last; ) {
      last = after;
      after = await this.#changes(last);
    }
    if (!after) {
      await this.#everything();
    }
  }

  // #changes takes in the changes after a cursor, and returns the next cursor. It returns undefined
  // if everything has to be read anew.
  async #changes(after) {
    const types = Object.entries(this.types);
    const names = types.map(([name]) => name.replace(/(?<!^)[A-Z]/g, '_$&').toUpperCase());
    const fields = types.map(([name, { fields }]) => `... on ${name} { ${fields} }`).join(' ');
    const query = `query Changes($after: ChangeCursor!) {
      changes(types: [${names}], after: $after, first: 200) {
        cursor changes { kind id node { type: __typename id ${fields} } }
      }
    }`;
    const { data, errors } = await this.#send(query, { after });
    if (errors?.some(({ extensions }) => extensions.code.startsWith('CURSOR_'))) {
      return undefined;
    } else if (errors) {
      if (errors[0].extensions.field === 'after') {
        await this.db.cursors.delete('changes'); // of another secret: next time, all is read
      }
      throw new Error(errors[0].message);
    } else if (data.changes.changes.some(({ kind }) => kind === 'MANY')) {
      return undefined;
    }
    const { rows, cursors } = this.db;
    await this.db.transaction('rw', rows, cursors, async () => {
      for (const { id, node } of data.changes.changes) {
        await (node ? rows.put(node) : rows.delete(id));
      }
      await cursors.put({ name: 'changes', after: data.changes.cursor });
    });
    return data.changes.cursor;
  }

  // #everything reads all rows: first the cursor, then page after page, then what has changed
  // meanwhile. If it breaks off, it begins anew.
  async #everything() {
    const { rows, cursors } = this.db;
    await cursors.delete('changes');
    const { changeCursor } = await this.#ask('{ changeCursor }');
    const seen = new Set();
    for (const [type, { list, fields }] of Object.entries(this.types)) {
      const query = `query Page($after: Cursor) {
        page: ${list}(first: 100, after: $after) {
          nodes { id ${fields} } pageInfo { hasNextPage endCursor }
        }
      }`;
      for (let info = { hasNextPage: true }; info.hasNextPage; ) {
        const { page } = await this.#ask(query, { after: info.endCursor });
        page.nodes.forEach(({ id }) => seen.add(id));
        await rows.bulkPut(page.nodes.map((node) => ({ ...node, type })));
        info = page.pageInfo;
      }
    }
    await this.db.transaction('rw', rows, cursors, async () => {
      await rows.filter(({ id }) => !seen.has(id)).delete();
      await cursors.put({ name: 'changes', after: changeCursor });
    });
    await this.#pull();
  }

  async #ask(query, variables) {
    const { data, errors } = await this.#send(query, variables);
    if (errors) {
      throw new Error(errors[0].message);
    }
    return data;
  }

  // #send reads nothing that is older than what was read or written before, on replicas either.
  async #send(query, variables, headers = {}) {
    const position = this.position && { 'Forge-Read-After': this.position };
    const answer = await this.send({ query, variables }, { ...headers, ...position });
    this.position = answer.extensions?.readAfter ?? this.position;
    return answer;
  }
}

// newID returns an ID as Forge makes them: a prefix, and a UUID of version 7 in 26 characters. It
// sorts after the IDs of earlier times.
export function newID(prefix, time = Date.now()) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let i = 5; i >= 0; i--, time = Math.floor(time / 256)) {
    bytes[i] = time % 256;
  }
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  let number = bytes.reduce((n, byte) => (n << 8n) | BigInt(byte), 0n);
  let text = '';
  for (let i = 0; i < 26; i++, number >>= 5n) {
    text = '0123456789abcdefghjkmnpqrstvwxyz'[Number(number & 31n)] + text;
  }
  return `${prefix}_${text}`;
}
