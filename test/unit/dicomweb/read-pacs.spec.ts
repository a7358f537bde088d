import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseAddress } from '../../../src/dicomweb/address.ts'
import { PacsCache } from '../../../src/dicomweb/pacs-cache.ts'
import { readLabelled, readOneSeries } from '../../../src/dicomweb/read-pacs.ts'
import { DICOM, onlyStack } from '../formats/dicom/fixtures.ts'

describe('studies of a PACS', () => {
  let folder: string
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  /** A study with the CT of the fixtures, a report, and a damaged segmentation beside the sound one, or alone. */
  async function source (labels: readonly string[]): Promise<Parameters<typeof readLabelled>[1]> {
    const { instance: { series: ct } } = await onlyStack(join(DICOM, 'ct'))
    const images = await readdir(join(DICOM, 'ct'))
    const kept = (await PacsCache.open(folder, 2 ** 26)).folder('a')
    return {
      folder: await kept,
      client: {
        studies: async () => ['1.1'],
        series: async () => [
          { uid: ct, modality: 'CT' }, { uid: '1.2', modality: 'SR' }, { uid: '1.3', modality: 'MR' }, { uid: '1.4', modality: 'SEG' }
        ],
        instances: async (_, series) => {
          expect(series, 'a report, and images that nobody segmented').not.to.be.oneOf(['1.2', '1.3'])
          return series === ct ? images : [...labels]
        },
        file: async (_, series, name) => {
          if (name === 'damaged') return Buffer.from('no DICOM')
          return await readFile(series === ct ? join(DICOM, 'ct', name) : join(DICOM, name))
        }
      }
    }
  }

  it('one damaged segmentation stays to be told of, and the rest is read', async () => {
    const read = await readLabelled(parseAddress('dicomweb+http://pacs/studies/1.1'), await source(['ct-binary.dcm', 'damaged']))
    expect(read).to.include({ studies: 1, unlabelled: 0 })
    expect(await readdir(read.folder)).to.have.length(6 + 2)
  })

  it('nothing that can be read was drawn on them: that is said, and nothing fetched', async () => {
    const refused = await readLabelled(parseAddress('dicomweb+http://pacs/studies/1.1'), await source(['damaged']))
      .then(() => '', ({ message }: Error) => message)
    expect(refused).to.equal('none of the 1 studies that the address of the PACS names has a DICOM SEG or RTSTRUCT to learn from')
  })

  it('for a prediction one series is named, or the only one of images taken', async () => {
    const [two, none] = ['/studies/1.1', ''].map((path) => parseAddress(`dicomweb+http://pacs${path}`))
    const refusal = async (address: typeof two): Promise<string> =>
      await readOneSeries(address!, await source([])).then(() => '', ({ message }: Error) => message)
    expect(await refusal(two)).to.equal('the study has 2 series of images: put /series/UID of one behind it')
    expect(await refusal(none)).to.match(/^the address of the PACS names no study/)
    expect(await refusal(parseAddress('dicomweb+http://pacs/studies/1.1/series/9'))).to.match(/^the PACS has no images of the study/)
  })
})
