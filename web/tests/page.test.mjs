// The page in a real browser: node --test, with STYLEZOO (the command), TEST_FOLDER (references.py's pictures in
// references/, exports in exports/) and CHROMIUM in the environment; see `make test-web`.

import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {after, before, describe, test} from 'node:test';

import axe from 'axe-core';
import {chromium} from 'playwright-core';

const {STYLEZOO, TEST_FOLDER, CHROMIUM} = process.env;
const reference = (name) => path.join(TEST_FOLDER, 'references', name);
const SITE = path.join(TEST_FOLDER, 'site');

const FLAGS = [
  '--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
  '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
  '--enable-blink-features=ForceEagerMeasureMemory',
];
const GPU_FLAGS = [
  '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
];
// Of 255: 2e-2 in [0, 1], after rounding.
const LIMIT = 0.02 * 255;
const SLOW = {timeout: 120_000};

let browser;
let gpuBrowser;
let program;
let address;

const launch = (flags) => chromium.launch({executablePath: CHROMIUM, headless: true, args: [...FLAGS, ...flags]});

before(async () => {
  const [command, ...first] = STYLEZOO.split(' ');
  const exports = `--exports=${path.join(TEST_FOLDER, 'exports')}`;
  execFileSync(command, [...first, 'web', exports, `--output=${SITE}`, '--overwrite'], {stdio: 'pipe'});
  program = spawn(command, [...first, 'web', exports, '--port=0']);
  address = await new Promise((resolve, reject) => {
    program.stdout.on('data', (text) => resolve(/http:\S+/.exec(text)[0]));
    program.on('exit', (status) => reject(new Error(`stylezoo web ended with ${status}`)));
  });
  program.removeAllListeners('exit');
  browser = await launch(['--disable-gpu']);
}, SLOW);

after(async () => {
  await browser?.close();
  await gpuBrowser?.close();
  program?.kill('SIGTERM');
});

/** Opens a page, and returns it once a model is loaded, or is said not to be. */
async function open(url = address, {options = {}, prepare = async () => {}, from = browser} = {}) {
  const opened = await from.newContext({viewport: {width: 1280, height: 900}, ...options});
  const page = await opened.newPage();
  page.setDefaultTimeout(90_000);
  page.requests = [];
  page.on('request', (request) => page.requests.push(`${request.method()} ${request.url()}`));
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(error.message));
  await prepare(page);
  await page.goto(url);
  await page.waitForFunction(() => /Runs on|No model|Starting/.test(document.querySelector('#runtime').textContent) &&
    (/Runs on/.test(document.querySelector('#runtime').textContent) || !document.querySelector('#error').hidden));
  return page;
}

const runtime = (page) => page.textContent('#runtime');

/** Does something, and waits until the page has painted after it. */
async function painted(page, action) {
  await page.evaluate(() => { document.querySelector('#speed').textContent = ''; });
  await action();
  await page.waitForFunction(() => / ms for /.test(document.querySelector('#speed').textContent));
}

/** Chooses in a list, and waits until the model runs. */
async function choose(page, list, label) {
  await page.evaluate(() => { document.querySelector('#runtime').textContent = ''; });
  await page.selectOption(list, {label});
  await page.waitForFunction(() => /Runs on|No model/.test(document.querySelector('#runtime').textContent));
}

/** Returns the largest difference between a canvas and a picture, of 255; infinite if their sizes differ. */
async function difference(page, file, canvas = '#painting') {
  const url = `data:image/png;base64,${fs.readFileSync(file, 'base64')}`;
  return page.evaluate(async ([url, selector]) => {
    const image = Object.assign(new Image(), {src: url});
    await image.decode();
    const shown = document.querySelector(selector);
    if (image.width !== shown.width || image.height !== shown.height) return Infinity;
    const other = new OffscreenCanvas(image.width, image.height);
    other.getContext('2d').drawImage(image, 0, 0);
    const [a, b] = [shown, other].map((each) =>
      each.getContext('2d').getImageData(0, 0, image.width, image.height).data);
    return a.reduce((largest, each, index) => Math.max(largest, Math.abs(each - b[index])), 0);
  }, [url, canvas]);
}

async function assertShows(page, file) {
  const largest = await difference(page, file);
  assert.ok(largest <= LIMIT, `${path.basename(file)} differs by ${largest} of 255`);
}

const slide = (page, label, value) => page.getByLabel(label, {exact: true}).fill(String(value));

/** Leaves the page the files of 64 px alone. */
const small = (page) => page.route('**/models.json', async (route) => {
  const manifest = await (await route.fetch()).json();
  for (const model of manifest.models) model.files = model.files.filter((each) => each.size[0] === 64);
  await route.fulfill({json: manifest});
});

/** Puts a file on the page by an event that carries one. */
async function carry(page, type, file, mime = 'image/png') {
  await page.evaluate(([type, data, name, mime]) => {
    const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, {type: mime}));
    const event = type === 'paste'
      ? new ClipboardEvent('paste', {clipboardData: transfer, bubbles: true})
      : new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true});
    document.body.dispatchEvent(event);
  }, [type, fs.readFileSync(file, 'base64'), path.basename(file), mime]);
}

describe('photographs', () => {
  test('are painted as Keras paints them, and stay here', SLOW, async () => {
    const page = await open();
    assert.match(await runtime(page), /WebAssembly \(\d+ threads\): there is no GPU/);
    await painted(page, () => page.setInputFiles('#file', reference('photograph.png')));
    await assertShows(page, reference('starry_night.png'));
    await painted(page, () => slide(page, 'Share of Udnie (Young American Girl, The Dance)', 25));
    await painted(page, () => slide(page, 'Strength', 70));
    await assertShows(page, reference('blend.png'));
    assert.ok(await difference(page, reference('starry_night.png')) > 5 * LIMIT);
    assert.deepEqual(page.requests.filter((each) => !each.startsWith(`GET ${address}`)), []);
    await assert.rejects(page.evaluate(() => fetch('https://example.com/')));
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });

  test('that are not square are painted beside their mirror images, or their middle', SLOW, async () => {
    const page = await open();
    await page.getByRole('button', {name: 'The Scream'}).click();
    await painted(page, () => carry(page, 'drop', reference('wide.png')));
    await assertShows(page, reference('wide_painted.png'));
    await painted(page, () => page.selectOption('#fit', 'middle'));
    assert.deepEqual(await page.evaluate(() => [painting.width, painting.height]), [256, 256]);
    await page.context().close();
  });

  test('come by pasting, and are compared and saved', SLOW, async () => {
    const page = await open();
    await painted(page, () => carry(page, 'paste', reference('photograph.png')));
    assert.ok(await difference(page, reference('photograph.png'), '#photograph') === 0);
    await page.locator('#divider').focus();
    await page.keyboard.press('End');
    const clip = () => page.evaluate(() => getComputedStyle(photograph).clipPath);
    assert.match(await clip(), /^inset\(0(px)?( 0(px|%)?.*)?\)$/);
    const box = await page.locator('#frame').boundingBox();
    await page.mouse.click(box.x + box.width / 4, box.y + box.height / 2);
    assert.equal(await page.inputValue('#divider'), '25');
    const [saved] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
    assert.equal(saved.suggestedFilename(), 'photograph_painted.png');
    assert.equal(await difference(page, await saved.path()), 0);
    await page.context().close();
  });

  test('that are broken are told, and leave the painting as it is', SLOW, async () => {
    const page = await open();
    await painted(page, () => page.click('#sample'));
    await page.setInputFiles('#file', reference('broken.jpg'));
    await page.getByRole('alert').filter({hasText: 'broken.jpg is no picture that this browser can read.'}).waitFor();
    await painted(page, () => page.getByRole('button', {name: 'Udnie'}).press('Enter'));
    assert.equal(await page.getByRole('button', {name: 'Udnie'}).getAttribute('aria-pressed'), 'true');
    assert.equal(await page.getByRole('button', {name: 'The Starry Night'}).getAttribute('aria-pressed'), 'false');
    assert.equal(await page.locator('#error').isVisible(), true);
    await painted(page, () => page.setInputFiles('#file', reference('photograph.png')));
    assert.equal(await page.locator('#error').isVisible(), false);
    await page.context().close();
  });
});

describe('models', () => {
  test('that are missing are told', SLOW, async () => {
    const missing = (pattern) => (page) => page.route(pattern, (route) => route.fulfill({status: 404}));
    const page = await open(address, {prepare: missing('**/*.tflite')});
    assert.match(await page.textContent('#error'), /The model could not be loaded \(404\)/);
    assert.equal(await runtime(page), 'No model is loaded.');
    await page.context().close();
    const other = await open(address, {prepare: missing('**/models.json')});
    assert.match(await other.textContent('#error'), /The list of models could not be loaded \(404\)/);
    await other.context().close();
  });

  test('are changed while one paints', SLOW, async () => {
    const page = await open(address);
    await painted(page, () => page.click('#sample'));
    await slide(page, 'Strength', 70);
    for (const label of ['64 px', '256 px', '64 px', '256 px', '64 px']) {
      await slide(page, 'Share of The Scream', 10 + label.length);
      await page.selectOption('#size', {label});
    }
    await page.waitForFunction(() => / ms for 64 × 64 px/.test(document.querySelector('#speed').textContent));
    assert.equal(await page.locator('#error').isVisible(), false);
    await page.context().close();
  });

  test('that are damaged are told, and another can be taken', SLOW, async () => {
    const damage = (page) => page.route('**/*256*.tflite', (route) => route.fulfill({body: 'no model'}));
    const page = await open(address, {prepare: damage});
    assert.notEqual(await page.textContent('#error'), '');
    await choose(page, '#size', '64 px');
    assert.match(await runtime(page), /^Runs on WebAssembly/);
    await painted(page, () => page.click('#sample'));
    await page.context().close();
  });
});

describe('the camera', () => {
  test('is painted in steady memory, and recorded', {timeout: 600_000}, async () => {
    const page = await open(address, {prepare: small});
    await painted(page, () => page.click('#camera'));
    await page.evaluate(() => {
      globalThis.frames = 0;
      new MutationObserver(() => { globalThis.frames++; })
        .observe(document.querySelector('#speed'), {childList: true, characterData: true, subtree: true});
    });
    const used = async (frames) => {
      await page.waitForFunction((frames) => globalThis.frames >= frames, frames, {timeout: 300_000});
      return page.evaluate(async () => (await performance.measureUserAgentSpecificMemory()).bytes);
    };
    const before = await used(30);
    const afterwards = await used(230);
    // What the network takes and gives for 200 frames of 64 px is 20 MB.
    assert.ok(afterwards - before < 5e6, `${before} bytes became ${afterwards}`);
    assert.match(await page.textContent('#speed'), /^\d+\.\d frames\/s, \d+ ms for 64 × 36 px$/);
    await page.click('#record');
    await page.waitForTimeout(2500);
    const [saved] = await Promise.all([page.waitForEvent('download'), page.click('#record')]);
    assert.match(saved.suggestedFilename(), /^camera_painted\.(webm|mp4)$/);
    const clip = fs.readFileSync(await saved.path(), 'base64');
    const size = await page.evaluate(async (data) => {
      const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
      const video = Object.assign(document.createElement('video'), {src: URL.createObjectURL(new Blob([bytes]))});
      await new Promise((resolve, reject) => { video.onloadeddata = resolve; video.onerror = reject; });
      return [video.videoWidth, video.videoHeight];
    }, clip);
    assert.deepEqual(size, [64, 36]);
    await page.click('#camera');
    assert.equal(await page.textContent('#camera'), 'Start the camera');
    await painted(page, () => page.setInputFiles('#file', reference('photograph.png')));
    await page.context().close();
  });

  test('that is unplugged is told, and photographs are painted on', SLOW, async () => {
    const page = await open(address, {prepare: async (page) => {
      await small(page);
      await page.addInitScript(() => {
        const get = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wanted) => { globalThis.stream = await get(wanted); return stream; };
      });
    }});
    await painted(page, () => page.click('#camera'));
    await page.evaluate(() => {
      const [track] = stream.getVideoTracks();
      track.stop();
      track.dispatchEvent(new Event('ended'));
    });
    await page.getByRole('alert').filter({hasText: 'The camera is gone.'}).waitFor();
    await painted(page, () => page.setInputFiles('#file', reference('photograph.png')));
    await page.context().close();
  });

  test('that is missing is told', SLOW, async () => {
    const page = await open(address, {prepare: (page) => page.addInitScript(() => {
      navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); };
    })});
    await page.click('#camera');
    await page.getByRole('alert').filter({hasText: 'There is no camera.'}).waitFor();
    await page.context().close();
  });
});

describe('WebGPU', () => {
  const onGpu = async (prepare) => {
    gpuBrowser ??= await launch(GPU_FLAGS);
    return open(address, {from: gpuBrowser, prepare: async (page) => {
      await small(page); // an adapter in software takes a minute for 256 px
      await prepare?.(page);
    }});
  };

  test('paints as WebAssembly does', {timeout: 400_000}, async () => {
    const page = await onGpu();
    await choose(page, '#processor', 'WebGPU');
    assert.match(await runtime(page), /^Runs on WebGPU \(.+\)\.$/);
    await painted(page, () => page.click('#sample'));
    const shown = await page.evaluate(() => painting.toDataURL().split(',')[1]);
    fs.writeFileSync(path.join(TEST_FOLDER, 'webgpu.png'), shown, 'base64');
    await choose(page, '#processor', 'WebAssembly');
    await painted(page, () => page.getByRole('button', {name: 'The Starry Night'}).click());
    await assertShows(page, path.join(TEST_FOLDER, 'webgpu.png'));
    await page.context().close();
  });

  test('is left if it computes only the first output right', {timeout: 400_000}, async () => {
    const page = await onGpu((page) => page.route('**/worker.js', async (route) => {
      const script = await (await route.fetch()).text();
      const broken = `{
        const read = GPUBuffer.prototype.getMappedRange;
        let reads = 0;
        GPUBuffer.prototype.getMappedRange = function(...range) {
          const data = read.apply(this, range);
          // Only outputs are as large.
          const output = this.usage & GPUBufferUsage.MAP_READ && this.size >= 64 * 64 * 3 * 4;
          if (output && ++reads > 1) new Uint8Array(data).fill(0);
          return data;
        };
      }`;
      await route.fulfill({body: broken + script, contentType: 'text/javascript', headers: {
        'Cross-Origin-Embedder-Policy': 'require-corp', 'Cross-Origin-Resource-Policy': 'same-origin'}});
    }));
    assert.match(await runtime(page), /^Runs on WebAssembly .*: the GPU paints wrongly: its output 2 differs by 0\.\d+/);
    await page.context().close();
  });
});

describe('a static host without headers', () => {
  let host;
  let url;
  before(async () => {
    const types = {'.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm'};
    host = http.createServer((request, response) => {
      const name = new URL(request.url, 'http://x').pathname.replace(/^\/some\/place\//, '') || 'index.html';
      const file = path.join(SITE, name);
      if (!fs.existsSync(file)) return response.writeHead(404).end();
      response.writeHead(200, {'Content-Type': types[path.extname(file)] ?? 'application/octet-stream'});
      return response.end(fs.readFileSync(file));
    });
    await new Promise((resolve) => host.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${host.address().port}/some/place/`;
  });
  after(() => host.close());

  test('has threads by its service worker', SLOW, async () => {
    const page = await open(url);
    assert.equal(await page.evaluate(() => crossOriginIsolated), true);
    assert.match(await runtime(page), /\(\d+ threads\)/);
    await painted(page, () => page.setInputFiles('#file', reference('photograph.png')));
    await page.context().close();
  });

  test('paints in one thread without SharedArrayBuffer', SLOW, async () => {
    const page = await open(url, {options: {serviceWorkers: 'block'}});
    assert.equal(await page.evaluate(() => typeof SharedArrayBuffer), 'undefined');
    assert.match(await runtime(page), /\(1 thread\)/);
    await painted(page, () => page.setInputFiles('#file', reference('photograph.png')));
    await assertShows(page, reference('starry_night.png'));
    await page.context().close();
  });
});

test('textures are painted as Keras paints them', SLOW, async () => {
  const page = await open(`${address}textures.html`);
  const seed = async (value) => {
    await page.fill('#seed', value);
    await page.press('#seed', 'Tab');
  };
  await painted(page, () => seed('7'));
  await assertShows(page, reference('texture.png'));
  await painted(page, () => page.click('#another'));
  assert.ok(await difference(page, reference('texture.png')) > LIMIT);
  await page.check('#tiled');
  assert.deepEqual(await page.evaluate(() => [wall.width, wall.height]), [128, 128]);
  await seed('-1');
  await page.getByRole('alert').filter({hasText: 'The seed must be a whole number'}).waitFor();
  const [saved] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
  assert.match(saved.suggestedFilename(), /^gravel_.*\.png$/);
  await page.context().close();
});

for (const name of ['index.html', 'textures.html']) {
  for (const colorScheme of ['light', 'dark']) {
    test(`${name} in ${colorScheme} has no serious fault of accessibility`, SLOW, async () => {
      const page = await open(address + name, {options: {colorScheme, bypassCSP: true}});
      if (name === 'index.html') await painted(page, () => page.click('#sample'));
      await page.screenshot({path: path.join(TEST_FOLDER, `${name}.${colorScheme}.png`), fullPage: true});
      await page.evaluate(axe.source);
      const {violations} = await page.evaluate(() => globalThis.axe.run());
      const serious = violations.filter(({impact}) => impact === 'serious' || impact === 'critical');
      assert.deepEqual(serious.map(({id, nodes}) => `${id}: ${nodes[0].html}`), []);
      await page.context().close();
    });
  }

  test(`${name} fits a phone`, SLOW, async () => {
    const page = await open(address + name, {options: {viewport: {width: 360, height: 740}, hasTouch: true}});
    if (name === 'index.html') await painted(page, () => page.tap('#sample'));
    await page.screenshot({path: path.join(TEST_FOLDER, `${name}.phone.png`)});
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await page.context().close();
  });
}
