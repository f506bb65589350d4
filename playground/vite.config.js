import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzip } from 'pako';
import { defineConfig } from 'vite';
import { finish } from './finish.js';

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
  plugins: [
    // The editor has taken in code of others.
    finish(here('dist'), gzip, () => `\n## In monaco-editor\n\n${readFileSync(here('node_modules/monaco-editor/ThirdPartyNotices.txt'), 'utf8')}`),
  ],
});
