// Charts in a real browser: without scripts and SVG their picture and table are there, with scripts they answer to pointer and keyboard.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

import { startDemo } from './demo.js';

const pictures = process.env.ALLIUM_PICTURES ?? fileURLToPath(new URL('../target/pictures', import.meta.url));
mkdirSync(pictures, { recursive: true });

const MEASURES = ['relays', 'flags', 'weight', 'bandwidth', 'diversity'];
const SIDES = ['map', 'trend', 'distribution', 'correlation', 'flow', 'compare'];

let demo;
let browser;
let relay;

before(async () => {
  demo = await startDemo();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const { relays } = await (await fetch(`${demo.address}/api/v1/relays?limit=1&status=running`)).json();
  relay = `/relay/${relays[0].fingerprint}`;
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** Opens a page in a context of its own; whatever the console reports is a failure. */
async function open(path, options, look) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const problems = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  if (options.javaScriptEnabled === false) await page.route(/\.svg/, (route) => route.abort());
  try {
    await page.goto(demo.address + path, { waitUntil: 'networkidle' });
    await look(page);
    assert.deepEqual(problems, [], path);
  } finally {
    await context.close();
  }
}

describe('charts', () => {
  test('without scripts and SVG each has its picture, its table and its files', async () => {
    for (const path of [relay, `${relay}?period=5_years&beside=network`, ...SIDES.map((side) => `/explore?show=${side}`), ...MEASURES.map((measure) => `/explore?show=trend&range=90d&measure=${measure}`), '/explore/image?q=de', '/explore/image?of=flag:Guard']) {
      await open(path, { javaScriptEnabled: false }, async (page) => {
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
        await page.screenshot({ path: `${pictures}/safest-${path.replaceAll(/[^a-z0-9]+/gi, '-').slice(-40)}.png`, fullPage: true });
      });
    }
  });

  test('with scripts they are interactive, nothing fails, and the keyboard reads values', async () => {
    for (const side of SIDES) {
      for (const colorScheme of ['light', 'dark']) {
        await open(`/explore?show=${side}`, { colorScheme, reducedMotion: 'reduce' }, async (page) => {
          if ((await page.locator('script[type=module]').count()) === 0) return;
          await page.evaluate(() => document.querySelectorAll('figure.chart > button:enabled').forEach((button) => button.click()));
          await page.waitForFunction(() => [...document.querySelectorAll('figure.chart')].every((figure) => figure.querySelector('.live canvas')));
          await page.locator('.live').first().focus();
          await page.keyboard.press('ArrowRight');
          const said = await page.locator('.said').first().textContent();
          assert.match(said, /\d|not measured|unknown/, `${side} says ${said}`);
          await page.screenshot({ path: `${pictures}/live-${side}-${colorScheme}.png`, fullPage: true });
        });
      }
    }
  });

  test('the first view of a relay page takes at most three requests, those that the browser adds included', async () => {
    // Browsers hide their request for an icon from tests, so the requests are counted where they arrive.
    const asked = [];
    const counter = createServer(async (request, response) => {
      asked.push(request.url);
      const answer = await fetch(demo.address + request.url, { headers: { accept: request.headers.accept ?? '*/*' } });
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
    await open(relay, {}, async (page) => {
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
