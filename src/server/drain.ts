/** The end of a server: what is in flight is answered, within a limit, and who balances the load is told first. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningServer } from './serve.js';

/**
 * Ends a server. `/ready` says no at once; requests are taken for as long as the settings say, so that a balancer can go elsewhere; then no more are taken, and those in
 * flight are answered. Connections without any are closed, and what has not come of a request is not waited for as long as that.
 * @returns whether all of them were; otherwise they were cut off at the limit of the settings
 */
export async function drain({ app, parts, close }: RunningServer): Promise<boolean> {
  const { waitSeconds, seconds } = parts.settings.drain;
  parts.standing = 'draining';
  app.log.info({ wait_seconds: waitSeconds, seconds }, 'ending');
  await sleep(waitSeconds * 1000);
  const closed = close().then(() => true);
  const late = new AbortController();
  const limit = sleep(seconds * 1000, false, { signal: late.signal }).catch(() => true);
  try {
    const isWhole = await Promise.race([closed, limit]);
    if (!isWhole) {
      app.log.error('requests in flight were cut off');
      app.server.closeAllConnections();
      // Their work is cancelled as that of any client that hangs up.
      await Promise.race([closed, sleep(seconds * 1000, undefined, { ref: false })]);
    }
    return isWhole;
  } finally {
    late.abort();
  }
}
