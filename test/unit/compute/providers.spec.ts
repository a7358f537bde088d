import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { hasVulkanDriver, selfTest, testProvider } from '../../../src/compute/onnx/providers.ts'

describe('execution providers', () => {
  it('the CPU passes its self-test and has a speed', async () => {
    const test = await selfTest('cpu', { threads: 1 })
    expect(test).to.include({ provider: 'cpu', works: true })
    expect(test.works && test.gflops).to.be.above(0)
  })

  it('CUDA without its libraries fails before anything is started, and when it is tried nevertheless', async function () {
    if (existsSync(`build/onnxruntime/bin/napi-v6/${process.platform}/${process.arch}/libonnxruntime_providers_cuda.so`)) {
      console.log('      skipped: its libraries are installed here')
      this.skip()
    }
    expect(await testProvider('cuda', { threads: 1 })).to.deep.equal({
      provider: 'cuda',
      works: false,
      reason: 'its libraries are not installed'
    })
    const tried = await selfTest('cuda', { threads: 1 })
    expect(tried.works ? '' : tried.reason).to.match(
      /^its libraries do not load: libonnxruntime_providers_\w+\.so: cannot open shared object file/
    )
  })

  it('a test that takes too long is ended and counts as failed', async () => {
    expect(await selfTest('cpu', { threads: 1, timeoutMs: 1 })).to.deep.equal({
      provider: 'cpu',
      works: false,
      reason: 'its self-test did not end within 0.001 s'
    })
  })

  it('a Vulkan driver is one whose manifest the loader would find', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    const nowhere = { XDG_DATA_HOME: folder, XDG_DATA_DIRS: folder, XDG_CONFIG_HOME: folder, XDG_CONFIG_DIRS: folder }
    const manifest = join(folder, 'vulkan/icd.d/gpu.json')
    expect(hasVulkanDriver({ ...nowhere, VK_DRIVER_FILES: manifest })).to.equal(false)
    await mkdir(join(folder, 'vulkan/icd.d'), { recursive: true })
    await writeFile(manifest, '{}')
    expect(hasVulkanDriver({ ...nowhere, VK_DRIVER_FILES: manifest })).to.equal(true)
    expect(hasVulkanDriver(nowhere)).to.equal(true)
    expect(hasVulkanDriver({ ...nowhere, VK_DRIVER_FILES: '/nowhere.json' })).to.equal(false)
    await rm(folder, { recursive: true })
  })
})
