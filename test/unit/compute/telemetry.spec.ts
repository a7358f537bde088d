import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'

describe('compute: ONNX Runtime reports to nobody', function () {
  this.timeout(60_000)

  it('its usage statistics, which it keeps in the home folder until they are sent, do not begin', async () => {
    const home = await mkdtemp(join(tmpdir(), 'consilium-home-'))
    try {
      const { ORT_DISABLE_TELEMETRY: _, XDG_CACHE_HOME: _cache, ...rest } = process.env
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--import', 'tsx', join(import.meta.dirname, 'telemetry-worker.ts')],
        { timeout: 50_000, env: { ...rest, HOME: home } }
      )
      expect(JSON.parse(stdout)).to.deep.include({ y: 9 }).and.to.have.nested.property('test.works', true)
      expect(await readdir(home, { recursive: true })).to.deep.equal([])
    } finally {
      await rm(home, { recursive: true, force: true })
    }
  })
})
