/**
 * The script of the reader of samples, as it runs in the page. It reads the data element and writes texts as text, never as HTML, so that no
 * sample can change the page.
 */
export const READER_SCRIPT = `
(() => {
  'use strict';
  const data = JSON.parse(document.getElementById('reader-data').textContent);
  const root = document.getElementById('reader');
  const bytes = Uint8Array.from(atob(data.nlls), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const width = data.conditions.length;
  const offsets = [];
  let end = 0;
  for (const sample of data.samples) { offsets.push(end); end += sample.n * width; }
  const nllsOf = (s, condition) => Array.from({ length: data.samples[s].n }, (_, t) =>
    view.getUint16(2 * (offsets[s] + condition * data.samples[s].n + t), true) / 1000);
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  const signed = (x, digits) => (x > 0 ? '+' : '') + x.toFixed(digits).replace('-', '\\u2212');

  const element = (tag, properties, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(properties || {})) node[name] = value;
    node.append(...children);
    return node;
  };
  const choice = (label, options, chosen) => {
    const select = element('select', {}, ...options.map((name, i) => element('option', { value: i, textContent: name })));
    select.selectedIndex = chosen;
    select.addEventListener('change', update);
    return [element('label', { textContent: label + ' ' }, select), select];
  };
  const [first, treatment] = choice('Condition', data.conditions, data.first[0]);
  const [second, baseline] = choice('against', data.conditions, data.first[1]);
  const [third, order] = choice('sorted by', ['help and harm in turn', 'largest gain', 'largest loss', 'largest change', 'sample'], 0);
  const search = element('input', { type: 'search', placeholder: 'search', ariaLabel: 'search in samples' });
  search.addEventListener('input', update);
  const list = element('div', { className: 'samples' });
  const more = element('button', { type: 'button', textContent: 'show more' });
  const info = element('p', { className: 'note' });
  const STRONG = 2;
  const legend = element('p', { className: 'scale' }, 'token worse by ' + STRONG + ' nats ', element('i'), ' better by ' + STRONG + ' nats');
  root.append(element('p', { className: 'controls' }, first, second, third, search), legend, info, list, more);

  const PAGE = 25;
  let shown = [];
  let count = 0;
  more.addEventListener('click', () => append());

  function update() {
    const [t, b] = [treatment.selectedIndex, baseline.selectedIndex];
    const wanted = search.value.toLowerCase();
    // One order of them all, from which the first and the last are taken in turn.
    const inTurn = (sorted) => sorted.map((_, i) => (i % 2 === 0 ? sorted[i / 2] : sorted[sorted.length - (i + 1) / 2]));
    const orders = [
      (x, y) => y.gain - x.gain,
      (x, y) => y.gain - x.gain,
      (x, y) => x.gain - y.gain,
      (x, y) => Math.abs(y.gain) - Math.abs(x.gain),
      (x, y) => (x.sample.id < y.sample.id ? -1 : 1),
    ];
    shown = data.samples
      .map((sample, s) => ({ sample, s, gain: mean(nllsOf(s, b)) - mean(nllsOf(s, t)) }))
      .filter(({ sample }) => [sample.id, sample.query, sample.answer, sample.document]
        .some((text) => text !== undefined && text.toLowerCase().includes(wanted)))
      .sort(orders[order.selectedIndex]);
    if (order.selectedIndex === 0) shown = inTurn(shown);
    info.textContent = shown.length + ' samples; the first condition is better on ' + shown.filter(({ gain }) => gain > 0).length + '.';
    list.replaceChildren();
    count = 0;
    append();
  }

  function append() {
    for (const entry of shown.slice(count, count + PAGE)) list.append(row(entry));
    count = Math.min(shown.length, count + PAGE);
    more.hidden = count >= shown.length;
  }

  function row({ sample, s, gain }) {
    const title = sample.query === undefined ? '' : sample.query;
    const grade = sample.grade === undefined ? '' : 'grade ' + sample.grade;
    const details = element('details', {}, element('summary', {},
      element('b', { textContent: signed(gain, 3), className: gain < 0 ? 'worse' : 'better' }),
      element('span', { className: 'id', textContent: sample.id }),
      element('span', { className: 'grade', textContent: grade }),
      element('span', { className: 'query', dir: 'auto', textContent: title })));
    details.addEventListener('toggle', () => {
      if (details.open && details.children.length === 1) details.append(...body(sample, s));
    });
    return details;
  }

  function body(sample, s) {
    const parts = [];
    const line = (name, text) => parts.push(element('div', { className: 'part' },
      element('span', { className: 'name', textContent: name }), element('div', { dir: 'auto', className: 'text', textContent: text })));
    if (sample.query !== undefined) {
      line('query', sample.query);
      if (sample.answer !== '') line('answer', sample.answer);
      const end = sample.cut ? ' \\u2026 (the rest is in samples.jsonl)' : '';
      parts.push(element('details', { className: 'document' }, element('summary', { textContent: 'document' }),
        element('div', { dir: 'auto', className: 'text', textContent: sample.document + end })));
    }
    const treated = nllsOf(s, treatment.selectedIndex);
    const before = nllsOf(s, baseline.selectedIndex);
    const tokens = treated.map((nll, t) => {
      const gain = before[t] - nll;
      const text = sample.target === undefined ? String(t + 1) : sample.target[t] === undefined ? '\\u25a1' : sample.target[t];
      const token = element('span', {
        className: 'token',
        textContent: text.replaceAll('\\n', '\\u21b5') || '\\u25a1',
        title: signed(gain, 3) + ' nats: ' + before[t].toFixed(3) + ' \\u2192 ' + nll.toFixed(3),
      });
      const strength = Math.min(1, Math.abs(gain) / STRONG) * 0.65;
      token.style.backgroundColor = 'rgb(' + (gain < 0 ? '213 94 0' : '0 114 178') + ' / ' + strength.toFixed(3) + ')';
      return token;
    });
    parts.push(element('div', { className: 'part' }, element('span', { className: 'name', textContent: 'target' }),
      element('div', { dir: 'auto', className: 'text target' }, ...tokens)));
    return parts;
  }

  update();
})();
`;

export const READER_STYLE = `
.controls { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; max-width: none; }
.controls select, .controls input, .reader button { font: inherit; font-size: .88rem; padding: .15rem .3rem; max-width: 22rem; }
.scale { font-size: .85rem; color: var(--pale); }
.scale i { display: inline-block; width: 9rem; height: .8rem; vertical-align: middle;
  background: linear-gradient(to right, rgb(213 94 0 / .65), var(--paper) 50%, rgb(0 114 178 / .65)); border: 1px solid var(--line); }
.samples > details { border-bottom: 1px solid var(--faint); padding: .2rem 0; }
.samples > details > summary { display: flex; gap: .8rem; align-items: baseline; }
.samples > details > summary::before { content: '\\25b8'; color: var(--pale); }
.samples > details[open] > summary::before { content: '\\25be'; }
.samples b { font-variant-numeric: tabular-nums; min-width: 4rem; text-align: right; flex: none; }
.samples .better { color: var(--better); }
.samples .worse { color: var(--worse); }
.samples .id { color: var(--pale); font-size: .8rem; flex: 0 1 auto; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 24rem; }
.samples .grade { color: var(--pale); font-size: .8rem; flex: none; }
.samples .grade:empty { display: none; }
.samples .query { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
@media (max-width: 640px) { 
  .samples > details > summary { flex-wrap: wrap; gap: 0 .8rem; }
  .samples .id { max-width: 15rem; white-space: normal; overflow-wrap: anywhere; }
  .samples .query { white-space: normal; overflow-wrap: anywhere; flex: 1 0 100%; padding-left: 1.4rem; box-sizing: border-box; } }
.part { display: flex; gap: .8rem; margin: .25rem 0 .25rem 1rem; }
.part .name { color: var(--pale); font-size: .85rem; flex: 0 0 4rem; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; max-width: 58rem; unicode-bidi: isolate; }
.document { margin: .25rem 0 .25rem 1rem; }
.document .text { font-size: .9rem; background: var(--shade); padding: .5rem .8rem; max-height: 24rem; overflow: auto; }
.token { border-radius: 2px; border-bottom: 1px solid var(--line); margin-right: 1px; padding: .1rem 0; cursor: help; }
.reader button { margin-top: .6rem; }
.reader button[hidden] { display: none; }
`;
