/** The style of the pages: ground, frame, and what is in all of them. */
import { COLOURS } from './colours.ts';
import { PARTS } from './parts.ts';

const BASE = `
*,*::before,*::after{box-sizing:border-box}
html{scroll-padding-top:1rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--fg);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:anywhere}
h1,h2,h3{line-height:1.25;margin:0;font-weight:650;letter-spacing:-.01em}
h1{font-size:1.6rem}h2{font-size:1.1rem}h3{font-size:1rem;margin-top:1rem}
p{margin:.5rem 0}
a{color:var(--accent);text-decoration-thickness:1px;text-underline-offset:.18em}
a:hover{text-decoration-thickness:2px}
code,pre,samp,.code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.875em}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:.25rem}
main:focus{outline:none}
time{white-space:nowrap}
.unseen{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:-99rem;z-index:9}
.skip:focus{left:1rem;top:.75rem;background:var(--card);padding:.5rem .9rem;border-radius:.5rem}
.soft,.hint,.none,.off{color:var(--soft)}
.hint{font-size:.875rem}
.lead{color:var(--soft);max-width:46rem;margin:.35rem 0 1.25rem}

.site{display:grid;grid-template-columns:15.5rem minmax(0,1fr);min-height:100vh}
.side{position:sticky;top:0;height:100vh;overflow-y:auto;display:flex;flex-direction:column;gap:.75rem;padding:1.25rem .9rem;background:var(--card);border-right:1px solid var(--line)}
.brand{display:flex;align-items:center;gap:.6rem;padding:0 .5rem;color:var(--fg);text-decoration:none;line-height:1.2}
.brand b{display:block;font-size:1.05rem;letter-spacing:-.01em}
.brand span{font-size:.8rem;color:var(--soft)}.brand b{color:var(--fg)}
.mark{width:2rem;height:2rem;flex:none;color:var(--accent)}
.languages{display:flex;gap:.25rem;padding:0 .25rem;font-size:.8rem}
.languages a{color:var(--soft);text-decoration:none;padding:.2rem .5rem;border-radius:.4rem}
.languages a:hover{background:var(--well)}
.languages a[aria-current]{color:var(--accent);background:var(--accent-soft);font-weight:600}
.side nav ul{list-style:none;margin:0;padding:0;display:flex;flex-direction:column;gap:2px}
.side nav a{display:flex;justify-content:space-between;align-items:center;gap:.5rem;padding:.45rem .7rem;border-radius:.5rem;color:var(--fg);text-decoration:none;font-size:.94rem}
.side nav a:hover{background:var(--well)}
.side nav a[aria-current]{background:var(--accent-soft);color:var(--accent);font-weight:600}
.side .count{font-size:.78rem;font-variant-numeric:tabular-nums;color:var(--soft)}
.side nav a[aria-current] .count{color:var(--accent)}
.ports{margin:auto 0 0;padding:.75rem .7rem 0;font-size:.78rem;color:var(--soft);line-height:1.7}
main{padding:1.75rem clamp(1rem,3vw,2.5rem) 4rem;max-width:78rem;width:100%}
.reader{max-width:34rem;margin:0 auto;padding:1.25rem 1rem 3rem}
.reader .languages{justify-content:flex-end}.reader main{padding:1rem 0}
.reader .card{padding:1.5rem}.reader h1{font-size:1.35rem}

@media (max-width:60rem){
.site{display:block}
.side{position:static;height:auto;display:grid;grid-template-columns:1fr auto;align-items:center;gap:.5rem;padding:.75rem 1rem 0;border-right:0;border-bottom:1px solid var(--line)}
.side nav{grid-column:1/-1;overflow-x:auto;margin:0 -1rem;padding:0 1rem}
.side nav ul{flex-direction:row;gap:.15rem;padding-bottom:.5rem}
.side nav a{white-space:nowrap;padding:.4rem .65rem}
.side nav a:focus-visible{outline-offset:-2px}
.brand{padding:0}.ports{display:none}
main{padding-top:1.25rem}
}
@media (prefers-reduced-motion:no-preference){a,button,.button,summary{transition:background-color .12s,border-color .12s}html{scroll-behavior:smooth}}
@media print{
.side,.skip,.buttons,.tabs,.filter,.presets,.pager,.back,.do,form.inline,.confirm{display:none!important}
.site{display:block}main{padding:0;max-width:none}body{background:#fff}
.card{border:0;padding:0;break-inside:auto}pre,.wire,.scroll{max-height:none!important;overflow:visible!important;white-space:pre-wrap}
a{color:inherit}
}
`;

export const STYLE: string = `${COLOURS}${BASE}${PARTS}`;
