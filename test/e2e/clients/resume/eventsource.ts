import { EventSource } from 'eventsource';
import type { Request, Sink } from './resume.js';

type Token = () => Promise<string>;

// byEventSource subscribes at a URL such as https://example.com/graphql. An EventSource goes on by
// itself, with the ID of the last event, but not after a status such as 401 or 503. The class of
// browsers is like that of package eventsource, except that it cannot send a token.
export function byEventSource(url: string, token: Token, request: Request, sink: Sink) {
  let after: string | undefined;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout>;
  let source: EventSource;
  function start() {
    const { query, variables = {}, extensions } = request;
    const search = new URLSearchParams({ query, variables: JSON.stringify(variables) });
    search.set('extensions', JSON.stringify({ ...extensions, ...(after && { after }) }));
    source = new EventSource(`${url}?${search}`, { fetch: withToken });
    source.addEventListener('next', ({ data, lastEventId }) => {
      sink.next(JSON.parse(data));
      failures = 0;
      after = lastEventId || after;
    });
    source.addEventListener('complete', () => (source.close(), sink.complete()));
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) {
        const pause = Math.min(30_000, 250 * 2 ** failures++);
        timer = setTimeout(start, pause * (0.5 + Math.random()));
      }
    });
  }
  async function withToken(input: string | URL, init: any) {
    const headers = { ...init.headers, Authorization: `Bearer ${await token()}` };
    return fetch(input, { ...init, headers });
  }
  start();
  return () => (clearTimeout(timer), source.close());
}
