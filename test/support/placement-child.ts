/**
 * Loads graphs of a compiled model with the runtime's log at its most detailed, which goes to stderr and says where each node is placed: JSON of the model, of
 * the target and of names. What a session says stands behind a line with its graph's name.
 */
import { writeSync } from 'node:fs';
import { onnxRuntime } from '../../src/engine/onnxruntime.js';
import { type CompiledModel, GRAPHS, graphOver } from '../../src/model/compiled.js';
import { buildLogits, buildTempered } from '../../src/model/graph/decoder.js';
import type { Target } from '../../src/model/graph/target.js';

const [model, target, names] = process.argv.slice(2).map((json) => JSON.parse(json)) as [
  CompiledModel,
  Target,
  (keyof typeof GRAPHS | 'logits' | 'tempered')[],
];
const runtime = onnxRuntime();
runtime.env.logLevel = 'verbose';
for (const name of names) {
  writeSync(2, `\ngraph ${name}\n`);
  const bytes = await graphOver(model, { ...GRAPHS, logits: buildLogits, tempered: buildTempered }[name], target);
  const session = await runtime.InferenceSession.create(bytes, {
    executionProviders: [target.device, 'cpu'],
    logSeverityLevel: 0,
    extra: { session: { model_external_initializers_file_folder_path: model.directory } },
  });
  await session.release();
}
process.exit(0);
