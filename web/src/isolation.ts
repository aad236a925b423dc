/** Isolates the page from others, without which browsers allow no threads. */

const TRIED = 'stylezoo.isolation';

/** How long a service worker may take to start, ms. */
const PATIENCE = 3000;

/**
 * Lets a service worker set the headers if the host does not, and loads the page anew.
 *
 * @return Whether the page is being loaded anew, so that nothing else should be begun.
 */
export async function isolate(): Promise<boolean> {
  if (crossOriginIsolated || !isSecureContext || !('serviceWorker' in navigator)) return false;
  if (sessionStorage.getItem(TRIED)) return false;
  sessionStorage.setItem(TRIED, 'yes');
  try {
    await navigator.serviceWorker.register('service-worker.js');
    const ready = navigator.serviceWorker.ready.then(() => true);
    // Browsers that are told to have no service workers register them without an error.
    const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), PATIENCE));
    if (!await Promise.race([ready, late])) return false;
  } catch (error) {
    console.warn('There will be one thread:', error);
    return false;
  }
  location.reload();
  return true;
}
