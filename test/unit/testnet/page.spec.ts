import { expect } from 'chai'
import { judge } from '../../../scripts/testnet/checks/checks.ts'
import { renderPage } from '../../../scripts/testnet/report/page.ts'
import { renderPicture } from '../../../scripts/testnet/report/pictures.ts'
import { reportSchema, type Report } from '../../../scripts/testnet/report/report.ts'
import { outlinePixels } from '../../../src/dataset/index.ts'
import type { RoundRecord } from '../../../src/home/metrics-log.ts'
import { describeDistance } from '../../../src/report/charts.ts'
import { facts, homeResult, NONE, outcome, round as finishedRound, summary } from './fixtures.ts'

const MASK = Buffer.from([0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0]).toString('base64')
const SHOT = {
  height: 4,
  width: 4,
  channels: 1,
  image: MASK,
  truth: MASK,
  frozen: { mask: MASK, dice: 0.5, hd95: 7.25 },
  global: { mask: MASK, dice: 0.8, hd95: null },
  personal: { mask: MASK, dice: 0.9, hd95: 1.5 }
} as const
const WORST = { ...SHOT, personal: { ...SHOT.personal, dice: 0.31 } }
const PICTURE = { hd95: { frozen: 8, global: 2, personal: 1 }, worst: WORST, typical: SHOT }

function report (change: Partial<Report> = {}): Report {
  const dead = outcome(2, 'c', { result: homeResult('c', { summary: undefined, rounds: [], final: undefined }) }, {
    exitCode: null,
    signal: 'SIGKILL'
  })
  const base = facts([outcome(0, 'a', { local: 0.88 }), outcome(1, 'b', { local: 0.87 }), dead], {
    crossSite: { local: 0.7, global: 0.85 }
  })
  return {
    ...base,
    checks: judge({
      report: base,
      rounds: 2,
      strikes: [],
      conditions: NONE,
      waited: new Set(),
      orphaned: [],
      ledgers: { matched: 9, explained: 0, problems: [] },
      standard: true,
      compared: true
    }),
    ...change
  }
}

describe('report.json', () => {
  it('follows its schema, also with a hospital of which little is known', () => {
    const parsed = reportSchema.parse(JSON.parse(JSON.stringify(report())))
    expect(parsed.hospitals.map(({ name, exitCode, signal, dice }) => [name, exitCode, signal, dice.personal])).to.deep.equal([
      ['a', 0, null, 0.9], ['b', 0, null, 0.9], ['c', null, 'SIGKILL', null]
    ])
    expect(parsed.hospitals[0]?.history.map(({ t, round }) => [t, round])).to.deep.equal([[10, 1], [20, 2]])
  })

  it('takes what a killed hospital was last heard to say', () => {
    const steps = { trained: 48, arrived: 32, lost: 0 }
    const training = { steps, images: { seen: 20, all: 30 }, pace: 0.5 }
    const status = { peerId: 'p', exchanges: 3, bytesSent: 5, bytesReceived: 6, eventLoopP99Ms: 9, warnings: ['w'], ...training }
    const killed = outcome(0, 'a', { result: homeResult('a', { summary: undefined }) }, {
      exitCode: null,
      signal: 'SIGKILL',
      status: status as never
    })
    expect(facts([killed]).hospitals[0]).to.include({ peerId: 'p', exchanges: 3, bytesSent: 5, rounds: 2, images: null })
    expect(facts([killed]).hospitals[0]).to.deep.include({ steps, imagesSeen: 20, pace: 0.5 })
  })

  it('falls back on the last finished round of a daemon that never answered, and on nothing', () => {
    const steps = { trained: 16, arrived: 16, lost: 0 }
    const silent = (finished: RoundRecord[]) =>
      facts([outcome(0, 'a', { result: homeResult('a', { summary: undefined, rounds: finished }) }, { exitCode: 1 })]).hospitals[0]
    expect(silent([{ ...finishedRound(1), steps, pace: 0.25 }])).to.deep.include({ steps, imagesSeen: null, pace: 0.25 })
    expect(silent([])).to.include({ steps: null, imagesSeen: null, pace: null })
  })

  it('says whose images are simulated', () => {
    const { hospitals } = facts([outcome(0, 'a'), outcome(1, 'b')], {}, { images: new Map([[1, 9]]) })
    expect(hospitals.map(({ imagesFactor }) => imagesFactor)).to.deep.equal([1, 9])
  })
})

describe('report.html', () => {
  let page: string
  before(async () => { page = renderPage({ report: report(), pictures: [await renderPicture('a', PICTURE)], sample: true }) })

  it('has a style in which no text in quotes goes over a line, which a browser would drop with the rules after it', () => {
    const styles = [...page.matchAll(/<style>([^<]*)<\/style>/g)].map(([, style = '']) => style.replace(/url\(data:[^)]*\)/g, ''))
    expect(styles).to.have.length.above(0)
    for (const line of styles.join('\n').split('\n')) expect(line.split('"').length % 2, line).to.equal(1)
  })

  it('refers to nothing outside itself', () => {
    const text = page.replace(/url\(data:[^)]*\)|"data:[^"]*"/g, '')
    expect([...text.matchAll(/(\S*)["'(](?:https?:)?\/\//g)].map(([, before]) => before?.replace(/:.*/, ''))).to.satisfy((all: string[]) =>
      all.every((each) => each.startsWith('xmlns'))
    )
    expect(page).not.to.match(/<script|<link|<iframe|@import|src="(?!data:)|url\((?!data:|#)/)
    expect(text.match(/https?:\/\/(?!www\.w3\.org\/)/)).to.equal(null)
  })

  it('says what was measured and that it is one subject', () => {
    for (
      const words of [
        'one subject',
        'simulated shifts',
        'claim nothing about accuracy',
        'Base weights: sam-tiny',
        'mean personal Dice ≥ 0.88',
        'SIGKILL',
        'frozen SAM, Dice 0.500',
        'trained alone'
      ]
    ) expect(page).to.include(words)
  })

  it('answers what a radiologist asks: who gained, who lost, on how many images, what the worst result looks like', () => {
    const { hospitals } = facts([outcome(0, 'a', { local: 0.88 }), outcome(1, 'b', { local: 0.94 })])
    const fallen = hospitals.map((each) => each.name === 'b'
      ? { ...each, dice: { ...each.dice, global: 0.96 }, history: [{ round: 1, t: 1, global: 0.9, personal: 0.97 }] }
      : each)
    const text = renderPage({ report: report({ hospitals: fallen }), pictures: [], sample: true })
    for (
      const words of [
        '<b>Gained:</b> a. <b>Lost:</b> b.',
        'On 9 images that training never saw',
        'Trained alone it has 0.88: by joining it gained 0.02.',
        'Trained alone it has 0.94: by joining it lost 0.04.',
        'Its personalised model is worse than the shared one here (0.90 against 0.96): use the shared one.',
        'It fell: after round 1 it had 0.97, and ends with 0.90.',
        'What the words mean'
      ]
    ) expect(text).to.include(words)
    expect(page).to.include('Its worst image has a Dice of 0.31, with borders up to 1.5 px apart (HD95).')
    expect(page).to.include('personalised, Dice 0.310, HD95 1.5 px').and.to.include('global, Dice 0.800, HD95 –')
    expect(page.indexOf('The worst image')).to.be.below(page.indexOf('A typical image'))
  })

  it('keeps what is technical under a fold, and says above it what failed', () => {
    const [above = '', below = ''] = page.split('<details')
    for (const words of ['<h2>Checks</h2>', 'loop p99', 'relative consensus distance']) {
      expect(below).to.include(words)
      expect(above).not.to.include(words)
    }
    const failed = report({ checks: [{ name: 'it agrees', ok: false, detail: 'no', kind: 'result' }] })
    const [said = ''] = renderPage({ report: failed, pictures: [], sample: true }).split('<details')
    expect(said).to.include('1 of 1 checks does not hold: it agrees.')
  })

  it('has four charts in the colours of the page', () => {
    expect(page.match(/<svg xmlns/g)).to.have.length(4)
    expect(page).not.to.match(/#000a0/)
    expect(page).to.include('var(--accent)')
  })

  it('says in words whose training arrived', () => {
    const slow = summary('b', { images: 270, imagesSeen: 60, steps: { trained: 30, arrived: 28, lost: 2 }, pace: 0.2 })
    const sites = [outcome(0, 'a'), outcome(1, 'b', { result: homeResult('b', { summary: slow }) })]
    const { hospitals } = facts(sites, {}, { images: new Map([[1, 9]]) })
    const text = renderPage({ report: report({ hospitals }), pictures: [], sample: true })
    expect(text).to.include(
      'a: 32 of 32 (100.0 %) steps of training arrived at another hospital; it went through 30 of its 30 training images.'
    )
    expect(text).to.include(
      'b: 28 of 30 (93.3 %) steps of training arrived at another hospital, where whole rounds have 32, 2 were lost; it went through 60 ' +
        'of its 270 training images, of which 1 in 9 is its own and the others are simulated copies; at the end it trained 20 % of a ' +
        'round&#39;s steps, to keep up.'
    )
    expect(page).to.include('c: not known, since it did not say.')
  })

  it('escapes what users named', () => {
    const evil = renderPage({ report: report({ data: '<img src=x onerror=alert(1)>' }), pictures: [], sample: false })
    expect(evil).to.include('&lt;img src=x onerror=alert(1)&gt;')
    expect(evil).not.to.include('<img src=x')
  })
})

describe('pictures', () => {
  it('draw the inner border of a mask and leave the rest clear', () => {
    const size = 9
    const mask = Uint8Array.from(
      { length: size * size },
      (_, index) => (index % size > 0 && index % size < 8 && index >= size && index < 8 * size) ? 1 : 0
    )
    const pixels = outlinePixels(mask, { width: size, height: size }, [1, 2, 3])
    const alpha = (x: number, y: number): number => pixels[4 * (y * size + x) + 3]!
    expect([alpha(0, 0), alpha(1, 1), alpha(4, 2), alpha(4, 4)]).to.deep.equal([0, 255, 255, 0])
    expect([...pixels.subarray(4 * (size + 1), 4 * (size + 1) + 4)]).to.deep.equal([1, 2, 3, 255])
  })

  it('have the shape of the image, larger', async () => {
    const { worst: picture } = await renderPicture('a', { ...PICTURE, worst: { ...SHOT, height: 2, width: 8 } })
    expect(picture.width / picture.height).to.equal(4)
    expect(picture.image).to.match(/^data:image\/png;base64,/)
  })
})

describe('describeDistance', () => {
  it('writes few digits', () => {
    const said = [0, 0.4394, 0.1, 0.001, 7.3e-8, 1e-5].map(describeDistance)
    expect(said).to.deep.equal(['0', '0.44', '0.1', '0.001', '7·10⁻⁸', '10⁻⁵'])
  })
})
