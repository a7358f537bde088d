import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { readPages } from '../../../scripts/reference/pages.ts'
import { settingsFromEnvironment } from '../../../src/home/config/load.ts'
import { siteConfig } from '../../../src/settings/site/site-config.ts'

const folder = join(import.meta.dirname, '../../../docs/reference')

describe('docs/reference', () => {
  let pages: Record<string, string>

  before(async function () {
    // It reads the types of the whole program.
    this.timeout(120_000)
    pages = await readPages()
  })

  for (const name of ['settings.md', 'cli.md', 'methods.md', 'api.md']) {
    it(`${name} is what the code says`, async () => {
      const kept = await readFile(join(folder, name), 'utf8')
      if (kept !== pages[name]) expect.fail(`docs/reference/${name} is stale: run "npm run reference" and commit what it writes`)
    })
  }

  it('names every setting of a site, with the variable that is read and the flag', () => {
    for (const key of Object.keys(siteConfig.shape)) {
      const row = pages['settings.md']!.split('\n').find((line) => line.startsWith(`| \`${key}\` |`))
      const variable = /`(CONSILIUM_\w+)`/.exec(row ?? '')?.[1] ?? ''
      expect(settingsFromEnvironment({ [variable]: 'x' }), key).to.have.all.keys(key)
      if (key !== 'embeddingCache') expect(row, key).to.match(/`--[a-z-]+` of (start|.*, start)/)
    }
  })

  it('names every setting of a federation that has a flag, with it', () => {
    const flags = { 'model.imageSize': 'image-size', 'training.seed': 'seed', 'averaging.coolDown.seconds': 'cool-down' }
    for (const [path, flag] of Object.entries(flags)) {
      expect(pages['settings.md']).to.contain(`\n| \`${path}\` | \`--${flag}\` |`)
    }
  })

  // Flags are found by their sentence.
  it('has a sentence for every setting of a federation and a site, and no two alike', () => {
    const [own = ''] = pages['settings.md']!.split('## Of the simulator')
    const sentences = [...own.matchAll(/^\| `.* \| (.*?) \|$/gm)].map(([, sentence]) => sentence)
    expect(sentences).to.have.length.above(50).and.not.include('')
    expect(new Set(sentences).size).to.equal(sentences.length)
  })

  it('names every export, the values with an example', async () => {
    const api = await import('../../../src/index.ts')
    for (const name of Object.keys(api)) expect(pages['api.md']).to.match(new RegExp(`\n### ${name}\n\n\`\`\`ts\n[^\`]*\\b${name}\\b`))
    for (const name of ['SiteStatus', 'PredictRequest']) expect(pages['api.md']).to.contain(`\n| \`${name}\` |`)
  })

  it('names every command and no hidden variable', () => {
    for (const command of ['start', 'audit reconcile', 'federation create', 'id rotate', 'simulate']) {
      expect(pages['cli.md']).to.contain(`\n## consilium ${command}\n`)
    }
    expect(Object.values(pages).join('')).not.to.contain('TEST')
  })

  it('holds nothing of the machine on which it was made', () => {
    expect(Object.values(pages).join('')).not.to.contain(join(homedir(), '.consilium'))
  })
})
