/** The frame of the page, with nothing of the site: assets/page.js fetches the parts. */
export const SHELL = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Consilium</title>
<link rel="stylesheet" href="/page.css">
<link rel="icon" href="data:,">
<script src="/page.js" defer></script>
</head>
<body><main>
<p id="trouble" class="banner" role="alert" hidden></p>
<noscript><p class="banner">This page needs JavaScript, its own script alone: no other is let in. “consilium status” says the same in
words.</p></noscript>
<div id="now"><p>The page is being made.</p></div>
<div id="warnings" aria-live="polite"></div>
<div id="figures"></div>
<div id="sites"></div>
<div id="curves"></div>
<div id="pictures"></div>
<div id="traffic"></div>
<div id="ledger"></div>
<div id="words"></div>
</main></body>
</html>
`
