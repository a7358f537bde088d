/** Light and dark by the reader's own setting; nothing is fetched. */
export const STYLE = `
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --ink: #1b2430; --faint: #5d6b7c; --line: #dfe4ea; --accent: #0a7d5c;
--good: #0a7d5c; --bad: #c2332b; --warn: #9a6700; --frozen: #a4afbb; --alone: #e0a030 }
@media (prefers-color-scheme: dark) { :root { --page: #11161c; --card: #1a2129; --ink: #e6ebf1; --faint: #9aa8b7; --line: #323c48;
--accent: #3ecf9d; --good: #3ecf9d; --bad: #ff7b72; --warn: #e3b341; --frozen: #6b7683; --alone: #d9a441 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink);
font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
main { max-width: 1080px; margin: 0 auto; padding: 40px 20px 64px }
h1 { font-size: 2.1rem; line-height: 1.2; margin: 0 0 8px; letter-spacing: -0.02em }
h2 { font-size: 1.2rem; margin: 0 0 4px }
p { margin: 0 0 12px }
.lead { font-size: 1.08rem; max-width: 74ch }
.note, figcaption, .hint { color: var(--faint); font-size: .9rem }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 20px 22px; margin-top: 20px; min-width: 0 }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(148px, 1fr)); gap: 12px; margin-top: 24px }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 18px }
.tile b { display: block; overflow-wrap: anywhere; font-size: 1.5rem; line-height: 1.25; font-variant-numeric: tabular-nums;
letter-spacing: -0.02em }
.tile span { color: var(--faint); font-size: .88rem }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(430px, 100%), 1fr)); gap: 0 20px }
svg { display: block; width: 100%; height: auto }
ul.checks { list-style: none; margin: 10px 0 0; padding: 0 }
ul.checks li { display: grid; grid-template-columns: 74px 1fr auto; gap: 12px; padding: 7px 0; border-top: 1px solid var(--line);
align-items: baseline }
ul.checks .detail { color: var(--faint); font-size: .9rem; text-align: right; overflow-wrap: anywhere }
.mark { font-weight: 600; font-size: .82rem; border-radius: 99px; padding: 1px 10px; text-align: center; border: 1px solid currentColor }
.good { color: var(--good) } .bad { color: var(--bad) } .missed { color: var(--warn) }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .93rem }
th { text-align: right; color: var(--faint); font-weight: 500; padding: 6px 10px; white-space: nowrap }
td { text-align: right; padding: 8px 10px; border-top: 1px solid var(--line); white-space: nowrap }
th:first-child, td:first-child { text-align: left; padding-left: 0 }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: .88rem; color: var(--faint); margin: 4px 0 6px }
svg.swatch { display: inline-block; width: 12px; height: 12px; margin-right: 6px; vertical-align: -1px }
.legend i { display: inline-block; width: 12px; height: 12px; margin-right: 6px; vertical-align: -1px }
.legend i.stroke { height: 0; width: 20px; border-top: 2.5px solid var(--faint); border-radius: 0; vertical-align: 4px }
.legend i.dash { border-top-style: dashed; border-top-width: 1.5px }
.strip { display: grid; grid-template-columns: repeat(4, 1fr); gap: 12px; margin: 12px 0 20px }
.strip figure { margin: 0 }
dl { margin: 8px 0 0 } dt { font-weight: 600 } dd { margin: 0 0 8px; color: var(--faint) }
.verdict { border-top: 1px solid var(--line); padding-top: 10px; margin-top: 10px }
.verdict h3 { font-size: 1.02rem; margin: 0 0 2px }
.verdict p { margin: 0; max-width: 80ch } .alarm { color: var(--bad); font-weight: 600 }
.fold { margin-top: 28px } .fold > summary { cursor: pointer; font-weight: 600; padding: 8px 0 }
.chart { overflow-x: auto } .swipe { display: none }
.shot { background: #000; border-radius: 8px }
.strip figcaption { margin-top: 4px }
table.stack td { white-space: normal; text-align: left; overflow-wrap: anywhere; vertical-align: top }
table.stack th { text-align: left }
.notice { border-left: 4px solid var(--warn); padding: 2px 0 2px 14px; margin: 14px 0 }
.notice h3 { font-size: 1.02rem; margin: 0 } .notice p { margin: 2px 0; max-width: 84ch; overflow-wrap: anywhere }
.banner { background: var(--warn); color: var(--card); border-radius: 12px; padding: 10px 18px; margin: 12px 0; font-weight: 600 }
.ledger { font-size: .9rem }
@media (max-width: 640px) { .chart svg { min-width: 560px } .swipe { display: block } .strip { grid-template-columns: repeat(2, 1fr) }
ul.checks li { grid-template-columns: 74px 1fr } ul.checks
.detail { grid-column: 2; text-align: left } main { padding: 24px 12px 48px } .card { padding: 14px 14px }
table.stack thead { display: none } table.stack tr { display: block; border-top: 1px solid var(--line); padding: 8px 0 }
table.stack td { display: grid; grid-template-columns: 9.5em 1fr; border: 0; padding: 2px 0 }
table.stack td::before { content: attr(data-label); color: var(--faint) } }
@media print { .card, .tile { break-inside: avoid } }
`
