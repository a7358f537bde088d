import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { advise } from '../../../../src/cli/doctor/advice.ts'
import { checkClock, checkMachine, checkNode } from '../../../../src/cli/doctor/checks.ts'

const view = {
  threads: 2,
  engines: [{ name: 'tensorflow', found: false, detail: 'not installed' }],
  providers: [{ provider: 'cuda', works: false, reason: '' }, { provider: 'webgpu', works: false, reason: '' }, {
    provider: 'cpu',
    works: true,
    gflops: 100
  }],
  chosen: { name: 'onnx', provider: 'cpu', reason: '' }
} as const

describe('doctor', () => {
  let folder: string
  before(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })
  after(async () => { await rm(folder, { recursive: true }) })

  it('finds a machine in order, and leaves nothing in the home folder', async () => {
    const checks = await checkMachine({ home: folder, now: Date.now(), nodeVersion: process.versions.node })
    expect(checks.filter(({ ok }) => !ok)).to.deep.equal([])
    expect(checks.map(({ name }) => name)).to.deep.equal(['node', 'home', 'disk', 'listen', 'clock'])
    expect(await readdir(folder)).to.deep.equal([])
  })

  it('a home that is not there yet counts if it can be made', async () => {
    const home = join(folder, 'a/b')
    const checks = await checkMachine({ home, now: Date.now(), nodeVersion: '22.0.0' })
    expect(checks.find(({ name }) => name === 'home')).to.deep.equal({
      name: 'home',
      ok: true,
      detail: `${home} does not exist yet and can be made`
    })
    expect(await readdir(folder)).to.deep.equal([])
  })

  it('a home that is a file is a problem', async () => {
    await writeFile(join(folder, 'file'), '')
    const checks = await checkMachine({ home: join(folder, 'file'), now: Date.now(), nodeVersion: '22.0.0' })
    expect(checks.find(({ name }) => name === 'home')).to.include({ ok: false })
  })

  it('an old Node and a clock that cannot be right are problems', () => {
    expect(checkNode('20.19.0')).to.include({ ok: false })
    const installed = Date.UTC(2026, 5)
    expect(checkClock(Date.UTC(1970, 0), installed)).to.include({
      ok: false,
      detail: '1970-01-01T00:00:00.000Z cannot be right: set the clock, best by NTP'
    })
    expect(checkClock(Date.UTC(2026, 6), installed)).to.include({ ok: true })
  })

  it('says what to do for more, as far as it can help', () => {
    expect(advise(view, { nvidia: false, gpu: false }, 2 ** 34)).to.deep.equal(['No GPU was found: training runs on the CPU.'])
    const nvidia = advise(view, { nvidia: true, gpu: true }, 2 ** 34)
    expect(nvidia.map((line) => line.split(':')[0])).to.deep.equal(['For CUDA in ONNX Runtime', 'For CUDA in TensorFlow', 'For WebGPU'])
    expect(advise(view, { nvidia: false, gpu: true }, 2 ** 30).at(-1)).to.match(/^Less than 4 GiB/)
  })
})
