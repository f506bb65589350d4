// Where the types of the map stand: the layout is dagre's.
import dagre from '@dagrejs/dagre';

// linesOf returns the edges between entities: for two types one line, with the fields of both ends.
// Its fields are { from, name, to, many }.
export function linesOf(model) {
  const lines = new Map();
  for (const entity of model.entities.values()) {
    for (const { kind, target, name } of entity.columns) {
      if (!['one', 'many', 'rows'].includes(kind) || !model.entities.has(target)) continue;
      const key = [entity.name, target].sort().join(' ');
      const line = lines.get(key) ?? { key, from: entity.name, to: target, fields: [] };
      line.fields.push({ from: entity.name, name, to: target, many: kind !== 'one' });
      lines.set(key, line);
    }
  }
  return [...lines.values()];
}

const height = 40;
const many = 30; // types, from which on the layout is the one that takes less time

// layout returns { width, height, nodes, lines } for the names that are shown. A node has its
// middle, x and y; a line has the points of its way.
export function layout(names, lines) {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', ranker: names.length < many ? 'network-simplex' : 'longest-path', nodesep: 24, ranksep: 120, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const name of names) {
    graph.setNode(name, { width: 9 * name.length + 32, height });
  }
  const shown = lines.filter(({ from, to }) => names.includes(from) && names.includes(to));
  for (const { from, to } of shown) {
    graph.setEdge(from, to);
  }
  dagre.layout(graph);
  return {
    ...graph.graph(),
    nodes: names.map((name) => ({ name, ...graph.node(name) })),
    lines: shown.map((line) => ({ ...line, points: graph.edge(line.from, line.to).points })),
  };
}

// around returns the names of the types that a type has edges with, and its own.
export function around(name, lines) {
  return [...new Set([name, ...lines.filter(({ from, to }) => from === name || to === name).flatMap(({ from, to }) => [from, to])])];
}

// next returns the node that an arrow key leads to: the nearest one in that direction.
export function next(nodes, name, key) {
  const here = nodes.find((node) => node.name === name);
  const [dx, dy] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key];
  const distance = ({ x, y }) => {
    const along = (x - here.x) * dx + (y - here.y) * dy;
    const aside = Math.abs((x - here.x) * dy) + Math.abs((y - here.y) * dx);
    return along > 1 ? along + 3 * aside : Infinity;
  };
  const best = nodes.reduce((found, node) => (distance(node) < distance(found) ? node : found), here);
  return distance(best) < Infinity ? best.name : null;
}
