/** What all records of a generation have in common: the model that made them, and how their states are kept. Whoever packs asks it of every record. */
import { DkvError } from '../../base/errors.js';
import { headerIn } from '../records/record.js';
import type { Manifest } from './manifest.js';

/** What all records of a generation have in common. */
export type Kind = Pick<Manifest['model'], 'fingerprint' | 'precision'> &
  Pick<Manifest['states'], 'width'> & {
    readonly states: Manifest['states']['precision'];
  };

export class ModelKinds {
  #kind: Kind | undefined;
  #visibility: Manifest['states']['visibility'] | undefined;

  /**
   * @param bytes were checked when they were read
   * @throws DkvError STORE_MISMATCH for a record of another kind than those before
   */
  expect(bytes: Uint8Array, id: string): void {
    const { fingerprint, modelPrecision: precision, precision: states, visibility, width } = headerIn(bytes);
    this.add({ fingerprint, precision, states, width }, visibility, `Document ${JSON.stringify(id)}`);
  }

  /**
   * @param called what is of this kind, for messages
   * @throws DkvError STORE_MISMATCH for another kind than those before
   */
  add(own: Kind, visibility: Manifest['states']['visibility'], called: string): void {
    this.#kind ??= own;
    this.#expectSame(own, this.#kind, called);
    if (this.#visibility === undefined) this.#visibility = visibility;
    else if (JSON.stringify(this.#visibility) !== JSON.stringify(visibility)) this.#visibility = null;
  }

  /** @throws DkvError STORE_MISMATCH for another kind than the parent's; INPUT_INVALID where there is neither */
  facts(parent: Manifest | undefined): {
    readonly model: Omit<Manifest['model'], 'name'>;
    readonly states: Manifest['states'];
  } {
    const before: Kind | undefined = parent && {
      fingerprint: parent.model.fingerprint,
      precision: parent.model.precision,
      states: parent.states.precision,
      width: parent.states.width,
    };
    const kind = this.#kind ?? before;
    if (!kind) throw new DkvError('INPUT_INVALID', 'The store has no document to pack. Prime some into it.');
    if (before) this.#expectSame(kind, before, 'What changed');
    const own = this.#visibility;
    const isSame = !parent || own === undefined || JSON.stringify(own) === JSON.stringify(parent.states.visibility);
    const visibility = isSame ? (own ?? parent?.states.visibility ?? null) : null;
    return {
      model: { fingerprint: kind.fingerprint, precision: kind.precision },
      states: { precision: kind.states, width: kind.width, visibility, codebook: null },
    };
  }

  #expectSame(own: Kind, expected: Kind, called: string): void {
    const differing = (Object.keys(expected) as (keyof Kind)[]).filter((fact) => own[fact] !== expected[fact]);
    if (differing.length === 0) return;
    const shown = differing.map(
      (fact) => `${fact} ${String(own[fact]).slice(0, 12)} instead of ${String(expected[fact]).slice(0, 12)}`,
    );
    throw new DkvError(
      'STORE_MISMATCH',
      `${called} was primed otherwise than the rest: ${shown.join(', ')}. A generation is of one model: prime the documents again, or pack a base.`,
    );
  }
}
