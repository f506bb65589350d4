// GraphiQL's tabs are marked up as tabs that hold buttons, which assistive technology cannot reach:
// a tab has no parts (https://www.w3.org/TR/wai-aria-1.2/#tab). mendTabs makes of them what they are,
// a list of buttons, one of them the current one, now and whenever GraphiQL writes them anew.
export function mendTabs(root) {
  new MutationObserver(() => mend(root)).observe(root, {
    subtree: true,
    childList: true,
    attributeFilter: ['role', 'aria-selected'],
  });
}

function mend(root) {
  root.querySelector('.graphiql-tabs[role=tablist]')?.setAttribute('role', 'list');
  root.querySelector('#graphiql-session[role=tabpanel]')?.setAttribute('role', 'group');
  for (const tab of root.querySelectorAll('.graphiql-tab[role=tab]')) {
    tab.setAttribute('role', 'listitem');
  }
  for (const tab of root.querySelectorAll('.graphiql-tab[aria-selected]')) {
    const button = tab.querySelector('.graphiql-tab-button');
    button?.setAttribute('aria-current', tab.getAttribute('aria-selected'));
    tab.removeAttribute('aria-selected');
  }
}
