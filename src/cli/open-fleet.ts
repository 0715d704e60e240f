/** The catalogue of a fleet, opened for a command and closed whatever happens. */
import type { FleetFiles } from '../fleet/files.js';
import { sayNotice } from './terminal.js';

export async function withFleet(
  location: string,
  work: (fleet: FleetFiles) => Promise<void>,
  options: { readonly create?: boolean } = {},
): Promise<void> {
  const { openFleetFiles } = await import('../fleet/open.js');
  const { FleetFiles: Fleet } = await import('../fleet/files.js');
  const files = await openFleetFiles(location, options);
  try {
    await work(new Fleet(files));
  } finally {
    await files.close();
  }
}

/** After a termination a worker has this long to end by itself. Nothing of its chunk is in the catalogue then, so that it may end at any time. */
const PATIENCE_MS = 8000;

/** Lets a process end by the signal itself where it has not ended within eight seconds of being asked to: spot instances and schedulers wait no longer than ten. */
export function endInTime(signal: AbortSignal): void {
  signal.addEventListener('abort', () => {
    setTimeout(() => {
      sayNotice('Ending in the middle of a batch. Nothing of the chunk is kept.');
      process.kill(process.pid, 'SIGTERM');
    }, PATIENCE_MS).unref();
  });
}
