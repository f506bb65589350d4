import { fileURLToPath } from 'node:url';
import { gzip } from 'pako';
import { defineConfig } from 'vite';
import { finish } from '../playground/finish.js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: '/console/',
  resolve: { dedupe: ['react'] }, // also for what the playground's folder shares
  build: {
    // No inline scripts and no data: URLs, so that the Content-Security-Policy can be strict.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    license: { fileName: 'licenses.md' },
    rolldownOptions: {
      // "use client" at the top of a module means nothing in a bundle for the browser alone.
      onwarn: (warning, report) => warning.code === 'MODULE_LEVEL_DIRECTIVE' || report(warning),
    },
  },
  plugins: [finish(here('dist'), gzip)],
});
