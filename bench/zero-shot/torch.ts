import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Slice } from '../../src/dataset/index.ts'
import type { BoxPrompt } from '../../src/model/predict/prompts.ts'
import { measureTorch } from '../measure-apart.ts'

/** What was asked of the port: a slice, the object on it [height·width], and its box. */
export interface Asked { readonly slice: Slice, readonly mask: Uint8Array, readonly box: BoxPrompt }

/** Dice of PyTorch's map 0 for each object, from the pixels on by its own code (torch_zero_shot.py). */
export async function askTorch (python: string, weights: string, asked: readonly Asked[]): Promise<readonly number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'zero-shot-'))
  try {
    const lines = await Promise.all(asked.map(async ({ slice: { image, height, width, channels }, mask, box }, i) => {
      const files = { image: join(folder, `${i}.image`), mask: join(folder, `${i}.mask`) }
      await Promise.all([writeFile(files.image, image), writeFile(files.mask, mask)])
      return JSON.stringify({ ...files, height, width, channels, box })
    }))
    const objects = join(folder, 'objects.jsonl')
    await writeFile(objects, lines.join('\n'))
    const args = ['--weights', weights, '--objects', objects]
    return (await measureTorch<{ dice: number[] }>(python, import.meta.dirname, 'torch_zero_shot.py', args)).dice
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
