// Code that the generated types must refuse, in each line that says so.
import { unmask } from '../generated/codegen/index.js';
import { HeroOrderField } from '../generated/codegen/graphql.js';
import { execute } from './execute.js';
import { Anything, HeroRow, MakeHeroes, TeamHeroes } from './heroes.js';

const url = '';
const where = {};

export async function wrong() {
  await execute(url, TeamHeroes, { where }); // refused: a variable is missing
  await execute(url, TeamHeroes, { where, first: '10' }); // refused: Int
  await execute(url, TeamHeroes, { where, first: 10, after: 10 }); // refused: Cursor
  await execute(url, TeamHeroes, { where: { nickname: 'x' }, first: 10 }); // refused: a condition that is not there
  await execute(url, TeamHeroes, { where, first: 10, orderBy: [{ field: 'STRENGTH' }] }); // refused: a value that is not in the enum
  await execute(url, MakeHeroes, { input: [{ age: 1 }] }); // refused: an input without its name

  const { data } = await execute(url, TeamHeroes, { where, first: 10, orderBy: [{ field: HeroOrderField.Name }] });
  const masked = data!.heroes.edges[0]!.node;
  masked.name.trim(); // refused: the fragment is masked
  const hero = unmask(HeroRow, masked);
  hero.team.name.trim(); // refused: a hero may have no team
  hero.owner; // refused: not selected
  hero.createdAt.getTime(); // refused: Time is a string
  const { data: other } = await execute(url, Anything, { id: '' });
  other!.node!.status; // refused: only an Order has it
}
