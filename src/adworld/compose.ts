/**
 * Writes one advertisement: chooses facts, sentence forms and their order, puts distractors beside some of the values, and asks the
 * questions. All choices come from the one random stream that it is given.
 */
import type { Random } from '../base/random.js';
import { wordCount } from '../base/words.js';
import type { Ad, AdFact, AdQuestion, Bank, Split } from './ad.js';
import { wordingOf } from './banks/facts.js';
import { frames } from './banks/frames.js';
import type { Item } from './banks/items.js';
import { Namer } from './names.js';
import { makeQuery } from './queries.js';
import type { Category, FactPlan, FactValues, Scene } from './scene.js';
import { capitalize, fill, type Slots, slotsOf } from './template.js';
import { randomManner } from './values.js';

export interface AdRequest {
  readonly id: string;
  readonly split: Split;
  readonly category: Category;
  readonly item: Item;
  /** Kinds of facts that the ad must have, some with their value given. */
  readonly wanted?: Readonly<Record<string, Wanted>>;
  readonly euros?: boolean;
}

/** Turns a fact's own values into ones that are wanted, or into nothing where other values have to be drawn. */
export type Wanted = (scene: Scene, own: FactValues) => FactValues | undefined;

interface Chosen {
  readonly plan: FactPlan;
  readonly values: FactValues;
  readonly slots: Slots;
}

const MIN_WORDS = 45;
const MAX_WORDS = 120;
const MIN_FACTS = 6;
const MAX_ANSWER_WORDS = 12;

export const bankOf = (split: Split): Bank => (split === 'train' ? 'train' : 'evaluation');

/** True when one text holds the other as a run of whole words, in any case. */
export function overlaps(a: string, b: string): boolean {
  const padded = (text: string): string =>
    ` ${text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}.:%€$£]+/gu, ' ')
      .trim()} `;
  const [left, right] = [padded(a), padded(b)];
  return left.includes(right) || right.includes(left);
}

/** An ad with the scene that it was written from. */
export interface Composed {
  readonly ad: Ad;
  readonly scene: Scene;
}

/** @throws RangeError when no ad of the category can hold the wanted facts: the request was wrong */
export function composeAd(random: Random, request: AdRequest): Ad {
  return compose(random, request).ad;
}

/**
 * Writes an ad and returns it with what it was made from.
 * @throws RangeError as `composeAd`
 */
export function compose(random: Random, request: AdRequest): Composed {
  for (let attempt = 0; attempt < 20; attempt++) {
    const composed = tryCompose(random, request);
    if (composed !== undefined) return composed;
  }
  throw new RangeError(`composeAd: no "${request.item.noun}" could be written for ${request.id}`);
}

function tryCompose(random: Random, request: AdRequest): Composed | undefined {
  const { category, item, split } = request;
  const bank = bankOf(split);
  const namer = new Namer(random, bank);
  const subject = category.subject(random, namer, item);
  const manner = randomManner(random, { euros: request.euros ?? false });
  const scene: Scene = { random, bank, namer, manner, item, ...subject, day: random.between(60, 320) };
  const terse = random.chance(0.22);
  const chosen = chooseFacts(scene, request, terse ? random.between(8, 12) : random.between(MIN_FACTS, 9));
  if (chosen === undefined) return undefined;
  const written = write(scene, category, chosen, terse);
  if (written === undefined) return undefined;
  const rendered = chosen.filter(({ plan }) => written.stated.has(plan.fact));
  if (rendered.length < MIN_FACTS) return undefined;
  const questions = rendered.map(({ plan, values, slots }) => ({
    ...makeQuery(random, plan.fact, bank, slots),
    answer: values.value,
  }));
  const isBad = ({ query, answer }: AdQuestion): boolean =>
    overlaps(query, answer) || !written.text.includes(answer) || wordCount(answer) > MAX_ANSWER_WORDS;
  if (questions.some(isBad)) return undefined;
  const title = fill(random.pick(frames()[category.family][bank].title), sceneSlots(scene));
  const ad: Ad = {
    id: request.id,
    split,
    category: category.name,
    item: item.noun,
    title: capitalize(title),
    text: written.text,
    facts: rendered.map(({ plan, values }): AdFact => {
      const distractor = written.distracted.has(plan.fact) ? values.other : undefined;
      return { kind: plan.fact, value: values.value, ...(distractor === undefined ? {} : { distractor }) };
    }),
    questions,
    unanswerable: unanswerable(scene, category, chosen),
    names: namer.issued.filter((name) => written.text.includes(name) || title.includes(name)),
    forms: written.forms,
  };
  return { ad, scene };
}

function sceneSlots(scene: Scene): Slots {
  return { name: scene.name, brand: scene.brand, item: scene.item.noun, thing: scene.item.noun };
}

/** Facts whose values and distractors can all be told apart; the wanted and the required ones first. */
function chooseFacts(scene: Scene, request: AdRequest, amount: number): Chosen[] | undefined {
  const wanted = request.wanted ?? {};
  const isFirst = (plan: FactPlan): boolean => plan.always === true || plan.fact in wanted;
  const shuffled = scene.random.shuffle(request.category.plans);
  const ordered = [...shuffled.filter(isFirst), ...shuffled.filter((plan) => !isFirst(plan))];
  const chosen: Chosen[] = [];
  const taken: string[] = [scene.item.noun];
  for (const plan of ordered) {
    if (chosen.length >= amount) break;
    if (chosen.some((other) => other.plan.fact === plan.excludes)) continue;
    const values = distinctValues(scene, plan, taken, wanted[plan.fact]);
    if (values === undefined) {
      if (isFirst(plan)) return undefined;
      continue;
    }
    taken.push(values.value, ...(values.other === undefined ? [] : [values.other]));
    chosen.push({ plan, values, slots: { ...sceneSlots(scene), ...values } });
  }
  return chosen.length >= MIN_FACTS ? chosen : undefined;
}

function distinctValues(
  scene: Scene,
  plan: FactPlan,
  taken: readonly string[],
  given: Wanted | undefined,
): FactValues | undefined {
  for (let attempt = 0; attempt < 20; attempt++) {
    const own = plan.make(scene);
    if (own === undefined) return undefined;
    const values = given === undefined ? own : given(scene, own);
    if (values === undefined) continue;
    const { value, other } = values;
    const clashes = (text: string): boolean => taken.some((before) => overlaps(before, text));
    if (other !== undefined && (overlaps(value, other) || clashes(other))) continue;
    if (!clashes(value)) return values;
  }
  return undefined;
}

interface Written {
  readonly text: string;
  readonly forms: readonly string[];
  readonly stated: ReadonlySet<string>;
  readonly distracted: ReadonlySet<string>;
}

/** Sentences so far, and which facts and distractors they have told. */
class Draft {
  readonly sentences: { readonly text: string; readonly states: readonly string[] }[] = [];
  readonly forms: string[] = [];
  readonly stated = new Set<string>();
  readonly distracted = new Set<string>();
  words = 0;

  /** @param states the kinds of fact whose values the sentence gives */
  add(text: string, forms: readonly string[], states: readonly string[], at = this.sentences.length): void {
    this.sentences.splice(at, 0, { text: capitalize(text), states });
    this.forms.push(...forms);
    for (const kind of states) this.stated.add(kind);
    this.words += wordCount(text);
  }

  get text(): string {
    return this.sentences.map(({ text }) => text).join(' ');
  }
}

function write(scene: Scene, category: Category, chosen: readonly Chosen[], terse: boolean): Written | undefined {
  const { random, bank } = scene;
  const frame = frames()[category.family][bank];
  const byKind = new Map<string, Chosen>(chosen.map((fact) => [fact.plan.fact, fact]));
  const values = Object.fromEntries(chosen.map(({ plan, values: { value } }) => [plan.fact, value]));
  const slots: Slots = { ...values, ...sceneSlots(scene) };
  const draft = new Draft();
  const fits = (form: string): boolean =>
    slotsOf(form).every((slot) => slot in slots && !(byKind.has(slot) && draft.stated.has(slot)));
  const useFrame = (form: string, at?: number): void =>
    draft.add(
      fill(form, slots),
      [form],
      slotsOf(form).filter((slot) => byKind.has(slot)),
      at,
    );

  useFrame(random.pick(frame.opening.filter(fits)));
  if (!terse && random.chance(0.5)) {
    const joint = frame.joint.filter(
      (form) => fits(form) && slotsOf(form).filter((slot) => byKind.has(slot)).length > 1,
    );
    if (joint.length > 0) useFrame(random.pick(joint));
  }
  const rest = random.shuffle(chosen.filter(({ plan }) => !draft.stated.has(plan.fact)));
  if (terse) listFacts(scene, draft, rest);
  else for (const fact of rest) if (draft.words < MAX_WORDS - 14) sayFact(scene, draft, fact);
  addAsides(scene, draft, chosen);
  if (random.chance(0.55)) useFrame(random.pick(frame.closing));
  for (const filler of random.shuffle(frame.filler)) {
    const wants = draft.words < MIN_WORDS || (draft.words < 80 && random.chance(0.3));
    if (wants) useFrame(filler, random.between(1, draft.sentences.length));
  }
  return draft.words < MIN_WORDS || draft.words > MAX_WORDS ? undefined : draft;
}

/** The chance that a value's distractor is told too. */
const DISTRACTION = 0.5;

function pickForm(random: Random, forms: readonly string[], slots: Slots, distract: boolean): string {
  const fitting = forms.filter((form) => slotsOf(form).every((slot) => slot in slots));
  const twoSided = fitting.filter((form) => slotsOf(form).includes('other'));
  const plain = fitting.filter((form) => !slotsOf(form).includes('other'));
  return random.pick(distract && twoSided.length > 0 ? twoSided : plain);
}

function sayFact({ random, bank }: Scene, draft: Draft, { plan, values, slots }: Chosen): void {
  const kind = plan.fact;
  const distract = values.other !== undefined && random.chance(DISTRACTION * 0.6);
  const form = pickForm(random, wordingOf(kind, bank).say, slots, distract);
  draft.add(fill(form, slots), [form], [kind]);
  if (slotsOf(form).includes('other')) draft.distracted.add(kind);
}

const SEPARATORS = ['. ', '; ', ', ', ' | ', ' - '] as const;

/** The facts as a terse listing, which counts as one sentence. */
function listFacts({ random, bank }: Scene, draft: Draft, facts: readonly Chosen[]): void {
  const separator = random.pick(SEPARATORS);
  const forms: string[] = [];
  const entries = facts.map(({ plan, values, slots }) => {
    const distract = values.other !== undefined && random.chance(DISTRACTION * 0.5);
    const form = pickForm(random, wordingOf(plan.fact, bank).list, slots, distract);
    forms.push(form);
    if (slotsOf(form).includes('other')) draft.distracted.add(plan.fact);
    return capitalizeEntry(fill(form, slots), separator);
  });
  const states = facts.map(({ plan }) => plan.fact);
  draft.add(`${entries.join(separator)}.`, forms, states);
}

/** Capitalizes an entry after a full stop, and where it is a label anyway. */
function capitalizeEntry(entry: string, separator: string): string {
  return separator === '. ' || separator === ' | ' ? capitalize(entry) : entry;
}

function addAsides({ random, bank }: Scene, draft: Draft, chosen: readonly Chosen[]): void {
  for (const { plan, values, slots } of random.shuffle(chosen)) {
    const kind = plan.fact;
    if (values.other === undefined || draft.distracted.has(kind) || !draft.stated.has(kind)) continue;
    const asides = wordingOf(kind, bank).aside;
    if (asides.length === 0 || draft.words > MAX_WORDS - 20 || !random.chance(DISTRACTION * 0.5)) continue;
    const form = random.pick(asides);
    const after = draft.sentences.findIndex(({ states }) => states.includes(kind)) + 1;
    const at = random.chance(0.6) ? after : random.between(after, draft.sentences.length);
    draft.add(fill(form, slots), [form], [], at);
    draft.distracted.add(kind);
  }
}

function unanswerable(scene: Scene, category: Category, chosen: readonly Chosen[]): Omit<AdQuestion, 'answer'>[] {
  const present = new Set<string>(chosen.map(({ plan }) => plan.fact));
  const absent = category.plans.filter(({ fact }) => !present.has(fact));
  return scene.random.sample(absent, 2).flatMap((plan) => {
    const values = plan.make(scene);
    if (values === undefined) return [];
    return [makeQuery(scene.random, plan.fact, scene.bank, { ...sceneSlots(scene), ...values })];
  });
}
