/** How `report.html` looks. */
export const STYLE = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1c1c; --pale: #555; --line: #ddd; --faint: #eee; --rule: #999; --link: #005a9c;
  --warning: #fff4d6; --better: #005a8c; --worse: #a84900; --shade: #f7f7f7; color: var(--ink); background: var(--paper); font: 16px/1.5 system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181b; --ink: #e6e6e6; --pale: #aaa; --line: #3a3d42; --faint: #2a2d31; --rule: #777;
  --link: #7cc0ff; --warning: #3a300f; --better: #6fb9ea; --worse: #f0955a; --shade: #202327; } }
main { max-width: 78rem; margin: 2rem auto 4rem; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .6rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
h3 { font-size: .95rem; margin: 1.3rem 0 .2rem; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1rem; font-size: .9rem; margin: 1rem 0; }
a { color: var(--link); }
.question { font-size: 1.1rem; color: var(--pale); margin-top: 0; }
.warning { background: var(--warning); border-left: 4px solid #e0a800; padding: .5rem .8rem; }
.note, figcaption { color: var(--pale); font-size: .88rem; }
.wide { overflow: auto; max-height: 46rem; border-bottom: 1px solid var(--line); margin-bottom: .5rem; }
table { border-collapse: collapse; font-size: .8rem; font-variant-numeric: tabular-nums; margin: .2rem 0 0; }
th, td { padding: .28rem .5rem; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--faint); }
th { position: sticky; top: 0; background: var(--paper); box-shadow: inset 0 -2px var(--rule); cursor: pointer; font-weight: 600; vertical-align: bottom; }
th[aria-sort]::after { content: ' \\25b4'; }
th[aria-sort=descending]::after { content: ' \\25be'; }
wbr { display: none; }
@media (max-width: 640px) { wbr { display: inline; } td:first-child, th:first-child { min-width: 7em; max-width: 9.5em; white-space: normal; overflow-wrap: anywhere; } main { padding: 0 .8rem; } }
th.number { white-space: normal; min-width: 5em; }
td:first-child, th:first-child { position: sticky; left: 0; background: var(--paper); }
th:first-child { z-index: 1; }
.number { text-align: right; }
.origin td, .conditions td:nth-child(3) { white-space: normal; overflow-wrap: anywhere; }
.conditions td:nth-child(3) { min-width: 12em; }
figure { margin: 1rem 0; }
figure svg[viewBox] { display: block; width: 100%; height: auto; }
.narrow { display: none; }
@media (max-width: 720px) { .broad { display: none; } .narrow { display: block; } }
p, li { max-width: 62rem; overflow-wrap: anywhere; }
summary { cursor: pointer; font-size: .9rem; color: inherit; padding: .2rem 0; }
@media print { main { max-width: none; } .broad { display: block; } .narrow { display: none; } .wide { max-height: none; } nav, .reader { display: none; } }
`;
