import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Examination } from '../../src/cli/doctor/examine.ts'
import { consilium, plainLines } from './cli.ts'

describe('consilium doctor and the choice of the engine', function () {
  this.timeout(60_000)
  let home: string
  before(async () => { home = await mkdtemp(join(tmpdir(), 'consilium-')) })
  after(async () => { await rm(home, { recursive: true }) })

  /** A machine without Vulkan driver and TensorFlow, whatever this one has. */
  const bare = { VK_DRIVER_FILES: '/nowhere.json', CONSILIUM_TENSORFLOW: '/nowhere' }

  it('--json tells engines, providers, choice, speed, memory, checks and advice', async () => {
    const { code, stdout, stderr } = await consilium(['doctor', '--home', home, '--json', '--threads', '1'], { env: bare })
    expect(code, stderr).to.equal(0)
    const found = JSON.parse(stdout) as Examination
    expect(Object.keys(found)).to.have.members([
      'threads',
      'engines',
      'providers',
      'chosen',
      'gflops',
      'cores',
      'memory',
      'node',
      'checks',
      'advice'
    ])
    expect(found.engines.map(({ name, found: there }) => [name, there])).to.deep.equal([['onnx', true], ['tensorflow', false], [
      'wasm',
      true
    ]])
    expect(found.providers.find(({ provider }) => provider === 'webgpu')).to.deep.equal({
      provider: 'webgpu',
      works: false,
      reason: 'no Vulkan driver is installed'
    })
    expect(found.chosen).to.include({ name: 'onnx', provider: 'cpu' }).and.property('reason').contains(
      'webgpu passed over: no Vulkan driver is installed'
    )
    expect(found.gflops).to.be.above(0)
    expect(found.checks.every(({ ok }) => ok)).to.equal(true)
    expect(found.threads).to.equal(1)
  })

  it('says it in words, and ends with 1 and one sentence where the named engine is not there', async () => {
    const { code, stdout, stderr } = await consilium(['doctor', '--home', home, '--engine', 'onnx', '--provider', 'webgpu'], { env: bare })
    expect(code).to.equal(1)
    expect(stdout).to.match(/^no {3}chosen +the provider webgpu does not work here/m)
    expect(plainLines(stderr)).to.deep.equal([
      'consilium: the provider webgpu does not work here (no Vulkan driver is installed): use --provider auto, or see consilium doctor'
    ])
  })

  for (const command of ['start', 'predict', 'evaluate', 'doctor']) {
    it(`${command} --engine abacus lists the known engines`, async () => {
      const needed = {
        start: [],
        predict: ['--image', 'x.png', '--out', 'y.png'],
        evaluate: ['--data', 'x'],
        doctor: []
      }[command] as string[]
      const { code, stderr } = await consilium([command, '--home', home, ...needed, '--engine', 'abacus'])
      expect(code).to.equal(2)
      expect(plainLines(stderr)).to.deep.equal(['consilium: --engine abacus is unknown: use one of auto, onnx, tensorflow, wasm, cpu'])
    })
  }

  it('CONSILIUM_ENGINE=abacus, too', async () => {
    const { code, stderr } = await consilium(['doctor', '--home', home], { env: { CONSILIUM_ENGINE: 'abacus' } })
    expect(code).to.equal(1)
    expect(plainLines(stderr)).to.deep.equal([
      'consilium: wrong settings: CONSILIUM_ENGINE must be auto, onnx, tensorflow, wasm or cpu, not abacus'
    ])
  })

  it('CONSILIUM_ENGINE=wasm is obeyed, and tensorflow that is not there is one sentence', async () => {
    const wasm = await consilium(['doctor', '--home', home, '--json'], { env: { ...bare, CONSILIUM_ENGINE: 'wasm' } })
    expect((JSON.parse(wasm.stdout) as Examination).chosen).to.deep.equal({
      name: 'wasm',
      provider: 'cpu',
      reason: 'named in the settings'
    })
    const tensorflow = await consilium(['doctor', '--home', home], { env: { ...bare, CONSILIUM_ENGINE: 'tensorflow' } })
    expect(tensorflow.code).to.equal(1)
    expect(plainLines(tensorflow.stderr)).to.deep.equal([
      'consilium: the engine tensorflow is not installed: run npm run setup:tensorflow in a clone of the repository'
    ])
  })
})
