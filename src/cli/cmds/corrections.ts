import type { CommandModule } from 'yargs'
import { sitePaths } from '../../home/paths.ts'
import { requireKnownHome } from '../../home/version.ts'
import { Corrections, type Correction } from '../../site-model/corrections/corrections.ts'
import { readSides } from '../../site-model/sides.ts'
import { command, withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print } from '../output.ts'

const flags = { ...homeFlag, ...jsonFlag } as const

const list = command({
  command: 'list',
  describe: 'what was saved in a viewer, by whom and when, and the digest of the labels that the site trains on',
  builder: (argv) => withFlags(argv, flags),
  handler: async ({ home, json }) => {
    await requireKnownHome(home)
    const { privateStore } = sitePaths(home)
    const saved = await new Corrections(privateStore).list()
    const { digest } = await readSides(privateStore)
    const newest = new Map(saved.map((each) => [JSON.stringify([each.data, each.stem]), each.id]))
    const listed = saved.map((each) => ({ ...each, counts: [...newest.values()].includes(each.id) }))
    print(json, { corrections: listed, digest: digest ?? null }, () => [
      ...listed.map(describe),
      `${newest.size} images are corrected`,
      ...digest == null ? [] : [`digest of the labels when the site read them last: ${digest}`]
    ].join('\n'))
  }
})

const undo = command({
  command: 'undo <id>',
  describe: 'take a correction back: the labels of before count from the next round on',
  builder: (argv) => withFlags(argv.positional('id', { type: 'string', describe: 'of "corrections list"', demandOption: true }), flags),
  handler: async ({ home, json, id }) => {
    await requireKnownHome(home)
    const { stem } = await new Corrections(sitePaths(home).privateStore).undo(id)
    print(json, { undone: id, stem }, `${id}: the labels of ${stem} are those of before again`)
  }
})

export const corrections: CommandModule = {
  command: 'corrections',
  describe: 'labels that were saved in a viewer: list them, take one back',
  builder: (argv) => argv.command(list).command(undo).demandCommand(1, 'say what to do: corrections list, or corrections undo ID'),
  handler: () => {}
}

function describe ({ id, stem, author, at, counts }: Correction & { readonly counts: boolean }): string {
  return `${id}  ${at}  author ${author}  ${stem}${counts ? '' : ', replaced by a later one'}`
}
