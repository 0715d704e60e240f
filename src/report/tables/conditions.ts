/** Every condition of a run: what it is, and its mean NLL. */
import type { Condition } from '../../priming/condition.js';
import { surrogate as surrogateOf } from '../../priming/surrogate.js';
import type { Summary } from '../../runs/schema/summary.js';
import { fixed, percent } from '../words/format.js';
import { conditionOf, describeVisibility, documentForm, isDeployable } from '../words/labels.js';
import { number, type Table, text } from './table.js';

/** Mean NLL of every condition. */
export function conditionTable({ configuration: { experiment, model }, conditions }: Summary): Table {
  return {
    columns: [
      text('condition'),
      number('mean NLL, nats/token'),
      text('prefix'),
      text('document'),
      text('decoder sees'),
      text('deployable'),
      number('target leak %'),
      number('prefix tokens'),
      number('document tokens'),
    ],
    rows: conditions.map(({ name, nll, prefix_tokens, document_tokens, leak }) => {
      const condition = conditionOf(experiment, name);
      const { surrogate, also, prompt } = condition;
      return [
        name,
        fixed(nll, 3),
        surrogate ? surrogateOf(surrogate).about : 'none',
        documentForm(condition),
        describeVisibility(condition, model.segments) +
          (also ? ', with rows of another encode' : '') +
          ownPrompt(prompt),
        isDeployable(experiment, name) ? 'yes' : 'no',
        percent(leak),
        fixed(prefix_tokens, 1),
        fixed(document_tokens, 1),
      ];
    }),
  };
}

/** The words for a condition whose decoder reads something else before the target than the experiment says. */
function ownPrompt(prompt: Condition['prompt']): string {
  if (prompt === undefined) return '';
  return prompt === 'query' ? '; the query before the target' : '; nothing before the target';
}
