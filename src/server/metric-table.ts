/**
 * Every metric of the server, in one table: /metrics, and the table in docs/on-call.md, are made of it. `means` says what the number is, `advice` what whoever is on
 * call does about it.
 */

interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels?: readonly string[];
  readonly means: string;
  readonly advice: string;
}

export const METRICS = {
  requests: {
    name: 'dkv_requests_total',
    type: 'counter',
    labels: ['method', 'route', 'status'],
    means: 'Requests that have ended, by the route’s pattern and the HTTP status; 499 of a client that hung up.',
    advice: 'A rising share of 5xx: look at `dkv_failures_total` for the code. Of 429: see limits and queue below.',
  },
  failures: {
    name: 'dkv_failures_total',
    type: 'counter',
    labels: ['code'],
    means: 'Requests that were refused or failed, by the error’s code.',
    advice:
      'errors.md says what each code is, troubleshooting.md what to do. `INTERNAL` is a defect: its log line has the stack.',
  },
  inFlight: {
    name: 'dkv_requests_in_flight',
    type: 'gauge',
    means: 'Requests that are being answered now.',
    advice:
      'Near `limits.requests`, further ones are refused with `SERVER_BUSY`: add servers, or find out what makes requests slow.',
  },
  connections: {
    name: 'dkv_connections',
    type: 'gauge',
    means: 'Open connections.',
    advice: 'Near `limits.connections`, further ones are closed: let clients keep connections, or raise the limit.',
  },
  requestSeconds: {
    name: 'dkv_request_seconds',
    type: 'histogram',
    labels: ['route'],
    means: 'Time from a request’s arrival to the end of its answer.',
    advice: 'Compare with the next two: what is in neither is reading bodies, the store and the network.',
  },
  queueSeconds: {
    name: 'dkv_queue_seconds',
    type: 'histogram',
    labels: ['route'],
    means: 'The part of it that a request’s items waited for the engine, added up.',
    advice:
      'It grows when more is asked than the engine computes: add servers or workers, or lower `model.queue_items` and deadlines, so that late work is refused early.',
  },
  inferenceSeconds: {
    name: 'dkv_inference_seconds',
    type: 'histogram',
    labels: ['route'],
    means: 'The part of it that states were read, texts tokenised and the model computed, added up.',
    advice:
      'It grows with longer texts, and with texts in place of primed documents (`dkv_cache_misses_total`); on a shared machine, with what else runs there.',
  },
  pairs: {
    name: 'dkv_pairs_total',
    type: 'counter',
    means: 'Pairs of a query and a document that were asked for and not refused.',
    advice: 'The size of the work; for capacity.md.',
  },
  tokens: {
    name: 'dkv_tokens_total',
    type: 'counter',
    means: 'Tokens that the model has read and written.',
    advice: 'The same. Many tokens a pair: texts that are not primed.',
  },
  waitingItems: {
    name: 'dkv_engine_waiting_items',
    type: 'gauge',
    labels: ['class'],
    means: 'Items of which no batch has begun: `interactive` requests, and `bulk`, which is priming.',
    advice:
      'Interactive ones that stay above 0 mean that more is asked than computed; at `model.queue_items` requests are refused with `ENGINE_BUSY`. Bulk ones wait for quiet moments, which is meant so.',
  },
  runningBatches: {
    name: 'dkv_engine_running_batches',
    type: 'gauge',
    means: 'Batches that are being computed; at most `model.workers`.',
    advice: '0 while items wait: the engine’s process is being started, or hangs.',
  },
  batches: {
    name: 'dkv_engine_batches_total',
    type: 'counter',
    means: 'Batches that were begun, of all processes of the engine.',
    advice: 'Pairs over batches is how well requests share batches.',
  },
  restarts: {
    name: 'dkv_engine_restarts_total',
    type: 'counter',
    means: 'Processes of the engine that were started in place of one that had ended.',
    advice:
      'More than 0: the log says how it ended. Killed by SIGKILL is often the system, out of memory: lower `model.workers` or `batchTokens`, or give it more.',
  },
  cacheHits: {
    name: 'dkv_cache_hits_total',
    type: 'counter',
    means: 'Documents that were answered from stored states.',
    advice: 'Hits over hits and misses is the share that priming serves.',
  },
  cacheMisses: {
    name: 'dkv_cache_misses_total',
    type: 'counter',
    means: 'Documents that were not in the store, and texts, which are encoded.',
    advice:
      'A jump after a generation was activated: it lacks documents (`dkv store diff`). Later: documents expired, or were evicted.',
  },
  storeDocuments: {
    name: 'dkv_store_documents',
    type: 'gauge',
    means: 'Documents in the store, of all tenants, counted once a minute at most.',
    advice: 'A fall that nobody ordered: the store was replaced, or evicts (`max_bytes` of docs/store.md).',
  },
  storeBytes: {
    name: 'dkv_store_bytes',
    type: 'gauge',
    means: 'Bytes of stored records, without the storage’s own overhead, counted as often.',
    advice: 'Against the disk: at `DISK_FULL` or `STORE_FULL` documents are not primed any more, and reading goes on.',
  },
  limited: {
    name: 'dkv_limits_refused_total',
    type: 'counter',
    labels: ['kind'],
    means: 'Requests that were refused by a key’s limit, of `pairs` or of `tokens`.',
    advice: 'The log names the keys. Raise the key’s limit (a new key), or tell its owner.',
  },
  degraded: {
    name: 'dkv_degraded_total',
    type: 'counter',
    labels: ['reason'],
    means: 'Rankings that were answered in the order of the fallback, by the code of what went wrong.',
    advice: '`DEADLINE_PASSED`: see the queue. `ENGINE_FAILED`: see restarts.',
  },
  edition: {
    name: 'dkv_edition_info',
    type: 'gauge',
    labels: ['model', 'fingerprint', 'precision', 'device', 'generation'],
    means: 'Always 1; the labels say what is served: the model, and the generation of a catalogue (empty of a store).',
    advice:
      'Servers behind one address that differ here for longer than a switch takes: one has not loaded the new model, or does not see the catalogue.',
  },
  keysUsable: {
    name: 'dkv_keys_usable',
    type: 'gauge',
    means: 'Whether the file of keys can be used as it is now: 1, or 0 while keys that were read before stay in use.',
    advice: '0: revoked keys go on being accepted. `dkv keys list` says what is wrong with the file; restore it.',
  },
  decisionLines: {
    name: 'dkv_decision_lines_total',
    type: 'counter',
    means: 'Lines that were written to the decision log.',
    advice: 'None while rankings are asked: the log is off, or see the next one.',
  },
  decisionErrors: {
    name: 'dkv_decision_errors_total',
    type: 'counter',
    means: 'Lines of the decision log that were lost, since they could not be written.',
    advice:
      'More than 0: the disk is full or its folder was taken away. Answers go on; what an experiment shows lacks these.',
  },
  housekeeping: {
    name: 'dkv_housekeeping_total',
    type: 'counter',
    labels: ['work', 'outcome'],
    means: 'Runs of `gc` and `collect`: `done`, `failed`, or `skipped` since the last one had not ended.',
    advice: 'Failed: its log line has what the command wrote. Skipped again and again: give it more hours.',
  },
  housekeepingTime: {
    name: 'dkv_housekeeping_last_done_seconds',
    type: 'gauge',
    labels: ['work'],
    means: 'When it was done last, in seconds since 1970; 0: not since the start.',
    advice: 'Older than two of its periods: the store only grows.',
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

/** The table of docs/on-call.md. */
export function metricsMarkdown(): string {
  const rows = Object.values(METRICS as Record<string, Metric>).map(({ name, type, labels = [], means, advice }) => {
    const shown = labels.length === 0 ? '' : ` by ${labels.map((label) => `\`${label}\``).join(', ')}`;
    return `| \`${name}\` | ${type}${shown} | ${means} | ${advice} |`;
  });
  return ['| metric | type | what it means | what to do |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
