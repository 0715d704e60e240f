/**
 * A run as `notebook.ipynb` (nbformat 4.5), executed: the report's content, and Python that recomputes gains from trials.jsonl with pandas
 * and holds them against summary.json. Running it again in the run folder gives the same outputs: tables and figures are files beside it.
 */
import { printable } from '../../base/printable.js';
import type { FinishedRun } from '../../runs/schema/run.js';
import { cohensD, mean } from '../../stats/describe.js';
import { INVERSE_TEMPERATURES } from '../../stats/inverse-temperatures.js';
import type { Block, Section } from '../content/block.js';
import { escapeMarkdown, renderHtml, renderText } from '../tables/table.js';
import { finding } from '../words/headline.js';
import { warnings } from '../words/notes.js';
import { markOf, printSvg } from './images.js';

interface Output {
  readonly output_type: 'display_data' | 'stream';
  readonly [field: string]: unknown;
}

type Cell = Readonly<Record<string, unknown>>;

export function notebook(run: FinishedRun, sections: readonly Section[]): string {
  const { experiment } = run.summary.configuration;
  const mark = markOf(run.summary);
  const cells: Cell[] = [];
  const id = () => `cell-${String(cells.length + 1).padStart(3, '0')}`;
  const markdown = (text: string) => cells.push({ cell_type: 'markdown', id: id(), metadata: {}, source: lines(text) });
  let executed = 0;
  const code = (source: string, outputs: readonly Output[] = []) => {
    executed++;
    cells.push({
      cell_type: 'code',
      execution_count: executed,
      id: id(),
      metadata: {},
      outputs,
      source: lines(source),
    });
  };

  markdown(
    [
      `# ${escapeMarkdown(`${experiment.id}: ${experiment.title}`)}`,
      escapeMarkdown(experiment.question),
      ...warnings(run.summary).map((warning) => `> **${escapeMarkdown(warning)}**`),
      'Made from the run folder’s record. Tables and figures are files beside this notebook; the gains are recomputed below from `trials.jsonl` (or `trials.jsonl.gz`) with pandas and held against `summary.json`. It runs again in the run folder.',
    ].join('\n\n'),
  );
  code(SHOW);
  if (run.trials.length > 0) {
    const sentence = finding(run.summary);
    markdown(
      `## Recomputed from the trials\n\n${sentence ? `${escapeMarkdown(sentence)}\n\n` : ''}Every trial is a row: sample, condition, NLL of each target token.`,
    );
    for (const { source, prints } of recomputations(run)) code(source, [stream(prints)]);
  }
  for (const { title, blocks } of sections) {
    markdown(`## ${title}`);
    for (const block of blocks) {
      const shown = display(block, mark);
      if (typeof shown === 'string') markdown(shown);
      else code(`show(${JSON.stringify(shown.file)})`, [shown.output]);
    }
  }
  return `${JSON.stringify({ cells, metadata: METADATA, nbformat: 4, nbformat_minor: 5 }, null, 1)}\n`;
}

const METADATA = {
  kernelspec: { display_name: 'Python 3', language: 'python', name: 'python3' },
  language_info: { name: 'python' },
};

/** The files that `show` reads, by their names in the run folder. */
export function notebookFiles(sections: readonly Section[], mark: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const block of sections.flatMap(({ blocks }) => blocks)) {
    if (block.kind === 'table') {
      files.set(`tables/${block.name}.html`, renderHtml(block.table));
      files.set(`tables/${block.name}.txt`, renderText(block.table));
    }
    if (block.kind === 'figure') files.set(`figures/${block.name}.svg`, printSvg(block.drawing, mark));
  }
  return files;
}

const SHOW = `from pathlib import Path
from IPython.display import display

def show(name):
    """Shows a table or a figure of this report."""
    path = Path(name)
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".svg":
        display({"image/svg+xml": content, "text/plain": name}, raw=True)
    else:
        plain = path.with_suffix(".txt").read_text(encoding="utf-8")
        display({"text/html": content, "text/plain": plain}, raw=True)`;

function display(block: Block, mark: string): string | { file: string; output: Output } {
  switch (block.kind) {
    case 'text':
      return escapeMarkdown(block.text);
    case 'list':
      return block.items.map((item) => `- ${escapeMarkdown(item)}`).join('\n');
    case 'table':
      return {
        file: `tables/${block.name}.html`,
        output: shownData({ 'text/html': renderHtml(block.table), 'text/plain': renderText(block.table) }),
      };
    case 'figure': {
      const file = `figures/${block.name}.svg`;
      return { file, output: shownData({ 'image/svg+xml': printSvg(block.drawing, mark), 'text/plain': file }) };
    }
  }
}

function shownData(data: Readonly<Record<string, string>>): Output {
  const entries = Object.entries(data).map(([type, content]) => [type, lines(content)]);
  return { output_type: 'display_data', data: Object.fromEntries(entries), metadata: {} };
}

function stream(text: string): Output {
  return { output_type: 'stream', name: 'stdout', text: lines(text) };
}

/** Splits a text into lines that keep their line breaks, as notebooks store text. */
function lines(text: string): string[] {
  return text.split(/(?<=\n)/);
}

const READ = `import gzip
import json
import os
import re
import zlib

import numpy as np
import pandas as pd

def checked(data, before=0):
    """The object in some JSON; a checksum at its end has to be that of the bytes before it, going on from another one."""
    seal = re.search(rb',\\s*"crc32": ?"([0-9a-f]{8})"\\s*}\\s*$', data)
    if seal and int(seal[1], 16) != zlib.crc32(data[:seal.start()], before):
        raise ValueError(f"not what was written: {data[:80]!r}...")
    return json.loads(data.decode("utf-8"))

def nlls(row, of, head):
    """NLLs of a token by column: multiples of a power of two, each told as the difference to a column further to the left."""
    if head["fraction_bits"] is None:
        return np.float32(row).astype(float).tolist()
    multiples, columns = [], {}
    for number, difference in zip(of, row):
        multiples.append(difference + columns.get(head["after"][number], 0))
        columns[number] = multiples[-1]
    return [multiple / 2 ** head["fraction_bits"] for multiple in multiples]

def numbers(digits):
    """Numbers from their lowest digits, the next ones, and so on; each is twice a size, plus 1 for a negative number."""
    values = sum(np.array([int(digit, 16) for digit in text]) << 4 * place for place, text in enumerate(digits))
    return np.where(values % 2, -(values // 2), values // 2).tolist()

def unpacked(lines):
    """A row a trial, of lines that each hold those of a sample, a column a condition. The digits of their NLLs stand together at the end."""
    checked(lines[-1], zlib.crc32(b"".join(lines[:-1])))
    head, *packed = [json.loads(line) for line in lines[:-1]]
    left = iter(numbers(packed.pop()["digits"]) if packed and "digits" in packed[-1] else [])
    rows = []
    for line in packed:
        of = line.get("of", range(len(head["conditions"])))
        taken = [[next(left) for _ in of] for _ in range(line.get("tokens", 0) * (${INVERSE_TEMPERATURES.length} if "tempered" in line else 1))]
        tokens = [nlls(row, of, head) for row in line.get("token_nlls", taken[: line.get("tokens", 0)])]
        for column, number in enumerate(of if tokens else []):
            own = [row[column] for row in tokens]
            total = {"nll": sum(own) / len(own), "num_tokens": len(own), "token_nlls": own}
            rows.append({"sample": line["sample"], "condition": head["conditions"][number], **total})
    return rows

def found(name):
    """The file of that name, compressed or not."""
    return gzip.open(f"{name}.gz", "rb") if os.path.exists(f"{name}.gz") else open(name, "rb")

lines = list(found("trials.jsonl"))
head = json.loads(lines[0])
# Where the first line says which run the trials are of, the others' checksums go on from its own.
before, first = (int(checked(lines[0])["crc32"], 16), 1) if "run" in head else (0, 0)
rows = unpacked(lines) if "packed" in head else [checked(line, before) for line in lines[first:]]
trials = pd.DataFrame([row for row in rows if "nll" in row])
# A row a sample, a column a condition.
nll = trials.pivot(index="sample", columns="condition", values="nll")
summary = checked(found("summary.json").read())
experiment = summary["configuration"]["experiment"]
print(len(trials), "trials of", len(nll), "samples")`;

const NLLS = `for condition in experiment["conditions"]:
    print(f"{condition['name']:32} {nll[condition['name']].mean():8.4f}")`;

const GAINS = `def gains(treatment, baseline):
    """NLL of the baseline less that of the treatment, sample by sample: positive is better."""
    return nll[baseline] - nll[treatment]

print(f"{'condition':32} {'against':16} {'mean':>8} {'d':>7} {'wins':>6}")
for comparison in experiment["comparisons"]:
    values = gains(comparison["treatment"], comparison["baseline"])
    spread = values.std()
    d = values.mean() / spread if spread > 1e-12 * values.abs().max() else float("nan")
    wins = (values > 0).sum()
    print(f"{comparison['treatment']:32} {comparison['baseline']:16} {values.mean():+8.4f} {d:+7.3f} {wins:6}")`;

const HELD_AGAINST = `for comparison in summary["comparisons"]:
    mean = gains(comparison["treatment"], comparison["baseline"]).mean()
    told = comparison["gain"]["mean"]["value"]
    assert abs(mean - told) <= 1e-9 * max(1, abs(told)), comparison
print(len(summary["comparisons"]), "means of summary.json are those of the trials")`;

/** Cells of Python with what they print, computed here in the same way. */
function recomputations({ summary, trials }: FinishedRun): { source: string; prints: string }[] {
  const { conditions, comparisons } = summary.configuration.experiment;
  const columns = new Map<string, Map<string, number>>();
  for (const { sample, condition, nll } of trials) {
    columns.set(condition, (columns.get(condition) ?? new Map()).set(sample, nll));
  }
  const samples = [...new Set(trials.map(({ sample }) => sample))];
  const values = (condition: string) => samples.map((sample) => columns.get(condition)!.get(sample)!);
  const nllLines = conditions.map(({ name }) => `${left(name, 32)} ${mean(values(name)).toFixed(4).padStart(8)}\n`);
  const header = `${left('condition', 32)} ${left('against', 16)} ${'mean'.padStart(8)} ${'d'.padStart(7)} ${'wins'.padStart(6)}\n`;
  const gainLines = comparisons.map(({ treatment, baseline }) => {
    const treated = values(treatment);
    const gains = values(baseline).map((nll, i) => nll - treated[i]!);
    const d = cohensD(gains);
    const wins = gains.filter((gain) => gain > 0).length;
    return `${left(treatment, 32)} ${left(baseline, 16)} ${plus(mean(gains), 4).padStart(8)} ${plus(d, 3).padStart(7)} ${String(wins).padStart(6)}\n`;
  });
  return [
    { source: READ, prints: `${trials.length} trials of ${samples.length} samples\n` },
    { source: NLLS, prints: nllLines.join('') },
    ...(comparisons.length > 0 ? [{ source: GAINS, prints: header + gainLines.join('') }] : []),
    ...(summary.comparisons.length > 0
      ? [
          {
            source: HELD_AGAINST,
            prints: `${summary.comparisons.length} means of summary.json are those of the trials\n`,
          },
        ]
      : []),
  ];
}

/** Formats as Python's `:32` does, which counts characters. */
function left(text: string, width: number): string {
  const shown = printable(text);
  return shown + ' '.repeat(Math.max(0, width - [...shown].length));
}

/** Formats as Python's `:+.4f` does. */
function plus(value: number, digits: number): string {
  if (Number.isNaN(value)) return '+nan';
  return (value >= 0 && !Object.is(value, -0) ? '+' : '') + value.toFixed(digits);
}
