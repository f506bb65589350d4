// My heroes: an application that works without a network. One may add, rename and remove heroes at
// any time, and sees one's orders.
import { liveQuery } from './dexie.mjs';
import { Session } from './spa.mjs';
import { Offline, newID } from './sync.js';

const types = {
  Hero: { list: 'heroes', fields: 'name version' },
  Order: { list: 'orders', fields: 'status version' },
};
const mutations = {
  create: `mutation Create($input: CreateHeroInput!) {
    write: createHero(input: $input, onConflict: { on: ID, do: NOTHING }) { created row: hero { id name version } }
  }`,
  rename: `mutation Rename($id: ID!, $input: UpdateHeroInput!, $version: Int) {
    write: updateHero(id: $id, input: $input, expectedVersion: $version) { row: hero { id name version } }
  }`,
  remove: `mutation Remove($id: ID!, $version: Int) {
    write: deleteHero(id: $id, expectedVersion: $version) { deletedId }
  }`,
};

const find = (selector) => document.querySelector(selector);
const session = new Session('/graphql');
let offline, user, watching;

// open shows the data of a user. It needs no network.
function open(id) {
  user = id;
  localStorage.setItem('user', id);
  offline = new Offline({ user, types, mutations, send });
  watching = liveQuery(async () => ({
    heroes: await offline.shown('Hero'),
    orders: await offline.shown('Order'),
    queue: await offline.db.queue.toArray(),
    rows: await offline.db.rows.bulkGet((await offline.db.queue.toArray()).map(({ row }) => row)),
  })).subscribe(show);
  find('main').hidden = false;
  sync();
}

const send = ({ query, variables }, headers) => session.request(query, variables, { headers, user });

// sync is called after each write and every 15 seconds.
async function sync() {
  try {
    await offline?.sync();
    find('#state').dataset.state = 'synced';
    find('#sign-in').hidden = true;
  } catch (error) {
    find('#state').dataset.state = 'away';
    find('#sign-in').hidden = error.name !== 'SignedOut';
  }
}

async function write(mutation, row, input) {
  await offline.write(mutation, 'Hero', row, input);
  sync();
}

const add = (name) => {
  const id = newID('hero');
  return write('create', id, { id, name });
};
const rename = (id, name) => write('rename', id, { name });
const remove = (id) => write('remove', id);
const settle = (place, again) => offline.settle(place, again).then(sync);

function show({ heroes, orders, queue, rows }) {
  const mine = new Set(queue.map(({ row }) => row));
  find('#state').textContent = queue.length ? `${queue.length} to send` : 'All is sent';
  showHeroes(heroes.filter(isRecent(mine)));
  find('#orders').replaceChildren(...orders.map(({ id, status }) => item(`${id} ${status}`)));
  find('#refused').replaceChildren(
    ...queue.flatMap((entry, i) => (entry.state === 'waiting' ? [] : [refusedItem(entry, rows[i])])),
  );
}

// isRecent keeps the page short: the heroes that wait, and those made in the last hour.
const isRecent = (mine) => ({ id }) => mine.has(id) || id > newID('hero', Date.now() - 3_600_000);

// showHeroes leaves the items of heroes that are as before: somebody may be typing in one.
function showHeroes(heroes) {
  const list = find('#heroes');
  const before = new Map([...list.children].map((li) => [li.dataset.id, li]));
  const items = heroes.map((hero) => {
    const li = before.get(hero.id);
    return li?.dataset.name === hero.name ? li : heroItem(hero);
  });
  [...list.children].filter((li) => !items.includes(li)).forEach((li) => li.remove());
  items.forEach((li, i) => li === list.children[i] || list.insertBefore(li, list.children[i] ?? null));
}

function heroItem({ id, name }) {
  const input = Object.assign(document.createElement('input'), { value: name, ariaLabel: `Name of ${name}` });
  input.addEventListener('change', () => rename(id, input.value));
  const li = item(input, button(`Remove ${name}`, () => remove(id)));
  Object.assign(li.dataset, { id, name });
  return li;
}

// refusedItem shows a mutation that was refused, beside the row as it is now.
function refusedItem({ place, input, code, message }, row) {
  const yours = input ? `yours: ${input.name}` : 'you removed it';
  const theirs = row ? `there: ${row.name}` : 'it is gone';
  const keep = button('Keep mine', () => settle(place, true));
  keep.hidden = !row || code !== 'CONFLICT';
  return item(`${yours}, ${theirs} (${message})`, keep, button('Take what is there', () => settle(place, false)));
}

function item(...parts) {
  const li = document.createElement('li');
  li.append(...parts);
  return li;
}

function button(text, click) {
  const made = Object.assign(document.createElement('button'), { textContent: text });
  made.addEventListener('click', click);
  return made;
}

find('#add').addEventListener('submit', (event) => {
  event.preventDefault();
  add(new FormData(event.target).get('name'));
  event.target.reset();
});
find('#sign-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { login, password } = Object.fromEntries(new FormData(event.target));
  await session.signIn(login, password);
  const { data } = await session.request('{ viewer { id } }');
  find('#sign-in').hidden = true;
  if (data.viewer.id === user) {
    await sync(); // with what has waited
  } else {
    watching?.unsubscribe();
    open(data.viewer.id);
  }
});
find('#sign-out').addEventListener('click', async () => {
  localStorage.removeItem('user');
  await session.signOut();
  location.reload();
});

addEventListener('online', sync);
setInterval(sync, 15_000);
navigator.serviceWorker.register('/sw.js');
const known = localStorage.getItem('user');
if (known) {
  open(known);
} else {
  find('#sign-in').hidden = false;
}
window.app = { add, rename, remove, settle, sync, get offline() { return offline; } };
