// The pages can be read without this script. It adds the search, colours, the menu of small
// windows, and buttons that copy code.
(() => {
  const base = new URL('..', document.currentScript.src);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const stored = () => {
    try {
      return localStorage.getItem('theme');
    } catch {
      return null; // the browser keeps nothing
    }
  };
  const paint = () => {
    document.documentElement.dataset.theme = stored() ?? (dark.matches ? 'dark' : 'light');
  };
  paint(); // before the page is shown
  dark.addEventListener('change', paint);

  addEventListener('DOMContentLoaded', () => {
    byId('site-theme').addEventListener('click', () => {
      const next = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
      try {
        localStorage.setItem('theme', next);
      } catch {
        // It holds for this page then.
      }
      document.documentElement.dataset.theme = next;
    });
    byId('site-menu').addEventListener('click', () => {
      const open = byId('site-pages').classList.toggle('open');
      byId('site-menu').setAttribute('aria-expanded', String(open));
    });
    byId('site-pages').querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' });
    document.querySelectorAll('article :is(h2, h3)[id]').forEach(addAnchor);
    document.querySelectorAll('.code').forEach(addCopy);
    search(byId('site-search'), byId('site-found'));
  });

  const byId = (id) => document.getElementById(id);

  // element returns a new element with a text.
  const element = (name, text, attributes = {}) => {
    const e = Object.assign(document.createElement(name), attributes);
    e.textContent = text;
    return e;
  };

  const addAnchor = (heading) => {
    const a = element('a', '#', { className: 'anchor', href: `#${heading.id}` });
    a.setAttribute('aria-label', `Link to ${heading.textContent}`);
    heading.append(a);
  };

  // commandsIn returns the commands of a console. They begin with $, and a \ goes on in the next line.
  const commandsIn = (text) =>
    text
      .split('\n')
      .filter((line, i, lines) => line.startsWith('$ ') || lines[i - 1]?.endsWith('\\'))
      .map((line) => line.replace(/^\$ /, ''))
      .join('\n');

  // addCopy adds a button that copies a block: of a console, the commands alone.
  const addCopy = (block) => {
    const code = block.querySelector('code');
    const button = element('button', 'Copy', { type: 'button' });
    button.addEventListener('click', async () => {
      const text = code.textContent;
      await navigator.clipboard.writeText(code.className === 'console' ? commandsIn(text) : text);
      button.textContent = 'Copied';
      setTimeout(() => (button.textContent = 'Copy'), 2000);
    });
    block.append(button);
  };

  // load reads the index once, when somebody begins to search.
  let loaded;
  const load = () =>
    (loaded ??= Promise.all([import('./minisearch.js'), fetch(new URL('search.json', base)).then((r) => r.json())]).then(
      ([{ default: MiniSearch }, passages]) => {
        const index = new MiniSearch({
          idField: 'a',
          fields: ['t', 'h', 'x'],
          storeFields: ['t', 'h', 'x'],
          searchOptions: { boost: { t: 5, h: 4 }, prefix: true, fuzzy: (word) => (word.length > 4 ? 0.2 : false), combineWith: 'AND' },
        });
        index.addAll(passages);
        return index;
      },
    ));

  const search = (input, found) => {
    const [status, list] = found.children;
    const show = async () => {
      const words = input.value.trim();
      if (words === '') {
        found.hidden = true;
        return;
      }
      const index = await load();
      if (words !== input.value.trim()) {
        return; // more has been typed since
      }
      const hits = index.search(words);
      status.textContent = hits.length === 0 ? 'Nothing found' : `${hits.length} found`;
      list.replaceChildren(...hits.slice(0, 30).map(line));
      found.hidden = false;
    };
    input.addEventListener('focus', load);
    input.addEventListener('input', show);
    addEventListener('keydown', (event) => {
      const typing = /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName);
      if ((event.key === '/' && !typing) || (event.key === 'k' && (event.ctrlKey || event.metaKey))) {
        event.preventDefault();
        input.focus();
      } else if (event.key === 'Escape') {
        found.hidden = true;
      } else if (!found.hidden && /^Arrow(Up|Down)$/.test(event.key)) {
        event.preventDefault();
        move([input, ...list.querySelectorAll('a')], event.key === 'ArrowDown' ? 1 : -1);
      } else if (event.key === 'Enter' && document.activeElement === input) {
        list.querySelector('a')?.click();
      }
    });
    addEventListener('click', (event) => {
      if (!event.target.closest('.search') || event.target.closest('#site-found a')) {
        found.hidden = true;
      }
    });
  };

  const move = (stops, by) => stops[Math.max(0, stops.indexOf(document.activeElement) + by)]?.focus();

  // line returns a hit as an element of the list, with the words that were found marked.
  const line = (hit) => {
    const li = document.createElement('li');
    const a = element('a', hit.h ? `${hit.t}: ${hit.h}` : hit.t, { href: new URL(hit.id, base).href });
    const small = document.createElement('small');
    const terms = hit.terms.map((t) => t.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const pattern = new RegExp(`(${terms.join('|')})`, 'iu');
    const at = Math.max(0, hit.x.search(pattern) - 40);
    const from = at && hit.x.indexOf(' ', at) + 1; // whole words
    const to = hit.x.lastIndexOf(' ', from + 160);
    const text = hit.x.slice(from, hit.x.length > from + 160 && to > from ? to : undefined);
    for (const [i, part] of text.split(new RegExp(pattern, 'giu')).entries()) {
      small.append(i % 2 ? element('mark', part) : part);
    }
    a.append(small);
    li.append(a);
    return li;
  };
})();
