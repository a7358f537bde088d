import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { consilium, consiliumJson } from './cli.ts'

interface Simulated {
  readonly cycles: { cycle: number, variance: number, bytesPerSite: number }[]
  readonly contractionRate: number | null
}

describe('consilium simulate', function () {
  this.timeout(60_000)
  let folder: string

  before(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })
  after(async () => { await rm(folder, { recursive: true }) })

  it('prints one object with --json and writes a plot', async () => {
    const out = join(folder, 'plot.svg')
    const result = await consiliumJson<Simulated>([
      'simulate',
      '--peers',
      '200',
      '--dim',
      '16',
      '--exchanges',
      '6',
      '--partner',
      'random',
      '--codec',
      'f32',
      '--seed',
      '3',
      '--out',
      out
    ])
    expect(result).to.have.all.keys(
      'peers',
      'dim',
      'partner',
      'codec',
      'seed',
      'cycles',
      'contractionRate',
      'theoryRate',
      'liarsNamed',
      'conserved'
    )
    expect(result).to.deep.include({
      peers: 200,
      dim: 16,
      partner: 'random',
      codec: 'f32',
      seed: 3,
      liarsNamed: 0,
      conserved: { mass: true, weightedSum: true }
    })
    expect(result.contractionRate).to.be.closeTo(0.303, 0.05)
    expect(result.cycles.map(({ cycle }) => cycle)).to.deep.equal([0, 1, 2, 3, 4, 5, 6])
    expect(result.cycles[6]).to.have.all.keys('cycle', 'variance', 'bytesPerSite')
    expect(result.cycles[6]!.bytesPerSite).to.equal(6 * 2 * 4 * 16)
    expect(await readFile(out, 'utf8')).to.match(/^<svg /)
  })

  it('prints a table for people and writes a page', async () => {
    const out = join(folder, 'plot.html')
    const { code, stdout } = await consilium([
      'simulate',
      '--peers',
      '20',
      '--dim',
      '8',
      '--exchanges',
      '2',
      '--liars',
      '0.1',
      '--out',
      out
    ])
    expect(code).to.equal(0)
    expect(stdout).to.match(/liars named: \d of 2; honest sites named: 0/).and.to.include('theory')
    expect(await readFile(out, 'utf8')).to.include('<svg ').and.to.include('liars named')
  })

  it('trains where there are stragglers, and says what arrived', async () => {
    const out = join(folder, 'training.html')
    const args = ['simulate', '--peers', '8', '--dim', '8', '--stragglers', '0.25', '--slowness', '20', '--rounds', '8', '--delay', '50']
    const { code, stdout } = await consilium([...args, '--out', out])
    expect(code).to.equal(0)
    expect(stdout).to.match(/training: 8 rounds; (\d+) of \1 steps arrived at another site \(100\.0 %\)/)
    expect(stdout).to.match(/2 sites 20 times as slow: \d+ of \d+ steps arrived/)
    expect(stdout).to.include('sites waited for others 0 times, and caught up')
    expect(stdout).to.match(/RMS of the others at 0\.001 of the start: after \d+\.\d s of virtual time/)
    expect(await readFile(out, 'utf8')).to.include('sites that are not slow').and.include('2 sites 20 times as slow')
    const { training, contractionRate } = await consiliumJson<Simulated & { training: Record<string, unknown> }>(args)
    expect(training).to.have.all.keys('rounds', 'slow', 'steps', 'slowSteps', 'waited', 'caughtUp', 'spreadSeconds', 'groups')
    expect(training).to.deep.include({ rounds: 8, slow: 2, waited: 0, groups: null })
    expect(contractionRate).to.equal(null)
  })

  for (
    const [args, message] of [
      [['--peers', '1.5'], '--peers must be a whole number from 2 to 100000, not 1.5'],
      [['--loss', '2'], '--loss must be a number from 0 to 0.9, not 2'],
      [['--seed', 'x'], '--seed must be a whole number from 0 to 2147483647, not NaN'],
      [
        ['--peers', '100000', '--dim', '100000'],
        '100000 sites of 100000 numbers are more than 134217728 numbers: take fewer --peers or a smaller --dim'
      ],
      [['--stragglers', '0.1', '--peers', '300'], '300 sites are more than the 256 that can train: take fewer --peers, or --rounds 0'],
      [['--slowness', '0.5'], '--slowness must be a whole number from 1 to 1000, not 0.5'],
      [['--out', 'plot.png'], '--out must end in .svg or .html, not plot.png']
    ] as const
  ) {
    it(`refuses ${args.join(' ')} in one sentence`, async () => {
      expect(await consilium(['simulate', ...args])).to.deep.equal({ code: 2, stdout: '', stderr: `consilium: ${message}\n` })
    })
  }
})
