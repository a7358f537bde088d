import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Evaluation } from '../../../src/site-model/evaluate-site.ts'
import { consiliumJson } from '../cli.ts'
import { LIMIT_MS, TestnetProcess } from './testnet-process.ts'

describe('the testnet', function () {
  this.timeout(LIMIT_MS)
  let testnet: TestnetProcess
  let out: string

  beforeEach(async () => {
    testnet = await TestnetProcess.open()
    out = testnet.out
  })
  afterEach(async () => { await testnet.close() })

  it('answers wrong usage with one line and exit code 2', async () => {
    const { code, stderr } = await testnet.start('--hospital', '3').ended
    expect([code, stderr]).to.deep.equal([2, 'testnet: unknown flag --hospital: did you mean --hospitals?\n'])
  })

  it('answers a folder of other files with one line, exit code 1 and nothing touched', async () => {
    await writeFile(join(out, 'thesis.tex'), 'years')
    const { code, stderr } = await testnet.start('--out', out).ended
    expect(code).to.equal(1)
    expect(stderr).to.match(/^testnet: [^\n]+choose another --out or empty it\n$/)
    expect(await readdir(out)).to.deep.equal(['thesis.tex'])
  })

  it('loses its bootstrap node, restarts another hospital, and the rest finish and agree', async () => {
    // One that is not back within 20 s is missed in a round.
    const faults = ['--kill', '0@2', '--restart', '2@2']
    const { report } = await testnet.holdsBut('exchanges per hospital and round', '--hospitals', '3', '--rounds', '3', ...faults)
    expect(report.hospitals.map(({ exitCode, signal, restarts }) => [exitCode, signal, restarts])).to.deep.equal([[null, 'SIGKILL', 0], [
      0,
      null,
      0
    ], [0, null, 1]])
    expect(report.hospitals.slice(1).map(({ rounds }) => rounds)).to.deep.equal([3, 3])
    expect(report.consensus.at(-1)).to.include({ round: null, sites: 2 })
    expect(report).to.deep.include({ crossSite: null, seed: 1, engine: 'onnx', provider: 'cpu' })
    expect(JSON.parse(await readFile(join(out, 'report.json'), 'utf8'))).to.deep.equal(report)
    expect(await readFile(join(out, 'report.html'), 'utf8')).to.include('data:image/png;base64,')
    expect(await testnet.daemons()).to.deep.equal([])

    const home = join(out, 'homes', 'hospital-b')
    for (const round of ['best', 'last']) {
      const evaluated = await consiliumJson<Evaluation>(['evaluate', '--home', home, '--round', round])
      expect(evaluated.global.dice, round).to.be.within(0.3, 1)
      expect(evaluated.round).to.be.within(1, 3)
    }
    const [image, mask] = [join('samples', 'colin27', 'hospital-a', 'images', 'colin27_011.png'), join(out, 'mask.png')]
    await consiliumJson(['predict', '--home', home, '--round', 'best', '--mode', 'global', '--image', image, '--out', mask])
    expect((await readFile(mask)).length).to.be.above(0)
  })

  it('has a slow hospital and one with many images, whose steps arrive all the same', async () => {
    const faults = ['--slow', '1:9', '--images', '2:3']
    const { report, stderr } = await testnet.holds('--hospitals', '3', '--rounds', '4', ...faults)
    const results = report.checks.filter(({ kind }) => kind === 'result').map(({ name }) => name)
    expect(results).to.include.members([
      'nobody waited for hospital-b and hospital-c',
      'at least 90 % of the steps of hospital-b, 9 times slower, arrived at another',
      'at least 90 % of the steps of hospital-c, with 3 times the images, arrived at another'
    ])
    expect(report.hospitals.map(({ imagesFactor }) => imagesFactor)).to.deep.equal([1, 1, 3])
    const [one, , three] = report.hospitals
    expect(three?.images).to.be.above(2 * (one?.images ?? Infinity))
    expect(three?.validationImages).to.be.below(20)
    for (const { steps } of report.hospitals) expect(steps?.trained).to.be.above(0)
    expect(stderr).to.include('hospital-c gets 3 times its training images, by simulated copies')
    expect(await readFile(join(out, 'report.html'), 'utf8')).to.include('simulated copies')
  })

  it('averages by sealed groups of six hospitals', async () => {
    const { report } = await testnet.holdsBut('steps arrived', '--hospitals', '6', '--rounds', '4', '--secure')
    // What a hospital trained last may find no two others that are ready: a quarter of four rounds, and on a crowded machine two.
    for (const { steps } of report.hospitals) expect(steps?.arrived).to.be.at.least(0.5 * steps!.trained)
  })

  it('trains two classes, one within the other, and every check holds', async () => {
    const { report } = await testnet.holds('--hospitals', '3', '--rounds', '2', '--classes', 'brain,deep-grey')
    expect(Object.keys(report.hospitals[2]?.classes ?? {})).to.deep.equal(['brain', 'deep-grey'])
  })

  it('names the hospital that took one class for the other, and no other one, beside one without labels that reads', async () => {
    const conditions = ['--classes', 'brain,deep-grey', '--swapped', '2', '--reader', '1']
    const { report: { checks, readers } } = await testnet.holds('--rounds', '10', ...conditions)
    expect(checks.find(({ name }) => name.startsWith('labels exchanged'))).to.deep.include({ ok: true, detail: 'named' })
    expect(readers?.map(({ rounds, hasDice, stepsTaken }) => ({ rounds, hasDice, stepsTaken })))
      .to.deep.equal([{ rounds: 10, hasDice: false, stepsTaken: 0 }])
  })

  it('compares with training alone, the founder too', async () => {
    const { report } = await testnet.holds('--hospitals', '2', '--rounds', '1', '--compare')
    for (const { dice } of report.hospitals) expect(dice.local).to.be.within(0.1, 1)
    expect(report.crossSite?.global).to.be.within(0.1, 1)
  })

  it('stops every daemon in order on Ctrl-C', async () => {
    const { ended, said } = testnet.start('--out', out, '--hospitals', '2', '--rounds', '50')
    await said('round 1 phase G')
    expect(await testnet.daemons()).to.have.length(2)
    testnet.interrupt()
    const { code, stdout } = await ended
    expect(code).to.equal(130)
    expect(stdout).to.include('stopping the hospitals')
    expect(await testnet.daemons()).to.deep.equal([])
    expect(await readdir(out)).not.to.include('report.json')
    expect(await readFile(join(out, 'homes', 'hospital-a.log'), 'utf8')).to.include('stopping')
  })
})
