// Lays out a schema of 60 types, as the map does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { around, layout, linesOf, next } from './src/layout.js';

const name = (i) => `Type${i}`;
const entity = (i) => ({
  name: name(i),
  columns: [
    { kind: 'value', name: 'title' },
    { kind: 'one', name: 'parent', target: name(Math.floor(i / 3)) },
    { kind: 'many', name: 'children', target: name((7 * i + 1) % 60) },
    { kind: 'one', name: 'elsewhere', target: 'NotShown' },
  ],
});
const model = { entities: new Map(Array.from({ length: 60 }, (_, i) => [name(i), entity(i)])) };
const lines = linesOf(model);
const names = [...model.entities.keys()];

test('60 types stand beside each other, and each line ends at its types', () => {
  const { nodes, lines: drawn, width, height } = layout(names, lines);
  for (const a of nodes) {
    assert.ok(a.x - a.width / 2 >= 0 && a.x + a.width / 2 <= width && a.y - a.height / 2 >= 0 && a.y + a.height / 2 <= height, `${a.name} is outside`);
    for (const b of nodes) {
      const apart = Math.abs(a.x - b.x) >= (a.width + b.width) / 2 || Math.abs(a.y - b.y) >= (a.height + b.height) / 2;
      assert.ok(a === b || apart, `${a.name} covers ${b.name}`);
    }
  }
  assert.equal(drawn.length, lines.length);
  assert.ok(drawn.every(({ points }) => points.length > 1));
});

test('the arrow keys reach every type', () => {
  const { nodes } = layout(names, lines);
  const reached = new Set([name(0)]);
  for (const at of reached) {
    for (const key of ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown']) {
      const to = next(nodes, at, key);
      if (to) reached.add(to);
    }
  }
  assert.equal(reached.size, 60, `only ${reached.size} are reached`);
});

test('around a type are those that it has edges with, in either direction', () => {
  assert.deepEqual(around('Type59', lines).sort(), ['Type19', 'Type54', 'Type59', 'Type34'].sort());
  assert.ok(!lines.some(({ to, from }) => to === 'NotShown' || from === 'NotShown'));
});
