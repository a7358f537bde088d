import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'

describe('integration: tfjs-core\'s own tests', () => {
  it('fail on the onnx backend only where test/tfjs/known-failures.json says so', function () {
    this.timeout(240_000)
    // Without coverage, which would count the bundle.
    const { NODE_V8_COVERAGE: _, ...env } = process.env
    const script = join(import.meta.dirname, '../../tfjs/index.ts')
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--no-warnings', script], { env, encoding: 'utf8' })
    expect(status, `${stdout}\n${stderr}`).to.equal(0)
    const [, passed, total] = /(\d+) of (\d+) pass/.exec(stdout) ?? []
    expect(Number(passed)).to.be.at.least(4200)
    expect(Number(total)).to.be.at.least(4225)
  })
})
