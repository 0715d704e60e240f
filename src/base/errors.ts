import { withoutSecrets } from './redact.js';

/**
 * One table of errors. A code says what kind of thing went wrong, its row how a program should react: `exitCode`, the exit status of the
 * command line (2 for input the user can mend, 1 for the rest, 130 after Ctrl-C), and `status`, what a server answers over HTTP: 4xx where
 * whoever asks can mend it, 5xx where whoever runs the server has to or where time does. `meaning` is what the code says in general.
 *
 * 400 is for a request of another form than expected, 422 for one of the right form that has no result. A service that refuses the server's
 * own token is 502, since 401 and 403 would speak of the caller's. 499 is what nginx calls a request whose caller went away: HTTP has no status
 * for an answer that nobody waits for, and logs should not count it as a failure.
 *
 * A message says what was found, what was expected and what to do. Passwords and keys of addresses in it are hidden.
 */
export const ERROR_CODES = {
  CHECKPOINT_INVALID: {
    exitCode: 2,
    status: 500,
    meaning: 'a checkpoint file is missing, damaged or contradicts its config',
  },
  MODEL_UNSUPPORTED: {
    exitCode: 2,
    status: 501,
    meaning: 'the checkpoint is of an architecture or variant that is not implemented',
  },
  CACHE_DAMAGED: { exitCode: 1, status: 500, meaning: 'a compiled model in the cache folder cannot be read' },
  DISK_FULL: { exitCode: 1, status: 507, meaning: 'the disk has too little room for what is to be written' },
  FILES_UNUSABLE: {
    exitCode: 2,
    status: 500,
    meaning: 'a file or folder cannot be made, read or written: permissions, a name in the way, too many open files',
  },
  HUB_NOT_FOUND: { exitCode: 2, status: 404, meaning: 'the hub has no such repository, revision or file' },
  HUB_DENIED: { exitCode: 2, status: 502, meaning: 'the hub wants a token, or a licence to be accepted' },
  HUB_OFFLINE: { exitCode: 2, status: 500, meaning: 'offline mode is on, and the cache does not hold what is needed' },
  HUB_UNREACHABLE: { exitCode: 1, status: 503, meaning: 'the hub does not answer, or not as a hub does' },
  DOWNLOAD_DAMAGED: { exitCode: 1, status: 502, meaning: 'a downloaded file is not what the hub says it is' },
  LLM_DENIED: {
    exitCode: 2,
    status: 502,
    meaning: 'the language model endpoint refuses every request: wrong address, key or model, or no credit',
  },
  LLM_REJECTED: { exitCode: 2, status: 422, meaning: 'the language model endpoint gives no text for one document' },
  LLM_UNREACHABLE: {
    exitCode: 1,
    status: 503,
    meaning: 'the language model endpoint does not answer, or not as one does',
  },
  MEMORY_SHORT: { exitCode: 2, status: 500, meaning: 'the model needs more memory than is available' },
  DEVICE_UNAVAILABLE: {
    exitCode: 2,
    status: 500,
    meaning: 'the requested execution provider cannot be used on this machine',
  },
  DEVICE_LOST: {
    exitCode: 1,
    status: 503,
    meaning: 'a device stopped while it computed: its driver failed or was restarted',
  },
  RUNTIME_MISSING: { exitCode: 2, status: 500, meaning: 'ONNX Runtime is not installed, or not for this machine' },
  INPUT_INVALID: {
    exitCode: 2,
    status: 400,
    meaning: 'an input record, option or file does not have the expected form',
  },
  INPUT_TOO_LONG: { exitCode: 2, status: 413, meaning: 'prefix and special tokens leave no room for the document' },
  RUN_MISMATCH: { exitCode: 2, status: 409, meaning: 'a run folder was made with another configuration or model' },
  PLAN_ALTERED: { exitCode: 2, status: 409, meaning: 'a plan of a run is not what was locked before the run' },
  RUN_EXISTS: {
    exitCode: 2,
    status: 409,
    meaning: 'a run folder already holds trials and nothing said to resume them',
  },
  RUN_BUSY: { exitCode: 2, status: 409, meaning: 'another process is at work in the run folder' },
  CEILING_REACHED: {
    exitCode: 2,
    status: 422,
    meaning: 'the model needs no help on this data: nothing could be measured',
  },
  FLOOR_REACHED: {
    exitCode: 2,
    status: 422,
    meaning: 'the model hardly ranks these candidates better than chance: nothing could be measured',
  },
  RUN_DAMAGED: { exitCode: 1, status: 500, meaning: 'a record of a run cannot be read, or is another run’s' },
  DRIFT_LARGE: {
    exitCode: 2,
    status: 500,
    meaning: "as int8, or in a device's 16 bits, this model's numbers are too far from float32's",
  },
  NUMBERS_NOT_FINITE: {
    exitCode: 2,
    status: 422,
    meaning:
      'a weight, a state or a score is infinite or no number at all, or would be at the precision that is asked for',
  },
  ENGINE_FAILED: { exitCode: 1, status: 500, meaning: 'the inference runtime reported an error' },
  ENGINE_CLOSED: {
    exitCode: 1,
    status: 503,
    meaning: 'the engine was closed or its thread ended while a request waited',
  },
  ENGINE_BUSY: {
    exitCode: 1,
    status: 429,
    meaning: 'as many items wait for the engine as `queueItems` allows: come again later',
  },
  DEADLINE_PASSED: {
    exitCode: 1,
    status: 504,
    meaning: 'the time that the caller gave by `deadlineMs` was over before the work began',
  },
  STORE_DAMAGED: {
    exitCode: 1,
    status: 500,
    meaning: 'bytes in the store of directed caches are not what was put there',
  },
  STORE_FULL: { exitCode: 1, status: 507, meaning: 'the store may not grow, and nothing in it may be evicted' },
  STORE_UNREACHABLE: {
    exitCode: 1,
    status: 503,
    meaning: 'the storage behind the store does not answer, refuses, or is gone',
  },
  STORE_DENIED: {
    exitCode: 2,
    status: 502,
    meaning: 'the server behind the store wants another user, password or key',
  },
  STORE_BUSY: {
    exitCode: 1,
    status: 503,
    meaning: 'the largest number of processes that can use the store at a time is reached',
  },
  STORE_READONLY: { exitCode: 2, status: 403, meaning: 'the store can be read here but not written to' },
  STORE_MISMATCH: {
    exitCode: 2,
    status: 409,
    meaning: 'the store, or a record in it, was made with another model or format',
  },
  DOCUMENT_MISSING: {
    exitCode: 2,
    status: 404,
    meaning: 'a document is not in the store: never primed, expired or evicted',
  },
  FILTERED: { exitCode: 2, status: 422, meaning: 'a document does not meet the conditions of the request’s filter' },
  FLEET_MISMATCH: {
    exitCode: 2,
    status: 409,
    meaning: 'a worker, a model or rows are not those of the plan of a fleet',
  },
  FLEET_INCOMPLETE: {
    exitCode: 1,
    status: 409,
    meaning: 'chunks of the plan of a fleet are not primed, or what was made of them is damaged',
  },
  STORE_CLOSED: { exitCode: 1, status: 503, meaning: 'the store was closed before the request' },
  UNAUTHORIZED: { exitCode: 2, status: 401, meaning: 'the request has no key, or none that is valid here' },
  FORBIDDEN: { exitCode: 2, status: 403, meaning: 'the key may not do what is asked for' },
  NOT_FOUND: { exitCode: 2, status: 404, meaning: 'the server answers nothing at this address, or not by this method' },
  MODEL_UNKNOWN: { exitCode: 2, status: 404, meaning: 'the request names a model that this server does not serve' },
  VERSION_OUTDATED: {
    exitCode: 2,
    status: 409,
    meaning: 'the document is there in a later version than the one that was sent',
  },
  BODY_TOO_LARGE: { exitCode: 2, status: 413, meaning: 'a request is larger than the server takes' },
  MEDIA_UNSUPPORTED: { exitCode: 2, status: 415, meaning: 'a request has another content type than expected' },
  SERVER_BUSY: { exitCode: 1, status: 429, meaning: 'as many requests are in flight as the server takes' },
  SERVER_CLOSING: { exitCode: 1, status: 503, meaning: 'the server is ending, and takes no new requests' },
  INTERNAL: { exitCode: 1, status: 500, meaning: 'a defect of this program' },
  LIMIT_REACHED: {
    exitCode: 1,
    status: 429,
    meaning: 'the key has used up its pairs or tokens for now: come again when the answer says',
  },
  CANCELLED: { exitCode: 130, status: 499, meaning: 'the user or the caller stopped the work' },
} as const satisfies Record<string, { exitCode: number; status: number; meaning: string }>;

/** The kind of failure: one row of the table of errors. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** An error that this package foresees. Its code is a row of `ERROR_CODES`. */
export class DkvError extends Error {
  override readonly name = 'DkvError';
  readonly code: ErrorCode;
  /** After how many seconds the same request may succeed, where that is known: what a server says as `Retry-After`. */
  readonly retryAfterSeconds?: number;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; retryAfterSeconds?: number }) {
    super(withoutSecrets(message), options);
    this.code = code;
    if (options?.retryAfterSeconds !== undefined) this.retryAfterSeconds = options.retryAfterSeconds;
  }

  /** The exit status that the command line ends with. */
  get exitCode(): number {
    return ERROR_CODES[this.code].exitCode;
  }

  /** The HTTP status that a server answers with. */
  get status(): number {
    return ERROR_CODES[this.code].status;
  }
}

/** Tells whether a value is a result and not an error, in lists that hold both. */
export function isResult<T>(made: T | DkvError): made is T {
  return !(made instanceof DkvError);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
