import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { labelMapOf, loadDataset, type Dataset } from '../../../src/dataset/index.ts'
import { Corrections } from '../../../src/site-model/corrections/corrections.ts'
import { labelsDigest } from '../../../src/site-model/corrections/labels-digest.ts'
import { fitSplit, weighted } from '../../../src/site-model/split.ts'
import { folderOf, png } from '../dataset/fixtures.ts'

const LABELS = [{ name: 'liver', value: 3 }, { name: 'spleen', value: 7 }]

describe('corrections', () => {
  let store: string
  let data: Awaited<ReturnType<typeof folderOf>>
  let corrections: Corrections

  beforeEach(async () => {
    store = await mkdtemp(join(tmpdir(), 'consilium-corrections-'))
    corrections = new Corrections(store)
    const image = async (i: number): Promise<Uint8Array> => await png(8, 8, (x, y) => (x * 20 + y + i) % 256)
    data = await folderOf({
      'images/a_1.png': await image(1),
      'images/b_1.png': await image(2),
      'images/c_1.png': await image(3),
      'masks/a_1.png': await png(8, 8, (x) => x > 4 ? 1 : 0),
      'masks/b_1.png': await png(8, 8, (x) => x > 4 ? 2 : 0),
      // The site numbers the classes in its own way.
      'labels.json': JSON.stringify({ liver: 1, spleen: 2 })
    })
  })
  afterEach(async () => {
    await rm(store, { recursive: true })
    await data.clear()
  })

  const save = async (stem: string, value: number, second = 0): Promise<string> => {
    const labels = await png(8, 8, (_, y) => y > 3 ? value : 0)
    const given = { labels, data: data.path, stem, image: 'i', author: 'h', ending: '.png' } as const
    return (await corrections.save(given, new Date(second * 1000))).id
  }

  it('are for this user alone, say who and when, and of several the newest counts until it is undone', async () => {
    const [first, second] = [await save('a_1', 3, 1), await save('a_1', 7, 2)]
    expect((await stat(join(store, 'corrections'))).mode & 0o777).to.equal(0o700)
    for (const name of await readdir(join(store, 'corrections'))) {
      expect((await stat(join(store, 'corrections', name))).mode & 0o777, name).to.equal(0o600)
    }
    expect((await corrections.list()).map(({ id, author, at }) => [id, author, at])).to.deep.equal([
      [first, 'h', '1970-01-01T00:00:01.000Z'],
      [second, 'h', '1970-01-01T00:00:02.000Z']
    ])
    const counts = async (): Promise<string | undefined> => (await corrections.inForce(data.path)).get('a_1')?.id
    expect(await counts()).to.equal(second)
    await corrections.undo(second)
    expect(await counts()).to.equal(first)
    expect((await corrections.inForce(`${data.path}/elsewhere`)).size).to.equal(0)
    const gone = await corrections.undo(second).then(() => undefined, (error: unknown) => error as Error)
    expect(gone?.message).to.include('there is no correction')
  })

  it('say in one sentence that a record is damaged', async () => {
    const id = await save('a_1', 3)
    const file = join(store, 'corrections', `${id}.json`)
    await writeFile(file, (await readFile(file, 'utf8')).replace('"h"', '"g"'))
    const error = await corrections.list().then(() => undefined, (thrown: unknown) => thrown as Error)
    expect(error?.message).to.include(`${file} is damaged`)
  })

  it('replace labels and label what had none, in the federation\'s values, whatever the site\'s are', async () => {
    const labels = labelMapOf(LABELS)
    const read = async (): Promise<Dataset> => await loadDataset(data.path, { labels, corrected: await corrections.files(data.path) })
    const before = labelsDigest((await read()).slices)
    const [a, c] = [await save('a_1', 7), await save('c_1', 3)]
    const { slices, problems } = await read()
    expect(problems).to.deep.equal([])
    const shown = new Map(slices.map((slice) => [slice.id, [slice.corrected, slice.shows, [...new Set(slice.mask)]]]))
    expect([...shown].sort()).to.deep.equal([
      ['a_1', [true, [1], [0, 2]]],
      ['b_1', [undefined, [1], [0, 2]]],
      ['c_1', [true, [0], [0, 1]]]
    ])
    expect(labelsDigest(slices)).not.to.equal(before)
    const { train } = await fitSplit({ slices }, 8, { seed: 1 })
    const corrected = train.filter((each) => each.corrected === true).length
    expect(weighted(train, 3)).to.have.length(train.length + 2 * corrected)
    for (const id of [a, c]) await corrections.undo(id)
    const after = await read()
    expect(labelsDigest(after.slices)).to.equal(before)
    expect(after.problems.map(({ file }) => file)).to.deep.equal(['images/c_1.png'])
  })

  it('that cannot be read are said, and the rest goes on', async () => {
    const id = await save('a_1', 7)
    await writeFile(join(store, 'corrections', `${id}.png`), await png(4, 4, () => 7))
    const { slices, problems } = await loadDataset(data.path, { corrected: await corrections.files(data.path) })
    expect(slices.map((slice) => slice.id)).to.deep.equal(['b_1'])
    expect(problems.find(({ file }) => file === 'images/a_1.png')?.reason).to.include('its correction cannot be used')
  })
})
