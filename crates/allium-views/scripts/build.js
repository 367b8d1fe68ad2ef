// Bundles the interactive view into a folder: `node build.js FOLDER`. What is written depends on the lockfile and the sources only.

import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

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
