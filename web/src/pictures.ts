/** Photographs, and how they come to the size of a model. */

import {context} from './elements';

/** Whether a photograph is to be painted whole, beside its mirror images, or its middle alone. */
export type Fit = 'whole' | 'middle';

/** What pictures are drawn from. */
export type Source = ImageBitmap | HTMLVideoElement;

/** A rectangle, px. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Decodes a file, upright. */
export async function decode(file: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file);
  } catch {
    const name = file instanceof File && file.name ? file.name : 'This';
    throw new Error(`${name} is no picture that this browser can read.`);
  }
}

function sizeOf(source: Source): [number, number] {
  return source instanceof HTMLVideoElement ? [source.videoWidth, source.videoHeight] : [source.width, source.height];
}

/** Returns where in a canvas a source is drawn, which reaches beyond the canvas for its middle alone. */
function place([width, height]: [number, number], canvas: HTMLCanvasElement, fit: Fit): Box {
  const [across, down] = [canvas.width / width, canvas.height / height];
  const scale = fit === 'whole' ? Math.min(across, down) : Math.max(across, down);
  const drawn = {width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale))};
  return {
    ...drawn,
    left: Math.floor((canvas.width - drawn.width) / 2),
    top: Math.floor((canvas.height - drawn.height) / 2),
  };
}

/**
 * Draws a source so that it fills a canvas.
 *
 * What it leaves free is filled with its mirror images, which have the colours and the detail that the network's
 * instance normalisation would find in the photograph alone.
 *
 * @return The part of the canvas that is the photograph.
 */
export function drawFitted(source: Source, canvas: HTMLCanvasElement, fit: Fit): Box {
  const pen = context(canvas, {willReadFrequently: true});
  const {left, top, width, height} = place(sizeOf(source), canvas, fit);
  pen.imageSmoothingQuality = 'high';
  pen.clearRect(0, 0, canvas.width, canvas.height);
  const columns = Math.max(0, Math.ceil(left / width));
  const rows = Math.max(0, Math.ceil(top / height));
  for (let row = -rows; row <= rows; row++) {
    for (let column = -columns; column <= columns; column++) {
      const [flipX, flipY] = [column % 2 ? -1 : 1, row % 2 ? -1 : 1];
      pen.setTransform(flipX, 0, 0, flipY, left + (column + +(flipX < 0)) * width, top + (row + +(flipY < 0)) * height);
      pen.drawImage(source, 0, 0, width, height);
    }
  }
  pen.resetTransform();
  const shown = {left: Math.max(0, left), top: Math.max(0, top)};
  return {...shown, width: Math.min(width, canvas.width), height: Math.min(height, canvas.height)};
}
