// Runs a TFLite file by LiteRT's WebGPU delegate in a headless Chromium.
//
// Usage: node webgpu.mjs MODULES CHROMIUM < REQUEST > ANSWER
//
// MODULES is the folder node_modules with @litertjs/core and playwright-core. REQUEST is JSON: `model`, a path,
// and `calls`, of inputs by name, each a `shape` and little-endian float32 `data` in base64. ANSWER has such data
// of the `outputs` of each call by name, the WebGPU `adapter`, and whether the delegate took every operator.

import fs from 'node:fs';
import http from 'node:http';
import {createRequire} from 'node:module';
import path from 'node:path';

const [modules, executablePath] = process.argv.slice(2);
const request = JSON.parse(fs.readFileSync(0, 'utf8'));
const require = createRequire(path.resolve(modules, 'x.js'));
const {chromium} = require('playwright-core');

const PAGE = `<!doctype html>
<script type="importmap">{"imports": {
  "@litertjs/core": "/modules/@litertjs/core/dist/index.js",
  "@litertjs/wasm-utils": "/modules/@litertjs/wasm-utils/dist/index.js"}}</script>`;
const TYPES = {'.js': 'text/javascript', '.wasm': 'application/wasm'};
const ROOT = path.resolve(modules);

const server = http.createServer((incoming, response) => {
  // Threads of WebAssembly need a page that is isolated from others.
  const headers = {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
  };
  const url = new URL(incoming.url, 'http://localhost');
  const file = path.join(ROOT, url.pathname.replace(/^\/modules\//, ''));
  let content = null;
  if (url.pathname === '/') content = PAGE;
  if (url.pathname === '/model') content = fs.readFileSync(request.model);
  if (url.pathname.startsWith('/modules/') && file.startsWith(ROOT) && fs.existsSync(file)) {
    content = fs.readFileSync(file);
  }
  const type = url.pathname === '/' ? 'text/html' : TYPES[path.extname(file)] ?? 'application/octet-stream';
  response.writeHead(content === null ? 404 : 200, {...headers, 'Content-Type': type});
  response.end(content);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

// In the page.
async function run(calls) {
  const {loadLiteRt, loadAndCompile, Tensor} = await import('@litertjs/core');
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) throw new Error('this Chromium has no WebGPU adapter');
  const {vendor, architecture, device, description} = adapter.info;
  await loadLiteRt('/modules/@litertjs/core/wasm/');
  const model = await loadAndCompile('/model', {accelerator: 'webgpu', gpuOptions: {precision: 'fp32'}});
  const outputs = [];
  for (const call of calls) {
    const inputs = {};
    for (const [name, {shape, data}] of Object.entries(call)) {
      const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
      inputs[name] = new Tensor(new Float32Array(bytes.buffer), shape);
    }
    const results = await model.run(inputs);
    const answer = {};
    for (const [name, tensor] of Object.entries(results)) {
      const values = await tensor.data();
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      let text = '';
      for (const each of bytes) text += String.fromCharCode(each);
      answer[name] = btoa(text);
    }
    outputs.push(answer);
  }
  return {
    adapter: [vendor, architecture, device, description].filter(Boolean).join(' '),
    fullyAccelerated: model.isFullyAccelerated,
    outputs,
  };
}

const browser = await chromium.launch({
  executablePath,
  headless: true,
  args: [
    '--enable-unsafe-webgpu',
    '--use-webgpu-adapter=swiftshader',
    '--enable-features=Vulkan',
    '--use-vulkan=swiftshader',
    '--no-sandbox',
  ],
});
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  page.on('console', (message) => process.stderr.write(`${message.text()}\n`));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  process.stdout.write(JSON.stringify(await page.evaluate(run, request.calls)));
} finally {
  await browser.close();
  server.close();
}
