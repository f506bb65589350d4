import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const done = new Set(); // in a database, if it has to survive a restart

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  let delivery;
  try {
    delivery = webhook.verify(Buffer.concat(chunks).toString(), request.headers);
  } catch {
    return response.writeHead(400).end(); // it is not from Forge, or is older than five minutes
  }
  const id = request.headers['webhook-id'];
  if (!done.has(id)) {
    for (const { kind, id, hero } of delivery.data.heroChanges.changes) console.log(kind, hero?.name ?? id);
    done.add(id);
  }
  response.writeHead(204).end();
}).listen(Number(process.env.PORT), '127.0.0.1');
