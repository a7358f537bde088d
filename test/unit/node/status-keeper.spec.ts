import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { readLastStatus } from '../../../src/home/last-status.ts'
import { StatusKeeper } from '../../../src/node/status-keeper.ts'
import { createLogger } from '../../../src/rounds/logger.ts'
import { WELL } from './metrics/reading.ts'

describe('what a site said last', () => {
  let folder: string
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  function keeper (file: string): StatusKeeper {
    const now = (): number => Date.UTC(2026, 10, 30)
    return new StatusKeeper({ file, status: () => WELL.status, peers: () => [], logger: createLogger('silent'), now })
  }

  it('is there when it has stopped, and is none where it is damaged', async () => {
    const file = join(folder, 'status.json')
    expect(await readLastStatus(file)).to.equal(undefined)
    await keeper(file).stop()
    expect(await readLastStatus(file)).to.deep.equal({ at: '2026-11-30T00:00:00.000Z', status: WELL.status, peers: [] })
    const text = await readFile(file, 'utf8')
    for (const damaged of [text.replace('Mercy', 'Mercx'), text.slice(0, 80), '', 'null']) {
      await writeFile(file, damaged)
      expect(await readLastStatus(file)).to.equal(undefined)
    }
  })

  it('ends nothing where it cannot be written', async () => {
    await keeper(join(folder, 'a file')).stop()
    await keeper(join(folder, 'a file', 'status.json')).stop()
  })
})
