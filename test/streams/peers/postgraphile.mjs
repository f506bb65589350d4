// PostGraphile with subscriptions over PostgreSQL's NOTIFY: the payload has the row, so that
// nothing is read for an event.
//
//   DATABASE_URL   where the table heroes is
//   PORT           where to listen
import http from 'node:http';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { jsonParse } from 'postgraphile/@dataplan/json';
import { context, get, listen } from 'postgraphile/grafast';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { extendSchema } from 'postgraphile/utils';

const HeroCreated = extendSchema({
  typeDefs: `
    extend type Subscription { heroCreated: CreatedHero }
    type CreatedHero { name: String }
  `,
  objects: {
    Subscription: {
      plans: {
        heroCreated: {
          subscribePlan: () => listen(context().get('pgSubscriber'), 'hero', jsonParse),
          plan: ($hero) => $hero,
        },
      },
    },
    CreatedHero: { plans: { name: ($hero) => get($hero, 'name') } },
  },
});

const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  plugins: [HeroCreated],
  pgServices: [makePgService({ connectionString: process.env.DATABASE_URL, schemas: ['public'], pubsub: true })],
  grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false, websockets: true },
  grafast: { explain: false },
});
const server = http.createServer();
await instance.createServ(grafserv).addTo(server);
server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('ready'));
