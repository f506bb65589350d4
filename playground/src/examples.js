// The tabs of a first visit are the application's own. A tab is titled by its operation.
export const examples = await fetch('/examples.json')
  .then((response) => response.json())
  .catch(() => []); // without them there is one tab, with GraphiQL's welcome
