// The map of the schema: its entities and the edges between them, as a picture and in words.
import { useMemo, useRef, useState } from 'react';
import { around, layout, linesOf, next } from './layout.js';
import { useModel } from './model.jsx';
import { href, segment } from './router.js';

export default function SchemaMap({ parts }) {
  const model = useModel();
  const chosen = model.entities.has(parts[0]) ? parts[0] : null;
  const [near, setNear] = useState(false);
  const [text, setText] = useState('');
  const [scale, setScale] = useState(null); // null: as large as there is room
  const lines = useMemo(() => linesOf(model), [model]);
  const all = useMemo(() => [...model.entities.keys()].sort(), [model]);
  const names = chosen && near ? around(chosen, lines) : all;
  const picture = useMemo(() => layout(names, lines), [names.join(' '), lines]);
  const wanted = text.trim().toLowerCase();
  const found = wanted ? all.filter((name) => name.toLowerCase().includes(wanted)) : all;
  return (
    <>
      <h1>Map of the schema</h1>
      <p className="help">Each box is a type, each line an edge between two. Choose a type to see its fields; the arrow keys go from box to box.</p>
      <div className="bar">
        <label>Find a type <input type="search" value={text} onChange={({ target }) => setText(target.value)} /></label>
        {chosen && <label className="check"><input type="checkbox" checked={near} onChange={({ target }) => setNear(target.checked)} /> Only what {chosen} has edges with</label>}
        <button type="button" aria-label="Smaller" onClick={() => setScale(Math.max(0.25, (scale ?? 1) / 1.25))}>−</button>
        <button type="button" aria-label="Larger" onClick={() => setScale(Math.min(3, (scale ?? 1) * 1.25))}>+</button>
      </div>
      <div className="map-and-type">
        <Picture picture={picture} chosen={chosen} found={wanted ? found : null} scale={scale} />
        {chosen && <Chosen entity={model.entities.get(chosen)} model={model} lines={lines} />}
      </div>
      <h2>In words</h2>
      <p role="status">{wanted && `${found.length} of ${all.length} types`}</p>
      <ul>
        {found.map((name) => (
          <li key={name}>
            <a href={href(['map', name])}>{name}</a>
            <Edges name={name} lines={lines} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Picture({ picture, chosen, found, scale }) {
  const svg = useRef(null);
  const keys = (event, name) => {
    if (!event.key.startsWith('Arrow')) return;
    event.preventDefault();
    const to = next(picture.nodes, name, event.key);
    if (to) svg.current.querySelector(`[data-name="${to}"]`).focus();
  };
  return (
    <div className="scroll map" role="region" aria-label="Picture of the types" tabIndex={0}>
      <svg ref={svg} className={scale === null && picture.width < 1500 ? 'fit' : undefined} role="group" aria-label="Types" width={picture.width * (scale ?? 1)} height={picture.height * (scale ?? 1)} viewBox={`0 0 ${picture.width} ${picture.height}`}>
        <g aria-hidden="true">
          {picture.lines.map((line) => <Line key={line.key} line={line} strong={line.from === chosen || line.to === chosen} />)}
        </g>
        {picture.nodes.map(({ name, x, y, width, height }) => (
          <a
            key={name}
            href={href(['map', name])}
            data-name={name}
            aria-current={name === chosen ? 'true' : undefined}
            className={found && !found.includes(name) ? 'type faint' : 'type'}
            onKeyDown={(event) => keys(event, name)}
          >
            <rect x={x - width / 2} y={y - height / 2} width={width} height={height} rx={8} />
            <text x={x} y={y} textAnchor="middle" dominantBaseline="central">{name}</text>
          </a>
        ))}
      </svg>
    </div>
  );
}

// Line is drawn with the fields on it if it belongs to the type that is chosen.
function Line({ line, strong }) {
  const middle = line.points[Math.floor(line.points.length / 2)];
  return (
    <g className={strong ? 'edge strong' : 'edge'}>
      <polyline points={line.points.map(({ x, y }) => `${x},${y}`).join(' ')} />
      {strong && <text x={middle.x} y={middle.y - 6} textAnchor="middle">{line.fields.map(({ name }) => name).join(' / ')}</text>}
    </g>
  );
}

function Chosen({ entity, model, lines }) {
  const edges = new Set(lines.flatMap(({ fields }) => fields).filter(({ from }) => from === entity.name).map(({ name }) => name));
  return (
    <section className="panel" aria-labelledby="chosen-type">
      <h2 id="chosen-type">{entity.name}</h2>
      <p className="help">{entity.description}</p>
      {entity.list && <p><a href={href([segment(entity)])}>All {entity.label.toLowerCase()}</a></p>}
      <h3>Edges</h3>
      <Edges name={entity.name} lines={lines} />
      <h3>Fields</h3>
      <ul>
        {(entity.type.fields ?? []).filter(({ name }) => !edges.has(name)).map(({ name, type }) => <li key={name}><code>{name}: {type}</code></li>)}
      </ul>
      {entity.type.possible?.length > 0 && <p>One of {entity.type.possible.filter((name) => model.entities.has(name)).join(', ')}.</p>}
    </section>
  );
}

// Edges are the edges of a type in words, each a link to the type at its other end.
function Edges({ name, lines }) {
  const edges = lines.flatMap(({ fields }) => fields).filter(({ from }) => from === name);
  if (edges.length === 0) {
    return <p className="help">No edges of its own.</p>;
  }
  return <ul>{edges.map((edge) => <li key={edge.name}><code>{edge.name}</code>: {edge.many ? 'several of' : 'one'} <a href={href(['map', edge.to])}>{edge.to}</a></li>)}</ul>;
}
