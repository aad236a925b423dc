/** What both pages do with their elements. */

/** Returns the element of an id, which the page has. */
export function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

/** Returns a new element with properties and children. */
export function create<K extends keyof HTMLElementTagNameMap>(
    tag: K, properties: Partial<HTMLElementTagNameMap[K]> = {}, ...children: Node[]): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Returns the 2D context of a canvas. */
export function context(canvas: HTMLCanvasElement, options?: CanvasRenderingContext2DSettings) {
  const found = canvas.getContext('2d', options);
  if (!found) throw new Error('this browser has no 2D canvas');
  return found;
}

/** Saves a file as the browser saves downloads. */
export function download(file: Blob, name: string): void {
  const link = create('a', {href: URL.createObjectURL(file), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Saves what a canvas shows as a PNG file. */
export async function downloadCanvas(canvas: HTMLCanvasElement, name: string): Promise<void> {
  const file = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!file) throw new Error('The picture could not be made into a PNG file.');
  download(file, name);
}

/** Shows an error, which screen readers tell at once; an empty text takes it away. */
export function showError(error: unknown): void {
  const place = element('error');
  place.textContent = error instanceof Error ? error.message : String(error);
  place.hidden = !place.textContent;
}

/** Returns a handler that shows the errors of an asynchronous action. */
export function guarded<A extends unknown[]>(action: (...values: A) => unknown): (...values: A) => Promise<void> {
  return async (...values: A) => {
    try {
      showError('');
      await action(...values);
    } catch (error) {
      showError(error);
    }
  };
}
