import { rename, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { expect } from 'chai'
import type { Browser, Page } from 'puppeteer-core'
import { askSite } from '../../../src/cli/ask-site.ts'
import { drawShot } from '../../../src/dataset/index.ts'
import { readPeerId } from '../../../src/federation/identity.ts'
import { picturesFile, writePictures } from '../../../src/home/pictures.ts'
import { askControl } from '../../../src/node/control/client.ts'
import type { Daemon } from '../../../src/node/daemon.ts'
import { PageServer } from '../../../src/page/server.ts'
import type { Parts } from '../../../src/page/site-view.ts'
import { barriersOn, complaintsOf, openChromium, PATIENCE_MS, picture } from '../../chromium.ts'
import { Sites } from '../node/sites.ts'

const SIDE = 96

/** A disc within a disc, of which the models find more and more. */
async function writeDiscs (privateStore: string): Promise<void> {
  const disc = (radius: number): Uint8Array => Uint8Array.from({ length: SIDE * SIDE }, (_, i) =>
    Math.hypot(i % SIDE - SIDE / 2, Math.floor(i / SIDE) - SIDE / 2) < radius ? 1 : 0)
  const shots = await Promise.all([12, 16, 20, 24, 30].map(async (radius) => ({
    ...await drawShot({
      image: { width: SIDE, height: SIDE, channels: 1, data: disc(radius).map((each, i) => 60 + 120 * each + i % 7) },
      masks: {
        width: SIDE,
        height: SIDE,
        truth: disc(radius),
        results: { frozen: disc(radius / 2), global: disc(radius - 4), personal: disc(radius - 1) }
      }
    }),
    scores: { frozen: { dice: 0.4, hd95: 9.5 }, global: { dice: 0.8, hd95: null }, personal: { dice: 0.951, hd95: 1 } }
  })))
  await writePictures(privateStore, { round: 2, t: '2026-11-30T07:00:00.000Z', shots })
}

describe('the page of a site', function () {
  this.timeout(4 * PATIENCE_MS)
  let sites: Sites
  let server: PageServer
  let home: string
  const failures: string[] = []
  const running: { readonly daemon: Daemon, readonly run: Promise<unknown> }[] = []

  function start (name: string, over: Parameters<Sites['daemon']>[1] = {}): void {
    const daemon = sites.daemon(name, { manners: { delayMs: 200 }, waitFor: 1, aloneRounds: 1_000, ...over })
    running.push({ daemon, run: daemon.run().catch(() => undefined) })
  }

  async function stopAll (): Promise<void> {
    for (const { daemon } of running) daemon.requestStop()
    await Promise.all(running.splice(0).map(async ({ run }) => { await run }))
  }

  before(async () => {
    sites = await Sites.create(['a', 'b'], { rounds: 10_000 })
    ;({ home } = sites.paths('a'))
    start('a')
    const { addresses } = await sites.statusOf('a', ({ addresses: all, trainer }) => all.length > 0 && trainer === 'ready')
    start('b', { bootstrap: addresses })
    await writeDiscs(sites.paths('a').privateStore)
    await sites.statusOf('a', ({ exchanges, round }) => exchanges > 2 && round > 2)
    server = await PageServer.start({ home, port: 0, ask: askSite(home), onFailure: (sentence) => { failures.push(sentence) } })
  })

  after(async () => {
    await stopAll()
    await server.stop()
    await sites.remove()
  })

  interface Answer { readonly status: number, readonly headers: NodeJS.Dict<string | string[]>, readonly text: string }

  /** As any program or page of this machine may; fetch would not send another Host. */
  async function ask (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
    const { hostname, port, hash } = new URL(server.url)
    const given = { authorization: `Bearer ${hash.slice(1)}`, ...headers }
    return await new Promise((resolve, reject) => {
      request({ hostname, port, path, method, headers: given }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
          .on('end', () => { resolve({ status: response.statusCode!, headers: response.headers, text }) })
      }).on('error', reject).end()
    })
  }

  it('tells nothing of the site without its token', async () => {
    const { hash, hostname } = new URL(server.url)
    expect(hostname).to.equal('127.0.0.1')
    expect(hash.slice(1)).to.match(/^[\w-]{32}$/)
    for (const authorization of ['', 'Bearer ', hash.slice(1), `Bearer ${hash.slice(1)}x`]) {
      for (const path of ['/parts', '/pictures', '/parts?', '/elsewhere', '/?x', '//']) {
        const { status, text } = await ask(path, { authorization })
        expect(status, path).to.equal(401)
        expect(text).to.equal('{"error":"the token is missing or wrong: open the address that \\"consilium page\\" printed"}')
      }
    }
    const peerId = await readPeerId(sites.paths('a').identity)
    for (const path of ['/', '/page.js', '/page.css']) {
      const { status, text } = await ask(path, { authorization: '' })
      expect(status).to.equal(200)
      expect(text).not.to.include(peerId).and.not.to.include('12D3')
    }
    expect((await ask('/parts')).status).to.equal(200)
    expect((await ask('/parts', {}, 'POST')).status).to.equal(404)
  })

  it('answers under no name but that of this machine, and to no page of another origin', async () => {
    const { port } = new URL(server.url)
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'localhost:9', '[::1]:80']) {
      expect((await ask('/parts', { host })).status, host).to.equal(200)
    }
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', 'localhost.', '127.0.0.1@evil', '10.0.0.1']) {
      for (const path of ['/', '/parts']) expect((await ask(path, { host })).status, host).to.equal(403)
    }
    for (const origin of ['https://evil.example', 'null', 'http://localhost:1']) {
      expect((await ask('/parts', { host: `127.0.0.1:${port}`, origin })).status, origin).to.equal(403)
    }
  })

  it('lets in no script, style or picture but its own, and gives its address to nobody', async () => {
    for (const [path, authorization] of [['/', ''], ['/parts', undefined], ['/parts', ''], ['/elsewhere', undefined]] as const) {
      const { headers } = await ask(path, authorization == null ? {} : { authorization })
      expect(headers['content-security-policy']).to.match(/^default-src 'none'; script-src 'self'; style-src 'self';/)
      expect(headers['content-security-policy']).not.to.include('unsafe')
      expect(headers).to.include({ 'referrer-policy': 'no-referrer', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
      expect(headers).not.to.have.any.keys('access-control-allow-origin', 'set-cookie')
    }
    const html = (JSON.parse((await ask('/parts')).text) as Parts).parts.map((each) => each.html).join('')
    expect(html).not.to.match(/ style=|<style|<script|<link|javascript:|https?:\/\/(?!www\.w3\.org)/)
  })

  it('says in words what goes wrong inside, at the terminal alone', async () => {
    const { metrics } = sites.paths('b')
    const broken = await PageServer.start({
      home: sites.paths('b').home,
      port: 0,
      ask: { ...askSite(home), members: async () => await Promise.reject(new Error(`${metrics} is odd`)) },
      onFailure: (sentence) => { failures.push(sentence) }
    })
    const { origin, hash } = new URL(broken.url)
    const response = await fetch(`${origin}/parts`, { headers: { authorization: `Bearer ${hash.slice(1)}` } })
    expect(response.status).to.equal(500)
    expect(await response.text()).to.include('the terminal of').and.not.to.include(metrics)
    expect(failures.splice(0)).to.deep.equal([`${metrics} is odd`])
    await broken.stop()
  })

  it('shows damaged pictures as what they are', async () => {
    const file = picturesFile(sites.paths('a').privateStore)
    await rename(file, `${file} away`)
    await writeFile(file, '{')
    expect((await ask('/pictures')).text).to.include('are damaged; the next round makes new ones')
    await rename(`${file} away`, file)
    expect((await ask('/pictures')).text).to.include('5 images that training never saw')
  })

  describe('in a browser', () => {
    let browser: Browser
    let page: Page
    let complaints: string[]

    before(async function () {
      browser = await openChromium(this)
      page = await browser.newPage()
      complaints = complaintsOf(page)
      page.setDefaultTimeout(PATIENCE_MS)
      await page.setViewport({ width: 1_400, height: 1_000 })
      await page.goto(server.url, { timeout: PATIENCE_MS })
    })
    after(async () => { await (browser as Browser | undefined)?.close() })

    async function says (words: string | RegExp): Promise<void> {
      const source = typeof words === 'string' ? words.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&') : words.source
      await page.waitForFunction(`new RegExp(${JSON.stringify(source)}).test(document.body.innerText)`, { polling: 250 })
    }

    it('shows rounds, hospitals, curves, images and the ledger, and keeps the token out of the address', async () => {
      await says('Validation images')
      expect(await page.evaluate('location.href')).to.equal(new URL('/', server.url).href)
      for (
        const words of [
          /Round \d+ of 10000: it /, /Four different facts/, /founder/, /member, until 2126/, /Dice before any training/,
          /sent in exchanges/, /Last lines of the audit ledger/, /exchange with b in round \d+ committed/,
          /personalised, Dice 0\.951, HD95 1\.0 px/, /Nothing is wrong that this site knows of/
        ]
      ) await says(words)
      // One image under four panels, and three outlines over it.
      expect(await page.$$eval('.shot', (all) => all.length)).to.equal(20)
      expect(await page.$$eval('#curves svg[viewBox="0 0 470 320"]', (all) => all.length)).to.equal(2)
      await picture(page, 'well-1400')
    })

    it('can be used by who cannot see it, sees little, or has no mouse, in light and in dark', async () => {
      for (const value of ['light', 'dark']) {
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }])
        for (const width of [1_400, 400]) {
          await page.setViewport({ width, height: 1_000 })
          expect(await barriersOn(page), `${value}, ${width} pixels wide`).to.deep.equal([])
          await picture(page, `well-${value}-${width}`)
        }
      }
      await page.emulateMediaFeatures([])
      await page.setViewport({ width: 1_400, height: 1_000 })
    })

    it('is as wide as a telephone where that is all there is', async () => {
      await page.setViewport({ width: 400, height: 800 })
      await picture(page, 'well-400')
      expect(await page.evaluate('document.documentElement.scrollWidth')).to.equal(400)
      await page.setViewport({ width: 1_400, height: 1_000 })
    })

    it('follows the site by itself, and says that it has stopped, and what was known last', async () => {
      const peerId = await readPeerId(sites.paths('b').identity)
      await askControl(home, '/ledger/reconciled', { peerId, differences: 2 })
      await says(/The ledgers of this site and of site b differ in 2 places/)
      await says(/What to do: "consilium audit reconcile" lists the places/)
      await stopAll()
      await says(/The daemon of this site does not answer\. This is what it said last, on /)
      await says(/Round \d+ of 10000: when it was last heard, it has stopped/)
      await says(/differ in 2 places/)
      await picture(page, 'stopped-1400')
    })

    it('complains of nothing, and says so when the command has ended', async () => {
      expect(complaints).to.deep.equal([])
      await server.stop()
      await says(/“consilium page” has ended, or does not answer: this is what it said last/)
    })
  })
})
