/** Keeps what models write for a run's documents in its folder, and goes on with what was kept: a writer that draws at random would write other texts. */
import { DkvError } from '../../base/errors.js';
import type { TextSources, TextWriter } from '../../priming/prepare.js';
import { RECORD_FORMAT } from '../../runs/schema/format.js';
import type { KeptText } from '../../runs/schema/kept-text.js';
import type { Written } from '../../runs/schema/written.js';
import { readWritten, writeWritten } from '../../runs/written.js';
import type { Sample } from '../../samples/sample.js';
import { keptText } from './kept-text.js';
import type { StartedRun } from './start.js';

type Writing = Written['writers'][number];

export class WrittenTexts {
  readonly #directory: string;
  readonly #keepsTexts: boolean;
  /** The first sample of each document. */
  readonly #sampleOf = new Map<string, string>();
  /** The texts as the folder has them, with those that are added now. */
  readonly #writings: Writing[];
  #hasChanged = false;

  private constructor(
    directory: string,
    { keepsTexts }: Pick<StartedRun, 'keepsTexts'>,
    samples: readonly Sample[],
    kept: Written | undefined,
  ) {
    this.#directory = directory;
    this.#keepsTexts = keepsTexts;
    this.#writings = [...(kept?.writers ?? [])];
    for (const { id, document } of samples) if (!this.#sampleOf.has(document)) this.#sampleOf.set(document, id);
  }

  /** @throws DkvError RUN_DAMAGED */
  static async of(
    directory: string,
    started: Pick<StartedRun, 'keepsTexts'>,
    samples: readonly Sample[],
  ): Promise<WrittenTexts> {
    return new WrittenTexts(directory, started, samples, await readWritten(directory));
  }

  /** The sources, asked only for what the folder does not have. Their writers throw RUN_MISMATCH for a text that is not the one whose digest it has. */
  keeping({ llm, self }: TextSources): TextSources {
    return {
      ...(llm && { llm: (prompt: string) => this.#keeping(llm(prompt), 'llm', prompt) }),
      ...(self && { self: this.#keeping(self, 'self', null) }),
    };
  }

  #keeping(writer: TextWriter, by: Writing['by'], asked: string | null): TextWriter {
    return async (documents, options) => {
      const place = this.#writings.findIndex((writing) => writing.by === by && writing.asked === asked);
      const before = this.#writings[place];
      const kept = new Map(before?.texts.map(({ sample, text }) => [sample, text]));
      const textOf = (document: string): KeptText | undefined => kept.get(this.#sampleOf.get(document)!);
      const missing = documents.filter((document) => typeof textOf(document) !== 'string');
      const made = missing.length > 0 ? await writer(missing, options) : [];
      const fresh = new Map(missing.map((document, i) => [document, made[i]!]));
      const texts = documents.map((document) => fresh.get(document) ?? (textOf(document) as string));
      const added: Writing['texts'][number][] = [];
      for (const [document, text] of fresh) {
        if (typeof text !== 'string') continue;
        const [known, sample] = [textOf(document), this.#sampleOf.get(document)!];
        if (known === undefined) added.push({ sample, text: keptText(text, this.#keepsTexts) });
        else if (JSON.stringify(known) !== JSON.stringify(keptText(text, false))) throw this.#mismatch(sample);
      }
      if (added.length > 0) {
        const writing = before ?? { by, asked, ...authorshipOf(writer), texts: [] };
        this.#writings.splice(place < 0 ? this.#writings.length : place, 1, {
          ...writing,
          texts: [...writing.texts, ...added],
        });
        this.#hasChanged = true;
      }
      return texts;
    };
  }

  #mismatch(sample: string): DkvError {
    return new DkvError(
      'RUN_MISMATCH',
      `${this.#directory}: the writer gives another text for ${sample} than the run was begun with, of which only the digest is kept. Repeat the run in another folder (--out), with texts if it is to go on.`,
    );
  }

  /**
   * Writes the added texts to the folder.
   * @throws DkvError DISK_FULL, FILES_UNUSABLE
   */
  async save(): Promise<void> {
    if (!this.#hasChanged) return;
    await writeWritten(this.#directory, { format: RECORD_FORMAT, writers: this.#writings });
  }
}

function authorshipOf({ authorship }: TextWriter): Pick<Writing, 'writer' | 'prompt' | 'sampling'> {
  if (!authorship) return { writer: null, prompt: null, sampling: null };
  const { writer, prompt, sampling } = authorship;
  const { maxTokens, temperature, topP, seed } = sampling;
  return { writer, prompt, sampling: { max_tokens: maxTokens, temperature, top_p: topP, seed } };
}
