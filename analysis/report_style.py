"""The style sheet of the HTML report: one column on a telephone, two on a desk, and fit for paper."""

SCREEN = """
:root { --ink: #1f252b; --muted: #66707a; --line: #e3e6e9; --soft: #f6f7f8; --accent: #0072b2; --good: #00745a;
  --bad: #b8480a; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; color: var(--ink); background: #fff; font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto,
  "Helvetica Neue", Arial, sans-serif; }
main, header, footer { max-width: 1080px; margin: 0 auto; padding: 0 28px; }
header { padding-top: 52px; }
h1 { font-size: clamp(1.55rem, 4.2vw, 2.25rem); line-height: 1.2; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 1.28rem; margin: 0 0 12px; padding-top: 16px; border-top: 1px solid var(--line); }
p { margin: 0 0 12px; max-width: 78ch; overflow-wrap: anywhere; }
section { margin: 44px 0 0; }
footer { color: var(--muted); font-size: 0.85rem; margin-top: 52px; padding-top: 14px; padding-bottom: 44px; }
.sub { color: var(--muted); font-size: 1.08rem; margin: 6px 0 22px; }

.verdict { border-left: 4px solid var(--good); background: #eef6f3; padding: 12px 18px; margin: 0 0 24px;
  border-radius: 0 6px 6px 0; }
.verdict.bad { border-color: var(--bad); background: #fbf0e9; }
.verdict.none { border-color: var(--muted); background: var(--soft); }

.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); overflow: hidden;
  border: 1px solid var(--line); border-radius: 6px; margin: 0 0 12px; }
.facts div { padding: 9px 14px; min-width: 0; overflow-wrap: anywhere; margin: 0 -1px -1px 0;
  border-right: 1px solid var(--line); border-bottom: 1px solid var(--line); }
.facts dt { color: var(--muted); font-size: 0.78rem; letter-spacing: 0.03em; }
.facts dd { margin: 0; font-variant-numeric: tabular-nums; }

.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); gap: 20px 28px;
  margin: 14px 0; }
figure { margin: 0; min-width: 0; }
figure img { width: 100%; height: auto; display: block; }
figcaption, .note { color: var(--muted); font-size: 0.89rem; line-height: 1.45; margin-top: 4px; }

table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.92rem; margin: 0 0 14px;
  max-width: 100%; }
th, td { text-align: left; padding: 5px 16px 5px 0; border-bottom: 1px solid var(--line); vertical-align: baseline; }
th { color: var(--muted); font-weight: 600; font-size: 0.84rem; }
td { overflow-wrap: anywhere; }
td.n, th.n { text-align: right; white-space: nowrap; }
td:last-child, th:last-child { padding-right: 0; }
td.bad { color: var(--bad); font-weight: 700; }
.tables { display: flex; flex-wrap: wrap; gap: 0 56px; align-items: flex-start; }
.tables > div { min-width: 0; }
.comparisons { columns: 2 440px; column-gap: 44px; }
.comparisons table { width: 100%; font-size: 0.86rem; }
.comparisons td, .comparisons th { padding-right: 10px; }
.comparisons td:first-child { white-space: nowrap; }
.comparisons tr { break-inside: avoid; }
.bar { display: inline-block; width: 48px; height: 9px; position: relative; background: var(--soft); margin-left: 8px; }
.bar i { position: absolute; top: 0; bottom: 0; background: var(--accent); opacity: 0.75; }
.bar b { position: absolute; left: 50%; top: -1px; bottom: -1px; width: 1px; background: var(--muted); }
td.bad .bar i { background: var(--bad); }
"""

# Below 600 px a wide table becomes a list: the name of a row, and its cells below with the name of their column.
TELEPHONE = """
@media (max-width: 600px) {
  main, header, footer { padding-left: 16px; padding-right: 16px; }
  header { padding-top: 26px; }
  body { font-size: 15px; }
  section { margin-top: 30px; }
  .facts { grid-template-columns: 1fr 1fr; }
  table.stack, .stack tbody { display: block; width: 100%; }
  .tables > div { width: 100%; }
  .stack tr { display: block; padding: 7px 0; border-bottom: 1px solid var(--line); }
  .stack th ~ th { display: none; }
  .stack td, .stack th { display: block; border: 0; padding: 1px 0; }
  .stack td:first-child { font-weight: 600; }
  .stack td.n { display: flex; justify-content: space-between; }
  .stack td.n::before { content: attr(data-label); color: var(--muted); font-weight: 400; }
  .bar { display: none; }
}
"""

PAPER = """
@media print {
  header { padding-top: 0; }
  figure, tr { break-inside: avoid; }
  h2 { break-after: avoid; }
}
"""

STYLE = SCREEN + TELEPHONE + PAPER
