import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere } from '../../src/home/files.ts'
import type { Package } from './contents.ts'
import { isLicence } from './needed.ts'

const RULE = '-'.repeat(78)
/** Up to the next heading of the first or second level. */
const SECTION = /^#{1,3} .*\blicen[cs](e|ing)\b.*\n[^]*?(?=^#{1,2} |(?![^]))/im

/** The project's own notice, then every package with its licence and the words of it that the package has. */
export async function noticeOf (root: string, packages: readonly Package[]): Promise<string> {
  const parts = await Promise.all(packages.map(async (each) => {
    const texts = (await wordsOf(each)).map((text) => text.trim())
    return [RULE, `${each.name} ${each.version}: ${each.license}`, ...texts.flatMap((text) => ['', text]), ''].join('\n')
  }))
  const own = (await readFile(join(root, 'NOTICE'), 'utf8')).trimEnd()
  return `${[own, '', 'Packages of the npm registry that come along, and their licences:', '', ...parts].join('\n')}\n`
}

/** Its licence files, or else what its README says. */
async function wordsOf ({ folder, files }: Package): Promise<string[]> {
  const texts = await Promise.all(files.filter(isLicence).map(async (file) => await readFile(join(folder, file), 'utf8')))
  if (texts.length > 0) return texts
  const readme = (await readIfThere(join(folder, 'README.md')))?.toString('utf8') ?? ''
  const [section] = SECTION.exec(readme) ?? []
  return section == null ? [] : [section]
}
