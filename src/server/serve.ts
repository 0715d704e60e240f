/** From settings to a server that listens, and to its end. */
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { DkvError } from '../base/errors.js';
import { BUILT_IN_MODEL, type LoadOptions, loadModel } from '../scoring/load-model.js';
import { openAccess } from './access.js';
import { Activation } from './activation.js';
import { buildApp } from './app.js';
import { Deciding } from './deciding.js';
import { SharedModel } from './edition.js';
import { TextIndexes } from './fallback.js';
import { choresOf, Housekeeping } from './housekeeping.js';
import { meteredModel } from './metered-model.js';
import { Metrics } from './metrics.js';
import type { Parts } from './parts.js';
import { watchServed } from './served-metrics.js';
import type { ServerSettings } from './settings.js';
import { Shelf } from './shelf.js';
import { openTelemetry, wantsTelemetry } from './telemetry.js';
import { certificateOf } from './tls.js';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

export interface ServeOptions {
  /** Where lines of the log go; none by default. */
  readonly log?: { write(line: string): void };
  /** Options of loading the model that are no settings: where progress and notices go, and what stops it. */
  readonly loading?: Pick<LoadOptions, 'signal' | 'onDownload' | 'onCompile' | 'onMeasure' | 'onNotice' | 'host'>;
}

export interface RunningServer {
  readonly app: FastifyInstance;
  readonly parts: Parts;
  /** The server's address, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Ends it: nothing new is taken, what is in flight is answered, then everything is closed. */
  close(): Promise<void>;
}

/**
 * Loads the model, opens the store, and listens.
 * @throws DkvError what loading and opening throw; INPUT_INVALID for an address beyond this machine without keys
 */
export async function startServer(
  settings: ServerSettings,
  { log, loading = {} }: ServeOptions = {},
): Promise<RunningServer> {
  expectGuarded(settings);
  const https = await certificateOf(settings);
  const { endpoint } = settings.telemetry;
  const telemetry = wantsTelemetry(endpoint) ? await openTelemetry(endpoint) : undefined;
  let told: FastifyBaseLogger | undefined;
  let keysUsable = 1;
  const callers = await openAccess(settings.keys, (error) => {
    keysUsable = error ? 0 : 1;
    if (error) told?.error({ code: error.code }, error.message);
    else told?.info('The file of keys can be used again.');
  });
  const shared = new SharedModel(meteredModel(await loadServed(settings, loading), settings.limits.decoderTokens));
  // Held here until the shelf holds it.
  shared.take();
  try {
    const shelf = await Shelf.open(shared, settings.store, settings.storage);
    const metrics = new Metrics();
    metrics.watchProcess();
    metrics.onRead(() => metrics.set('keysUsable', keysUsable));
    const indexes = settings.deadline.bm25 ? new TextIndexes() : null;
    const deciding = await Deciding.open(settings, (text) => told?.warn(text)).catch(async (error: unknown) => {
      await shelf.close();
      throw error;
    });
    metrics.onRead(() => {
      const { counts } = deciding;
      if (!counts) return;
      metrics.counted('decisionLines', counts.written);
      metrics.counted('decisionErrors', counts.dropped);
    });
    const startedAt = performance.now();
    const activation = new Activation(shelf, settings.store, {
      load: async (name) => meteredModel(await loadServed(settings, loading, name), settings.limits.decoderTokens),
      onProblem: (problem) => {
        if (problem === undefined) told?.info('What the alias names is served again.');
        else told?.error({ code: 'ALIAS_NOT_FOLLOWED' }, problem);
      },
    });
    const parts: Parts = {
      settings,
      version,
      shelf,
      activation,
      callers,
      metrics,
      indexes,
      deciding,
      startedAt,
      standing: 'loading',
    };
    watchServed(parts);
    const app = await buildApp(parts, { log, https, telemetry });
    told = app.log;
    const housekeeping = new Housekeeping(choresOf(settings), { metrics, log: app.log });
    const close = async () => {
      parts.standing = 'closing';
      await housekeeping.close();
      await activation.close();
      await app.close();
      await deciding.close();
      await shelf.close();
      await telemetry?.close();
    };
    try {
      await shelf.current.storeOf('');
      await indexes?.make(shelf.current, '');
      const { host, port } = settings.listen;
      await app.listen({ host, port });
    } catch (error) {
      await close();
      throw listenError(error, settings);
    }
    parts.standing = 'ready';
    activation.watch(settings.housekeeping.aliasSeconds * 1000);
    const { address, family, port } = app.server.address() as AddressInfo;
    const shown = family === 'IPv6' ? `[${address}]` : address;
    return { app, parts, url: `${https ? 'https' : 'http'}://${shown}:${port}`, close };
  } finally {
    await shared.drop();
  }
}

async function loadServed(
  { model, limits }: ServerSettings,
  loading: NonNullable<ServeOptions['loading']>,
  name = model.name ?? BUILT_IN_MODEL,
) {
  const { precision, device, workers, threads, batchMs, queueItems, ignoreDrift } = model;
  return loadModel(name, {
    host: 'process',
    precision,
    device,
    workers,
    batchMs,
    queueItems,
    ignoreDrift,
    maxTokens: limits.maxTokens,
    ...(threads !== undefined && { threads }),
    ...loading,
  });
}

/** @throws DkvError INPUT_INVALID */
function expectGuarded({ listen: { host, open }, keys }: ServerSettings): void {
  if (keys !== undefined || open || /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/.test(host)) return;
  throw new DkvError(
    'INPUT_INVALID',
    `${host} can be reached from other machines, and without keys everybody may read and change documents. Make keys (dkv keys create) and name their file (--keys), or say --open where something else guards the server.`,
  );
}

function listenError(error: unknown, { listen: { host, port } }: ServerSettings): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'something else listens there. Choose another port (--port)',
    EACCES: 'this user may not listen there. Choose a port above 1023 (--port)',
    EADDRNOTAVAIL: 'this machine has no such address',
    ENOTFOUND: 'there is no such host',
  };
  const reason = reasons[code ?? ''];
  return reason === undefined ? error : new DkvError('INPUT_INVALID', `${host}:${port}: ${reason}.`);
}
