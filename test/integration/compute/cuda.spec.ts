import { expect } from 'chai'
import { testProvider } from '../../../src/compute/onnx/providers.ts'
import { runProviderGoldens } from './goldens.ts'

describe('the execution provider cuda', function () {
  this.timeout(300_000)

  it('passes the goldens within the tolerances of docs/spec/sam.md#tolerances', async function () {
    const test = await testProvider('cuda', { threads: 1 })
    if (!test.works && /^its libraries (are not installed|do not load: libcuda\.so)/.test(test.reason)) {
      console.log(`      skipped: ${test.reason}`)
      this.skip()
    }
    expect(test).to.include({ works: true })
    const { passes, failures } = await runProviderGoldens('cuda', 1)
    expect(failures).to.deep.equal([])
    expect(passes).to.have.length(5)
  })
})
