/** What the page and the worker that runs LiteRT tell each other. */

import type {TensorRecord} from './manifest';

/** Which processor is to paint: the faster one that paints right, or one that the user wants. */
export type Choice = 'automatic' | 'webgpu' | 'wasm';

/** Inputs by name: bytes are RGBA pixels, from which the worker makes RGB in [0, 1]. */
export type Inputs = Record<string, Float32Array<ArrayBuffer> | Uint8ClampedArray<ArrayBuffer>>;

export interface LoadRequest {
  what: 'load';
  url: string;
  inputs: Record<string, TensorRecord>;
  output: string;
  choice: Choice;
}

export interface RunRequest {
  what: 'run';
  inputs: Inputs;
}

export type Request = (LoadRequest | RunRequest) & {id: number};

/** What a model runs on. */
export interface Loaded {
  accelerator: 'webgpu' | 'wasm';
  /** The GPU, or the number of threads. */
  detail: string;
  /** Why not on the GPU; empty if it does, or there is none. */
  reason: string;
}

/** RGBA pixels, and how long the model took. */
export interface Painted {
  pixels: Uint8ClampedArray<ArrayBuffer>;
  milliseconds: number;
}

export type Answer = {id: number} & ({loaded: Loaded} | {painted: Painted} | {error: string});
