/** The options that say as what documents are primed: surrogates, states and what the decoder sees of them; shared by the commands that prime. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Visibility, visibilitySchema } from '../priming/input.js';
import { STATES_PRECISIONS, type StatesPrecision } from '../store/store.js';

export interface VariantOptions {
  readonly surrogate?: readonly string[];
  readonly bare: boolean;
  readonly states: StatesPrecision;
  readonly visibility: Visibility;
  readonly columns: readonly string[];
}

export function addVariantOptions(command: Command): Command {
  return command
    .option(
      '--surrogate <list>',
      'also behind this, such as doc_kw,template; may be repeated (default: each document alone)',
      (list: string, before: readonly string[] | undefined) => [...(before ?? []), list],
    )
    .option('--no-bare', 'do not also keep each document encoded alone')
    .addOption(
      new Option('--states <precision>', 'precision of the states that are kept')
        .choices(STATES_PRECISIONS)
        .default('float32'),
    )
    .option(
      '--visibility <what>',
      'what the decoder will see: exact, published, full, or segments such as bos,document',
      visibility,
      'exact',
    )
    .option('--columns <role=column...>', 'for a table of your own, such as id=sku document=body title=name', []);
}

function visibility(text: string): Visibility {
  for (const value of [text, text.split(',')]) {
    const parsed = visibilitySchema.safeParse(value);
    if (parsed.success) return parsed.data;
  }
  throw new InvalidArgumentError('Expected exact, published, full, or some of bos,prefix,separator,document,eos.');
}
