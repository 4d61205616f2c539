/** The style of the page: system fonts, both themes, nothing from elsewhere. */
export const style = `
:root { color-scheme: light dark; --back: #fff; --fore: #1c2128; --dim: #59636e; --line: #d1d9e0; --panel: #f6f8fa; --accent: #0757ba;
  --leaks: #b3151f; --unknown: #8a5a00; --database: #116329; --application: #0757ba; --untouched: #59636e; --shared: #59636e; --unowned: #6e3ba8; }
:root[data-theme=dark] { color-scheme: dark; --back: #0d1117; --fore: #e6edf3; --dim: #9198a1; --line: #3d444d; --panel: #151b23; --accent: #6cb1ff;
  --leaks: #ff8a80; --unknown: #e3b341; --database: #6fdd8b; --application: #6cb1ff; --untouched: #9198a1; --shared: #9198a1; --unowned: #d2a8ff; }
@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) { --back: #0d1117; --fore: #e6edf3; --dim: #9198a1; --line: #3d444d; --panel: #151b23;
  --accent: #6cb1ff; --leaks: #ff8a80; --unknown: #e3b341; --database: #6fdd8b; --application: #6cb1ff; --untouched: #9198a1; --shared: #9198a1; --unowned: #d2a8ff; } }
:root[data-theme=light] { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--back); color: var(--fore); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
header { display: flex; gap: 1rem; align-items: baseline; flex-wrap: wrap; } header button { margin-left: auto; }
button, input, select { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .25rem .6rem; }
button { cursor: pointer; } :focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; }
.dim { color: var(--dim); } code, pre { font: 13px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; position: sticky; top: 0; background: var(--back); padding: .5rem 0; z-index: 1; }
form input[type=search] { flex: 1 1 16rem; }
.tables { display: flex; flex-wrap: wrap; gap: .35rem; padding: 0; list-style: none; }
.tables button { border-left: 6px solid var(--of); text-align: left; line-height: 1.25; } .tables small { display: block; color: var(--dim); }
.modules { border-collapse: collapse; width: 100%; } .modules td, .modules th { text-align: left; padding: .15rem .5rem .15rem 0; vertical-align: middle; font-weight: normal; }
.bar { display: flex; height: .8rem; min-width: 12rem; border-radius: 3px; overflow: hidden; } .bar span { min-width: 2px; }
.finding { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; content-visibility: auto; contain-intrinsic-size: auto 3rem; }
.finding summary { padding: .4rem .7rem; cursor: pointer; } .finding summary > span { margin-right: .6rem; } .finding > div { padding: 0 .7rem .6rem; }
.error { color: var(--leaks); font-weight: 600; } .warning { color: var(--unknown); font-weight: 600; } .info { color: var(--dim); }
pre { background: var(--panel); padding: .5rem; overflow-x: auto; margin: .5rem 0; border-radius: 6px; } pre .hit { background: color-mix(in srgb, var(--leaks) 16%, transparent); display: inline-block; min-width: 100%; }
.trail { margin: .3rem 0; padding-left: 1.2rem; } .trail code { color: var(--dim); }
kbd { border: 1px solid var(--line); border-radius: 4px; padding: 0 .3rem; font: inherit; font-size: 12px; }
`;
