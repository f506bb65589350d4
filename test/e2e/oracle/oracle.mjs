// Answers operations as the reference implementation does: one JSON line for each that comes in.
// The schema is what `forge schema` prints, the data what Forge answered before.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { buildSchema, execute, getNullableType, getOperationAST, getVariableValues, GraphQLError, parse, validate } from 'graphql';
import { resolvers } from './world.mjs';

const { schema: sdl, world } = JSON.parse(readFileSync(process.env.ORACLE_WORLD, 'utf8'));
const schema = prepared(buildSchema(sdl));

// Mutations change nothing here: each field is null, so that one does not keep the next from being looked at.
const unchanging = prepared(buildSchema(sdl));
for (const field of Object.values(unchanging.getMutationType().getFields())) {
  field.type = getNullableType(field.type);
  field.resolve = () => null;
}

function prepared(schema) {
  resolvers(schema, world);
  // The scalars of the schema's own are texts, in variables and in documents.
  for (const name of ['Time', 'Cursor', 'ChangeCursor']) {
    const scalar = schema.getType(name);
    scalar.parseValue = (value) => {
      if (typeof value !== 'string') throw new GraphQLError(`${name} is a text`);
      return value;
    };
    scalar.parseLiteral = (node) => {
      if (node.kind !== 'StringValue') throw new GraphQLError(`${name} is a text`);
      return node.value;
    };
  }
  return schema;
}

// Deprecation of directives is not in the specification yet.
const fieldsOf = (type) => schema.getType(type).getFields();
delete fieldsOf('__Directive').isDeprecated;
delete fieldsOf('__Directive').deprecationReason;
fieldsOf('__Schema').directives.args = [];
const draft = 'DIRECTIVE_DEFINITION';
const locations = schema.getType('__DirectiveLocation');
locations._values = locations.getValues().filter(({ name }) => name !== draft);
const deprecated = schema.getDirective('deprecated');
deprecated.locations = deprecated.locations.filter((name) => name !== draft);

// The outcome is what refused the operation: "parse", "validation" or "variables"; or "executed",
// with what came of it.
function answer({ query, variables, operationName }) {
  let document;
  try {
    document = parse(query);
  } catch (error) {
    return { outcome: 'parse', message: error.message };
  }
  const invalid = validate(schema, document, undefined, { maxErrors: 1 });
  if (invalid.length > 0) return { outcome: 'validation', message: invalid[0].message };
  const operation = getOperationAST(document, operationName);
  if (!operation) return { outcome: 'validation', message: 'no such operation' };
  const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {});
  if (errors) return { outcome: 'variables', message: errors[0].message };
  const on = operation.operation === 'mutation' ? unchanging : schema;
  const result = execute({ schema: on, document, rootValue: {}, variableValues: variables, operationName });
  const argument = result.errors?.find((error) => /^Argument "/.test(error.message));
  if (argument) return { outcome: 'argument', message: argument.message };
  return { outcome: 'executed', data: result.data, failed: Boolean(result.errors), message: result.errors?.[0].message };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + '\n');
}
