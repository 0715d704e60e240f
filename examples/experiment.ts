// Experiment 01 on a few advertisements, and the effect of each condition.
import { EXPERIMENTS, loadModel, openDataset, runExperiment, writeReports } from 'directed-kvcache';

const directory = process.argv[2] ?? 'results/example';
const model = await loadModel();
const dataset = await openDataset('adworld', { seed: 42, count: 12 });
const summary = await runExperiment(EXPERIMENTS.exp01!, dataset, model, { directory, resume: true, maxTokens: 2048 });
for (const { treatment, gain } of summary.comparisons) console.log(treatment, gain.mean.value?.toFixed(3), 'nats');
console.log(await writeReports(directory, summary));
await model.close();
