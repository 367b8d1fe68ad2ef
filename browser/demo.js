// Starts the program's demo for the tests and ends it after them.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = process.env.ALLIUM_PROGRAM ?? fileURLToPath(new URL('../target/debug/allium', import.meta.url));

/**
 * A demo of 300 relays on a port of its own: its address, and `stop()`.
 *
 * Its clock starts at the same hour in every run and hardly moves, so that a page that is loaded twice is the same.
 */
export async function startDemo() {
  const year = String(365 * 24 * 3600);
  const network = ['--relays', '300', '--days', '400', '--end', '2026-06-15T12:00:00Z', '--hour-every', year];
  const child = spawn(program, ['demo', '--listen', '127.0.0.1:0', ...network, '--log', 'warn'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // The program refuses unknown settings, and these tests have some of their own.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ALLIUM_'))),
  });
  const lines = createInterface({ input: child.stderr });
  const said = [];
  const address = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the demo did not start: ${said.join('\n')}`)), 120_000);
    lines.on('line', (line) => {
      said.push(line);
      const match = line.match(/^Pages at (http:\/\/\S+?)\/?$/);
      if (match) {
        clearTimeout(timer);
        resolve(match[1]);
      }
    });
    child.on('exit', (code) => reject(new Error(`the demo ended with ${code}: ${said.join('\n')}`)));
  });
  await untilReady(address);
  return {
    address,
    async stop() {
      child.removeAllListeners('exit');
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Waits until the demo has computed incidents and forecasts: until then pages announce them. */
async function untilReady(address) {
  const lists = async (path) => {
    const answer = await fetch(address + path);
    return answer.ok && (await answer.json()).n_rows > 0;
  };
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if ((await lists('/api/v1/incidents')) && (await lists('/api/v1/forecasts'))) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('the demo has no incidents or forecasts after two minutes');
}
