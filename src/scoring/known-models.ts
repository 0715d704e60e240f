/**
 * Checkpoints on the hub that this program reads, for `dkv models list --known`. Weights are counted from the published shapes. The rest was taken from
 * model cards and from listings of the hub that were at hand; what stands in `unchecked` is from memory. Nothing here decides what may be loaded.
 */

type Fact = 'licence' | 'safetensors' | 'tokenizerJson';

export interface KnownModel {
  /** The name as `--model` takes it. */
  readonly name: string;
  readonly family: 't5gemma2' | 't5' | 'bart';
  /** The number of weights that are read. */
  readonly weights: number;
  /** The type in which the repository stores a number; null where that is not known. */
  readonly storedAs: 'F32' | 'BF16' | null;
  readonly licence: string;
  /** True where the hub asks for a token of an account that accepted the licence. */
  readonly gated: boolean;
  /** The place of the safetensors. */
  readonly safetensors: 'yes' | 'in a pull request';
  readonly tokenizerJson: boolean;
  readonly unchecked: readonly Fact[];
}

const GEMMA = {
  family: 't5gemma2',
  storedAs: 'BF16',
  licence: 'gemma',
  gated: true,
  safetensors: 'yes',
  tokenizerJson: true,
  unchecked: [],
} as const;

const OPEN = {
  storedAs: null,
  licence: 'apache-2.0',
  gated: false,
  safetensors: 'yes',
  tokenizerJson: true,
  unchecked: [],
} as const;

export const KNOWN_MODELS: readonly KnownModel[] = [
  { ...GEMMA, name: 'google/t5gemma-2-270m-270m', weights: 368_424_832 },
  { ...GEMMA, name: 'google/t5gemma-2-1b-1b', weights: 1_697_783_168 },
  { ...GEMMA, name: 'google/t5gemma-2-4b-4b', weights: 7_089_112_576 },
  { ...OPEN, family: 't5', name: 'google/flan-t5-small', weights: 76_961_152 },
  { ...OPEN, family: 't5', name: 'google/flan-t5-base', weights: 247_577_856, storedAs: 'F32' },
  { ...OPEN, family: 't5', name: 'google/flan-t5-large', weights: 783_150_080 },
  { ...OPEN, family: 't5', name: 'google/flan-t5-xl', weights: 2_849_757_184, unchecked: ['safetensors'] },
  { ...OPEN, family: 't5', name: 'google-t5/t5-small', weights: 60_506_624, unchecked: ['licence', 'tokenizerJson'] },
  {
    ...OPEN,
    family: 't5',
    name: 'google/mt5-small',
    weights: 300_176_768,
    safetensors: 'in a pull request',
    tokenizerJson: false,
    unchecked: ['licence'],
  },
  { ...OPEN, family: 'bart', name: 'facebook/bart-base', weights: 139_470_681 },
  {
    ...OPEN,
    family: 'bart',
    name: 'facebook/bart-large@refs/pr/4',
    weights: 406_341_721,
    unchecked: ['tokenizerJson'],
  },
  {
    ...OPEN,
    family: 'bart',
    name: 'facebook/bart-large-cnn',
    weights: 406_341_721,
    unchecked: ['licence', 'tokenizerJson'],
  },
];

/** The bytes of the tensors that are read, where the repository's type is known. */
export function knownSizeBytes({ weights, storedAs }: KnownModel): number | null {
  return storedAs && weights * { F32: 4, BF16: 2 }[storedAs];
}
