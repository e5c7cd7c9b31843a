/**
 * How many pages of one browser may hold a stream open.
 *
 * Over HTTP/1.1 a browser has six connections to a server, and a stream holds one for as long as it
 * lasts: the seventh page would wait for ever, its receipts and fallbacks too. So pages share a few
 * places, by locks that all tabs of the shop see and that end with their page; who gets none asks
 * again and again instead. Where there are no locks (no HTTPS), there is no limit.
 */

const PLACES = 4;

/** Releases what {@link takePlace} gave. */
export type Release = () => void;

/** A place for a stream to this server, or nothing if all are taken. */
export async function takePlace(server: string): Promise<Release | undefined> {
  const locks = globalThis.navigator?.locks;
  if (!locks) return () => {};
  for (let place = 0; place < PLACES; place++) {
    const release = await tryLock(locks, `payment-status ${server} ${place}`);
    if (release) return release;
  }
  return undefined;
}

function tryLock(locks: LockManager, name: string): Promise<Release | undefined> {
  return new Promise((resolve) => {
    const held = locks.request(name, { ifAvailable: true }, (lock) => {
      if (!lock) return resolve(undefined);
      return new Promise<void>((release) => resolve(release));
    });
    // Some places (sandboxed frames) have locks and refuse them: then nobody counts.
    held.catch(() => resolve(() => {}));
  });
}
