"""How the HTML page looks: one style sheet, light and dark, for a phone first. Pure.

Every pair of text and ground has a contrast of at least 4.5 (WCAG 2.2, 1.4.3) in both schemes; a test measures it in a browser.
What a colour says, a word says too. No fonts, pictures or addresses from elsewhere.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

STYLE = """
:root{color-scheme:light dark;--ground:#fff;--card:#f5f6f8;--text:#1a1c1f;--soft:#555c66;--line:#d5d9df;--link:#0b57d0;
--failed:#b3261e;--warning:#8a5000;--info:#0b5c8a;--passed:#1a6b34;--untested:#555c66}
@media (prefers-color-scheme:dark){:root{--ground:#14161a;--card:#1e2127;--text:#e8eaed;--soft:#a5adb8;--line:#3a3f47;
--link:#8ab4f8;--failed:#ff8a80;--warning:#ffb74d;--info:#81c7f5;--passed:#81d598;--untested:#a5adb8}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:1rem;font:16px/1.5 system-ui,sans-serif;background:var(--ground);color:var(--text);
overflow-wrap:anywhere}
h1{font-size:1.4rem;margin:.5rem 0}h2{font-size:1.15rem;margin:1.5rem 0 .5rem}h3{font-size:1rem;margin:0;display:inline}
p{margin:.4rem 0}.soft,footer{color:var(--soft);font-size:.9rem}
.total{font-size:2.6rem;font-weight:700;line-height:1.1;margin:.2rem 0}
.failed,.error{color:var(--failed)}.warning{color:var(--warning)}.info{color:var(--info)}
.passed,.good{color:var(--passed)}.untested{color:var(--untested)}
.board{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.6rem;margin:1rem 0;padding:0;list-style:none}
.board li{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem}
.board b{display:block;font-size:1.5rem}
meter{width:100%;height:.6rem;display:block}
.finding,.domain{border:1px solid var(--line);border-radius:.5rem;margin:.5rem 0;padding:.5rem .8rem;background:var(--card)}
.finding>summary,.domain>summary{cursor:pointer;overflow-wrap:anywhere}
.word{font-weight:700;text-transform:uppercase;font-size:.8rem;letter-spacing:.03em;margin-right:.4rem}
.fix{border-left:.25rem solid var(--link);padding-left:.6rem;white-space:pre-wrap}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--ground);border:1px solid var(--line);border-radius:.3rem;padding:.5rem;
font:13px/1.4 ui-monospace,monospace;max-height:24rem;overflow:auto}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;padding:.3rem .5rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:normal}
td:first-child{overflow-wrap:anywhere;min-width:6.5rem}td .word{font-size:.72rem;letter-spacing:0;margin:0;white-space:nowrap}
code{font:13px ui-monospace,monospace}a{color:var(--link)}
.chart{width:100%;max-width:26rem;height:auto;display:block}
.chart polyline{fill:none;stroke:var(--link);stroke-width:1.5}.chart .grid{stroke:var(--line);stroke-width:1}
.chart .dot{fill:var(--passed)}.chart .low{fill:var(--failed)}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
@media print{details{break-inside:avoid}}
"""


def policy() -> str:
    """The page's Content-Security-Policy (CSP 3): this one style sheet, and nothing else at all."""
    digest = b64encode(sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
