// The page is built into the Python package, which serves it: names without hashes, so that a build of the same
// sources is the same files.

import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const names = {entryFileNames: '[name].js', chunkFileNames: 'common.js', assetFileNames: 'style[extname]'};

// The worker has LiteRT.js in it.
const LITERT = '/*! Contains LiteRT.js, Copyright Google LLC, licensed under the Apache License 2.0. */';

// The files that the page is built from. tests/web/test_web_page.py computes the same.
function fingerprint() {
  const digest = crypto.createHash('sha256');
  const sources = fs.readdirSync('src').map((name) => path.join('src', name));
  const others = fs.readdirSync('.').filter((name) => /\.(html|json|js)$/.test(name));
  for (const name of [...others, ...sources].sort()) {
    digest.update(`${name}\n`);
    digest.update(fs.readFileSync(name));
  }
  return digest.digest('hex');
}

const recorded = {
  name: 'fingerprint',
  generateBundle() {
    this.emitFile({type: 'asset', fileName: 'sources.sha256', source: `${fingerprint()}\n`});
  },
};

export default {
  base: './',
  publicDir: false,
  plugins: [recorded],
  worker: {format: 'iife', rolldownOptions: {output: {...names, banner: LITERT}}},
  build: {
    outDir: '../stylezoo/web/page',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: {paint: 'index.html', textures: 'textures.html', 'service-worker': 'src/service-worker.ts'},
      output: names,
    },
  },
};
