import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// finish adds to the licenses of a build what notices returns, and replaces each built file by its
// .gz, which is all that the server keeps of it. gzip is a compressor in plain JavaScript, because
// the bytes that Node's zlib gives depend on its version and on the CPU.
export function finish(dist, gzip, notices = () => '') {
  return {
    name: 'finish',
    apply: 'build',
    closeBundle() {
      appendFileSync(join(dist, 'licenses.md'), notices());
      for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath, entry.name);
        writeFileSync(`${path}.gz`, gzip(readFileSync(path), { level: 9 }));
        rmSync(path);
      }
    },
  };
}
