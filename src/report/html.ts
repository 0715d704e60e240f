/** A run as `report.html`: one file, nothing loaded from anywhere. */
import type { Summary } from '../experiments/analysis.js';
import type { Trial } from '../experiments/journal.js';
import type { RunRecord } from '../experiments/record.js';
import {
  conditionTable,
  FRAMING,
  gainTable,
  HARDNESS_NOTE,
  hardnessTable,
  METHODS,
  sampleNotes,
  warnings,
} from './comparisons.js';
import { origin } from './origin.js';
import { differencePlot, effectPlot, hardnessPlot, legend } from './plots.js';
import { escapeHtml, renderHtml } from './table.js';

export function htmlReport(summary: Summary, trials: readonly Trial[], record: RunRecord): string {
  const { experiment } = summary.configuration;
  const title = `${experiment.id}: ${experiment.title}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<p class="question">${escapeHtml(experiment.question)}</p>
${warnings(summary)
  .map((warning) => `<p class="warning">${escapeHtml(warning)}</p>`)
  .join('\n')}
<h2>Gains</h2>
<p>${escapeHtml(FRAMING)}</p>
<figure>${colourKey(summary)}${effectPlot(summary)}<figcaption>Effect size of each condition against its baseline.</figcaption></figure>
<div class="wide">${renderHtml(gainTable(summary))}</div>
<p class="note">${escapeHtml(METHODS)}</p>
<h2>Paired differences</h2>
<figure>${colourKey(summary)}${differencePlot(summary, trials)}<figcaption>One tick a sample: how much less surprising the answer became.</figcaption></figure>
<h2>Hardness</h2>
<p>${escapeHtml(HARDNESS_NOTE)}</p>
<figure>${colourKey(summary)}${hardnessPlot(summary)}<figcaption>Mean gain by fifth of hardness.</figcaption></figure>
<details><summary>The same in numbers</summary>
<h3>Split tokens</h3><div class="wide">${renderHtml(hardnessTable(summary, 'split'))}</div>
<h3>Coupled (the authors’ axis)</h3><div class="wide">${renderHtml(hardnessTable(summary, 'coupled'))}</div>
</details>
<h2>Conditions</h2>
<div class="wide">${renderHtml(conditionTable(summary))}</div>
<h2>Samples</h2>
<ul>${sampleNotes(summary)
    .map((note) => `<li>${escapeHtml(note)}</li>`)
    .join('\n')}</ul>
<h2>Origin</h2>
<div class="wide origin">${renderHtml(origin(record))}</div>
</main>
</body>
</html>
`;
}

function colourKey(summary: Summary): string {
  const entries = legend(summary).map(
    ({ name, colour }) => `<span><i style="background:${colour}"></i>${escapeHtml(name)}</span>`,
  );
  return `<p class="key">${entries.join('')}</p>`;
}

const STYLE = `
:root { color: #1c1c1c; background: #fff; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 78rem; margin: 2rem auto 4rem; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .5rem; border-bottom: 1px solid #ddd; padding-bottom: .25rem; }
h3 { font-size: 1rem; margin: 1rem 0 .3rem; }
.question { font-size: 1.1rem; color: #444; margin-top: 0; }
.warning { background: #fff4d6; border-left: 4px solid #e0a800; padding: .5rem .8rem; }
.note, figcaption { color: #555; font-size: .88rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .8rem; font-variant-numeric: tabular-nums; margin: .4rem 0; }
th, td { padding: .3rem .5rem; text-align: left; white-space: nowrap; border-bottom: 1px solid #eee; }
th { border-bottom: 2px solid #999; font-weight: 600; }
.number { text-align: right; }
.origin td { white-space: normal; overflow-wrap: anywhere; }
figure { margin: 1rem 0; overflow-x: auto; }
figure svg { max-width: 100%; height: auto; }
p { max-width: 62rem; }
.key { display: flex; gap: 1.2rem; flex-wrap: wrap; font-size: .88rem; margin: 0 0 .2rem; }
.key i { display: inline-block; width: .8em; height: .8em; border-radius: 50%; margin-right: .4em; }
@media print { main { max-width: none; } details { display: block; } }
`;
