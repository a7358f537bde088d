import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { scanDataset } from '../../../src/dataset/index.ts'
import { readInstance } from '../../../src/formats/dicom/instance.ts'
import { DICOM } from '../formats/dicom/fixtures.ts'

const [SERIES, SLICES] = [40, 250]
const MOST_MS = 60_000

describe('a folder of 10,000 DICOM files', function () {
  this.timeout(300_000)
  let folder: string

  before(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-many-')) })
  after(async () => { await rm(folder, { recursive: true }) })

  it('of 40 series is surveyed by its headers in under a minute', async () => {
    const path = join(DICOM, 'ct/b.dcm')
    const [{ sop, series, frames }, template] = [await readInstance(path), (await readFile(path)).toString('latin1')]
    const place = frames[0]!.plane!.position.join('\\')
    // A UID of the same length for every file.
    const own = (uid: string, count: number): string => uid.replace('3680043', String(1_000_000 + count))
    for (let s = 0; s < SERIES; s++) {
      const at = join(folder, `p${s % 12}`, `series ${s}`)
      await mkdir(at, { recursive: true })
      await Promise.all(Array.from({ length: SLICES }, async (_, k) => {
        const depth = `0\\0\\${1000 + k}`.padEnd(place.length)
        const named = template.replaceAll(`${sop}\0`, `${own(sop, s * SLICES + k)}\0`).replaceAll(series, own(series, s))
        await writeFile(join(at, `IM${k}`), named.replace(place, depth), 'latin1')
      }))
    }
    const begin = performance.now()
    const { dicom, problems } = await scanDataset(folder)
    expect(performance.now() - begin).to.be.below(MOST_MS)
    expect(dicom).to.deep.equal({ images: 10_000, series: 40, patients: 1, segmentations: 0, modalities: { CT: 40 } })
    expect(problems.map(({ files }) => files)).to.deep.equal(Array.from({ length: SERIES }, () => SLICES))
  })
})
