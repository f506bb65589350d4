import { createClient } from 'graphql-ws';
import { resuming } from './resume.js';

// overWebSocket returns a function that subscribes at a URL such as wss://example.com/graphql. It
// asks for a token whenever it connects. Node.js before version 22 needs the class of package ws.
export function overWebSocket(
  url: string,
  token: () => Promise<string>,
  webSocketImpl?: unknown,
) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const client = createClient({
    url,
    webSocketImpl,
    connectionParams: async () => ({ authorization: `Bearer ${await token()}` }),
    retryAttempts: 0, // resuming does that
    keepAlive: 15_000,
    on: {
      // A connection that is silent for too long has been cut without a word.
      ping: (received) => !received && (timer = setTimeout(() => client.terminate(), 5_000)),
      pong: (received) => received && clearTimeout(timer),
      closed: () => clearTimeout(timer),
    },
  });
  return resuming(client.subscribe);
}
