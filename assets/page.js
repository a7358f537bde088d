/* global document, DOMParser, fetch, history, location, sessionStorage, AbortSignal, setTimeout */
// The page of a site: fetches its parts, and puts those in that have changed. The token stands behind # in the address that was opened,
// which a browser does not send; it is taken out of the address and kept for this tab alone.
const EVERY_MS = 5_000
const PATIENCE_MS = 15_000
const KEY = 'consilium-token'

if (location.hash.length > 1) {
  sessionStorage.setItem(KEY, location.hash.slice(1))
  history.replaceState(null, '', location.pathname)
}

const shown = new Map()
let pictures = ''

async function ask (path) {
  const headers = { authorization: `Bearer ${sessionStorage.getItem(KEY) ?? ''}` }
  const response = await fetch(path, { headers, signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => undefined)
  if (response == null) throw new Error('“consilium page” has ended, or does not answer: this is what it said last. Start it again.')
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.error)
  return answer
}

function show (id, html) {
  if (shown.get(id) === html) return
  shown.set(id, html)
  const { body } = new DOMParser().parseFromString(html, 'text/html')
  document.getElementById(id).replaceChildren(...body.childNodes)
}

async function update () {
  const trouble = document.getElementById('trouble')
  try {
    const answer = await ask('/parts')
    for (const { id, html } of answer.parts) show(id, html)
    document.title = `${document.querySelector('h1')?.textContent ?? ''}: Consilium`
    if (answer.pictures !== pictures) {
      show('pictures', (await ask('/pictures')).html)
      pictures = answer.pictures
    }
    trouble.hidden = true
  } catch (error) {
    trouble.textContent = error.message
    trouble.hidden = false
  }
}

async function follow () {
  if (!document.hidden) await update()
  setTimeout(follow, EVERY_MS)
}

document.addEventListener('visibilitychange', () => { if (!document.hidden) update() })
follow()
