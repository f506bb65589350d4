import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzip } from 'pako';
import { defineConfig } from 'vite';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: {
      'prettier/parser-babel': here('src/prettier-json.js'),
      'prettier/plugins/estree': here('src/prettier-json.js'),
    },
  },
  build: {
    // No inline scripts and no data: URLs, so that the Content-Security-Policy can be strict.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4000, // the editor alone is 2.8 MB
    reportCompressedSize: false,
    license: { fileName: 'licenses.md' },
    rolldownOptions: {
      // "use client" at the top of a module means nothing in a bundle for the browser alone.
      onwarn: (warning, report) => warning.code === 'MODULE_LEVEL_DIRECTIVE' || report(warning),
    },
  },
  worker: { format: 'es' },
  plugins: [finish(here('dist'))],
});

// finish adds to the licenses those of the code that the editor has taken in, and replaces each built
// file by its .gz, which is all that the server keeps of it. The compressor is plain JavaScript, because
// the bytes that Node's zlib gives depend on its version and on the CPU.
function finish(dist) {
  return {
    name: 'finish',
    apply: 'build',
    closeBundle() {
      const notices = readFileSync(here('node_modules/monaco-editor/ThirdPartyNotices.txt'), 'utf8');
      appendFileSync(join(dist, 'licenses.md'), `\n## In monaco-editor\n\n${notices}`);
      for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath, entry.name);
        writeFileSync(`${path}.gz`, gzip(readFileSync(path), { level: 9 }));
        rmSync(path);
      }
    },
  };
}
