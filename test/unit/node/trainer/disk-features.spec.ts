import { mkdir, mkdtemp, readdir, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { DiskFeatures } from '../../../../src/site-model/trainer/disk-features.ts'

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

  it('are kept no more once the disk refuses, which is said once', async () => {
    const said: string[] = []
    const store = await DiskFeatures.open(folder, 100, (problem) => { said.push(problem) })
    await store.put('a', Float32Array.of(1))
    await rename(folder, `${folder}-away`)
    await store.put('b', Float32Array.of(2))
    expect(said).to.have.length(1)
    expect(said[0]).to.include('ENOENT')
    await rename(`${folder}-away`, folder)
    await store.put('c', Float32Array.of(3))
    expect(await readdir(folder)).to.have.length(1)
    expect(await store.get('a')).to.deep.equal(Float32Array.of(1))
    expect([await store.get('b'), await store.get('c')]).to.deep.equal([undefined, undefined])
    expect(said).to.have.length(1)
  })

  it('are kept nowhere where the folder cannot be made, or a file cannot be read', async () => {
    const said: string[] = []
    const say = (problem: string): void => { said.push(problem) }
    await writeFile(folder, 'in the way')
    const none = await DiskFeatures.open(join(folder, 'deeper'), 100, say)
    await none.put('a', Float32Array.of(1))
    expect(await none.get('a')).to.equal(undefined)
    expect(said).to.have.length(1)
    await rm(folder)
    const store = await DiskFeatures.open(folder, 100, say)
    await store.put('a', Float32Array.of(1))
    const path = join(folder, (await readdir(folder))[0]!)
    await rm(path)
    await mkdir(path)
    expect(await store.get('a')).to.equal(undefined)
    expect(said).to.have.length(2)
  })
})
