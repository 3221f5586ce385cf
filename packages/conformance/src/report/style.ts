/** The style of the HTML report. Text has a contrast of 4.5 to 1 and more, in light and in dark: a test measures it. */

/** For each verdict: text and background, in light and in dark. What failed is the only thing that is loud. */
const COLOURS: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  PASS: ['#116329;#e6f6ea', '#6fdd8b;#12261a'],
  FAIL: ['#fff;#bf1d2c', '#fff;#c9303d'],
  WARN: ['#5c3b00;#ffe08a', '#ffdf8a;#4d3800'],
  INFO: ['#0a4f7a;#ddf1ff', '#8ecbff;#10263a'],
  SKIP: ['#57606a;#eff1f3', '#9aa4af;#1c222a'],
  ERROR: ['#fff;#7a3fc4', '#fff;#7d45c9'],
  XFAIL: ['#7a2d35;#fbe9ea', '#f0a9ae;#331a1d'],
};

const colours = (of: 0 | 1): string =>
  Object.entries(COLOURS)
    .map(([verdict, pair]) => {
      const [text, back] = pair[of].split(';');
      return `--${verdict}:${text};--${verdict}-b:${back}`;
    })
    .join(';');

const verdictRules = Object.keys(COLOURS)
  .map(
    (verdict) =>
      `.${verdict}{color:var(--${verdict});background:var(--${verdict}-b)}
body:has(#show-${verdict}:not(:checked)) .row-${verdict}{display:none}`,
  )
  .join('\n');

export const STYLE: string = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--soft:#57606a;--line:#d8dee4;--card:#f6f8fa;--link:#0550ae;
--client:#0550ae;--server:#1b1f24;--tls:#8250df;--bad:#a40e26;--bad-b:#ffebe9;--esc:#6f2dc4;${colours(0)}}
@media (prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--soft:#9aa4af;--line:#30363d;--card:#161b22;--link:#79c0ff;
--client:#79c0ff;--server:#e6edf3;--tls:#b083f0;--bad:#ff938a;--bad-b:#3a1518;--esc:#d2a8ff;${colours(1)}}}
*{box-sizing:border-box}
html{scroll-padding-top:3rem}
body{margin:0 auto;max-width:80rem;padding:1.5rem;background:var(--bg);color:var(--fg);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
a{color:var(--link);text-decoration-thickness:1px;text-underline-offset:.15em}
:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:.2rem}
h1{font-size:1.75rem;line-height:1.2;margin:0}h2{font-size:1.35rem;margin:2.5rem 0 .5rem}h3{font-size:1.15rem;margin:2rem 0 .75rem}
h4{font-size:1rem;margin:0;font-weight:600}h5{font-size:.9rem;margin:.6rem 0 .15rem}
p{margin:.25rem 0}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;background:var(--bg);padding:.5rem;z-index:3}
.lead,.about,.took,.up{color:var(--soft)}
.v{display:inline-block;font-size:.75rem;font-weight:600;line-height:1.5;padding:0 .45em;border-radius:.3rem;white-space:nowrap}
.v b{display:inline-block;min-width:.8em;text-align:center}
${verdictRules}
.level{font-size:.75rem;font-weight:600;color:var(--soft)}.is-MUST{color:var(--fg)}
.tag{font-size:.75rem;color:var(--soft);border:1px solid var(--line);border-radius:1rem;padding:0 .5em;white-space:nowrap}
.clients{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(18rem,100%),1fr));gap:1rem;margin-top:1.25rem;align-items:start}
.card{border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem}
.card h2{margin:0;font-size:1.1rem}
.bar{display:flex;gap:2px;height:.6rem;margin:.5rem 0;border-radius:.3rem;overflow:hidden}
.bar span{min-width:3px}.bar .PASS{background:#2da44e}.bar .WARN{background:#d4a72c}.bar .INFO{background:#54aeff}.bar .SKIP{background:#8c959f}.bar .XFAIL{background:#d98d94}
.counts{display:flex;flex-wrap:wrap;gap:.15rem .9rem}.count{white-space:nowrap}
.about{font-size:.85rem}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:.5rem 0;padding:0}
.filter{border:1px solid var(--line);border-radius:.5rem;margin:.75rem 0;padding:.25rem .75rem .5rem;display:flex;flex-wrap:wrap;gap:.15rem 1.25rem}
.filter legend{font-size:.85rem;color:var(--soft);padding:0 .35rem}
.filter label{white-space:nowrap;padding:.15rem 0}.filter input{accent-color:var(--link)}
.scroll{overflow-x:auto}
table{border-collapse:separate;border-spacing:0;min-width:min(100%,40rem)}
th,td{text-align:left;font-weight:400;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:normal}
thead th{font-weight:600;border-bottom:2px solid var(--line)}
th:first-child{position:sticky;left:0;background:var(--bg);z-index:1}
tbody th{min-width:10rem;overflow-wrap:anywhere}
.group th,.group td{font-weight:600;padding-top:1.25rem}.group td{color:var(--soft);font-weight:400;vertical-align:bottom}
tr:not(.group):hover>*{background:var(--card)}
tr:target>*{background:var(--card);box-shadow:inset 0 2px var(--link),inset 0 -2px var(--link)}
td a{text-decoration:none}td a:hover .v{text-decoration:underline}
td small{color:var(--soft)}.none{color:var(--soft)}
th .title{color:var(--soft)}th .level{float:right;margin-left:1rem;line-height:2}
@media (min-width:60rem){.few{overflow:visible}.few thead th{position:sticky;top:0;background:var(--bg);z-index:2}}
article{border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem;margin:.75rem 0}
article>header{display:grid;grid-template-columns:1fr auto;gap:0 1rem}
article>header p{grid-column:1/-1}
article:target,.result:target{outline:2px solid var(--link);outline-offset:4px}
h4 a{font-variant-numeric:tabular-nums}
.up{font-size:.8rem;white-space:nowrap}
.facts{font-size:.85rem;color:var(--soft)}
.wanted span{font-size:.75rem;font-weight:600;color:var(--soft);margin-right:.35rem}
.result{border-top:1px solid var(--line);margin-top:.6rem;padding-top:.5rem}
.who{display:flex;flex-wrap:wrap;gap:.25rem .6rem;align-items:baseline}
.took{font-size:.8rem;margin-left:auto}.delivery{font-size:.8rem}
.reasons{list-style:none;margin:.25rem 0 .5rem;padding:0;font-size:.9rem}
.reasons li{border-left:3px solid var(--line);padding:.1rem 0 .1rem .75rem;margin:.35rem 0}
dl{display:grid;grid-template-columns:5rem 1fr;margin:0}dt{color:var(--soft)}dd{margin:0}
.violation{color:var(--bad)}
summary{cursor:pointer;font-size:.9rem;padding:.3rem 0;color:var(--link)}
.connection,.said{font-size:.85rem;color:var(--soft)}.said strong{color:var(--fg)}
q{quotes:none;color:var(--fg)}
ol.wire{list-style:none;margin:.25rem 0 .5rem;padding:.5rem 0;background:var(--card);border-radius:.4rem;font:.8rem/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.wire li{display:grid;grid-template-columns:10ch 6ch 1fr;padding-right:.75rem;border-left:4px solid transparent}
.wire i{font-style:normal;color:var(--soft);text-align:right;padding-right:1rem;white-space:nowrap}
.wire b{font-weight:600;white-space:nowrap}
.wire code{font:inherit;white-space:pre-wrap}
.wire li.t{border-color:var(--tls)}
.wire .c{color:var(--client)}.wire .s{color:var(--server)}.wire .n{color:var(--soft)}.wire .n code{font-style:italic}
.wire li.violation{color:var(--bad);background:var(--bad-b);font-weight:600}
.wire em{color:var(--soft);font-size:.9em}
s{text-decoration:none;color:var(--esc);font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.key{font-size:.85rem;color:var(--soft)}.key b{color:var(--server)}.key b.c{color:var(--client)}
@media (max-width:40rem){body{padding:.75rem}.clients{gap:.6rem}article{padding:.6rem .7rem}
th,td{padding:.3rem .3rem}thead th{font-size:.8rem}tbody th{min-width:8.25rem}th .level{margin-left:.25rem}th .title{display:block;font-size:.8rem;line-height:1.3}
dl{grid-template-columns:1fr}.wire li{grid-template-columns:8ch 5.5ch 1fr;padding-right:.4rem}.wire i{padding-right:.5rem}
.filter label{white-space:normal}}
@media print{.filter,.up,.skip{display:none}}
`;
