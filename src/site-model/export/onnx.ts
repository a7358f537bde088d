import { join } from 'node:path'
import { toPortable } from '../../compute/index.ts'
import { writeFileSafely, writePartsSafely } from '../../home/files.ts'
import { classesOf, type Taken } from './taken.ts'

/** Encoder and decoder as ONNX files of the standard, each with a file of its numbers beside it (docs/export.md). */
export async function writeOnnx (taken: Taken, folder: string): Promise<void> {
  const { sam, pixels, round, digest } = taken
  const { name, imageSize } = sam.config
  const metadata = {
    model: name,
    image_size: String(imageSize),
    pixels,
    classes: JSON.stringify(classesOf(taken)),
    round: String(round),
    adapter_sha256: digest
  }
  for (const half of ['encoder', 'decoder'] as const) {
    const dataFile = `${half}.onnx.data`
    const { bytes, data } = await toPortable({ ...sam[half], frozen: sam.weights, open: 'points', dataFile, metadata })
    await writePartsSafely(join(folder, dataFile), data)
    await writeFileSafely(join(folder, `${half}.onnx`), bytes)
  }
}
