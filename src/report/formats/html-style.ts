/** How `report.html` looks. */
export const STYLE = `
:root { color: #1c1c1c; background: #fff; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 78rem; margin: 2rem auto 4rem; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .6rem; border-bottom: 1px solid #ddd; padding-bottom: .25rem; }
h3 { font-size: .95rem; margin: 1.3rem 0 .2rem; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1rem; font-size: .9rem; margin: 1rem 0; }
a { color: #005a9c; }
.question { font-size: 1.1rem; color: #444; margin-top: 0; }
.warning { background: #fff4d6; border-left: 4px solid #e0a800; padding: .5rem .8rem; }
.note, figcaption { color: #555; font-size: .88rem; }
.wide { overflow: auto; max-height: 46rem; border-bottom: 1px solid #ddd; margin-bottom: .5rem; }
table { border-collapse: collapse; font-size: .8rem; font-variant-numeric: tabular-nums; margin: .2rem 0 0; }
th, td { padding: .28rem .5rem; text-align: left; white-space: nowrap; border-bottom: 1px solid #eee; }
th { position: sticky; top: 0; background: #fff; box-shadow: inset 0 -2px #999; font-weight: 600; vertical-align: bottom; }
th.number { white-space: normal; min-width: 3.2em; }
td:first-child, th:first-child { position: sticky; left: 0; background: #fff; }
th:first-child { z-index: 1; }
.number { text-align: right; }
.origin td, .conditions td:nth-child(2) { white-space: normal; overflow-wrap: anywhere; }
.conditions td:nth-child(2) { min-width: 12em; }
figure { margin: 1rem 0; overflow-x: auto; }
figure > svg { max-width: 100%; min-width: 620px; height: auto; }
p, li { max-width: 62rem; overflow-wrap: anywhere; }
summary { cursor: pointer; font-size: .9rem; color: #333; padding: .2rem 0; }
@media print { main { max-width: none; } .wide { max-height: none; } nav, .reader { display: none; } }
`;
