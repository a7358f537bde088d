import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { Browser } from 'puppeteer-core'
import type { PageServer } from '../../../src/page/server.ts'
import type { Parts } from '../../../src/page/site-view.ts'
import { barriersOn, complaintsOf, openChromium, PATIENCE_MS, picture } from '../../chromium.ts'
import { dashboardQueries, emptyOf, needPromtool, otherAlerts } from '../../promtool.ts'
import { CROWDED_TITLES, FAILURES, Stage, WELL, type Failure, type Scene } from './stages.ts'

const POLL_MS = 250
const BESIDE = 3
/** Panels of a site to which something happens, or whose federation names classes. */
const SILENT_PANELS = ['consilium_class_dice_ratio', 'consilium_warning']
const WIDTHS = [1_400, 400] as const

interface Shown {
  readonly stage: Stage
  readonly scene: Scene
  readonly page: PageServer
}

/** As a browser asks for them. */
async function partsOf ({ url }: PageServer): Promise<ReadonlyMap<string, string>> {
  const { origin, hash } = new URL(url)
  const answer = await fetch(`${origin}/parts`, { headers: { authorization: `Bearer ${hash.slice(1)}` } })
  return new Map(((await answer.json()) as Parts).parts.map(({ id, html }) => [id, html]))
}

interface Warnings { readonly titles: readonly string[], readonly advice: readonly string[] }

/** Titles and advice of the warnings of a page, by its markup. */
function warningsIn (html: string): Warnings {
  const text = html.replaceAll('&#39;', "'").replaceAll('&quot;', '"')
  const all = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found = '']) => found)
  const titles = all(/<h3>(.*?)<\/h3>/g).filter((each) => !CROWDED_TITLES.includes(each))
  return { titles, advice: all(/<b>What to do:<\/b> (.*?)<\/p>/g) }
}

describe('a site to which something happens', function () {
  this.timeout(900_000)
  const stages: Stage[] = []
  const shown = new Map<string, Promise<Shown>>()
  const troubles: string[] = []
  let browser: Browser | undefined

  async function play (what: string, failure: Failure): Promise<Shown> {
    const stage = await Stage.of(failure.names)
    stages.push(stage)
    const scene = await failure.play(stage)
    return { stage, scene, page: await stage.page(scene.name, (sentence) => { troubles.push(`${what}: ${sentence}`) }) }
  }

  const names = Object.keys(FAILURES)

  /** Begins the next few too, since each waits most of the time. */
  function see (what: string): void {
    for (const each of names.slice(names.indexOf(what)).slice(0, BESIDE)) {
      if (shown.has(each)) continue
      shown.set(each, play(each, FAILURES[each]!))
      shown.get(each)!.catch(() => { /* its test says so */ })
    }
  }

  after(async () => {
    await browser?.close()
    await Promise.all([...shown.values()].map(async (each) => { await each.catch(() => {}) }))
    await Promise.all(stages.map(async (stage) => { await stage.close() }))
    expect(troubles).to.deep.equal([])
  })

  for (const [what, { alert, warnings }] of Object.entries(FAILURES)) {
    describe(`while ${what}`, () => {
      before(() => { see(what) })
      after(async () => { await (await shown.get(what)!).stage.close() })

      it(`lights ${alert == null ? 'no alert' : `${alert} and no other`}`, async function () {
        needPromtool(this)
        expect(otherAlerts((await shown.get(what)!).scene.metrics, alert == null ? [] : [alert])).to.equal('')
      })

      it('says that on its page, with what to do, and nothing else', async () => {
        const { page } = await shown.get(what)!
        let found: Warnings = { titles: [], advice: [] }
        for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await sleep(POLL_MS)) {
          found = warningsIn((await partsOf(page)).get('warnings') ?? '')
          if (found.titles.join() === warnings.join()) break
        }
        expect(found.titles).to.deep.equal(warnings)
        expect(found.advice).to.have.length.at.least(warnings.length)
      })

      it('can be read in a browser, on a screen and on a telephone', async function () {
        browser ??= await openChromium(this)
        const tab = await browser.newPage()
        const complaints = complaintsOf(tab)
        tab.setDefaultTimeout(PATIENCE_MS)
        for (const width of WIDTHS) {
          await tab.setViewport({ width, height: 900 })
          await tab.goto((await shown.get(what)!).page.url, { timeout: PATIENCE_MS })
          await tab.waitForFunction('document.querySelectorAll("#warnings h2, #pictures h2").length === 2', { polling: POLL_MS })
          const text = await tab.$eval('#warnings', ({ innerText }: { innerText: string }) => innerText)
          for (const title of warnings) expect(text).to.include(title)
          expect(text.split('What to do: ')).to.have.length.above(warnings.length)
          expect(await tab.evaluate('document.documentElement.scrollWidth')).to.equal(width)
          expect(await barriersOn(tab)).to.deep.equal([])
          await picture(tab, `${what.replaceAll(/\W+/g, '-')}-${width}`)
        }
        expect(complaints).to.deep.equal([])
        await tab.close()
      })
    })
  }

  it('has what every panel of the dashboard asks for', async function () {
    needPromtool(this)
    const queries = dashboardQueries().filter((query) => !SILENT_PANELS.some((name) => query.includes(name)))
    expect(queries).to.have.length.above(20)
    see(WELL)
    const { scene: { metrics } } = await shown.get(WELL)!
    expect(emptyOf(queries, metrics)).to.equal('')
    expect(emptyOf(['consilium_nothing'], metrics)).to.include('FAILED')
  })

  it('says on the page of its home why it ended, when its trainer was given up', async () => {
    const stage = await Stage.of(['a'])
    stages.push(stage)
    stage.run('a', { alone: true, manners: { dieIn: 'phaseG' }, trainerBackOff: { firstMs: 1, lastMs: 2 } })
    await stage.ended()
    const parts = await partsOf(await stage.page('a', (sentence) => { troubles.push(sentence) }))
    expect(parts.get('now')).to.include('The daemon of this site does not answer.')
    expect(warningsIn(parts.get('warnings') ?? '').titles).to.deep.equal(['The trainer process ended'])
    expect(parts.get('warnings')).to.include('The trainer process ended 5 times in a row (SIGKILL): check memory')
  })
})
