/**
 * Pipelines that this program does not run itself, by the native `tokenizers` package if it is installed: the same Rust code that Python
 * uses. The package answers asynchronously only, while texts are tokenised in the midst of planning; so it runs in a thread of its own,
 * and the caller's thread waits for each answer.
 */
import { createRequire } from 'node:module';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { DkvError } from '../../base/errors.js';
import type { AddedToken } from './description.js';
import type { Codec, Frame } from './pipeline.js';

/** The optional peer dependency, in the version that tests run with. */
export const NATIVE_PACKAGE = 'tokenizers@0.23.2';

/** The longest wait for an answer. A thread that has ended answers no more, and the waiting one would never learn of it. */
const PATIENCE_MS = 600_000;
const NO_ANSWER = 'The native tokenizers package has not answered for ten minutes.';

export type Request =
  | { readonly encode: string; readonly splitSpecial: boolean; readonly framed: boolean }
  | { readonly decode: readonly number[] };

export type Answer = { readonly ids: number[] } | { readonly text: string } | { readonly error: string };

export interface Start {
  /** The JSON of `tokenizer.json`, with the control tokens that are found in texts, and without them. */
  readonly keep: string;
  readonly split: string;
  readonly signal: SharedArrayBuffer;
}

/** First message of the thread. */
export type Ready = {
  readonly vocabulary: Readonly<Record<string, number>>;
  readonly added: readonly (number | null)[];
};

/**
 * @param json of `tokenizer.json`
 * @param tokens all added tokens, in the order in which they get their ids
 * @returns undefined when the package is not installed
 * @throws Error that says what the package finds wrong
 */
export async function nativeCodec(
  json: Readonly<Record<string, unknown>>,
  tokens: readonly AddedToken[],
): Promise<{ codec: Codec; frame: Frame } | undefined> {
  try {
    createRequire(import.meta.url).resolve('tokenizers');
  } catch {
    return undefined;
  }
  const vocabulary = (token: AddedToken) => hasToken(json.model, token.content);
  expectApart(tokens);
  const described = { ...json, truncation: null, padding: null };
  // The binding cannot be told to leave control tokens in the text. Without those of the vocabulary the ids of the others stay; one that
  // is added behind the vocabulary keeps its place by a content that no text has.
  const hidden = tokens.flatMap((token, at) => {
    if (!token.special) return [token];
    return vocabulary(token)
      ? []
      : [{ ...token, content: `\u{10ffff}${at}\u{10ffff}`, special: false, normalized: false }];
  });
  const signal = new SharedArrayBuffer(4);
  const start: Start = {
    keep: JSON.stringify({ ...described, added_tokens: tokens }),
    split: JSON.stringify({ ...described, added_tokens: hidden }),
    signal,
  };
  const { port1: port, port2 } = new MessageChannel();
  const worker = new Worker(workerEntry(), {
    workerData: { start, port: port2 },
    transferList: [port2],
    // What this program was started with (a script to evaluate, say) is not for the thread.
    execArgv: [],
  });
  const ready = await new Promise<Ready>((resolve, reject) => {
    worker.once('message', (message: Ready | { error: string }) => {
      if ('error' in message) reject(new Error(message.error));
      else resolve(message);
    });
    worker.once('error', reject);
  });
  worker.unref();
  const flag = new Int32Array(signal);
  let isClosed = false;
  const ask = (request: Request): Answer => {
    // A thread that has ended answers nothing, and would be waited for.
    if (isClosed) throw new DkvError('ENGINE_CLOSED', 'The tokenizer was closed with its model.');
    Atomics.store(flag, 0, 0);
    port.postMessage(request);
    // The thread wakes this one after it has set the flag: for the answer before, that may come only now.
    while (Atomics.load(flag, 0) === 0) {
      if (Atomics.wait(flag, 0, 0, PATIENCE_MS) === 'timed-out') throw new DkvError('ENGINE_FAILED', NO_ANSWER);
    }
    const answer = receiveMessageOnPort(port)?.message as Answer;
    if ('error' in answer) {
      throw new DkvError('INPUT_INVALID', `The model's tokenizer cannot read this text: ${answer.error}`);
    }
    return answer;
  };
  const idsOf = (request: Request) => (ask(request) as { ids: number[] }).ids;
  const wrong = tokens.findIndex((token, at) => ready.added[at] !== token.id);
  if (wrong >= 0) {
    await worker.terminate();
    const { content, id } = tokens[wrong]!;
    throw new Error(`the added token ${JSON.stringify(content)} has the id ${id}, and gets ${ready.added[wrong]}`);
  }
  const contents = new Set(tokens.map(({ content }) => content));
  const own = Object.entries(ready.vocabulary).filter(([token]) => !contents.has(token));
  const names = new Map([
    ...own.map(([token, id]) => [id, token] as const),
    ...tokens.map(({ id, content }) => [id, content] as const),
  ]);
  return {
    codec: {
      highestId: own.reduce((highest, [, id]) => Math.max(highest, id), -1),
      tokenOf: (id) => names.get(id),
      encode: (text, splitSpecial) => idsOf({ encode: text, splitSpecial, framed: false }),
      close: async () => {
        isClosed = true;
        await worker.terminate();
      },
      decode: (ids) => (ids.length > 0 ? (ask({ decode: ids }) as { text: string }).text : ''),
    },
    frame: frameBy((text) => [
      idsOf({ encode: text, splitSpecial: false, framed: true }),
      idsOf({ encode: text, splitSpecial: false, framed: false }),
    ]),
  };
}

/** Finds the frame of texts, by a text that has some ids. */
function frameBy(encode: (text: string) => [framed: number[], bare: number[]]): Frame {
  const [framed, bare] = encode('a');
  for (let at = 0; at + bare.length <= framed.length; at++) {
    if (bare.every((id, i) => framed[at + i] === id)) {
      return { before: framed.slice(0, at), after: framed.slice(at + bare.length) };
    }
  }
  throw new Error('its post-processor changes the ids of a text');
}

/** Refuses tokens of which one would appear when another is left out: Python finds the longest one, and leaves all of it in the text. */
function expectApart(tokens: readonly AddedToken[]): void {
  const others = tokens.filter(({ special }) => !special);
  for (const { content } of tokens.filter(({ special }) => special)) {
    for (let at = 0; at < content.length; at++) {
      const rest = content.slice(at);
      const other = others.find(
        (token) =>
          (token.content.startsWith(rest) || rest.startsWith(token.content)) &&
          (at > 0 || token.content.length < content.length),
      );
      if (other) {
        throw new Error(
          `the added token ${JSON.stringify(other.content)} overlaps with the control token ${JSON.stringify(content)}`,
        );
      }
    }
  }
}

function hasToken(model: unknown, token: string): boolean {
  const vocab = (model as { vocab?: unknown } | undefined)?.vocab ?? {};
  return Array.isArray(vocab) ? vocab.some((entry) => entry[0] === token) : Object.hasOwn(vocab as object, token);
}

/** The entry of the thread. Run from source, as in the tests, the thread is still the built one, since Node starts no TypeScript in it. */
function workerEntry(): URL {
  const built = import.meta.url.endsWith('.ts') ? '../../../dist/model/tokenizer/' : './';
  return new URL(`${built}native-worker.js`, import.meta.url);
}
