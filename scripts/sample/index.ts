/** Makes the bundled sample, four simulated hospitals, from the Colin 27 head: `npm run sample -- SOURCE_FOLDER`. */
import { join } from 'node:path'
import { seededRandom } from '../../src/common/random.ts'
import { contactSheet, loadDataset } from '../../src/dataset/index.ts'
import { sayHelp } from '../say-help.ts'
import { biasField, blur, flatten, invert, noise, type Grid, type Shift } from './shifts.ts'
import { readSource, takeStack, type Stack } from './source.ts'
import { writeDeepGrey, writeNnunet, writePictures, writeVolume } from './write.ts'

const SEED = 27
/** Stored values of hospital b per unit of brightness: scanners have their own scale. */
const SCANNER_SCALE = 3

sayHelp(`npm run sample -- SOURCE_FOLDER [TARGET_FOLDER [SHEETS_FOLDER]]
Makes the bundled sample, four simulated hospitals, from the Colin 27 head.
`)

const [folder, target = join(process.cwd(), 'samples', 'colin27'), sheets] = process.argv.slice(2)
if (folder == null) {
  process.stderr.write(
    'say where t1.nii.gz, brain.nii.gz and deep-grey.nii.gz are: npm run sample -- SOURCE_FOLDER [TARGET_FOLDER [SHEETS_FOLDER]]\n'
  )
  process.exit(2)
}

const source = await readSource(folder)
const hospital = (letter: string): string => join(target, `hospital-${letter}`)

const axial = takeStack(source, 'axial', 3, 0)
await writePictures(hospital('a'), axial)

const coronal = takeStack(source, 'coronal', 4, 0)
const uneven = shift(coronal, [biasField, noise(seededRandom(SEED, 1), 7)])
await writeNnunet(
  hospital('b'),
  coronal,
  uneven.slices.map((slice) => Int16Array.from(slice, (value) => Math.round(value * SCANNER_SCALE)))
)

const sagittal = takeStack(source, 'sagittal', 3, 0)
await writeVolume(hospital('c'), shifted(sagittal, [blur(1.1), flatten(0.7, 20, 150)]))
const between = takeStack(source, 'axial', 3, 1)
await writePictures(hospital('d'), shifted(between, [invert, noise(seededRandom(SEED, 3), 9)]))

const deep = (letter: string): string => join(target, '..', 'deep-grey', `hospital-${letter}`)
await writeDeepGrey(deep('a'), axial, 'pictures')
await writeDeepGrey(deep('b'), coronal, 'volume')
await writeDeepGrey(deep('c'), sagittal, 'volume')
await writeDeepGrey(deep('d'), between, 'pictures')

for (const letter of ['a', 'b', 'c', 'd']) {
  const { slices, problems } = await loadDataset(hospital(letter))
  process.stdout.write(
    `hospital-${letter}: ${slices.length} slices of ${slices[0]!.width}×${slices[0]!.height} pixels, ${problems.length} problems\n`
  )
  if (sheets != null) await contactSheet(slices, join(sheets, `hospital-${letter}.png`))
}

function shift ({ height, width, images }: Stack, shifts: readonly Shift[]): Grid {
  return shifts.reduce((grid: Grid, step) => step(grid), { height, width, slices: images.map((image) => Float32Array.from(image)) })
}

function shifted (stack: Stack, shifts: readonly Shift[]): Stack {
  return {
    ...stack,
    images: shift(stack, shifts).slices.map((slice) => Uint8Array.from(slice, (value) => Math.min(255, Math.max(0, Math.round(value)))))
  }
}
