import { Presets, SingleBar } from 'cli-progress'
import type { CommandModule } from 'yargs'
import { UsageError } from '../../../errors.ts'
import type { Mode } from '../../../model/settings.ts'
import type { ComputeSettings } from '../../config/compute.ts'
import type { Prompt } from '../../offline/predict-image.ts'
import { computeArgs, computeFlags } from '../compute-flags.ts'
import { withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print } from '../output.ts'

const flags = {
  ...homeFlag,
  ...jsonFlag,
  ...computeFlags,
  image: { type: 'string', describe: 'PNG, JPEG, TIFF or NIfTI file', demandOption: true },
  out: { type: 'string', describe: 'mask to write: .png, or .nii.gz for a volume', demandOption: true },
  mode: { choices: ['personal', 'global', 'frozen'], describe: 'which model', default: 'personal' },
  box: { type: 'string', describe: 'prompt x0,y0,x1,y1 in pixels' },
  point: { type: 'string', array: true, describe: 'prompt x,y,label in pixels; label 1 is inside, 0 outside' }
} as const

interface Args extends Partial<ComputeSettings> { home: string, json: boolean, image: string, out: string, mode: Mode, box?: string, point?: string[] }

export const predict: CommandModule<object, Args> = {
  command: 'predict',
  describe: 'segment one image, or a volume slice by slice',
  builder: (argv) => withFlags(argv, flags) as never,
  handler: async ({ home, json, image, out, mode, box, point, ...rest }) => {
    const prompt: Prompt = {
      ...(box == null ? {} : { box: numbers('--box', box, 4) as [number, number, number, number] }),
      ...(point == null ? {} : { points: point.map((each) => numbers('--point', each, 3) as [number, number, number]) })
    }
    const { predictImage } = await import('../../offline/predict-image.ts')
    const bar = new SingleBar({ format: '{bar} {value}/{total} slices, {eta_formatted} left', noTTYOutput: false }, Presets.shades_classic)
    const result = await predictImage({ home, image, out, mode, prompt, compute: computeArgs(rest), onProgress: (done, total) => { showProgress(bar, done, total) } })
    print(json, { out, mode, ...result }, `${out}: ${result.foreground} foreground ${result.slices > 1 ? `voxels in ${result.slices} slices` : 'pixels'}`)
  }
}

function showProgress (bar: SingleBar, done: number, total: number): void {
  if (total === 1) return
  if (!bar.isActive) bar.start(total, 0)
  bar.update(done)
  if (done === total) bar.stop()
}

function numbers (flag: string, text: string, count: number): number[] {
  const values = text.split(',').map(Number)
  if (values.length !== count || values.some((value) => !Number.isFinite(value))) throw new UsageError(`${flag} ${text} must be ${count} numbers separated by commas`)
  return values
}
