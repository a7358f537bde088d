import { mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { DiskFeatures } from '../../../../src/node/trainer/feature-store.ts'

describe('features on disk', () => {
  let folder = ''
  beforeEach(async () => { folder = join(await mkdtemp(join(tmpdir(), 'consilium-features-')), 'features') })
  afterEach(async () => { await rm(join(folder, '..'), { recursive: true }) })

  it('come back as they were, up to the limit, under names that say nothing', async () => {
    const store = await DiskFeatures.open(folder, 24)
    const features = Float32Array.of(1, -2, Math.PI)
    await store.put('patient-7', features)
    await store.put('patient-8', features)
    await store.put('patient-9', features)
    expect(await store.get('patient-7')).to.deep.equal(features)
    expect(await store.get('patient-8')).to.deep.equal(features)
    expect(await store.get('patient-9')).to.equal(undefined)
    const names = await readdir(folder)
    expect(names).to.have.length(2)
    expect(names.join()).to.not.include('patient')
    expect((await stat(join(folder, names[0]!))).mode & 0o077).to.equal(0)
  })

  it('are forgotten with the next trainer, or when a file is cut short', async () => {
    await writeFile(join((await DiskFeatures.open(folder, 100), folder), 'old'), 'x')
    const store = await DiskFeatures.open(folder, 100)
    expect(await readdir(folder)).to.deep.equal([])
    await store.put('a', Float32Array.of(1, 2))
    await truncate(join(folder, (await readdir(folder))[0]!), 4)
    expect(await store.get('a')).to.equal(undefined)
  })
})
