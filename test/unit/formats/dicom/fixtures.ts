import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { stacksIn } from '../../../../src/dataset/dicom/list-dicom.ts'
import { isPlaced, readStack, type PlacedStack } from '../../../../src/formats/dicom/read-stack.ts'
import type { Stack } from '../../../../src/formats/dicom/stacks.ts'
import { surveyFiles } from '../../../../src/formats/dicom/survey.ts'
import { ROOT } from '../../documents/markdown.ts'

export const DICOM = join(ROOT, 'test/fixtures/dicom')

/** SHA-256 of numbers as float64. */
export function digest (values: Iterable<number>): string {
  return createHash('sha256').update(Buffer.from(Float64Array.from(values).buffer)).digest('hex')
}

/** The only stack of a file or folder. */
export async function onlyStack (path: string): Promise<Stack> {
  const files = path.endsWith('.dcm') ? [path] : (await readdir(path)).map((name) => join(path, name))
  const { instances, refused } = await surveyFiles(files)
  expect(refused).to.deep.equal([])
  const stacks = [...stacksIn(instances).values()].flat()
  expect(stacks).to.have.length(1)
  return stacks[0]!
}

export function placed (stack: Stack): PlacedStack {
  if (!isPlaced(stack)) throw new Error('it has no place')
  return stack
}

export async function valuesOf (stack: PlacedStack): Promise<Float64Array> {
  const { voxels, header: { slope, intercept } } = (await readStack(stack)).volume
  return Float64Array.from(voxels, (stored) => stored * slope + intercept)
}
