/** `dkv serve`: directed caches behind HTTP. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { counted } from '../base/counted.js';
import { DEVICES, type Device } from '../engine/engine.js';
import { PRECISIONS, type Precision } from '../model/graph/layout.js';
import type { RunningServer } from '../server/serve.js';
import { LoadingProgress, positiveInteger } from './model-options.js';
import { hearHangUp, interruptSignal, sayNotice } from './terminal.js';

interface ServeCommandOptions {
  readonly config?: string;
  readonly store?: readonly string[];
  readonly model?: string;
  readonly precision?: Precision;
  readonly device?: Device;
  readonly host?: string;
  readonly port?: number;
  readonly keys?: string;
  readonly open?: true;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

export function serveCommand(): Command {
  return new Command('serve')
    .description('Answer over HTTP from directed caches: rank, score, complete; prime and take down documents.')
    .option('--store <location...>', 'a store, its tiers (the fastest first), or packed:CATALOGUE[?alias=name]')
    .option('--config <file>', 'settings as YAML; flags are laid over them')
    .option('--model <name>', 'checkpoint folder, organisation/name[@revision] on the hub, or tiny')
    .addOption(new Option('--precision <name>', 'precision of the weights').choices(PRECISIONS))
    .addOption(new Option('--device <name>', 'ONNX Runtime provider').choices(DEVICES))
    .option('--host <address>', 'address to listen at (default: 127.0.0.1)')
    .option('--port <n>', 'port to listen at, 0 for any that is free (default: 8080)', port)
    .option('--keys <file>', 'file of keys (dkv keys); without it everybody may do everything')
    .option('--open', 'listen beyond this machine without keys: something else guards the server')
    .option('--tls-cert <file>', 'certificate chain, PEM')
    .option('--tls-key <file>', 'its private key, PEM')
    .addHelpText(
      'after',
      `
After SIGTERM or Ctrl-C, /ready says no, what is in flight is answered, and the exit status is 0; it is 1 where that takes longer than
drain.seconds (25). A second one ends at once. SIGHUP reads the certificate again. Log lines are JSON, on standard error, without texts and keys.
Every setting, the routes and what they answer: docs/serving.md. GET /docs shows the routes of a running server.

Examples:
  dkv serve --store ads
  dkv serve --store packed:ads-catalogue --port 9000 --keys keys.json
  dkv serve --config serve.yaml --host 0.0.0.0 --keys keys.json --tls-cert chain.pem --tls-key key.pem`,
    )
    .action(serve);
}

function port(text: string): number {
  return text === '0' ? 0 : positiveInteger(text);
}

async function serve(options: ServeCommandOptions): Promise<void> {
  const { readSettingsFile, settingsOf } = await import('../server/settings.js');
  const { startServer } = await import('../server/serve.js');
  const { drain } = await import('../server/drain.js');
  const { rereadCertificate } = await import('../server/tls.js');
  const file = options.config === undefined ? {} : await readSettingsFile(options.config);
  const settings = settingsOf([file, flagsOf(options)], options.config);
  const ending = interruptSignal();
  const progress = new LoadingProgress();
  const server = await startServer(settings, {
    log: process.stderr,
    loading: { ...progress.callbacks, signal: ending },
  }).finally(() => progress.end());
  sayNotice(await servedNow(server));
  sayNotice(`Listening at ${server.url}; GET ${server.url}/docs shows the routes.`);
  if (settings.listen.tlsCert !== undefined) hearHangUp(() => void rereadCertificate(server.app, settings));
  await new Promise<void>((resolve) => {
    if (ending.aborted) resolve();
    else ending.addEventListener('abort', () => resolve(), { once: true });
  });
  if (await drain(server)) return;
  // What was cut off may hold the process for longer than whoever stops it waits.
  process.exit(1);
}

/** The longest time, in milliseconds, that documents are counted for. */
const COUNT_MS = 1000;

/** What is served, in a line. */
async function servedNow({ parts }: RunningServer): Promise<string> {
  const { model, generation } = parts.shelf.current;
  const store = await parts.shelf.current.storeOf('');
  // Some storages look at every record to count them.
  const late = sleep(COUNT_MS, undefined, { ref: false });
  const counts = await Promise.race([store.stats(), late]).catch(() => undefined);
  const place = generation === undefined ? store.location : `generation ${generation.id}`;
  const documents = counts && `${counted(counts.documents, 'document', counts.documents.toLocaleString('en'))} of `;
  const empty = counts?.documents === 0 ? ' Nothing is primed there yet: is it the right place?' : '';
  return `Serving ${documents ?? ''}${place} with ${model.name} as ${model.engine.info.computedAs}.${empty}`;
}

/** The flags as settings of a file. */
function flagsOf({ store, model, precision, device, host, port, keys, open, tlsCert, tlsKey }: ServeCommandOptions) {
  return {
    ...(store && { store: store.length === 1 ? store[0] : store }),
    ...(keys !== undefined && { keys }),
    ...section('model', { name: model, precision, device }),
    ...section('listen', { host, port, open, tls_cert: tlsCert, tls_key: tlsKey }),
  };
}

function section(name: string, fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return given.length === 0 ? {} : { [name]: Object.fromEntries(given) };
}
