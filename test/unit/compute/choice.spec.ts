import { expect } from 'chai'
import { chooseEngine } from '../../../src/compute/choice.ts'
import type { Probes, TensorflowProbe } from '../../../src/compute/choice.ts'
import { defaultMemory, defaultThreads } from '../../../src/compute/defaults.ts'
import type { ProviderTest } from '../../../src/compute/onnx/providers.ts'

const absent = 'not installed'

/** A machine whose providers have these speeds, or fail with these words. */
function machine (found: Record<string, number | string>, tensorflow: TensorflowProbe = absent): Probes & { asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    provider: async (provider): Promise<ProviderTest> => {
      asked.push(provider)
      const said = found[provider]!
      return typeof said === 'number' ? { provider, works: true, gflops: said } : { provider, works: false, reason: said }
    },
    tensorflow: async () => tensorflow
  }
}

const failure = async (promise: Promise<unknown>): Promise<string> =>
  await promise.then(() => 'no error', (error: unknown) => (error as Error).message)
const cpuOnly = { cuda: 'no libraries', webgpu: 'no driver', cpu: 100 }

describe('choice of engine and provider', () => {
  it('auto: onnx on the CPU where nothing else works, untested, with every reason', async () => {
    const probes = machine(cpuOnly)
    expect(await chooseEngine({}, probes)).to.deep.equal({
      name: 'onnx',
      provider: 'cpu',
      reason: 'cuda passed over: no libraries; webgpu passed over: no driver; tensorflow passed over: not installed'
    })
    expect(probes.asked).to.deep.equal(['cuda', 'webgpu'])
  })

  it('auto: the fastest provider that passes', async () => {
    expect(await chooseEngine({ name: 'onnx' }, machine({ cuda: 'no libraries', webgpu: 3000, cpu: 400 }))).to.deep.equal({
      name: 'onnx',
      provider: 'webgpu',
      reason: 'fastest in the self-test, 3000 GFLOP/s; cuda passed over: no libraries; cpu passed over: slower, 400 GFLOP/s'
    })
    expect(await chooseEngine({ name: 'onnx' }, machine({ cuda: 9000, webgpu: 3000, cpu: 400 }))).to.include({ provider: 'cuda' })
  })

  it('auto: a GPU in software is slower than the CPU and passed over', async () => {
    expect(await chooseEngine({ name: 'onnx' }, machine({ cuda: 'no libraries', webgpu: 0.6, cpu: 150 }))).to.deep.equal({
      name: 'onnx',
      provider: 'cpu',
      reason: 'fastest in the self-test, 150 GFLOP/s; cuda passed over: no libraries; webgpu passed over: slower, 0.6 GFLOP/s'
    })
  })

  it('auto: tensorflow only where it sees a CUDA device', async () => {
    expect(await chooseEngine({}, machine(cpuOnly, { version: '2.21.0', gpu: true }))).to.include({ name: 'tensorflow', provider: 'cuda' })
    const { name, reason } = await chooseEngine({}, machine(cpuOnly, { version: '2.21.0', gpu: false }))
    expect(name).to.equal('onnx')
    expect(reason).to.contain('tensorflow passed over: TensorFlow 2.21.0 sees no CUDA device')
  })

  it('a named engine or provider is taken without looking at the others', async () => {
    const probes = machine(cpuOnly, { version: '2.21.0', gpu: true })
    expect(await chooseEngine({ name: 'wasm' }, probes)).to.include({ name: 'wasm', provider: 'cpu' })
    expect(await chooseEngine({ provider: 'cpu' }, probes)).to.include({ name: 'onnx', provider: 'cpu', reason: 'named in the settings' })
    expect(probes.asked).to.deep.equal([])
  })

  it('a named provider that fails is refused with its reason', async () => {
    expect(await failure(chooseEngine({ provider: 'webgpu' }, machine(cpuOnly)))).to.equal(
      'the provider webgpu does not work here (no driver): use --provider auto, or see consilium doctor'
    )
  })

  it('unknown names are answered with the known ones', async () => {
    expect(await failure(chooseEngine({ name: 'abacus' as 'onnx' }, machine(cpuOnly)))).to.equal(
      'unknown engine abacus: use auto, onnx, tensorflow, wasm or cpu'
    )
    expect(await failure(chooseEngine({ provider: 'tpu' as 'cpu' }, machine(cpuOnly)))).to.equal(
      'unknown provider tpu: use auto, cuda, webgpu or cpu'
    )
    expect(await failure(chooseEngine({ name: 'wasm', provider: 'cuda' }, machine(cpuOnly)))).to.match(
      /^the provider cuda is for the engine onnx, not for wasm/
    )
  })
})

describe('defaults of the engine', () => {
  it('threads: all of few cores, one per physical core of many, at most 32', () => {
    expect([2, 8].map((cores) => defaultThreads(cores, true))).to.deep.equal([2, 8])
    expect([12, 16, 64, 128].map((cores) => defaultThreads(cores, true))).to.deep.equal([8, 8, 32, 32])
    expect([16, 64].map((cores) => defaultThreads(cores, false))).to.deep.equal([16, 32])
  })

  it('memory: kept between steps unless less than 4 GiB are free', () => {
    expect([2 ** 31, 2 ** 33].map(defaultMemory)).to.deep.equal(['low', 'fast'])
  })
})
