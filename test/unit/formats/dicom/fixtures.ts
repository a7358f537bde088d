import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { stacksIn } from '../../../../src/dataset/dicom/list-dicom.ts'
import { isPlaced, readStack, type PlacedStack } from '../../../../src/formats/dicom/read-stack.ts'
import type { Stack } from '../../../../src/formats/dicom/stacks.ts'
import { surveyFiles } from '../../../../src/formats/dicom/survey.ts'
import { niftiBytes, type Matrix } from '../../dataset/fixtures.ts'
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

/** A file of the fixtures as it would be of another patient, from 1 to 9, with UIDs of its own. */
export async function putOfPatient (from: string, to: string, patient: number): Promise<void> {
  const text = (await readFile(join(DICOM, from))).toString('latin1')
  await mkdir(dirname(to), { recursive: true })
  await writeFile(to, text.replaceAll('FIXTURE-1', `FIXTURE-${patient}`).replaceAll('.498.7.', `.498.${patient}.`), 'latin1')
}

/** The CT of the fixtures and its labels as NIfTI, once for each of these subjects. */
export async function writeAsNifti (folder: string, subjects: readonly string[]): Promise<void> {
  const stack = placed(await onlyStack(join(DICOM, 'ct')))
  const { axes, origin } = stack.place
  const sform: Matrix = [-1, -1, 1].map((sign, world) => [...axes.map((axis) => sign * axis[world]!), sign * origin[world]!])
  const { labels } = JSON.parse(await readFile(join(DICOM, 'expected.json'), 'utf8')) as { labels: string }
  for (const name of ['images', 'masks']) await mkdir(join(folder, name), { recursive: true })
  for (const subject of subjects) {
    const file = `scan-${subject}.nii`
    await writeFile(join(folder, 'images', file), niftiBytes({ dims: stack.dims, datatype: 4, sform, values: [...await valuesOf(stack)] }))
    const values = [...Buffer.from(labels, 'base64')]
    await writeFile(join(folder, 'masks', file), niftiBytes({ dims: stack.dims, datatype: 2, sform, values }))
  }
  await writeFile(join(folder, 'subjects.csv'), ['file,subject', ...subjects.map((each) => `scan-${each}.nii,${each}`)].join('\n'))
  await writeFile(join(folder, 'dataset.json'), '{ "channel_names": { "0": "CT" } }')
}
