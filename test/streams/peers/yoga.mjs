// GraphQL Yoga with subscriptions over PostgreSQL's NOTIFY: the payload has the row, so that
// nothing is read for an event.
//
//   DATABASE_URL   where the table heroes is
//   PORT           where to listen
import http from 'node:http';
import { useServer } from 'graphql-ws/use/ws';
import { createPubSub, createSchema, createYoga } from 'graphql-yoga';
import pg from 'pg';
import { WebSocketServer } from 'ws';

const connectionString = process.env.DATABASE_URL;
const pool = new pg.Pool({ connectionString, max: 10 });
const pubSub = createPubSub();
const listener = new pg.Client({ connectionString });
await listener.connect();
listener.on('notification', ({ payload }) => pubSub.publish('hero', JSON.parse(payload)));
await listener.query('LISTEN hero');

const yoga = createYoga({
  logging: false,
  schema: createSchema({
    typeDefs: `
      type Query { ready: Boolean! }
      type Mutation { createHero(name: String!): Hero! }
      type Subscription { heroCreated: Hero! }
      type Hero { id: ID! name: String! }
    `,
    resolvers: {
      Query: { ready: () => true },
      Mutation: {
        createHero: async (_, { name }) => {
          const text = `WITH made AS (INSERT INTO heroes (name) VALUES ($1) RETURNING id, name)
            SELECT id, name, pg_notify('hero', row_to_json(made)::text) FROM made`;
          return (await pool.query({ name: 'create', text, values: [name] })).rows[0];
        },
      },
      Subscription: { heroCreated: { subscribe: () => pubSub.subscribe('hero'), resolve: (hero) => hero } },
    },
  }),
});
const server = http.createServer(yoga);
useServer(
  {
    execute: (args) => args.rootValue.execute(args),
    subscribe: (args) => args.rootValue.subscribe(args),
    onSubscribe: async (context, _, params) => {
      const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
        ...context,
        req: context.extra.request,
        socket: context.extra.socket,
        params,
      });
      const args = {
        schema,
        operationName: params.operationName,
        document: parse(params.query),
        variableValues: params.variables,
        contextValue: await contextFactory(),
        rootValue: { execute, subscribe },
      };
      const errors = validate(args.schema, args.document);
      return errors.length ? errors : args;
    },
  },
  new WebSocketServer({ server, path: yoga.graphqlEndpoint }),
);
server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('ready'));
