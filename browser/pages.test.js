// Each kind of page in a real browser: wide and narrow, light and dark, with and without scripts and SVG.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

import { startDemo } from './demo.js';

const axe = createRequire(import.meta.url).resolve('axe-core');
const pictures = process.env.ALLIUM_PICTURES ?? fileURLToPath(new URL('../target/pictures', import.meta.url));
mkdirSync(pictures, { recursive: true });

const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 360, height: 740 };

let demo;
let browser;
let kinds;

/** The sides of the network: pages whose charts load more than a stylesheet. */
const explored = {
  'explore-map': '/explore',
  'explore-trend': '/explore?show=trend&measure=relays',
  'explore-distribution': '/explore?show=distribution',
  'explore-correlation': '/explore?show=correlation&range=1y',
  'explore-flow': '/explore?show=flow',
  'explore-weight': '/explore?show=trend&measure=weight&range=1y',
  'explore-bandwidth': '/explore?show=trend&measure=bandwidth&range=90d&with=flag:Guard&with=flag:Exit',
  'explore-diversity': '/explore?show=trend&measure=diversity&range=7d',
  'explore-compare': '/explore?show=compare',
  'explore-picked': '/explore?show=compare&range=1y&with=de&with=flag:Guard',
  'explore-table': '/explore?display=table',
  'explore-image': '/explore/image?q=de',
  'explore-image-of': '/explore/image?of=flag:Guard',
};

before(async () => {
  demo = await startDemo();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const relays = async (query) => (await (await fetch(`${demo.address}/api/v1/relays?${query}`)).json()).relays;
  const [running] = await relays('limit=1&status=running');
  const [down] = await relays('limit=1&status=down');
  const [operator] = (await (await fetch(`${demo.address}/api/v1/operators?limit=1`)).json()).rows;
  const { rows: incidents } = await (await fetch(`${demo.address}/api/v1/incidents`)).json();
  const of = (kind) => incidents.find((incident) => incident.kind === kind);
  const [family] = (await (await fetch(`${demo.address}/api/v1/families?limit=1`)).json()).rows;
  kinds = {
    home: '/',
    relays: '/relays',
    'relays-searched': '/relays?q=de&status=running&sort=uptime_1_month',
    'relays-none': '/relays?q=nosuchrelayanywhere',
    'relay-running': `/relay/${running.fingerprint}`,
    'relay-down': `/relay/${down.fingerprint}`,
    'relay-compared': `/relay/${running.fingerprint}?period=6_months&beside=network`,
    ...explored,
    countries: '/countries',
    country: `/country/${running.country}`,
    region: '/region/150',
    'as-list': '/as',
    'as-all-columns': '/as?columns=all&period=1_year',
    as: `/as/${running.as}`,
    flags: '/flags',
    platform: '/platform/linux',
    versions: '/versions',
    'first-seen': '/first-seen',
    operators: '/operators',
    operator: `/operator/${operator.id}`,
    families: '/families',
    family: `/family/${family.fingerprint}`,
    'relays-all-columns': '/relays?columns=all',
    leaderboards: '/leaderboards',
    leaderboard: '/leaderboards/consensus_weight',
    network: '/network',
    statistics: '/statistics',
    top: '/top',
    incidents: '/incidents',
    incident: `/incident/${of('outage').id}`,
    'incident-flap': `/incident/${of('flap').id}`,
    'incidents-filtered': '/incidents?status=open&since=2026-01-01',
    monitor: '/monitor',
    forecasts: '/forecasts',
    scoreboard: '/forecasts/scoreboard',
    'data-quality': '/data-quality',
    methods: '/methods',
    'not-found': '/relay/0000000000000000000000000000000000000000',
  };
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** Opens a page in a context of its own and hands over what went wrong and what was asked for. */
async function open(path, options, look) {
  const context = await browser.newContext({ reducedMotion: 'reduce', bypassCSP: options.bypassCSP ?? false, ...options });
  const page = await context.newPage();
  const problems = [];
  const requests = [];
  page.on('console', (message) => {
    const expected = message.text().includes('404 (Not Found)') && path.endsWith('0'.repeat(40));
    if (['error', 'warning'].includes(message.type()) && !expected) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('request', (request) => requests.push(request.url()));
  if (options.blockSvg) await page.route(/\.svg/, (route) => route.abort());
  try {
    const response = await page.goto(demo.address + path, { waitUntil: 'load' });
    await look(page, response, { problems, requests });
  } finally {
    await context.close();
  }
}

/** Checks every kind, and tells of all that failed. */
const forEachKind = async (check) => {
  const failed = [];
  for (const [kind, path] of Object.entries(kinds)) {
    await check(kind, path).catch((error) => failed.push(`${kind}: ${error.message}`));
  }
  assert.equal(failed.join('\n'), '');
};

describe('pages', () => {
  for (const [size, viewport] of [['wide', WIDE], ['narrow', NARROW]]) {
    for (const colorScheme of ['light', 'dark']) {
      test(`${size} and ${colorScheme}: nothing overflows, nothing fails, axe finds nothing serious`, async () => {
        await forEachKind(async (kind, path) => {
          await open(path, { viewport, colorScheme, bypassCSP: true }, async (page, response, { problems, requests }) => {
            assert.equal(response.status(), kind === 'not-found' ? 404 : 200, kind);
            await page.screenshot({ path: `${pictures}/${kind}-${size}-${colorScheme}.png`, fullPage: true });
            // Content that is wider than the main part is cut off, not scrolled to.
            const overflow = await page.evaluate(() => Math.max(...[document.documentElement, document.querySelector('main')].map((e) => e.scrollWidth - e.clientWidth)));
            assert.ok(overflow <= 0, `${kind} is ${overflow} px too wide`);
            assert.deepEqual(problems, [], kind);
            const hasCharts = kind in explored || ['countries', 'country', 'region', 'incident', 'incident-flap', 'forecasts', 'as-list', 'as-all-columns', 'as', 'platform', 'operator', 'family'].includes(kind);
            // The icon is part of the page, so every request counts.
            const needed = requests.filter((url) => !url.startsWith('data:'));
            if (!hasCharts) assert.ok(needed.length <= 3, `${kind} asks for ${requests.join(', ')}`);
            for (const url of requests) assert.ok(url.startsWith(demo.address) || url.startsWith('data:'), `${kind} asks for ${url}`);
            await page.addScriptTag({ path: axe });
            const { violations } = await page.evaluate(() => window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
            const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
            const shown = serious.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html).join(' | ')}`);
            assert.deepEqual(shown, [], `${kind} ${size} ${colorScheme}`);
          });
        });
      });
    }
  }

  test('without scripts and SVG every page has the same text', async () => {
    await forEachKind(async (kind, path) => {
      const texts = [];
      for (const options of [{}, { javaScriptEnabled: false, blockSvg: true }]) {
        await open(path, { viewport: WIDE, ...options }, async (page) => {
          texts.push((await page.locator('main').innerText()).replaceAll(/\s*(Interactive chart|Full screen|Loading)/g, '').replaceAll(/\s+/g, ' '));
          if (options.blockSvg) await page.screenshot({ path: `${pictures}/${kind}-safest.png`, fullPage: true });
        });
      }
      assert.equal(texts[1], texts[0], kind);
      assert.ok(texts[0].length > 40, kind);
    });
  });

  test('a relay page shows a strip and a table for every period it has data for', async () => {
    await open(kinds['relay-running'], { viewport: WIDE, javaScriptEnabled: false }, async (page) => {
      const strips = page.locator('.strip');
      assert.ok((await strips.count()) >= 4);
      for (const strip of await strips.all()) {
        const box = await strip.boundingBox();
        assert.ok(box.width > 100 && box.height >= 8, JSON.stringify(box));
      }
      assert.ok((await page.locator('details table').count()) >= 4);
    });
  });

  test('the keyboard reaches the content and the search', async () => {
    await open('/', { viewport: WIDE }, async (page) => {
      await page.keyboard.press('Tab');
      const first = await page.evaluate(() => document.activeElement.getAttribute('href'));
      assert.match(first, /^#/, 'the skip link comes first');
      await page.locator('input[type=search]').first().focus();
      await page.keyboard.type('AS');
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/relays\?.*q=AS/);
      assert.ok((await page.locator('table tbody tr').count()) > 0);
    });
  });
});
