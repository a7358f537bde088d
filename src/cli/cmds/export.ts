import { readFloatTensors } from '../../adapter/safetensors.ts'
import { InputError, UsageError } from '../../errors.ts'
import { requireChecksum } from '../../home/checksum.ts'
import { readIfThere, writeFileSafely } from '../../home/files.ts'
import { sitePaths } from '../../home/paths.ts'
import { adapterOfRound, parseRound } from '../../home/round-adapter.ts'
import { requireKnownHome } from '../../home/version.ts'
import { command, withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print, roundFlag } from '../output.ts'

const flags = {
  ...homeFlag,
  ...jsonFlag,
  ...roundFlag,
  merged: {
    type: 'boolean',
    describe: 'write a whole SAM with the global adapter merged into its base instead, as a .pth that segment-anything loads',
    default: false
  },
  out: { type: 'string', describe: 'safetensors file to write, or with --merged a .pth', demandOption: true }
} as const

export const exportAdapter = command({
  command: 'export',
  describe: 'write the global adapter as safetensors; the private experts stay',
  builder: (argv) => withFlags(argv, flags),
  handler: async ({ home, json, out, round, merged }) => {
    if (merged && !/\.pth$/i.test(out)) throw new UsageError(`--out ${out} must end in .pth with --merged`)
    await requireKnownHome(home)
    const path = await adapterOfRound(sitePaths(home), parseRound(round))
    const bytes = await readIfThere(path)
    if (bytes == null) throw new InputError(`${home} has no adapter yet: start the daemon and let it finish a round`)
    requireChecksum(bytes)
    const { tensors, metadata } = readFloatTensors(bytes)
    if (merged) {
      const { exportMerged } = await import('../../site-model/export-merged.ts')
      const { imageSize, tensors: count } = await exportMerged(home, parseRound(round), out)
      const written = { out, round: Number(metadata['round']), tensors: count, imageSize }
      print(json, written, `${out}: a SAM of ${count} tensors for images of ${imageSize} pixels, of round ${written.round}`)
      return
    }
    await writeFileSafely(out, bytes)
    const result = { out, round: Number(metadata['round']), tensors: tensors.size, schemaHash: metadata['schema_hash'] }
    print(json, result, `${out}: ${tensors.size} tensors of round ${result.round}`)
  }
})
