import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import sharp, { type Sharp } from 'sharp'
import { writeSafetensors } from '../../../src/adapter/safetensors.ts'
import { decodeTiff } from '../../../src/formats/pages/tiff.ts'
import { niftiBytes } from '../dataset/fixtures.ts'
import { ROOT } from '../documents/markdown.ts'
import { pickledPth } from '../node/offline-models/pth-writer.ts'
import type { Verdict } from './hostile-worker.ts'

const RUNS = 300
const HEAP_MB = 256
/** With what the process takes before it reads anything, some 150 MiB; a volume may unpack to 1 GiB, and these say that they are small. */
const PEAK_MB = 700
const SLOWEST_MS = 5_000

const values = Array.from({ length: 60 }, (_, i) => i % 3)

/** Whole files, and some made to cost much. */
const FILES: Readonly<Record<string, () => Promise<Uint8Array[]>>> = {
  pth: async () => [
    await readFile(join(ROOT, 'test/fixtures/pth/tensors.pth')),
    await readFile(join(ROOT, 'test/fixtures/pth/training-checkpoint.pth')),
    pickledPth(Buffer.from(`\x80\x02}${'}q\x01h\x01s'.repeat(2_000)}.`, 'latin1'))
  ],
  safetensors: async () => [
    writeSafetensors(new Map([['a', { shape: [20, 3], data: Float32Array.from(values) }]]), { name: 'x' }),
    Buffer.concat([header(1_000_000), Buffer.from('{"a":' + '['.repeat(999_995))]),
    Buffer.concat([header(1_000_000), Buffer.from(`{"${'a'.repeat(999_990)}":1}`.padEnd(1_000_000))]),
    Buffer.concat([header(1_000_000), Buffer.from(`{"a":{"dtype":${'['.repeat(400_000)}${']'.repeat(400_000)}}}`.padEnd(1_000_000))])
  ],
  nii: async () => [1, 2].flatMap((version) => {
    const bytes = niftiBytes({ dims: [5, 4, 3], values, datatype: 1024, version: version as 1 | 2 })
    return [bytes, gzipSync(bytes), gzipSync(Buffer.concat([bytes, Buffer.alloc(64 * 2 ** 20)]))]
  }),
  png: async () => [await picture().png().toBuffer(), await picture().png({ palette: true }).toBuffer()],
  tif: async () => [await picture().tiff({ compression: 'deflate' }).toBuffer(), await picture().tiff({ compression: 'lzw' }).toBuffer()]
}

function picture (): Sharp {
  return sharp({ create: { width: 40, height: 30, channels: 3, background: '#c0a080' } })
}

function header (length: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(length))
  return bytes
}

describe('LZW of TIFF', () => {
  it('unpacks what libtiff packed, noise and areas', async () => {
    for (const kept of [1, 4, 64]) {
      const data = Buffer.from(Array.from({ length: 120 * 90 }, (_, i) => Math.imul(i + kept, 2654435761) >>> 24 & (256 - kept)))
      const packed = await sharp(data, { raw: { width: 120, height: 90, channels: 1 } }).tiff({ compression: 'lzw' }).toBuffer()
      const [page] = await decodeTiff(packed)
      const grey = page!.data.filter((_, i) => i % page!.channels === 0)
      expect(Buffer.from(grey as Uint8Array).equals(data), `${kept}`).to.equal(true)
    }
  })
})

describe('hostile files, in a process with a small heap', function () {
  this.timeout(600_000)

  for (const [ending, make] of Object.entries(FILES)) {
    it(`.${ending}: each is read or refused in a sentence, soon and in little memory`, async () => {
      const wholes = (await make()).map((bytes) => Buffer.from(bytes).toString('base64'))
      const worker = fork(join(import.meta.dirname, 'hostile-worker.ts'), {
        execArgv: ['--import', 'tsx', '--expose-gc', `--max-old-space-size=${HEAP_MB}`]
      })
      const ended = once(worker, 'exit')
      worker.send({ ending, wholes, runs: RUNS })
      const [verdict] = await Promise.race([once(worker, 'message'), ended.then(() => [undefined])]) as [Verdict | undefined]
      await ended
      expect(verdict, 'it ended before it had answered').not.to.equal(undefined)
      expect(verdict!.strange).to.deep.equal([])
      expect(verdict!.slowestMs).to.be.below(SLOWEST_MS)
      expect(verdict!.peak).to.be.below(PEAK_MB)
    })
  }
})
