import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { consilium, consiliumJson } from './cli.ts'

interface Simulated {
  readonly cycles: { cycle: number, variance: number, bytesPerSite: number }[]
  readonly contractionRate: number
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

  for (
    const [args, message] of [
      [['--peers', '1.5'], '--peers must be a whole number from 2 to 100000, not 1.5'],
      [['--loss', '2'], '--loss must be a number from 0 to 0.9, not 2'],
      [['--seed', 'x'], '--seed must be a whole number from 0 to 2147483647, not NaN'],
      [
        ['--peers', '100000', '--dim', '100000'],
        '100000 sites of 100000 numbers are more than 134217728 numbers: take fewer --peers or a smaller --dim'
      ],
      [['--out', 'plot.png'], '--out must end in .svg or .html, not plot.png']
    ] as const
  ) {
    it(`refuses ${args.join(' ')} in one sentence`, async () => {
      expect(await consilium(['simulate', ...args])).to.deep.equal({ code: 2, stdout: '', stderr: `consilium: ${message}\n` })
    })
  }
})
