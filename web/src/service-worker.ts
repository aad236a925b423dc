/** Gives all that a static host serves the headers that threads of WebAssembly need, where the host can't. */

interface Extendable extends Event {
  waitUntil(promise: Promise<unknown>): void;
}
interface Fetched extends Event {
  request: Request;
  respondWith(response: Promise<Response>): void;
}
const scope = self as unknown as {
  skipWaiting(): Promise<void>;
  clients: {claim(): Promise<void>};
  addEventListener(type: string, listener: (event: Event) => void): void;
};

async function isolated(request: Request): Promise<Response> {
  const response = await fetch(request);
  if (response.type !== 'basic' && response.type !== 'default') return response;
  const headers = new Headers(response.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  const {status, statusText} = response;
  return new Response(response.body, {status, statusText, headers});
}

scope.addEventListener('install', () => void scope.skipWaiting());
scope.addEventListener('activate', (event) => (event as Extendable).waitUntil(scope.clients.claim()));
scope.addEventListener('fetch', (event) => {
  const {request} = event as Fetched;
  if (request.cache === 'only-if-cached' && request.mode !== 'same-origin') return;
  (event as Fetched).respondWith(isolated(request));
});
