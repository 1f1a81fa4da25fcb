/** The style of a report: one sheet, no fonts or pictures from elsewhere, light and dark, wide, narrow and printed. */
export const style = `
:root{--page:#f4f5f7;--card:#fff;--ink:#1c2330;--soft:#5b6577;--line:#dfe3ea;--code:#eef1f5;--accent:#3457d5;
--critical:#b3155b;--high:#c62828;--medium:#a65d00;--low:#17708a;--good:#1b7a3d;--bad:#c62828;--odd:#a65d00;--unknown:#6b4fb3;
--added:#e5f5ea;--removed:#fdeaea;--tint:.1;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--page:#12151c;--card:#1b202a;--ink:#e6e9ef;--soft:#9aa5b8;--line:#2e3543;--code:#252c39;
--accent:#8ea6ff;--critical:#ff6fae;--high:#ff7b72;--medium:#e8a84c;--low:#5cc3de;--good:#5fd08a;--bad:#ff7b72;--odd:#e8a84c;
--unknown:#b79cf5;--added:#173524;--removed:#3d1d20;--tint:.16}}
*{box-sizing:border-box}
html{font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;background:var(--page);color:var(--ink);
-webkit-text-size-adjust:100%}
body{margin:0;padding:2rem 1.25rem 4rem;overflow-wrap:anywhere}
main,header,footer{max-width:62rem;margin:0 auto}
h1{font-size:1.7rem;line-height:1.25;margin:.35rem 0 .6rem;overflow-wrap:anywhere;letter-spacing:-.01em}
h2{font-size:1.15rem;margin:0 0 .9rem;letter-spacing:-.005em}
h3{font-size:1rem;margin:1.4rem 0 .35rem;overflow-wrap:anywhere}
p{margin:.4rem 0;overflow-wrap:anywhere}
.lead{font-size:1.1rem;margin:0 0 .8rem}
.intro,.soft,footer,.meta{color:var(--soft)}
.meta{display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;font-size:.92rem;margin:0;padding:0;list-style:none}
.meta li{overflow-wrap:anywhere;min-width:0}
code{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--code);border-radius:.3em;
padding:.12em .36em;overflow-wrap:anywhere;word-break:break-word;unicode-bidi:isolate;-webkit-box-decoration-break:clone;
box-decoration-break:clone}
section{background:var(--card);border:1px solid var(--line);border-radius:.8rem;padding:1.4rem 1.5rem;margin:1.1rem 0;min-width:0}
.badge{display:inline-block;font-weight:650;font-size:.82rem;letter-spacing:.03em;padding:.22em .8em;border-radius:2em;
border:1px solid currentColor;margin:0 .5em .3em 0;white-space:nowrap}
.critical{color:var(--critical)}.high{color:var(--high)}.medium{color:var(--medium)}.low{color:var(--low)}
.worrying{color:var(--bad)}.notable{color:var(--odd)}.reassuring{color:var(--good)}.unknown{color:var(--unknown)}
.neutral{color:var(--soft)}
header .band{border-left:.42rem solid currentColor;padding:.1rem 0 .1rem 1.1rem;margin-bottom:1.4rem}
header .band>*{color:var(--ink)}header .band .meta{color:var(--soft)}header .band .badge{color:inherit}
.warning{border:1px solid var(--odd);color:var(--odd);border-radius:.6rem;padding:.55rem .9rem;margin:.8rem 0;font-weight:550}
dl.brief{display:grid;grid-template-columns:8.5rem minmax(0,1fr);gap:.55rem 1rem;margin:0}
dl.brief dt{color:var(--soft)}dl.brief dd{margin:0;overflow-wrap:anywhere;min-width:0}
dl.facts{display:grid;grid-template-columns:minmax(6rem,12rem) minmax(0,1fr);gap:.25rem .9rem;margin:.6rem 0 0;font-size:.92rem}
dl.facts dt{color:var(--soft);overflow-wrap:anywhere}dl.facts dd{margin:0;min-width:0;overflow-wrap:anywhere}
ul.points{margin:.5rem 0;padding:0;list-style:none}
ul.points li{padding-left:1.5rem;position:relative;margin:.25rem 0;overflow-wrap:anywhere}
ul.points li::before{position:absolute;left:0;font-weight:700}
li.worrying::before{content:"\\2716";color:var(--bad)}li.notable::before{content:"!";left:.3rem!important;color:var(--odd)}
li.reassuring::before{content:"\\2714";color:var(--good)}li.neutral::before{content:"\\2022";left:.2rem!important;color:var(--soft)}
li.unknown::before{content:"?";left:.2rem!important;color:var(--unknown)}
ul.points li,ul.points li>*{color:var(--ink)}ul.points li.unknown{color:var(--soft)}
.answer{border-top:1px solid var(--line);padding:1rem 0 .9rem;break-inside:avoid-page}
.answer:first-of-type{border-top:0;padding-top:0}.answer:last-child{padding-bottom:0}
.answer h3{margin:0 0 .2rem;font-size:.95rem;color:var(--soft);font-weight:550}
.answer .says{margin:.1rem 0;font-weight:550}
.mark{font-size:.76rem;font-weight:650;margin-left:.55rem;white-space:nowrap}
table{border-collapse:collapse;width:100%;table-layout:fixed;font-size:.93rem}
th{text-align:left;color:var(--soft);font-weight:550;border-bottom:1px solid var(--line);padding:.35rem .6rem .35rem 0;
overflow-wrap:anywhere}
td{vertical-align:top;border-bottom:1px solid var(--line);padding:.45rem .6rem .45rem 0;overflow-wrap:anywhere}
tr:last-child td{border-bottom:0}
tr.added td{background:var(--added)}tr.removed td{background:var(--removed)}
tr.added td:first-child,tr.removed td:first-child{padding-left:.5rem}
.bars{display:grid;grid-template-columns:minmax(0,1fr) 9rem;gap:.45rem 1rem;align-items:center;font-size:.95rem}
.bars svg{width:100%;height:1rem;display:block}.bars span{overflow-wrap:anywhere;min-width:0}
svg.line{width:100%;height:auto;display:block;margin:.2rem 0 1rem}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--soft)}
svg .axis{stroke:var(--line);stroke-width:1}svg .zero{stroke:var(--soft);stroke-dasharray:3 3}
svg .dot{stroke:var(--card);stroke-width:1.5;fill:var(--soft)}
svg .match{fill:var(--accent)}svg .bad{fill:var(--bad)}svg .bar{fill:var(--bad)}svg .barbad{fill:var(--good)}svg .track{fill:var(--code)}
svg.small{display:none}
ol.times{list-style:none;margin:0;padding:0}
ol.times li{display:grid;grid-template-columns:6.4rem minmax(0,1fr);gap:0 1rem;padding:.32rem 0;border-top:1px solid var(--line)}
ol.times li:first-child,ol.times li.day,ol.times li.day+li{border-top:0}
ol.times li>*{min-width:0;overflow-wrap:anywhere}
ol.times li.day{display:block;font-weight:600;font-size:.9rem;padding-top:.7rem}
.why{display:block;font-size:.88rem;color:var(--soft);font-weight:400}
ol.times time{color:var(--soft);font-variant-numeric:tabular-nums;font-size:.9rem}
ol.times .match .why{color:var(--accent);font-weight:600}ol.times .bad .why{color:var(--bad);font-weight:600}
ol.tree,ol.tree ol{list-style:none;margin:0;padding:0}
ol.tree ol{margin-left:.8rem;padding-left:1.1rem;border-left:2px solid var(--line)}
ol.tree li{position:relative;padding:.3rem 0;min-width:0}
ol.tree ol>li::before{content:"";position:absolute;left:-1.1rem;top:1.35rem;width:.8rem;border-top:2px solid var(--line)}
.node{display:block;border:1px solid var(--line);border-radius:.55rem;padding:.45rem .75rem;min-width:0;overflow-wrap:anywhere}
.node.match{border-color:var(--accent);box-shadow:inset .22rem 0 var(--accent)}
.node b{font-weight:620}
.guide h3{margin-top:1.2rem}.guide ul,.guide ol{padding-left:1.3rem}.guide li{margin:.2rem 0;overflow-wrap:anywhere}
.guide pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--code);border-radius:.5rem;padding:.7rem .9rem}
.numbers{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.8rem;margin:0}
.numbers div{border:1px solid var(--line);border-radius:.6rem;padding:.6rem .9rem}
.numbers dt{color:var(--soft);font-size:.88rem}.numbers dd{margin:0;font-size:1.5rem;font-weight:620;line-height:1.3}
footer{font-size:.88rem;margin-top:2rem}
@media (max-width:42rem){body{padding:1.1rem .7rem 3rem}section{padding:1.05rem 1rem;border-radius:.6rem}h1{font-size:1.35rem}
dl.brief,dl.facts{grid-template-columns:minmax(0,1fr);gap:.05rem}dl.brief dd,dl.facts dd{margin-bottom:.55rem}
ol.times li{grid-template-columns:minmax(0,1fr)}svg.wide{display:none}svg.small{display:block}
.bars{grid-template-columns:minmax(0,1fr);gap:.15rem}.bars svg{margin-bottom:.6rem}
table,tbody,tr,td{display:block;width:100%}thead{display:none}tr{border-bottom:1px solid var(--line);padding:.5rem 0}
tr:last-child{border-bottom:0}td{border:0;padding:.12rem 0}
td[data-label]:not([data-label=""])::before{content:attr(data-label) ": ";color:var(--soft)}
ol.tree ol{margin-left:.2rem;padding-left:.7rem}ol.tree ol>li::before{left:-.7rem;width:.5rem}}
@media print{:root{--page:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--code:#f2f2f2;--accent:#2a44a8;--critical:#9c0f4c;
--high:#a31515;--medium:#7a4400;--low:#0d5163;--good:#145c2e;--bad:#a31515;--odd:#7a4400;--unknown:#4d378a;--added:#eef7f0;--removed:#fbeeee;
color-scheme:light}html{font-size:10.5pt}body{padding:0}main,header,footer{max-width:none}
section{border:0;border-top:1px solid var(--line);border-radius:0;padding:.9rem 0;margin:.4rem 0}h2,h3{break-after:avoid}
tr,.node,li{break-inside:avoid}@page{margin:16mm 14mm}}
`;
