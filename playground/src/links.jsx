import { useConfig } from './config.js';

// Links leads to the other pages of this server: those that it says it has.
export function Links() {
  const links = useConfig()?.links ?? [];
  if (links.length === 0) {
    return null;
  }
  return (
    <nav className="forge-links" aria-label="Other pages of this server">
      {links.map(({ name, path }) => (
        <a key={path} href={path}>
          {name}
        </a>
      ))}
    </nav>
  );
}
