/** An engine whose executor runs in the test's own thread: for what does not depend on where it lives. */
import type { Engine } from '../../src/engine/engine.js';
import { Executor } from '../../src/engine/executor.js';
import { QueuedEngine } from '../../src/engine/queue.js';
import type { HostOptions } from '../../src/hosts/options.js';
import type { CompiledModel } from '../../src/model/compiled.js';

export function engineHere(model: CompiledModel, { workers = 1, ...options }: HostOptions): Engine {
  const runners = Array.from({ length: workers }, () => new Executor(model, options));
  return new QueuedEngine(runners, options);
}
