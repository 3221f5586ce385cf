/** The style of the HTML report. Colours have a contrast of 4.5 to 1 and more, in light and in dark. */
export const STYLE = `
:root{--bg:#fff;--fg:#1b1f24;--soft:#57606a;--line:#d0d7de;--card:#f6f8fa;--link:#0550ae;
--PASS:#116329;--FAIL:#a40e26;--WARN:#7d4e00;--INFO:#0a5c8a;--SKIP:#57606a;--ERROR:#8250df;--XFAIL:#57606a;
--client:#0550ae;--server:#116329;--note:#57606a}
@media (prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--soft:#9aa4af;--line:#30363d;--card:#161b22;--link:#79c0ff;
--PASS:#56d364;--FAIL:#ff938a;--WARN:#e3b341;--INFO:#79c0ff;--SKIP:#9aa4af;--ERROR:#d2a8ff;--XFAIL:#9aa4af;
--client:#79c0ff;--server:#56d364;--note:#9aa4af}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:1rem;background:var(--bg);color:var(--fg);font:1rem/1.5 system-ui,sans-serif}
a{color:var(--link)}
h1{font-size:1.5rem}h2{font-size:1.25rem;margin-top:2rem}h3{font-size:1rem;margin:0 0 .25rem}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem}
.v{font-weight:600;font-size:.85rem}
.PASS{color:var(--PASS)}.FAIL{color:var(--FAIL)}.WARN{color:var(--WARN)}.INFO{color:var(--INFO)}
.SKIP{color:var(--SKIP)}.ERROR{color:var(--ERROR)}.XFAIL{color:var(--XFAIL)}
.about,.tags,.facts,.title,.at{color:var(--soft)}
.key{display:inline-block;margin-right:1rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid var(--line);vertical-align:top}
tbody th{font-weight:400}th.group{font-weight:600;padding-top:1rem}
article{border:1px solid var(--line);border-radius:.5rem;padding:.75rem;margin:.75rem 0;overflow-wrap:anywhere}
article:target,.client:target{outline:2px solid var(--link)}
.client{border-top:1px solid var(--line);margin-top:.5rem;padding-top:.25rem}
p{margin:.25rem 0}ul{margin:.25rem 0;padding-left:1.25rem}
summary{cursor:pointer;padding:.5rem 0}
.wire{list-style:none;margin:0;padding:.5rem;background:var(--card);font-size:.85rem}
.wire code{white-space:pre-wrap;overflow-wrap:anywhere}
.wire .at{display:inline-block;min-width:4.5rem}
.client code,.client .who{color:inherit}
li.client{border:0;margin:0;padding:0}
li.client code,li.client .who{color:var(--client)}li.server code,li.server .who{color:var(--server)}
li.note code,li.note .who{color:var(--note);font-style:italic}
li.tls{border-left:3px solid var(--WARN);padding-left:.5rem}
.violation{color:var(--FAIL)}
@media (max-width:40rem){body{padding:.5rem}.title{display:none}.wire .at{min-width:3.5rem}}
`;
