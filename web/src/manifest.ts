/** What there is to paint with: models.json, which `stylezoo web` writes. */

/** A tensor of a model, without its batch of 1. */
export interface TensorRecord {
  shape: number[];
}

/** A .tflite file, for pictures of one size. */
export interface ModelFile {
  url: string;
  bytes: number;
  /** Height and width, px. */
  size: [number, number];
  quantize: string;
  inputs: Record<string, TensorRecord>;
  output: string;
}

/** A model: what it paints, and a file for each size, smallest first. */
export interface Model {
  name: string;
  kind: 'photographs' | 'textures';
  styles: string[];
  files: ModelFile[];
}

/** A painting whose style some model paints in. */
export interface Painting {
  title: string;
  artist: string;
  year: string;
  thumbnail: string;
}

/** A photograph to begin with. */
export interface Sample {
  url: string;
  title: string;
  credit: string;
}

export interface Manifest {
  models: Model[];
  paintings: Record<string, Painting>;
  sample: Sample | null;
}

/** Reads what there is to paint with, and returns the models of a kind. */
export async function readManifest(kind: Model['kind']): Promise<Manifest> {
  const response = await fetch('models.json');
  if (!response.ok) throw new Error(`The list of models could not be loaded (${response.status}).`);
  const manifest = await response.json() as Manifest;
  const models = manifest.models.filter((each) => each.kind === kind);
  if (!models.length) throw new Error(`There is no model of ${kind} here.`);
  return {...manifest, models};
}

/** Returns the file whose longest side is nearest to a size. */
export function nearestFile(model: Model, size: number): ModelFile {
  const distance = (file: ModelFile) => Math.abs(Math.max(...file.size) - size);
  const [first, ...rest] = model.files;
  if (!first) throw new Error(`The model ${model.name} has no file.`);
  return rest.reduce((best, each) => distance(each) < distance(best) ? each : best, first);
}
