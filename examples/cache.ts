// Encode a document once, keep the rows that the decoder may see, and answer two questions from them.
import { buildInput, loadModel, visibleRanges } from 'directed-kvcache';

const { tokenizer, engine, close } = await loadModel();
const texts = { prefix: 'price color', document: 'The Corvane desk lamp costs 24 euros and comes in green.' };
const input = buildInput(tokenizer, texts, 'segments', { maxTokens: 2048 });
const [states] = await engine.encode([input]);
const memory = visibleRanges(input, 'exact').map((range) => ({ states: states!, ...range }));

const questions = ['What does the lamp cost?', 'What color is the lamp?'];
const prompts = questions.map((question) => tokenizer.encode(question));
const answers = await engine.generate(prompts.map((prompt) => ({ memory, prompt, maxTokens: 12 })));
for (const [i, answer] of answers.entries()) console.log(questions[i], '->', tokenizer.decode(answer.tokenIds).trim());
await close();
