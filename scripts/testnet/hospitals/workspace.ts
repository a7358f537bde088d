import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import { isMissing } from '../../../src/home/files.ts'

const MARKER = '.consilium-testnet'

export interface Workspace {
  readonly root: string
  readonly homes: string
  /** Data folders of hospitals with simulated images (--images). */
  readonly simulated: string
  /** Homes of the hospitals that train alone (--compare). */
  readonly alone: string
  readonly reportJson: string
  readonly reportHtml: string
}

/** An empty output folder; what an earlier testnet left there is removed. @throws InputError for a folder that holds anything else. */
export async function prepareWorkspace (out: string): Promise<Workspace> {
  const root = resolve(out)
  const present = await list(root)
  if (present.length > 0 && !present.includes(MARKER)) {
    throw new InputError(`${out} holds files that no testnet made: choose another --out or empty it`)
  }
  const workspace = {
    root,
    homes: join(root, 'homes'),
    simulated: join(root, 'simulated'),
    alone: join(root, 'alone'),
    reportJson: join(root, 'report.json'),
    reportHtml: join(root, 'report.html')
  }
  const { homes, simulated, alone, reportJson, reportHtml } = workspace
  for (const path of [homes, simulated, alone, reportJson, reportHtml]) {
    await rm(path, { recursive: true, force: true })
  }
  await mkdir(workspace.homes, { recursive: true })
  await writeFile(join(root, MARKER), 'Made by "npm run testnet", which empties this folder when it runs again.\n')
  return workspace
}

async function list (folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isMissing(error)) return []
    throw new InputError(`--out ${folder} is not a folder that can be read: choose another`)
  }
}
