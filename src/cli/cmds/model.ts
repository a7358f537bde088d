import cliProgress from 'cli-progress'
import type { CommandModule } from 'yargs'
import { sitePaths } from '../../home/paths.ts'
import { requireKnownHome } from '../../home/version.ts'
import type { StoredModel } from '../../site-model/base/model-store.ts'
import { command, withFlags } from '../flags.ts'
import { interruptible } from '../interruptible.ts'
import { homeFlag, jsonFlag, print } from '../output.ts'

const commonFlags = { ...homeFlag, ...jsonFlag } as const
const importFlags = {
  ...commonFlags,
  name: { type: 'string', describe: 'what to call it here (default: its architecture)' },
  architecture: { type: 'string', describe: 'what it must be: vit-b, vit-l, vit-h, sam-tiny or litemedsam (default: what fits best)' }
} as const

const importCommand = command({
  command: 'import <file>',
  describe: 'bring SAM weights (.pth or safetensors, original or Hugging Face naming) into this home',
  builder: (argv) =>
    withFlags(argv.positional('file', { type: 'string', describe: 'weight file', demandOption: true }), importFlags),
  handler: async ({ home, json, file, name, architecture }) => {
    await requireKnownHome(home)
    const { importModel } = await import('../../site-model/base/import-model.ts')
    const bar = new cliProgress.SingleBar({
      format: 'importing {bar} {percentage}%',
      clearOnComplete: true,
      gracefulExit: false,
      stream: process.stderr
    }, cliProgress.Presets.shades_classic)
    await interruptible('stopped before it was whole', async (signal) => {
      bar.start(1, 0)
      const imported = await importModel({
        file,
        folder: sitePaths(home).models,
        signal,
        onProgress: (done, total) => {
          bar.setTotal(total)
          bar.update(done)
        },
        ...(name == null ? {} : { name }),
        ...(architecture == null ? {} : { architecture })
      }).finally(() => {
        bar.stop()
      })
      print(
        json,
        imported,
        `${imported.name}: ${imported.architecture}, ${imported.parameters.toLocaleString('en')} parameters, hash ${imported.hash}`
      )
    })
  }
})

const list = command({
  command: 'list',
  describe: 'base models that this machine has',
  builder: (argv) => withFlags(argv, commonFlags),
  handler: async ({ home, json }) => {
    await requireKnownHome(home)
    const { listModels } = await import('../../site-model/base/model-store.ts')
    const models = await listModels(sitePaths(home).models)
    print(
      json,
      models,
      () =>
        models.map(({ name, architecture, hash, bundled }) =>
          `${name}  ${architecture}  ${hash.slice(0, 12)}…${bundled ? '  bundled' : ''}`
        ).join('\n')
    )
  }
})

const info = command({
  command: 'info <name>',
  describe: 'size, architecture and hash of a base model',
  builder: (argv) =>
    withFlags(argv.positional('name', { type: 'string', describe: 'name as in model list', demandOption: true }), commonFlags),
  handler: async ({ home, json, name }) => {
    await requireKnownHome(home)
    const { findModel } = await import('../../site-model/base/model-store.ts')
    const model = await findModel(sitePaths(home).models, name)
    print(json, model, () => describe(model))
  }
})

function describe ({ name, architecture, hash, parameters, bytes, path }: StoredModel): string {
  return [
    `name          ${name}`,
    `architecture  ${architecture}`,
    `parameters    ${parameters.toLocaleString('en')}`,
    `bytes         ${bytes.toLocaleString('en')}`,
    `hash          ${hash}`,
    `file          ${path}`
  ].join('\n')
}

export const model: CommandModule = {
  command: 'model',
  describe: 'base models: bring one in, see what is here',
  builder: (argv) =>
    argv.command(importCommand).command(list).command(info).demandCommand(
      1,
      'say what to do: model import FILE, model list, model info NAME'
    ),
  handler: () => {}
}
