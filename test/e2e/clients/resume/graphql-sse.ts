import { createClient } from 'graphql-sse';
import { resuming } from './resume.js';

// overEvents returns a function that subscribes at a URL such as https://example.com/graphql. It
// asks for a token whenever it connects.
export function overEvents(url: string, token: () => Promise<string>) {
  const client = createClient({
    url,
    headers: async () => ({ authorization: `Bearer ${await token()}` }),
    fetchFn: endingLate,
    retryAttempts: 0, // resuming does that
  });
  return resuming(client.subscribe as any);
}

// endingLate is fetch with answers whose end comes apart from the last message. graphql-sse 2.6
// does not notice an end that comes together with a message.
async function endingLate(url: string, init: RequestInit) {
  const response = await fetch(url, init);
  const flush = () => new Promise<void>((done) => setTimeout(done, 50));
  return new Response(response.body?.pipeThrough(new TransformStream({ flush })), response);
}
