/** The style of what pages are made of: cards, lists, tables, forms. */
export const PARTS: string = `
.head{display:flex;flex-wrap:wrap;align-items:baseline;justify-content:space-between;gap:.25rem 1rem;margin-bottom:.75rem}
.head p{margin:0}
.back{margin:0 0 .5rem;font-size:.9rem}.back a{text-decoration:none}
.card{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.1rem 1.25rem;margin:0 0 1rem}
.card>h2:first-child{margin-bottom:.75rem}
.notice{background:var(--accent-soft);color:var(--fg);border-radius:.6rem;padding:.7rem 1rem;margin:0 0 1rem}
.notice.done{background:var(--pass);color:var(--on-pass)}.notice.done:focus{outline:none}
.advice{border-left:4px solid var(--accent);margin-top:1rem}.advice pre{margin:.5rem 0}.advice blockquote{margin-top:0}.advice>.hint{margin-bottom:.25rem}
.notice.warn{background:var(--warn);color:var(--on-warn)}
.empty{background:var(--card);border:1px dashed var(--edge);border-radius:.75rem;padding:2rem 1rem;text-align:center;color:var(--soft)}
.card .empty{background:none;margin:0;padding:1.25rem 1rem}
.none{margin:0}

.badges{display:flex;flex-wrap:wrap;gap:.35rem;align-items:center}
.badge{display:inline-block;font-size:.78rem;font-weight:600;line-height:1.5;padding:.05rem .55rem;border-radius:1rem;white-space:nowrap;text-decoration:none}
a.badge:hover{text-decoration:underline}
.badge.plain{background:var(--well);color:var(--soft);border:1px solid var(--line)}

.letters{list-style:none;margin:0;padding:0;background:var(--card);border:1px solid var(--line);border-radius:.75rem;overflow:hidden}
.letter{position:relative;display:grid;grid-template-columns:minmax(0,1fr) auto;gap:.1rem 1rem;padding:.7rem 1.1rem;align-items:center}
.letter+.letter{border-top:1px solid var(--line)}
.letter:hover{background:var(--well)}
.letter>a{font-weight:600;color:var(--fg);text-decoration:none}
.letter>a::after{content:"";position:absolute;inset:0}
.letter>a:focus-visible{outline:0}.letter>a:focus-visible::after{outline:2px solid var(--accent);outline-offset:-3px;border-radius:.6rem}
.letter>a samp{font-weight:600}
.letter>a>bdi{display:-webkit-box;-webkit-line-clamp:2;-webkit-box-orient:vertical;overflow:hidden}
.letter .to{color:var(--soft);font-size:.9rem;grid-row:2}
#troubles{margin-top:2.5rem}
.letter.trouble details,.letter.trouble samp{grid-column:1/-1}.letter.trouble samp{overflow-wrap:anywhere}.letter.trouble details{grid-row:3}
.letter .badges{justify-content:flex-end}.letter a.badge{position:relative;z-index:1}
.letter .when{color:var(--soft);font-size:.82rem;text-align:right;grid-row:2;font-variant-numeric:tabular-nums}
@media (max-width:40rem){.letter{grid-template-columns:minmax(0,1fr);gap:.25rem;padding:.7rem .9rem}.letter .to,.letter .when{grid-row:auto;text-align:left}.letter .badges{justify-content:flex-start}}

.pager{display:flex;justify-content:center;align-items:center;gap:1.25rem;margin:1.25rem 0;font-size:.9rem}
.pager a{padding:.35rem .6rem}.pager .off{padding:.35rem .6rem}

.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(13rem,100%),1fr));gap:.6rem 1.5rem;margin:1rem 0}
.facts dt{font-size:.8rem;color:var(--soft)}.facts dd{margin:0}
.tabs{margin:1.25rem 0 1rem;border-bottom:1px solid var(--line)}
.tabs ul{flex-wrap:wrap}
.tabs ul,.presets{list-style:none;display:flex;gap:.25rem;margin:0;padding:0}
.tabs a{display:block;white-space:nowrap;padding:.5rem .75rem;color:var(--soft);text-decoration:none;border-bottom:2px solid transparent;font-size:.94rem}
.tabs a:hover{color:var(--accent);border-color:var(--accent)}
.tabs a:focus-visible{outline-offset:-2px}
.presets{flex-wrap:wrap;margin-bottom:1rem}
.presets a{display:block;padding:.3rem .8rem;border:1px solid var(--line);border-radius:1rem;text-decoration:none;color:var(--fg);background:var(--card);font-size:.9rem}
.presets a:hover{border-color:var(--edge)}
.presets a[aria-current]{background:var(--accent-soft);color:var(--accent);border-color:var(--accent);font-weight:600}

.scroll{overflow-x:auto;border-radius:.4rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;font-weight:400;padding:.5rem .75rem;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:normal}
th bdi{overflow-wrap:anywhere}
thead th{font-size:.8rem;color:var(--soft);white-space:nowrap}
tbody tr:last-child>*{border-bottom:0}
th:first-child,td:first-child{padding-left:.25rem}th:last-child,td:last-child{padding-right:.25rem}
td p{margin:.1rem 0}
.list{min-width:34rem}.addresses th[scope=row]{min-width:16rem}section:not(.card)>.scroll{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:.25rem 1rem}
td.do{text-align:right;width:1%}
@media (max-width:40rem){
.list.stack,.stack tbody,.stack tr,.stack th,.stack td{display:block;min-width:0;width:auto}
.stack thead{display:none}
.stack tr{padding:.7rem 0}.stack tr+tr{border-top:1px solid var(--line)}
.stack tbody th[scope=row],.stack tbody td{border:0;padding:.15rem 0;text-align:left;min-width:0;overflow-wrap:anywhere}
.stack th[scope=row]{font-weight:600}
.stack td[data-label]::before{content:attr(data-label) ": ";color:var(--soft);font-size:.85rem}
.stack td:empty{display:none}.stack td.do{padding-top:.4rem}
}
.golden th[data-api]::after{content:" · " attr(data-api);color:var(--soft);font-size:.8em}
.fields{margin:0;display:grid;gap:.35rem}.fields div{display:grid;grid-template-columns:6rem minmax(0,1fr);gap:.15rem 1rem}.fields dt{color:var(--soft)}.fields dd{margin:0}.fields dd br:last-child{display:none}
@media (max-width:40rem){.fields div{grid-template-columns:minmax(0,1fr)}}
details.others{margin-top:.75rem;border-top:1px solid var(--line);padding-top:.6rem}.others summary,.reader summary{cursor:pointer;color:var(--soft)}
ol.verdicts{list-style:none;margin:0;padding:0}
.verdicts li{display:grid;grid-template-columns:9.5rem 14rem minmax(0,1fr);gap:.25rem 1rem;padding:.7rem 0}
.verdicts li+li{border-top:1px solid var(--line)}
.verdicts p{margin:0}.verdicts .soft{font-size:.85rem}
@media (max-width:64rem){.verdicts li{grid-template-columns:auto minmax(0,1fr)}.verdicts .found{grid-column:1/-1}}
blockquote{margin:.35rem 0 0;padding-left:.75rem;border-left:3px solid var(--line);color:var(--soft);font-size:.9rem}
.golden th,.golden td{padding:.55rem .6rem;font-variant-numeric:tabular-nums}
.golden td,.golden thead th:not(:first-child){text-align:right;white-space:nowrap}
.golden [data-state=Charged]>*,.golden [data-state=Total]>*{font-weight:650}
.golden [data-state=Charged]>*{border-bottom-width:2px}.golden [data-state=Total]>*{border-top:1px solid var(--edge)}
.statistics{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(22rem,100%),1fr));gap:1rem;align-items:stretch}
.statistics .card{margin:0;min-width:0}
@media (max-width:40rem){.statistics .card{padding:.75rem .6rem}.golden th,.golden td{padding:.5rem .3rem}.golden th{overflow-wrap:anywhere}.golden{font-size:.92rem}}
.chart{position:relative;min-height:24rem;min-width:0}.chart canvas{position:absolute;inset:1.1rem 1.25rem;max-width:calc(100% - 2.5rem)}

.field{display:flex;flex-direction:column;gap:.25rem;min-width:0;flex:1 1 11rem}
.field.wide{flex:3 1 16rem}
.field label,legend{font-size:.85rem;color:var(--soft)}
.field p{margin:0}
.filter{display:flex;flex-wrap:wrap;gap:.75rem 1rem;align-items:flex-start;margin:0 0 1.25rem}
.filter>.buttons{align-self:flex-start;margin:1.6rem 0 0}.filter>.hint{flex-basis:100%;margin:0}
.card .filter{margin-bottom:1rem}
input,select,textarea{font:inherit;color:var(--fg);background:var(--card);border:1px solid var(--edge);border-radius:.5rem;padding:.42rem .65rem;width:100%;min-width:0;min-height:2.45rem}
input::placeholder{color:var(--soft);opacity:1}
[aria-invalid]{border-color:var(--danger);border-width:2px}
input[type=checkbox],input[type=radio]{width:1.1rem;height:1.1rem;min-height:0;flex:none;margin:.2rem 0 0;accent-color:var(--accent)}
.check{display:flex;gap:.6rem;padding:.3rem 0;cursor:pointer}
form+form{margin-top:.75rem}.scroll+form{margin-top:1rem}
.checks{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(17rem,100%),1fr));gap:0 1rem}
fieldset{border:1px solid var(--line);border-radius:.6rem;margin:0 0 1rem;padding:.5rem 1rem .75rem;min-width:0}
legend{padding:0 .35rem}
.error{color:var(--danger);font-size:.875rem}
.buttons{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center;margin:.75rem 0}
button,.button{font:inherit;font-weight:600;font-size:.94rem;display:inline-block;color:var(--on-accent);background:var(--accent);border:1px solid var(--accent);border-radius:.5rem;padding:.45rem 1rem;min-height:2.45rem;cursor:pointer;text-decoration:none;text-align:center}
button:hover,.button:hover{filter:brightness(1.08)}
.quiet,.button,summary.button{color:var(--fg);background:var(--card);border-color:var(--edge)}
.quiet:hover,.button:hover{background:var(--well);filter:none}
.inline .quiet{min-height:0;padding:.2rem .7rem;font-size:.85rem}
.danger{color:var(--card);background:var(--danger);border-color:var(--danger)}
[hidden]{display:none!important}
.buttons:has(>.confirm){position:relative}.confirm summary{list-style:none}.confirm summary::-webkit-details-marker{display:none}
.confirm[open] form{position:absolute;z-index:2;top:calc(100% + .4rem);left:0;width:min(18rem,100%);background:var(--card);border:1px solid var(--edge);border-radius:.6rem;padding:.75rem 1rem;box-shadow:0 6px 24px #0003}
@media (max-width:40rem){.filter>.buttons{margin:0;align-self:flex-end}}

.plan:has([name=action] option[value=reply]:checked) .filter>:not(.of-reply):is([class*=of-]):not(.of-all-but-limit),
.plan:has([name=action] option[value=stall]:checked) .filter>:not(.of-stall):is([class*=of-]):not(.of-all-but-limit),
.plan:has([name=action] option[value=slow]:checked) .filter>:not(.of-slow):is([class*=of-]):not(.of-all-but-limit),
.plan:has([name=action] option[value=limit]:checked) .filter>:not(.of-limit):is([class*=of-]),
.plan:has([name=action] option[value=close]:checked) .filter>:is([class*=of-]):not(.of-all-but-limit),
.plan:has([name=action] option[value^=accept]:checked) .filter>:is([class*=of-]):not(.of-all-but-limit){display:none}

pre,.wire{background:var(--well);border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem;margin:0;overflow:auto;max-height:32rem;line-height:1.55;tab-size:4}
pre.plain{white-space:pre-wrap;font-family:inherit;font-size:1rem}
.mail{display:block;width:100%;height:30rem;min-height:10rem;resize:vertical;border:1px solid var(--line);border-radius:.5rem;background:#fff;color-scheme:light}
.wire ol{list-style:none;margin:0;padding:0}.wire.tail{display:flex;flex-direction:column-reverse;max-height:22rem}.wire .refusing{background:var(--refuse);color:var(--on-refuse);font-weight:600}
.wire li{font-size:.875rem;padding-left:1.6rem;text-indent:-1.6rem}
.wire b{font-family:ui-monospace,monospace;font-weight:600}.wire samp{white-space:pre-wrap;font-size:.95em}
.wire .client{color:var(--client)}.wire .server:not(.refusing){color:var(--server)}
.wire .tls{border-left:3px solid var(--chart-Delivered);margin-left:-1rem;padding-left:calc(2.6rem - 3px)}
.wire li:not(.tls){border-left:3px solid transparent;margin-left:-1rem;padding-left:calc(2.6rem - 3px)}
.tree,.tree ul{list-style:none;margin:0;padding:0}.tree ul{margin-left:.6rem;padding-left:1rem;border-left:1px solid var(--line)}.tree li{padding:.15rem 0}
.tree ul ul ul ul ul ul{margin-left:0;padding-left:.3rem}
.events,.plainlist,.log{list-style:none;margin:0;padding:0}
.events li,.plainlist li{padding:.3rem 0}.events li+li{border-top:1px solid var(--line)}
.log>li{padding:.75rem 0}.log>li+li{border-top:1px solid var(--line)}
.told{display:flex;flex-wrap:wrap;gap:.3rem .6rem;align-items:center}.told .event{display:flex;flex-wrap:wrap;gap:.3rem .6rem;align-items:center;min-width:0}
@media (min-width:64.01rem){.told{display:grid;grid-template-columns:minmax(0,1fr) auto auto}}
.told .when{color:var(--soft);font-size:.85rem;margin-left:auto}
.log details{margin-top:.35rem;font-size:.9rem}.log summary{cursor:pointer;color:var(--soft);padding:.15rem 0}.log pre{margin-top:.35rem;max-height:16rem}
.reasons code{white-space:nowrap}
.card .head{align-items:center}
`;
