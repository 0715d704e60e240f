/**
 * What an answer is on its way through an experiment: which arm it is in and what that changes, the line of the log that says what was answered, and the shadow that
 * ranks behind it. Without settings it changes nothing and writes nothing.
 */
import type { Model } from '../scoring/load-model.js';
import { BARE } from '../serving/variants.js';
import type { DecisionLine, DecisionLogHead, ShadowLine } from '../wire/http/decisions.js';
import type { Caller } from './caller.js';
import { DecisionLog } from './decisions.js';
import { type Arm, armOf, isShadowed, ShadowQueue, type ShadowSettings } from './experiment.js';
import { metered } from './metered-model.js';
import type { Candidate, RerankAsked, Reranked } from './rerank-asked.js';
import { variantOfTexts } from './rerank-texts.js';
import type { ServerSettings } from './settings.js';

/** A request before it is ranked. */
export interface Asking {
  readonly id: string;
  readonly caller: Caller;
  /** What is randomised, as the request says. */
  readonly unit: string | undefined;
}

/** What a ranking was read from. */
export interface Source {
  readonly model: Model;
  readonly store: { readonly location: string };
  readonly generation: string | null;
}

/** A request with what its arm made of it. */
export interface Assigned {
  readonly arm: string | null;
  readonly asked: RerankAsked;
}

/** What another ranking of the same request is made of. */
export type RankAgain = (asked: RerankAsked, signal: AbortSignal) => Promise<Source & { readonly reranked: Reranked }>;

type Settings = Pick<ServerSettings, 'experiment' | 'shadow' | 'decisions'>;

export class Deciding {
  readonly #settings: Settings;
  readonly #log: DecisionLog | undefined;
  readonly #shadows: ShadowQueue;

  private constructor(settings: Settings, log: DecisionLog | undefined) {
    this.#settings = settings;
    this.#log = log;
    this.#shadows = new ShadowQueue(settings.shadow?.waiting ?? 1);
  }

  /** @param onNotice is told of a log that cannot be written. @throws DkvError FILES_UNUSABLE, DISK_FULL, INPUT_INVALID */
  static async open(settings: Settings, onNotice: (text: string) => void = () => undefined): Promise<Deciding> {
    const { decisions, experiment } = settings;
    const head = experiment ? headOf(experiment) : null;
    return new Deciding(settings, decisions && (await DecisionLog.open(decisions, { experiment: head, onNotice })));
  }

  /** What became of the log's lines; undefined without a log. */
  get counts() {
    return this.#log?.counts;
  }

  /**
   * The arm of a request. A request that names a variant itself is in none; nor is one that any of the arms could not rank, since arms are compared on requests
   * of one kind.
   */
  assign(asked: RerankAsked, { id, caller, unit }: Asking): Assigned {
    const { experiment } = this.#settings;
    if (!experiment || asked.variant !== undefined || !experiment.arms.every((arm) => canRank(arm, asked))) {
      return { arm: null, asked };
    }
    const arm = armOf(experiment, caller.tenant, unit ?? id);
    return { arm: arm.name, asked: changedBy(arm, asked) };
  }

  /**
   * Logs an answer, and has the shadow rank the same candidates when there is time.
   * @param answered the number of documents in the answer
   */
  decided(
    asking: Asking,
    { arm, asked }: Assigned,
    source: Source,
    {
      reranked,
      answered,
      again,
    }: { readonly reranked: Reranked; readonly answered: number; readonly again: RankAgain },
  ): void {
    const log = this.#log;
    if (!log) return;
    const { id, caller, unit } = asking;
    const { tenant, keyId } = caller;
    const { decisions, shadow } = this.#settings;
    const kept = Math.max(answered, decisions!.candidates);
    log.write({
      kind: 'decision',
      decision: id,
      time: new Date().toISOString(),
      arm,
      unit: log.digest('unit', tenant, unit ?? id),
      ...scoringOf(asked, reranked),
      model: source.model.fingerprint,
      store: source.store.location,
      generation: source.generation,
      calibrated: reranked.calibrated,
      degraded: reranked.reason?.code ?? null,
      query: log.digest('query', tenant, asked.query),
      key: keyId,
      tenant,
      candidates: candidatesOf(reranked, asked.candidates, (text) => log.digest('document', tenant, text)).slice(
        0,
        kept,
      ),
      answered,
      leftOut: reranked.leftOut.length,
    });
    if (shadow && canRank(shadow, asked) && isShadowed(shadow, id)) {
      this.#shadow(shadow, log, { id, tenant, asked, source, shown: reranked, again });
    }
  }

  /** Ends what the shadow is at, and writes what waits. */
  async close(): Promise<void> {
    await this.#shadows.close();
    await this.#log?.close();
  }

  /** Resolves when no shadow ranks. */
  idle(): Promise<void> {
    return this.#shadows.idle();
  }

  #shadow(
    shadow: ShadowSettings,
    log: DecisionLog,
    {
      id,
      tenant,
      asked: given,
      source,
      shown,
      again,
    }: {
      readonly id: string;
      readonly tenant: string;
      readonly asked: RerankAsked;
      readonly source: Source;
      readonly shown: Reranked;
      readonly again: RankAgain;
    },
  ): void {
    const asked: RerankAsked = { ...changedBy(shadow, given), priority: 'bulk', fallback: 'none' };
    const write = (own: Pick<ShadowLine, 'dropped' | 'candidates'>, from: Source, reranked?: Reranked) =>
      log.write({
        kind: 'shadow',
        decision: id,
        time: new Date().toISOString(),
        ...scoringOf(asked, reranked),
        model: from.model.fingerprint,
        generation: from.generation,
        ...own,
      });
    const places = new Map(shown.ranked.map(({ index }, at) => [index, at + 1]));
    const isTaken = this.#shadows.offer(async (signal) => {
      try {
        const { reranked, ...from } = await metered(
          // Nobody's tokens: nobody asked for it.
          () => undefined,
          () => again(asked, signal),
        );
        const digest = (text: string) => log.digest('document', tenant, text);
        // What only one of the two could rank has a place in one order alone.
        const both = candidatesOf(reranked, asked.candidates, digest).filter(({ index }) => places.has(index));
        const ranked = new Set(both.map(({ index }) => index));
        const shownOf = new Map(
          [...places.keys()].filter((index) => ranked.has(index)).map((index, at) => [index, at + 1]),
        );
        const candidates = both.map((own, at) => ({ ...own, position: at + 1, shown: shownOf.get(own.index)! }));
        write({ dropped: null, candidates }, from, reranked);
      } catch (error) {
        const code = (error as { code?: unknown }).code;
        write({ dropped: typeof code === 'string' ? code : 'INTERNAL', candidates: [] }, source);
      }
    });
    if (!isTaken) write({ dropped: 'SERVER_BUSY', candidates: [] }, source);
  }
}

function headOf({ name, arms }: NonNullable<Settings['experiment']>): NonNullable<DecisionLogHead['experiment']> {
  return {
    name,
    arms: arms.map(({ name, share, variant = null, objective = null, prior = null, interpolate = null }) => ({
      ...{ name, share, variant, objective, prior, interpolate },
    })),
  };
}

type Changes = Pick<Arm, 'variant' | 'objective' | 'prior' | 'interpolate'>;

function changedBy({ variant, objective, prior, interpolate }: Changes, asked: RerankAsked): RerankAsked {
  return {
    ...asked,
    ...(variant !== undefined && { variant }),
    ...(objective !== undefined && { objective }),
    ...(prior !== undefined && { prior }),
    ...(interpolate !== undefined && { interpolate }),
  };
}

/** Whether a request, changed so, would be one that the server ranks (rerank.ts refuses the others). */
function canRank(changes: Changes, asked: RerankAsked): boolean {
  const { objective = 'query-likelihood', variant, prior, interpolate, answer, candidates } = changedBy(changes, asked);
  const hasTexts = candidates.some(({ text }) => text !== undefined);
  if ((objective === 'answer-likelihood') !== (answer !== undefined)) return false;
  if (prior && (objective !== 'query-likelihood' || hasTexts)) return false;
  if (interpolate !== undefined && candidates.some(({ firstStage }) => firstStage === undefined)) return false;
  if (!hasTexts || variant === undefined) return true;
  try {
    variantOfTexts(variant);
    return true;
  } catch {
    return false;
  }
}

function scoringOf(
  { variant = BARE, objective = 'query-likelihood', prior = false, interpolate }: RerankAsked,
  reranked?: Reranked,
): Pick<DecisionLine, 'variant' | 'objective' | 'prior' | 'interpolate'> {
  return {
    variant: reranked?.variant ?? variant,
    objective: reranked?.objective ?? objective,
    prior,
    interpolate: interpolate ?? null,
  };
}

function candidatesOf(
  { ranked }: Reranked,
  candidates: readonly Candidate[],
  digest: (text: string) => string,
): DecisionLine['candidates'][number][] {
  return ranked.map(({ index, score, nll }, at) => {
    const { id, text, firstStage = null } = candidates[index]!;
    const name = id === undefined ? { digest: digest(text!) } : { id };
    return { index, ...name, position: at + 1, score: Number.isFinite(score) ? score : null, nll, firstStage };
  });
}
