import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import sharp from 'sharp'
import type { Taken } from '../../bench/data/exit-worker.ts'
import { makeInput } from '../../bench/data/inputs.ts'
import { ROOT } from '../unit/documents/markdown.ts'
import { consiliumJson } from './cli.ts'

const run = promisify(execFile)
const DIST = join(ROOT, 'dist')

/** The greatest memory in MiB that the compiled command line took. */
async function peakOf (...args: string[]): Promise<number> {
  const watch = pathToFileURL(join(DIST, 'bench/data/exit-worker.js')).href
  const { stderr } = await run(process.execPath, ['--import', watch, join(DIST, 'src/cli/index.js'), ...args])
  return (JSON.parse(stderr.trim().split('\n').at(-1)!) as Taken).peak
}

// `npm run bench:data` measures what docs/LIMITS.md states; these are smaller, with room for other machines.
describe('memory of large images', function () {
  this.timeout(180_000)
  let folder: string

  before(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-memory-')) })
  after(async () => { await rm(folder, { recursive: true }) })

  // 383 to 480 MiB, as quick as garbage is collected, of three volumes or six; each that stayed would add 39.
  it('grows with one volume, not with all of a folder', async () => {
    const data = join(folder, 'volumes')
    await makeInput(data, { seed: 7, count: 6, dims: [512, 512, 150] })
    expect(await peakOf('data', 'check', data, '--sheet', join(folder, 'sheet.png'))).to.be.below(600)
  })

  // 600 MiB with the picture of the bench; 3,100 while a mask was made of all its logits and a picture decoded at once.
  it('is that of one copy of a picture and its mask', async () => {
    const [home, image] = [join(folder, 'site'), join(folder, 'large.png')]
    await consiliumJson(['federation', 'create', '--home', home, '--name', 'test', '--rounds', '1'])
    const patch = await sharp({ create: { width: 4000, height: 4000, channels: 3, background: '#c0a080' } }).png().toBuffer()
    await sharp({ create: { width: 8192, height: 8192, channels: 3, background: '#204060' } })
      .composite([{ input: patch, left: 1000, top: 1000 }]).removeAlpha().png({ compressionLevel: 1 }).toFile(image)
    expect(await peakOf('predict', '--home', home, '--image', image, '--out', join(folder, 'out.png'), '--threads', '1')).to.be.below(900)
  })
})
