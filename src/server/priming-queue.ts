/**
 * What stands in front of priming: documents that come one at a time, by whoever, are primed together. A document that comes alone is primed at once; those
 * that come while others are primed are taken together. Two windows are under way at a time, so that the engine works on one while the other is read and written.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DkvError } from '../base/errors.js';
import type { DocumentToPrime, SettledDocument } from '../serving/prime-options.js';
import { metered, meterHere } from './metered-model.js';

const WINDOW_DOCUMENTS = 256;
const WINDOW_CHARACTERS = 1 << 20;
const WINDOWS = 2;
/** How long documents are tried again that the engine has no room for, and how often: they are bulk work, which waits where others are served first. */
const BUSY_TRIES = 100;
const BUSY_MS = 100;

export type Primed = 'primed' | 'unchanged';

/** Primes documents of different ids. It says of each what became of it, or throws for all that are left. */
export type PrimeTogether = (
  documents: readonly DocumentToPrime[],
  onSettled: (settled: SettledDocument) => void,
) => Promise<unknown>;

interface Waiting {
  readonly document: DocumentToPrime;
  readonly signal: AbortSignal | undefined;
  /** How often it was refused since others waited for the engine. */
  tries: number;
  /** Is told of the tokens that were read for the document. */
  readonly meter: ((tokens: number) => void) | undefined;
  resolve(outcome: Primed): void;
  reject(error: unknown): void;
}

export class PrimingQueue {
  readonly #primeTogether: PrimeTogether;
  readonly #waiting: Waiting[] = [];
  #running = 0;
  #isLooking = false;

  constructor(primeTogether: PrimeTogether) {
    this.#primeTogether = primeTogether;
  }

  /**
   * Primes a document. No other of its id may wait here.
   * @param signal aborted before priming begins, it takes the document out; later it changes nothing
   * @throws DkvError what priming says of this document; CANCELLED
   */
  prime(document: DocumentToPrime, signal?: AbortSignal): Promise<Primed> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ document, signal, tries: 0, meter: meterHere(), resolve, reject });
      if (this.#isLooking) return;
      this.#isLooking = true;
      // What comes in the same turn of the loop goes together.
      setImmediate(() => {
        this.#isLooking = false;
        this.#begin();
      });
    });
  }

  #begin(): void {
    while (this.#running < WINDOWS) {
      const window = this.#window();
      if (window.length === 0) return;
      this.#running++;
      void this.#run(window).finally(() => {
        this.#running--;
        this.#begin();
      });
    }
  }

  #window(): readonly Waiting[] {
    const window: Waiting[] = [];
    let characters = 0;
    while (this.#waiting.length > 0 && window.length < WINDOW_DOCUMENTS && characters < WINDOW_CHARACTERS) {
      const next = this.#waiting.shift()!;
      if (next.signal?.aborted) {
        next.reject(new DkvError('CANCELLED', 'Whoever sent the document has gone; it was not primed.'));
        continue;
      }
      window.push(next);
      characters += next.document.text.length;
    }
    return window;
  }

  async #run(window: readonly Waiting[]): Promise<void> {
    const documents = window.map(({ document }) => document);
    const left = new Set(window);
    const settle = ({ row, outcome }: SettledDocument) => {
      const { resolve, reject } = window[row - 1]!;
      left.delete(window[row - 1]!);
      if (outcome === 'primed' || outcome === 'unchanged') resolve(outcome);
      else if (outcome !== 'replaced') reject(outcome);
    };
    const characters = documents.reduce((sum, { text }) => sum + text.length, 0);
    // What the engine read together is shared out by the documents' lengths.
    const share = (tokens: number) => {
      for (const { document, meter } of window) meter?.((tokens * document.text.length) / characters);
    };
    try {
      await metered(share, () => this.#primeTogether(documents, settle));
      throw new Error('Priming ended without a word about a document.');
    } catch (error) {
      // Those that are settled stay so.
      const isBusy = error instanceof DkvError && error.code === 'ENGINE_BUSY';
      const again = isBusy ? [...left].filter((own) => own.tries++ < BUSY_TRIES) : [];
      for (const own of left) if (!again.includes(own)) own.reject(error);
      if (again.length === 0) return;
      await sleep(BUSY_MS);
      this.#waiting.unshift(...again);
    }
  }
}
