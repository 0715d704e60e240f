// How surprising is an answer, with and without a surrogate in front of the document?
import { loadModel, scoreTexts } from 'directed-kvcache';

const model = await loadModel(); // the built-in model; or a folder, or 'google/t5gemma-2-270m-270m'
const document = 'The Corvane desk lamp costs 24 euros, was 31 euros before, and comes in green and white.';
const scores = await scoreTexts(
  model,
  [
    { document, target: '24 euros' },
    { document, prefix: 'What does the lamp cost now?', target: '24 euros' },
  ],
  { maxTokens: 2048 },
);
for (const score of scores) if ('nll' in score) console.log(score.nll.toFixed(3), 'nats per token');
await model.close();
