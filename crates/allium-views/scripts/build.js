// Bundles the interactive view into a folder: `node build.js FOLDER`. What is written depends on the lockfile and the sources only. Each
// part lies there three times: plain, and compressed as well as it can be, which nobody could wait for at each request.

import { build } from 'esbuild';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const outdir = process.argv[2] ?? here('./dist');

await build({
  entryPoints: { charts: here('./src/charts.js') },
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  minify: true,
  legalComments: 'inline',
  target: ['es2022'],
  entryNames: '[name]-[hash]',
  chunkNames: 'chart-[hash]',
  absWorkingDir: here('.'),
  logLevel: 'warning',
});

for (const name of readdirSync(outdir).filter((name) => name.endsWith('.js'))) {
  const plain = readFileSync(`${outdir}/${name}`);
  writeFileSync(`${outdir}/${name}.br`, brotliCompressSync(plain));
  writeFileSync(`${outdir}/${name}.gz`, gzipSync(plain, { level: 9 }));
}
