// The demo and the browser that all tests share, and how many of them look at once.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { after } from 'node:test';
import { chromium } from 'playwright-core';

import { startDemo } from './demo.js';

export const WIDE = { width: 1440, height: 900 };
export const NARROW = { width: 360, height: 740 };

/** As many tests at once as there are processors, and one that waits. */
export const PARALLEL = { concurrency: availableParallelism() + 1 };

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

let started;

/** The demo's `address` and the `browser`, started when they are first asked for. */
export function site() {
  started ??= start();
  return started;
}

async function start() {
  const launched = chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const [demo, browser] = await Promise.all([startDemo(), launched]);
  return { demo, browser, address: demo.address };
}

after(async () => {
  const { demo, browser } = (await started?.catch(() => null)) ?? {};
  await browser?.close();
  await demo?.stop();
});

/** Opens an empty page in a context of its own with these options, and closes it after a look. SVG is refused where `blockSvg` is set. */
export async function withPage({ blockSvg, ...options }, look) {
  const { browser } = await site();
  const context = await browser.newContext({ viewport: WIDE, reducedMotion: 'reduce', ...options });
  try {
    const page = await context.newPage();
    if (blockSvg) await page.route(/\.svg/, (route) => route.abort());
    await look(page);
  } finally {
    await context.close();
  }
}

/** Loads a path into a page: the response, and the growing lists of what goes wrong and what is asked for until another path is loaded. */
export async function load(page, path, waitUntil = 'load') {
  const { address } = await site();
  const problems = [];
  const requests = [];
  page.removeAllListeners();
  page.on('console', (message) => {
    const expected = message.text().includes('404 (Not Found)') && path.endsWith('0'.repeat(40));
    if (['error', 'warning'].includes(message.type()) && !expected) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('request', (request) => requests.push(request.url()));
  const response = await page.goto(address + path, { waitUntil });
  return { response, problems, requests };
}

/** Runs a check for each item as a test of its own below `t`, a test that is PARALLEL. */
export const forEach = (t, items, name, check) => Promise.all(items.map((item) => t.test(name(item), () => check(item))));

/** Takes axe into a page. */
export const prepareAxe = (page) => page.evaluate(axe);

/** Findings of axe that are serious or worse, as lines of rule and elements. */
export async function serious(page) {
  // Only violations are asked for, and elements without their selectors: the rest takes most of the time.
  const options = { runOnly: RULES, resultTypes: ['violations'], selectors: false };
  const { violations } = await page.evaluate((options) => window.axe.run(options), options);
  const found = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
  return found.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html).join(' | ')}`);
}

/** Keeps a picture of the whole page where ALLIUM_PICTURES names a folder. */
export async function picture(page, name) {
  const folder = process.env.ALLIUM_PICTURES;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}
