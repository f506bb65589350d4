// tsc must refuse what the generated types rule out: if they were any, it would accept everything.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const folder = new URL('..', import.meta.url);

test('tsc refuses exactly the lines that are wrong', () => {
  const tsc = fileURLToPath(new URL('node_modules/.bin/tsc', folder));
  const { status, stdout } = spawnSync(tsc, ['-p', 'codegen/tsconfig.refused.json', '--pretty', 'false'], { cwd: folder, encoding: 'utf8' });
  assert.notEqual(status, 0);
  const refused = [...stdout.matchAll(/^(.+)\((\d+),\d+\): error TS/gm)];
  const source = readFileSync(new URL('codegen/refused.ts', folder), 'utf8').split('\n');
  const wanted = source.flatMap((line, i) => (line.includes('// refused:') ? [`codegen/refused.ts:${i + 1}`] : []));
  assert.deepEqual(refused.map(([, file, line]) => `${file}:${line}`), wanted, stdout);
});
