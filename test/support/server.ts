/** A server without a socket, over the built-in model and a store of its own, which ends with the test. */
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { onTestFinished } from 'vitest';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { Activation } from '../../src/server/activation.js';
import { buildApp } from '../../src/server/app.js';
import { ANYBODY, type Callers } from '../../src/server/caller.js';
import { Deciding } from '../../src/server/deciding.js';
import { type Location, SharedModel } from '../../src/server/edition.js';
import { TextIndexes } from '../../src/server/fallback.js';
import { meteredModel } from '../../src/server/metered-model.js';
import { Metrics } from '../../src/server/metrics.js';
import type { Parts } from '../../src/server/parts.js';
import { type Layer, settingsOf } from '../../src/server/settings.js';
import { Shelf } from '../../src/server/shelf.js';
import type { Telemetry } from '../../src/server/telemetry.js';
import type { Store } from '../../src/store/store.js';

export interface ServedOptions {
  readonly store?: Location;
  /** Settings beside the store, as in a file. */
  readonly settings?: Layer;
  readonly callers?: Callers;
  readonly log?: { write(line: string): void };
  readonly telemetry?: Telemetry;
}

export interface Served {
  readonly app: FastifyInstance;
  readonly parts: Parts;
  /** The store of callers without a key. */
  readonly store: Store;
  /** Asks a route with a JSON body. */
  ask(
    method: InjectOptions['method'],
    url: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answered>;
}

export interface Answered {
  readonly status: number;
  readonly headers: LightMyRequestResponse['headers'];
  // biome-ignore lint/suspicious/noExplicitAny: what a test looks at in it is asserted there
  readonly body: any;
}

/** @param model stays open: it is the test file's */
export async function served(
  model: Model,
  { store: location = 'memory:', settings = {}, callers = () => ANYBODY, log, telemetry }: ServedOptions = {},
): Promise<Served> {
  const parsed = settingsOf([{ store: location }, settings]);
  const shared = new SharedModel(meteredModel(model, parsed.limits.decoderTokens)).take();
  const shelf = await Shelf.open(shared, location, {});
  const deciding = await Deciding.open(parsed);
  const activation = new Activation(shelf, location, { load: (name) => loadModel(name).then(meteredModel) });
  const parts: Parts = {
    settings: parsed,
    version: '0.0.0',
    shelf,
    activation,
    callers,
    metrics: new Metrics(),
    indexes: parsed.deadline.bm25 ? new TextIndexes() : null,
    deciding,
    startedAt: performance.now(),
    standing: 'ready',
  };
  const app = await buildApp(parts, { log, telemetry });
  onTestFinished(async () => {
    await activation.close();
    await app.close();
    await deciding.close();
    await shelf.close();
  });
  return {
    app,
    parts,
    store: await shelf.current.storeOf(''),
    async ask(method, url, body, headers = {}) {
      const answer = await app.inject({
        ...(method && { method }),
        url,
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { payload: JSON.stringify(body) }),
      });
      const isJson = String(answer.headers['content-type']).includes('json');
      return { status: answer.statusCode, headers: answer.headers, body: isJson ? answer.json() : answer.body };
    },
  };
}
