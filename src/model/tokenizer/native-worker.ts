/** Entry of the thread in which the native `tokenizers` package runs; see native.ts. */
import { createRequire } from 'node:module';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../base/errors.js';
import type { Answer, Ready, Request, Start } from './native.js';

/** What is used of the package, which need not be there when this program is built. */
interface NativeTokenizer {
  encode(text: string, pair: null, options: { addSpecialTokens: boolean }): Promise<{ getIds(): number[] }>;
  decode(ids: readonly number[], skipSpecialTokens: boolean): Promise<string>;
  getVocab(withAddedTokens: boolean): Record<string, number>;
  tokenToId(token: string): number | null;
}

const { start, port } = workerData as { start: Start; port: MessagePort };
const flag = new Int32Array(start.signal);

try {
  const { Tokenizer } = createRequire(import.meta.url)('tokenizers') as {
    Tokenizer: { fromString(json: string): NativeTokenizer };
  };
  const keep = Tokenizer.fromString(start.keep);
  const split = Tokenizer.fromString(start.split);
  const answer = async (request: Request): Promise<Answer> => {
    if ('decode' in request) return { text: await keep.decode(request.decode, true) };
    const tokenizer = request.splitSpecial ? split : keep;
    const encoding = await tokenizer.encode(request.encode, null, { addSpecialTokens: request.framed });
    return { ids: encoding.getIds() };
  };
  port.on('message', (request: Request) => {
    void answer(request)
      .catch((error: unknown) => ({ error: messageOf(error) }))
      .then((answered) => {
        port.postMessage(answered);
        Atomics.store(flag, 0, 1);
        Atomics.notify(flag, 0);
      });
  });
  const { added_tokens } = JSON.parse(start.keep) as { added_tokens: { content: string }[] };
  const ready: Ready = {
    vocabulary: keep.getVocab(false),
    added: added_tokens.map(({ content }) => keep.tokenToId(content)),
  };
  parentPort!.postMessage(ready);
} catch (error) {
  parentPort!.postMessage({ error: messageOf(error) });
}
