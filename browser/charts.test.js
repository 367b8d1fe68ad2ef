// Charts in a real browser: without scripts and SVG their picture and table are there, with scripts they answer to pointer and keyboard.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { before, describe, test } from 'node:test';

import { PARALLEL, forEach, load, picture, site, withPage } from './site.js';

const MEASURES = ['relays', 'flags', 'weight', 'bandwidth', 'diversity'];
const SIDES = ['map', 'trend', 'distribution', 'correlation', 'flow', 'compare'];

let address;
let browser;
let relay;

before(async () => {
  ({ address, browser } = await site());
  const { relays } = await (await fetch(`${address}/api/v1/relays?limit=1&status=running`)).json();
  relay = `/relay/${relays[0].fingerprint}`;
});

/** Loads a path and looks at it; whatever the console reports is a failure. */
const look = (path, { waitUntil, ...options }, check) =>
  withPage({ reducedMotion: 'no-preference', ...options }, async (page) => {
    const { problems } = await load(page, path, waitUntil);
    await check(page);
    assert.deepEqual(problems, [], path);
  });

describe('charts', () => {
  test('without scripts and SVG each has its picture, its table and its files', PARALLEL, async (t) => {
    const paths = [relay, `${relay}?period=5_years&beside=network`, ...SIDES.map((side) => `/explore?show=${side}`), ...MEASURES.map((measure) => `/explore?show=trend&range=90d&measure=${measure}`), '/explore/image?q=de', '/explore/image?of=flag:Guard'];
    await forEach(t, paths, (path) => path, async (path) => {
      await look(path, { javaScriptEnabled: false, blockSvg: true }, async (page) => {
        const figures = await page.locator('figure.chart').all();
        assert.ok(figures.length > 0, path);
        for (const figure of figures) {
          // A chart without known values has a sentence and no picture.
          if ((await figure.locator('.none').count()) === 1) continue;
          const drawn = await figure.evaluate((element) => {
            const styled = element.querySelector('.view .bars, .view .hr, .view .cal');
            const image = element.querySelector('img');
            return styled !== null || (image !== null && image.naturalWidth > 300 && image.getBoundingClientRect().width > 300);
          });
          assert.ok(drawn, `${path} has a chart that is not drawn`);
          assert.equal(await figure.locator('.files a').count(), 4, path);
        }
        assert.ok((await page.locator('table tbody tr').count()) > 0, path);
        await picture(page, `safest-${path.replaceAll(/[^a-z0-9]+/gi, '-').slice(-40)}`);
      });
    });
  });

  test('with scripts they are interactive, nothing fails, and the keyboard reads values', PARALLEL, async (t) => {
    const views = SIDES.flatMap((side) => ['light', 'dark'].map((colorScheme) => [side, colorScheme]));
    await forEach(t, views, (view) => view.join(' '), async ([side, colorScheme]) => {
      await look(`/explore?show=${side}`, { colorScheme, reducedMotion: 'reduce' }, async (page) => {
        if ((await page.locator('script[type=module]').count()) === 0) return;
        await page.evaluate(() => document.querySelectorAll('figure.chart > button:enabled').forEach((button) => button.click()));
        await page.waitForFunction(() => [...document.querySelectorAll('figure.chart')].every((figure) => figure.querySelector('.live canvas')));
        await page.locator('.live').first().focus();
        await page.keyboard.press('ArrowRight');
        const said = await page.locator('.said').first().textContent();
        assert.match(said, /\d|not measured|unknown/, `${side} says ${said}`);
        await picture(page, `live-${side}-${colorScheme}`);
      });
    });
  });

  test('the first view of a relay page takes at most three requests, those that the browser adds included', async () => {
    // Browsers hide their request for an icon from tests, so the requests are counted where they arrive.
    const asked = [];
    const counter = createServer(async (request, response) => {
      asked.push(request.url);
      const answer = await fetch(address + request.url, { headers: { accept: request.headers.accept ?? '*/*' } });
      const headers = Object.fromEntries([...answer.headers].filter(([name]) => !['content-encoding', 'content-length', 'transfer-encoding', 'connection'].includes(name)));
      response.writeHead(answer.status, headers);
      response.end(Buffer.from(await answer.arrayBuffer()));
    });
    await new Promise((resolve) => counter.listen(0, '127.0.0.1', resolve));
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    try {
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${counter.address().port}${relay}`, { waitUntil: 'networkidle' });
      const icon = await page.locator('link[rel=icon]').evaluate(async (link) => {
        const image = new Image();
        image.src = link.href;
        await image.decode();
        return { href: link.href.slice(0, 22), width: image.naturalWidth };
      });
      assert.deepEqual(icon, { href: 'data:image/png;base64,', width: 32 }, 'the icon stands in the page and may be shown');
      assert.ok(asked.length <= 3, `asked for ${asked.join(', ')}`);
      assert.ok(!asked.some((url) => /icon/.test(url)), asked.join(', '));
    } finally {
      await context.close();
      counter.closeAllConnections();
      counter.close();
    }
  });

  test('a relay page loads the drawing code only when it is asked for', async () => {
    await look(relay, { waitUntil: 'networkidle' }, async (page) => {
      if ((await page.locator('script[type=module]').count()) === 0) return;
      const loaded = () => page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
      const before = await loaded();
      assert.ok(before.length <= 2, `beside the page itself: ${before.join(', ')}`);
      await page.getByRole('button', { name: 'Interactive chart' }).first().click();
      await page.locator('.live canvas').first().waitFor();
      const scripts = (await loaded()).filter((name) => name.endsWith('.js'));
      let bytes = 0;
      for (const script of scripts) {
        const { headers } = await fetch(script, { headers: { 'accept-encoding': 'gzip' } });
        assert.match(headers.get('cache-control'), /immutable/);
        bytes += await page.evaluate(async (name) => performance.getEntriesByName(name)[0].encodedBodySize, script);
      }
      assert.ok(bytes > 0 && bytes <= 250_000, `the script takes ${bytes} bytes`);
    });
  });
});
