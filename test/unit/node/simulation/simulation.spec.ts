import { expect } from 'chai'
import { plotPage, plotSvg } from '../../../../src/report/simulation-plot.ts'
import { DEFAULTS } from '../../../../src/simulation/options.ts'
import { contractionRate, theoryRate } from '../../../../src/simulation/theory.ts'
import { VirtualClock } from '../../../../src/simulation/virtual-clock.ts'
import { VirtualTrainer } from '../../../../src/simulation/virtual-trainer.ts'
import { seeded } from '../../../sim/site.ts'

describe('VirtualClock', () => {
  it('runs events in order of time, ties in order of scheduling, and stops at its end', async () => {
    const clock = new VirtualClock()
    const random = seeded(1)
    const ran: number[] = []
    const times = Array.from({ length: 200 }, () => Math.floor(50 * random()))
    times.forEach((ms, index) => { clock.schedule(ms, () => { ran.push(index) }) })
    await clock.run(39)
    expect(ran).to.deep.equal([...times.keys()].filter((index) => times[index]! <= 39).sort((a, b) => times[a]! - times[b]! || a - b))
    expect(clock.now()).to.equal(39)
    await clock.run(100)
    expect(ran).to.have.length(200)
  })

  it('lets what an event set off end, or sleep, before the next', async () => {
    const clock = new VirtualClock()
    const log: string[] = []
    const work = async (name: string): Promise<void> => {
      await Promise.resolve()
      log.push(`${name} begins at ${clock.now()}`)
      await clock.sleep(10)
      log.push(`${name} ends at ${clock.now()}`)
    }
    const works: Promise<void>[] = []
    for (const [name, ms] of [['b', 5], ['a', 0]] as const) clock.schedule(ms, () => { works.push(work(name)) })
    await clock.run(20)
    await Promise.all(works)
    expect(log).to.deep.equal(['a begins at 0', 'b begins at 5', 'a ends at 10', 'b ends at 15'])
  })
})

describe('a virtual trainer', () => {
  async function train (share: number, shortenAt?: number): Promise<{ steps: number, ms: number, length: number }> {
    const clock = new VirtualClock()
    let length = 0
    const onTrained = (delta: Float32Array): void => {
      length = Math.sqrt(delta.reduce((sum, each) => sum + each * each, 0) / delta.length)
    }
    const trainer = new VirtualTrainer({ clock, random: seeded(1), slowness: 4, onTrained })
    if (shortenAt != null) clock.schedule(shortenAt, () => { trainer.shorten() })
    const work = { phase: 'G' as const, round: 1, adapter: new Float32Array(1_000), done: 0, share }
    let ms = NaN
    const training = trainer.call('train', work).then(({ steps }) => {
      ms = clock.now()
      return steps
    })
    await clock.run(1e6)
    return { steps: await training, ms, length }
  }

  it('takes the time of its steps, and lands noise of their number', async () => {
    const [whole, half] = [await train(1), await train(0.5)]
    expect([whole.steps, half.steps]).to.deep.equal([16, 8])
    expect(whole.ms).to.be.within(0.9 * 20_000, 1.1 * 20_000)
    expect(half.ms / whole.ms).to.be.closeTo(0.5, 1e-9)
    expect(whole.length).to.be.closeTo(4e-5, 4e-6)
  })

  it('ends after the step under way when it is to be shorter, though not before the least', async () => {
    const whole = await train(1)
    expect(await train(1, 1)).to.include({ steps: 2 })
    expect(await train(1, whole.ms * 0.6)).to.include({ steps: 10 })
    expect(await train(1, whole.ms * 2)).to.deep.equal(whole)
  })
})

describe('rates of contraction', () => {
  it('are fitted down to rounding', () => {
    const variances = Array.from({ length: 30 }, (_, cycle) => Math.max(5 * 0.3 ** cycle, 1e-12))
    expect(contractionRate(variances)).to.be.closeTo(0.3, 1e-9)
    expect(contractionRate([1, 0])).to.equal(null)
    expect(contractionRate([0])).to.equal(null)
  })

  it('stand beside theory where there is one', () => {
    expect(theoryRate('random')).to.equal(1 / (2 * Math.sqrt(Math.E)))
    expect(theoryRate('exponential')).to.equal(0.25)
    expect(theoryRate('farthest')).to.equal(null)
  })
})

describe('the plot of a simulation', () => {
  const cycles = [1, 0.3, 0.1, 0].map((variance, cycle) => ({ cycle, variance, spread: 1, bytesPerSite: 0 }))

  it('is one SVG with what was measured and theory, also where everything agrees', () => {
    const svg = plotSvg(DEFAULTS, { cycles, theoryRate: 0.25 })
    expect(svg).to.match(/^<svg /).and.to.include('measured').and.include('theory').and.include('100 sites')
    expect(svg).to.not.include('NaN')
    expect(plotSvg(DEFAULTS, { cycles, theoryRate: null })).to.not.include('NaN')
  })

  it('has a line of the sites that are not slow in place of theory where sites train', () => {
    const svg = plotSvg(DEFAULTS, { cycles: cycles.map((each) => ({ ...each, others: each.variance / 1_000 })), theoryRate: null })
    expect(svg).to.include('sites that are not slow').and.not.include('theory').and.not.include('NaN')
  })

  it('or a page that fetches nothing', () => {
    const page = plotPage('<svg></svg>', 'some figures, 1 < 2')
    expect(page).to.include('<svg></svg>').and.include('some figures, 1 &lt; 2')
    expect(page).to.not.match(/src=|href=/)
  })
})
