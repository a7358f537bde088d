import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'

describe('compute: memory over 1,000 training steps', function () {
  this.timeout(120_000)

  for (const way of ['compiled', 'eager']) {
    it(`grows by less than 20 MB after the first 50 steps, ${way}`, async () => {
      const { stdout } = await promisify(execFile)(process.execPath, [
        '--import',
        'tsx',
        join(import.meta.dirname, 'memory-worker.ts'),
        way
      ], { timeout: 110_000 })
      expect((JSON.parse(stdout) as { grownMb: number }).grownMb).to.be.below(20)
    })
  }
})
