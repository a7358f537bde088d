import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect } from 'chai'
import { hasVulkanDriver, selfTest } from '../../../src/compute/onnx/providers.ts'
import { runProviderGoldens, runSpecs } from './goldens.ts'

/** The software driver that comes with Debian's package chromium-common. */
const SOFTWARE = '/usr/lib/chromium/vk_swiftshader_icd.json'

/** What the process needs to find a Vulkan driver; undefined, and said, where there is none. */
function driver (): NodeJS.ProcessEnv | undefined {
  if (hasVulkanDriver(process.env)) return {}
  if (!existsSync(SOFTWARE)) {
    console.log('      skipped: no Vulkan driver on this machine (Debian, Ubuntu: apt install chromium-common has one in software)')
    return undefined
  }
  const libraries = [dirname(SOFTWARE), process.env['LD_LIBRARY_PATH'] ?? ''].filter((path) => path !== '').join(':')
  return { VK_DRIVER_FILES: SOFTWARE, LD_LIBRARY_PATH: libraries, XDG_RUNTIME_DIR: process.env['XDG_RUNTIME_DIR'] ?? '/tmp' }
}

describe('the execution provider webgpu', function () {
  this.timeout(300_000)

  it('passes the goldens within ten times the tolerances of docs/spec/sam.md#tolerances', async function () {
    const env = driver() ?? this.skip()
    const { passes, failures } = await runProviderGoldens('webgpu', 10, env)
    expect(failures).to.deep.equal([])
    expect(passes).to.have.length(5)
  })

  it('splits into more parts than a shader has buffers', async function () {
    const env = driver() ?? this.skip()
    const { passes, failures } = await runSpecs(['compute/kernels'], 'more parts than', {
      ...env,
      CONSILIUM_TEST_PROVIDER: 'webgpu',
      CONSILIUM_TEST_SLACK: '10'
    })
    expect(failures).to.deep.equal([])
    expect(passes).to.have.length(1)
  })

  it('fails its self-test with a reason where the driver does not load, and takes no process along', async () => {
    const before = process.env['VK_DRIVER_FILES']
    process.env['VK_DRIVER_FILES'] = import.meta.filename
    const test = await selfTest('webgpu', { threads: 1 })
    if (before === undefined) delete process.env['VK_DRIVER_FILES']
    else process.env['VK_DRIVER_FILES'] = before
    expect(test).to.include({ provider: 'webgpu', works: false, reason: 'Failed to get a WebGPU adapter: No supported adapters' })
  })
})
