import { readFloatTensors } from '../../adapter/safetensors.ts'
import { InputError, UsageError } from '../../errors.ts'
import { readFederation } from '../../federation/document.ts'
import { exportedAdapter } from '../../federation/warm-start.ts'
import { readIfThere, writeFileSafely } from '../../home/files.ts'
import { sitePaths } from '../../home/paths.ts'
import { adapterOfRound, parseRound } from '../../home/round-adapter.ts'
import { requireKnownHome } from '../../home/version.ts'
import { command, withFlags, type Args } from '../flags.ts'
import { homeFlag, jsonFlag, print, roundFlag } from '../output.ts'

const FORMATS = ['pth', 'transformers', 'onnx', 'monai'] as const

const flags = {
  ...homeFlag,
  ...jsonFlag,
  ...roundFlag,
  merged: {
    type: 'boolean',
    describe: 'write a whole SAM with the global adapter merged into its base instead',
    default: false
  },
  format: {
    choices: FORMATS,
    describe: 'with --merged: a .pth that segment-anything loads, or a folder: for transformers, of ONNX files, a MONAI bundle',
    default: 'pth'
  },
  personal: {
    type: 'boolean',
    describe: 'write the experts, and what else stays at this site, beside the global adapter: not to leave this machine',
    default: false
  },
  out: { type: 'string', describe: 'safetensors file to write, or with --merged a .pth or a folder', demandOption: true }
} as const

export const exportAdapter = command({
  command: 'export',
  describe: 'write the global adapter as safetensors; the private experts stay',
  builder: (argv) => withFlags(argv, flags),
  handler: async (argv) => {
    const { home, round, merged, personal, format, out } = argv
    if (merged && personal) throw new UsageError('--merged and --personal exclude each other: what stays at the site is never merged')
    if (!merged && format !== 'pth') throw new UsageError(`--format ${format} needs --merged`)
    if (merged && (format === 'pth') !== /\.pth$/i.test(out)) {
      throw new UsageError(`--out ${out} must ${format === 'pth' ? 'end in .pth with --merged' : `be a folder with --format ${format}`}`)
    }
    await requireKnownHome(home)
    const path = await adapterOfRound(sitePaths(home), parseRound(round))
    const bytes = await readIfThere(path)
    if (bytes == null) throw new InputError(`${home} has no adapter yet: start the daemon and let it finish a round`)
    if (merged) await writeMerged(argv)
    else if (personal) await writePersonal(argv)
    else await writeAdapter(argv, bytes)
  }
})

type Given = Args<typeof flags>

async function writeMerged ({ home, json, round, format, out }: Given): Promise<void> {
  const { exportMerged } = await import('../../site-model/export/merged.ts')
  const found = await exportMerged({ home, round: parseRound(round), format, out })
  print(json, { out, format, ...found }, `${out}: a whole SAM for images of ${found.imageSize} pixels, of round ${found.round}`)
}

async function writePersonal ({ home, json, round, out }: Given): Promise<void> {
  const { exportPersonal } = await import('../../site-model/export/personal.ts')
  const found = await exportPersonal(home, parseRound(round), out)
  const contents = `${found.kept} private tensors of this site beside its global adapter`
  print(json, { out, ...found }, `${out}: ${contents}; they tell of its patients and must not leave this machine`)
}

async function writeAdapter ({ home, json, out }: Given, bytes: Buffer): Promise<void> {
  const { document } = await readFederation(sitePaths(home).federation)
  const exported = exportedAdapter(bytes, document)
  const { tensors, metadata } = readFloatTensors(exported)
  await writeFileSafely(out, exported)
  const result = { out, round: Number(metadata['round']), tensors: tensors.size, schemaHash: metadata['schema_hash'] }
  print(json, result, `${out}: ${tensors.size} tensors of round ${result.round}`)
}
