// positions returns a fetch for a GraphQL client. With it, no answer is older than what this client
// has written or seen, also where Forge reads on replicas. Each answer has a position. It takes the
// place of those that its request was sent with; of requests in flight, each may bring one. Forge
// takes 100 with a request, so further requests wait while 100 are in flight.
export function positions(fetch = globalThis.fetch) {
  const header = 'Forge-Read-After';
  const waiting = [];
  let free = 100;
  let held = [];
  const ask = async (input, init) => {
    const sent = held;
    const headers = new Headers(init.headers);
    if (sent.length > 0) {
      headers.set(header, sent.join(','));
    }
    const response = await fetch(input, { ...init, headers });
    const position = response.headers.get(header);
    if (position) {
      held = [...held.filter((other) => !sent.includes(other)), position];
    } else if (response.status === 400 && (await response.clone().text()).includes(`"field":"${header}"`)) {
      held = held.filter((other) => !sent.includes(other)); // the server has another key now
    }
    return response;
  };
  return async (input, init = {}) => {
    if (free === 0) {
      await new Promise((start) => waiting.push(start));
    } else {
      free--;
    }
    try {
      return await ask(input, init);
    } finally {
      const start = waiting.shift() ?? (() => free++);
      start();
    }
  };
}
