import { dirname } from 'node:path';

// The root is the folder with node_modules, so that Next.js does not look for another one.
const root = dirname(import.meta.dirname);

export default { turbopack: { root }, outputFileTracingRoot: root };
