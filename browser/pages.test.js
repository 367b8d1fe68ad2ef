// Each kind of page in a real browser: wide and narrow, light and dark, with and without scripts and SVG.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { NARROW, PARALLEL, WIDE, forEach, load, picture, prepareAxe, serious, site, withPage } from './site.js';

let address;
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
  ({ address } = await site());
  const relays = async (query) => (await (await fetch(`${address}/api/v1/relays?${query}`)).json()).relays;
  const [running] = await relays('limit=1&status=running');
  const [down] = await relays('limit=1&status=down');
  const [operator] = (await (await fetch(`${address}/api/v1/operators?limit=1`)).json()).rows;
  const { rows: incidents } = await (await fetch(`${address}/api/v1/incidents`)).json();
  const of = (kind) => incidents.find((incident) => incident.kind === kind);
  const [family] = (await (await fetch(`${address}/api/v1/families?limit=1`)).json()).rows;
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

/** Each width in each theme. */
const LOOKS = [WIDE, NARROW].flatMap((viewport) => ['light', 'dark'].map((colorScheme) => ({ name: `${viewport === WIDE ? 'wide' : 'narrow'}-${colorScheme}`, viewport, colorScheme })));

/** Pages whose charts ask for more than a page and its stylesheet. */
const CHARTED = [...Object.keys(explored), 'countries', 'country', 'region', 'incident', 'incident-flap', 'forecasts', 'as-list', 'as-all-columns', 'as', 'platform', 'operator', 'family'];

/** Checks every kind, each as a test of its own. */
const forEachKind = (t, check) => forEach(t, Object.entries(kinds), ([kind]) => kind, ([kind, path]) => check(kind, path));

async function become(page, { viewport, colorScheme }) {
  await page.setViewportSize(viewport);
  await page.emulateMedia({ colorScheme });
}

/** How many pixels the content is wider than the page or its main part, negative where it is not: what is wider is cut off, not scrolled to. */
const overflow = () => Math.max(...[document.documentElement, document.querySelector('main')].map((e) => e.scrollWidth - e.clientWidth));

/** Nothing is cut off, once charts have followed a change of the window's width: they are drawn anew in a later frame. */
async function fits(page, kind, look) {
  await page.waitForFunction(`(${overflow})() <= 0`, null, { timeout: 5000 }).catch(() => {});
  const excess = await page.evaluate(overflow);
  assert.ok(excess <= 0, `${kind} ${look.name} is ${excess} px too wide`);
}

/** A page loaded anew answers, fits, and asks for no more than it needs. */
async function loads(page, kind, path, look) {
  await become(page, look);
  const { response, problems, requests } = await load(page, path);
  assert.equal(response.status(), kind === 'not-found' ? 404 : 200, kind);
  await picture(page, `${kind}-${look.name}`);
  await fits(page, kind, look);
  assert.deepEqual(problems, [], `${kind} ${look.name}`);
  // The icon is part of the page, so every request counts.
  const needed = requests.filter((url) => !url.startsWith('data:'));
  if (!CHARTED.includes(kind)) assert.ok(needed.length <= 3, `${kind} asks for ${requests.join(', ')}`);
  for (const url of requests) assert.ok(url.startsWith(address) || url.startsWith('data:'), `${kind} asks for ${url}`);
  return problems;
}

describe('pages', () => {
  test('wide and narrow, light and dark: nothing overflows, nothing fails, axe finds nothing serious', PARALLEL, async (t) => {
    await forEachKind(t, async (kind, path) => {
      await withPage({}, async (page) => {
        let problems;
        for (const look of LOOKS) problems = await loads(page, kind, path, look);
        // Loaded once more for each look the page would be the same, and axe would have to be compiled again.
        await prepareAxe(page);
        for (const look of LOOKS) {
          await become(page, look);
          await fits(page, kind, look);
          assert.deepEqual(await serious(page), [], `${kind} ${look.name}`);
        }
        assert.deepEqual(problems, [], kind);
      });
    });
  });

  test('without scripts and SVG every page has the same text', PARALLEL, async (t) => {
    await forEachKind(t, async (kind, path) => {
      const texts = [];
      for (const options of [{}, { javaScriptEnabled: false, blockSvg: true }]) {
        await withPage(options, async (page) => {
          await load(page, path);
          texts.push((await page.locator('main').innerText()).replaceAll(/\s*(Interactive chart|Full screen|Loading)/g, '').replaceAll(/\s+/g, ' '));
          if (options.blockSvg) await picture(page, `${kind}-safest`);
        });
      }
      assert.equal(texts[1], texts[0], kind);
      assert.ok(texts[0].length > 40, kind);
    });
  });

  test('a relay page shows a strip and a table for every period it has data for', async () => {
    await withPage({ javaScriptEnabled: false }, async (page) => {
      await load(page, kinds['relay-running']);
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
    await withPage({}, async (page) => {
      await load(page, '/');
      await page.keyboard.press('Tab');
      const first = await page.evaluate(() => document.activeElement.getAttribute('href'));
      assert.match(first, /^#/, 'the skip link comes first');
      await page.locator('input[type=search]').first().focus();
      await page.keyboard.type('AS');
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/search\?.*q=AS/);
      assert.ok((await page.locator('main section:not(.empty) li a').count()) > 0, 'something is found');
    });
  });
});
