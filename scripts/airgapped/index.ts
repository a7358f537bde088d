/** npm run airgapped: one archive that installs and runs on a machine without any network (docs/install.md). */
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../src/common/message-of.ts'
import { sayHelp } from '../say-help.ts'
import { archive } from './archive.ts'
import { digestOf, stage } from './stage.ts'

/** The same for every archive, so that only its contents decide its bytes. */
const DATE = new Date(Date.UTC(2020, 0))

sayHelp(`npm run airgapped
Writes out/airgapped/consilium-VERSION-linux-ARCH.tar.gz for machines like this one, and its SHA-256 beside it.
`)

async function main (root: string): Promise<void> {
  const out = join(root, 'out/airgapped')
  const staging = join(out, 'stage')
  await mkdir(staging, { recursive: true })
  const { name, files } = await stage(root, staging, { platform: process.platform, arch: process.arch }, DATE)
  const file = join(out, `${name}.tar.gz`)
  await archive(staging, files.map((each) => `${name}/${each}`), file, DATE)
  await rm(staging, { recursive: true })
  const digest = await digestOf(file)
  await writeFile(`${file}.sha256`, `${digest}  ${name}.tar.gz\n`)
  process.stdout.write(`${file}\n${files.length} files, ${((await stat(file)).size / 1e6).toFixed(0)} MB, SHA-256 ${digest}\n`)
}

try {
  await main(process.cwd())
} catch (error) {
  process.stderr.write(`airgapped: ${messageOf(error)}\n`)
  process.exitCode = 1
}
