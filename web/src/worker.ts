/** Runs LiteRT beside the page, so that the page answers while a model computes. */

import {type CompiledModel, getWebGpuDevice, loadAndCompile, loadLiteRt, supportsFeature, Tensor} from '@litertjs/core';

import type {TensorRecord} from './manifest';
import type {Answer, Inputs, Loaded, LoadRequest, Painted, Request} from './messages';
import {uniform} from './noise';
import {largestDifference, rgba, rgb} from './pixels';

/** How far a GPU's output may be from WebAssembly's, in [0, 1]: that is 2.5 of 255, and rounding reaches 1. */
const TOLERANCE = 1e-2;

const FOLDER = new URL('litert/', self.location.href).href;

interface Current {
  model: CompiledModel;
  inputs: Record<string, TensorRecord>;
  output: string;
}

let runtime: Promise<number> | null = null;
let gpuLost = '';
let current: Current | null = null;

/** Loads LiteRT, with threads where the page may have them, and returns their number. */
async function start(): Promise<number> {
  const threads = self.crossOriginIsolated && await supportsFeature('threads') && await supportsFeature('relaxedSimd');
  // Emscripten takes a worker's own address for that of its files, and of the script that its threads run.
  Object.assign(self, {Module: {
    locateFile: (name: string) => FOLDER + name,
    mainScriptUrlOrBlob: `${FOLDER}litert_wasm_threaded_internal.js`,
  }});
  const litert = await loadLiteRt(FOLDER, {threads});
  void getWebGpuDevice()?.lost.then((info) => {
    gpuLost = `the GPU was lost: ${info.message || info.reason}`;
  });
  return litert.liteRtWasm.getThreadCount();
}

/** Returns inputs as tensors. */
function tensors(inputs: Inputs, records: Record<string, TensorRecord>): Record<string, Tensor> {
  const made: Record<string, Tensor> = {};
  for (const [name, {shape}] of Object.entries(records)) {
    const given = inputs[name];
    if (!given) throw new Error(`the input ${name} is missing`);
    made[name] = new Tensor(given instanceof Float32Array ? given : rgb(given), shape);
  }
  return made;
}

/** Runs a model, and returns its output and the time that it took, ms. */
async function run({model, inputs: records, output}: Current, inputs: Inputs): Promise<[Float32Array, number]> {
  const begun = performance.now();
  const given = tensors(inputs, records);
  let results: Record<string, Tensor> = {};
  try {
    results = await model.run(given);
    const wanted = results[output];
    if (!wanted) throw new Error(`the model has no output ${output}`);
    // A copy: what it has belongs to LiteRT's memory.
    return [(await wanted.data() as Float32Array).slice(), performance.now() - begun];
  } finally {
    for (const tensor of [...Object.values(given), ...Object.values(results)]) tensor.delete();
  }
}

/** Returns random inputs; all weights of styles are alike. */
function randomInputs(records: Record<string, TensorRecord>, seed: number): Inputs {
  const made: Inputs = {};
  for (const [name, {shape}] of Object.entries(records)) {
    const count = shape.reduce((product, each) => product * each, 1);
    made[name] = name === 'style_weights' ? new Float32Array(count).fill(1 / count) : uniform(count, seed);
  }
  return made;
}

interface Trial {
  outputs: Float32Array[];
  milliseconds: number;
}

/** Runs a model on two inputs in succession; the time is that of the second. */
async function trial(candidate: Current): Promise<Trial> {
  const [first] = await run(candidate, randomInputs(candidate.inputs, 1));
  const [second, milliseconds] = await run(candidate, randomInputs(candidate.inputs, 2));
  return {outputs: [first, second], milliseconds};
}

/** Returns why a GPU is not to be used; empty if it is. */
function objection(gpu: Trial, cpu: Trial, request: LoadRequest): string {
  for (const [index, output] of gpu.outputs.entries()) {
    const error = largestDifference(output, cpu.outputs[index]!);
    // Not >, so that NaN is an error too.
    if (!(error <= TOLERANCE)) return `the GPU paints wrongly: its output ${index + 1} differs by ${error.toFixed(3)}`;
  }
  if (request.choice === 'automatic' && gpu.milliseconds > cpu.milliseconds) {
    return `the GPU takes ${gpu.milliseconds.toFixed()} ms, the CPU ${cpu.milliseconds.toFixed()}`;
  }
  return '';
}

/** Compiles a model for the GPU, and compares two outputs in succession with those of WebAssembly. */
async function compileForGpu(content: Uint8Array, cpu: Current, request: LoadRequest): Promise<Current | string> {
  if (request.choice === 'wasm') return '';
  if (!getWebGpuDevice()) return 'gpu' in navigator ? 'there is no GPU that it may use' : 'this browser has no WebGPU';
  if (gpuLost) return gpuLost;
  let model: CompiledModel | null = null;
  try {
    // Some GPUs' half precision is too coarse for sums over a picture.
    model = await loadAndCompile(content, {accelerator: 'webgpu', gpuOptions: {precision: 'fp32'}});
    if (!model.isFullyAccelerated) throw new Error('the GPU lacks operators of this model');
    const candidate = {...cpu, model};
    const reason = objection(await trial(candidate), await trial(cpu), request);
    if (!reason) return candidate;
    model.delete();
    return reason;
  } catch (error) {
    model?.delete();
    return `the GPU failed: ${error instanceof Error ? error.message : error}`;
  }
}

async function adapterName(): Promise<string> {
  const info = getWebGpuDevice()?.adapterInfo;
  return [info?.vendor, info?.architecture, info?.description].filter(Boolean).join(' ');
}

async function load(request: LoadRequest): Promise<Loaded> {
  runtime ??= start();
  const threads = await runtime;
  const response = await fetch(request.url);
  if (!response.ok) throw new Error(`The model could not be loaded (${response.status}): ${request.url}`);
  const content = new Uint8Array(await response.arrayBuffer());
  current?.model.delete();
  current = null;
  const {inputs, output} = request;
  const cpu = {model: await loadAndCompile(content, {accelerator: 'wasm'}), inputs, output};
  const gpu = await compileForGpu(content, cpu, request);
  if (typeof gpu === 'string') {
    current = cpu;
    return {accelerator: 'wasm', detail: threads === 1 ? '1 thread' : `${threads} threads`, reason: gpu};
  }
  cpu.model.delete();
  current = gpu;
  return {accelerator: 'webgpu', detail: await adapterName(), reason: ''};
}

async function paint(inputs: Inputs): Promise<Painted> {
  if (!current) throw new Error('No model is loaded.');
  if (gpuLost && current.model.options.accelerator === 'webgpu') throw new Error(`Load the page again: ${gpuLost}.`);
  const [output, milliseconds] = await run(current, inputs);
  return {pixels: rgba(output), milliseconds};
}

async function answer(request: Request): Promise<Answer> {
  const {id} = request;
  try {
    return request.what === 'load' ? {id, loaded: await load(request)} : {id, painted: await paint(request.inputs)};
  } catch (error) {
    return {id, error: error instanceof Error ? error.message : String(error)};
  }
}

// One after the other: LiteRT's calls must not overlap.
let last: Promise<unknown> = Promise.resolve();
self.addEventListener('message', ({data}: MessageEvent<Request>) => {
  last = last.then(async () => {
    const told = await answer(data);
    self.postMessage(told, {transfer: 'painted' in told ? [told.painted.pixels.buffer] : []});
  });
});
