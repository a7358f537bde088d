import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../../../src/common/random.ts'
import { CorruptFileError, InputError, SchemaError } from '../../../src/errors.ts'
import { readVolume } from '../../../src/formats/volume.ts'
import { readPages } from '../../../src/formats/pages/read-pages.ts'
import { openTensorFile } from '../../../src/site-model/base/open-tensor-file.ts'
import { fixCrc, mutate } from '../node/offline-models/mutate.ts'

export interface Verdict {
  readonly strange: readonly string[]
  /** Of the processor, whoever else wants it. */
  readonly slowestMs: number
  /** Of the process, MiB. */
  readonly peak: number
}

const READ: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  pth: readTensors,
  safetensors: readTensors,
  nii: async (path) => await readVolume(path),
  png: async (path) => await readPages(path),
  tif: async (path) => await readPages(path)
}

async function readTensors (path: string): Promise<void> {
  const file = await openTensorFile(path)
  try {
    for (const name of file.shapes.keys()) await file.read(name)
  } finally {
    await file.close()
  }
}

/** Reads hundreds of damaged forms of files, in a process whose heap is capped: what is not refused in a sentence is told. */
async function tryAll (ending: string, wholes: readonly string[], runs: number): Promise<Verdict> {
  const random = seededRandom(7)
  const folder = await mkdtemp(join(tmpdir(), 'consilium-hostile-'))
  const path = join(folder, `hostile.${ending}`)
  const strange: string[] = []
  let slowestMs = 0
  for (let run = 0; run < runs; run++) {
    const whole = Buffer.from(wholes[run % wholes.length]!, 'base64')
    // Headers decide what is allocated: half of the harm is done there.
    const changed = mutate(whole, random, run % 2 === 0 ? Math.min(whole.length, 400) : whole.length)
    await writeFile(path, ending === 'pth' && run % 3 === 0 ? fixCrc(changed) : changed)
    const before = process.cpuUsage()
    try {
      await READ[ending]!(path)
    } catch (error) {
      const isNamed = [InputError, CorruptFileError, SchemaError].some((kind) => error instanceof kind)
      if (!isNamed) strange.push(`run ${run}: ${String(error)}`)
    }
    const { user, system } = process.cpuUsage(before)
    slowestMs = Math.max(slowestMs, (user + system) / 1_000)
    // The peak is to be that of one file, however late a busy machine would collect those before.
    globalThis.gc!()
  }
  await rm(folder, { recursive: true })
  return { strange, slowestMs, peak: await peakMb() }
}

process.on('message', ({ ending, wholes, runs }: { ending: string, wholes: string[], runs: number }) => {
  tryAll(ending, wholes, runs).then((verdict) => {
    process.send!(verdict, () => { process.disconnect() })
  }, (error: unknown) => { throw error })
})

/** Of this program alone: `maxRSS` would be that of the one which started it, where that was larger. */
async function peakMb (): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '')
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
  return (kilobytes == null ? process.resourceUsage().maxRSS : Number(kilobytes)) / 1024
}
